"""What a measure is: a pure function from stored rows and a moment to samples of declared metrics.

Four shapes: a Counting looks at one new event inside the store's transaction; a Gauging looks at history at a tick;
a Deriving turns what time alone caused into events (a goal passed), written by the tick like any other event; a Stating
gives the state of each unit at the end of each day, which the tick has the store keep.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Fact
from platform_meter.model.history import History, Owner, SourceState, UnitState
from platform_meter.model.kept import Kept
from platform_meter.model.metric import Increment, Metric, Sample

E = TypeVar("E", bound=Event)

WINDOWS = (timedelta(days=28), timedelta(days=91))
"""Windows of delivery and CI ratios (domain section 6)."""


def window_label(window: timedelta) -> str:
    """`28d`, `6h`, `5m`: the shortest whole unit, as Prometheus writes durations."""
    seconds = int(window.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that a measure sees: one consistent view of the store, what people declared, and the moment."""

    history: History
    definitions: Definitions
    now: datetime
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    kept: Kept = field(default_factory=Kept)
    """What measures keep of this store between looks."""
    minimum: int = 5
    """Samples below which quantiles and sampled ratios are absent (domain section 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Generic[E]):
    """The same thing told in several ways (a rollout by its API and by its job): the best way that told of it counts."""

    place: Callable[[Any, Owner, int], tuple[Hashable, int]]
    """Of a tally's dim, the owner now and the id of its object: what it tells of, and the place of its way, 0 the best."""
    within: timedelta
    """A way that told nothing for as long is one that nobody uses any more."""
    shadow: Callable[[E, Owner, SourceState], Iterable[Increment]]
    """What an event adds in place of `count` where a better way told of the same thing."""


def best_ways(told: Iterable[tuple[Hashable, int]]) -> dict[Hashable, int]:
    """Of each thing the place of the best way that told of it."""
    best: dict[Hashable, int] = {}
    for thing, place in told:
        best[thing] = min(place, best.get(thing, place))
    return best


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting(Generic[E]):
    """What one event adds to counters and histograms. Called once per event that is new and not backfilled."""

    event: type[E]
    """Its kind exactly: `count` is called with events of this class, and never with those of another."""
    metrics: tuple[Metric, ...]
    count: Callable[[E, Owner, SourceState], Iterable[Increment]]
    ranking: Ranking[E] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Something stored that stands behind a sample, and what it adds to it."""

    source: str = ""
    object: int | None = None
    """What it is about; None for a unit of adoption, which is a team, service or person and no source's object."""
    fact: Fact | UnitState | None = None
    """None where the object itself is what counts, or `what` tells it."""
    what: str = ""
    """What counts although no fact tells it, such as slices without data that count as bad."""
    adds: float = 1.0
    """To the value; of a ratio to its whole; of a quantile it is one of the values."""
    part: float = 0.0
    """Of a ratio, to its part."""


Labels = tuple[str, ...]
"""Values of a metric's labels, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauging:
    """Gauges of `metrics`, computed anew when a fact in `reads` came, what it reads aged, or a tick moved the window."""

    metrics: tuple[Metric, ...]
    reads: frozenset[type[Fact]]
    compute: Callable[[Scene], Iterable[Sample]]
    behind: Callable[[Scene, Metric, Labels], Iterable[Piece]] | None = None
    """The facts of one sample, by the same selection as `compute`: what they add is its value. None where no fact stands
    behind it: what people declared, and how polls go."""
    stated: tuple[Metric, ...] = ()
    """Those of the metrics that no fact stands behind, where one stands behind the others."""
    every: timedelta = timedelta(seconds=15)
    """How often a tick alone is reason enough."""
    at_once: bool = True
    """A fact is reason enough. False where one more moves nothing that anybody would see: a ratio over weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """One event that the tick writes for a source instance."""

    source: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Deriving:
    """Events that follow from stored ones and the time. Keys make repeated calls harmless."""

    reads: frozenset[type[Fact]]
    gives: type[Event]
    derive: Callable[[Scene], Sequence[Derived]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDay:
    """In which state each unit of something was at the end of one day; a day that is stored stays as it is."""

    what: str
    """What the states are of: the family, and what of it, as `adoption/gateway`."""
    day: date
    states: tuple[UnitState, ...]
    counted: Mapping[str, int] = field(default_factory=dict)
    """How many units more was true of that no state tells, by a word for it."""
    increments: tuple[Increment, ...] = ()
    """What the transitions to these states add to counters, with the states or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stating:
    """Named states of units, one for each day, and counters of the transitions between them."""

    name: str
    """What it is in messages: `adoption`."""
    metrics: tuple[Metric, ...]
    take: Callable[[Scene], Sequence[StateDay]]
    """The next days to store, of each `what` the oldest first; none where none is due. Called again after they were."""


Measure = Counting[Any] | Gauging | Deriving | Stating


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The measures of one family of the domain; each module or folder in `measures/` names its own."""

    standing: tuple[Measure, ...] = ()
    declared: Callable[[Definitions], tuple[Measure, ...]] = lambda _: ()
    """Those that depend on what people declared. They may keep counts: made once per load, for one store."""
    brings: tuple[Metric, ...] = ()
    """Metrics that are not in our catalogue: those of an installed package, and those that a setting switches on."""
    setting: str = ""
    """Of `exposition` in the configuration, which switches the family on; empty: it always is."""
