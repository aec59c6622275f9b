"""What an effect can be judged by: a metric whose single values are stored, read between two moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Literal, NamedTuple

from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Fact
from platform_meter.model.found import found
from platform_meter.model.measure import Scene
from platform_meter.model.metric import Metric


class Kind(StrEnum):
    """How values are compared."""

    DURATIONS = "durations"
    RATIO = "ratio"
    WEEKLY = "weekly"
    """How many units there are in each week."""


class Seen(NamedTuple):
    """One value."""

    at: datetime
    value: float
    """Seconds; of a ratio 1 where it is of the part, else 0; of a weekly series 1."""
    team: str
    service: str = ""
    """Of a weekly series the unit, where that is no team."""
    source: str = ""
    object: int | None = None
    what: str = ""
    """What it is of, in words."""
    event: tuple[type[Event], str, datetime] | None = None
    """Kind, key and end of the event that tells it, where it is one."""

    def among(self, units: Sequence[str]) -> str:
        """Which of these units it is of; empty for none. A service comes before its team."""
        return next((name for name in (self.service, self.team) if name and name in units), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Values, and from when to when all of them are known."""

    since: datetime
    until: datetime
    seen: Sequence[Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """One metric by which effects are judged."""

    metric: Metric
    means: str
    """What a value is, for people."""
    kind: Kind
    better: Literal["lower", "higher"]
    needs: tuple[str, ...] = ()
    """Labels that a file has to say."""
    allows: tuple[str, ...] = ()
    """Labels that it may say."""
    kinds: Callable[[Definitions, Mapping[str, str]], frozenset[type[Fact]]]
    """Facts that are read."""
    read: Callable[[Scene, Mapping[str, str], datetime, datetime], Told | None]
    """Values of these labels in [start, end), in any order; None while they are not known."""


def always(*kinds: type[Fact]) -> Callable[[Definitions, Mapping[str, str]], frozenset[type[Fact]]]:
    """The same facts are read whatever is defined."""
    return lambda _definitions, _labels: frozenset(kinds)


@cache
def by_metric() -> Mapping[str, Yardstick]:
    """By name of the metric."""
    return {one.metric.name: one for one in found(f"{__package__}.yardsticks", Yardstick)}


def refusals(name: str, labels: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Why an effect can't be judged by a metric of the catalogue with these labels: the label that it is about, where it is
    one that was said, and the reason.
    """
    stick = by_metric().get(name)
    if stick is None:
        yield "", f"an effect can't be judged by '{name}'; write one of {', '.join(sorted(by_metric()))}"
        return
    if lacking := [label for label in stick.needs if label not in labels]:
        example = ", ".join(f"{label}: ..." for label in stick.needs)
        yield "", f"{name} lacks its {' and '.join(lacking)}; write labels: {{{example}}}"
    takes = (*stick.needs, *stick.allows)
    for label in (label for label in labels if label not in takes):
        yield label, f"no value of {name} has a {label}; it takes {', '.join(takes)}"
