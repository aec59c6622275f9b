"""SLOs over stored events, as measures need them: what counts, over which windows, against which objective.

`slo.stored` makes these values of SLO files; measures turn each into exact window gauges (domain sections 5 and 13).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Generic, Literal, TypeVar

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Tallied
from platform_meter.model.found import found

T = TypeVar("T")
E = TypeVar("E", bound=Tallied[Any])
D = TypeVar("D", bound=Dim)


class NoData(StrEnum):
    """What a slice without data is; vendors differ, so it must be said (domain section 5)."""

    BAD = "bad"
    GOOD = "good"
    EXCLUDE = "exclude"
    HOLD = "hold"
    """As the last slice that had data, for at most 3 slices; excluded after that, or with none before."""


class Unknown(StrEnum):
    """What pipeline failures are that nobody could classify."""

    EXCLUDE = "exclude"
    """Not valid: in neither count."""
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSli:
    """Which stored events count, and which of them are good."""

    events: Countable[Any, Any]
    where: Mapping[str, str] = field(default_factory=dict)
    """Bounded words that select, as `Countable.where` names them. A key that is not given selects all."""
    threshold: float | None = None
    """Seconds at or under which an event is good: one of `Countable.thresholds`."""
    unknown: Unknown = Unknown.EXCLUDE

    def takes(self, word: str, value: str) -> bool:
        """Whether events with this value of the word are among those it counts."""
        return self.where.get(word, value) == value


@dataclass(frozen=True, slots=True, kw_only=True)
class Countable(Generic[E, D]):
    """A kind of stored events that an SLI can count; the module of its family in `model.facts` has it, and nothing lists it."""

    word: str
    """What SLO files call it."""
    event: type[E]
    where: tuple[str, ...]
    """Words that select among its events. `system` is the type of their source; the events tell the others."""
    good: Callable[[StoredSli, D], bool | None]
    """Whether what is tallied under these words is good; None where it is not valid, or not this SLI's."""
    told: Callable[[E], tuple[str, str]]
    """A bad event in words: what it was, and why it is bad."""
    belongs: Callable[[StoredSli, E], bool] = lambda _sli, _event: True
    """Whether an event is this SLI's, as far as the words of its tally don't tell."""
    required: tuple[str, ...] = ()
    """Words of `where` that must be given."""
    by_object: bool = False
    """Only the object tells the `cluster`; its name begins with it."""
    folded: type[Event] | None = None
    """What its windows are folded from, so that a later event takes a good one back; None: it is counted as stored."""
    sliced: str = ""
    """What is judged slice by slice, as people call one of it; empty: counted one by one."""
    slow: bool = False
    """Takes hours and days, so that it never pages."""
    unclassified: bool = False
    """Some of its events nobody could classify: files say what these are (`unknown`)."""
    thresholds: tuple[float, ...] = ()
    """Seconds of which files must name one, at or under which an event is good; empty: time does not decide."""
    called: str = ""
    """How people call several of its events, where that is not its word."""
    place: int = 0
    """Where it stands in lists for people, before the order in which it is found."""

    @property
    def elsewhere(self) -> bool:
        """Counted elsewhere: an event is worth its tally's amount, and of other kinds one. A file may count such events, or
        judge slices by the share of good ones among them.
        """
        return self.event.elsewhere

    @property
    def several(self) -> str:
        """Its events in a sentence: `pipeline runs`."""
        return self.called or self.word.replace("_", " ")

    @property
    def read(self) -> type[Event]:
        """The events that decide: its own, or those that it is folded from."""
        return self.folded or self.event


@cache
def countables() -> dict[str, Countable[Any, Any]]:
    """Every kind of stored events that an SLI can count, by the word of SLO files, in the order of lists for people."""
    kinds = found("platform_meter.model.facts", Countable)
    return {kind.word: kind for kind in sorted(kinds, key=lambda kind: kind.place)}


Operator = Literal["lt", "lte", "gt", "gte"]
_COMPARE: Mapping[Operator, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a level is compared with: it is good when `level operator value`."""

    operator: Operator
    value: float

    def holds(self, level: float) -> bool:
        """Whether the level is good."""
        return _COMPARE[self.operator](level, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An SLI that an SLO file describes in the words of a source, which counts it as one of its settings.

    Its counts are stored events like all others; what the source makes of it, `Source.asked` says.
    """

    name: str
    """Of the SLO; of a ratio in a file with several objectives that of the first, since one count is enough for all."""
    type: str
    """Of the source: `metricSource.type`."""
    total: Mapping[str, Any]
    """What the file says of all valid events, each key with its value as the source's own model reads it; of a level, what
    it says of that.
    """
    part: Mapping[str, Any] = field(default_factory=dict)
    """The same of the good ones among the events, or of the bad ones."""
    part_is_good: bool = False
    bound: Bound | None = None
    """A level is asked for, which is good or bad in each minute; None: counts are."""
    instance: str = ""
    """The configured source that the file names; empty where it names none, so that there is to be one of the type."""
    likely: str = ""
    """A configured source of this name is meant, if there is one."""

    @property
    def id(self) -> str:
        """What its counts are called, other than any that settings name: they may be counted elsewhere one day."""
        return f"{self.type}/{self.instance}:{self.name}" if self.instance else f"{self.type}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What an SLO promises, whatever counts it. All that is made of its file is one, and carries this on as it was written."""

    slo: str
    """Name: the `slo` label."""
    service: str
    owner: str = ""
    """The team that keeps it: the `team` label; empty where the file names none."""
    capability: str = ""
    profile: str
    objective: Decimal
    """T, 0 < T < 1."""
    period: timedelta
    period_label: str
    """The period as written (`28d`, `4w`): the `period` label, and the `window` label of the window P."""
    slice: timedelta | None = None
    """Length of a slice; None counts events."""
    slice_target: Decimal | None = None
    """Share of good events from which on a slice is good."""
    no_data: NoData | None = None
    """Only for slices, and always there for them."""

    @property
    def allowed(self) -> Decimal:
        """The allowed error ratio, 1 - T, exact in decimals."""
        return 1 - self.objective

    @property
    def counts(self) -> str:
        """What is counted, `events` or `slices`: the `kind` label."""
        return "events" if self.slice is None else "slices"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObjective(Objective):
    """One SLO whose windows this exporter computes exactly from stored events."""

    windows: tuple[timedelta, ...]
    """Windows that rules read, ascending, without P."""
    sli: StoredSli


def carried(value: T, as_: type[T]) -> dict[str, Any]:
    """The fields of a dataclass as `value` has them, by name: another value that is one too is made with them."""
    return {one.name: getattr(value, one.name) for one in fields(as_)}  # type: ignore[arg-type] # T is a dataclass
