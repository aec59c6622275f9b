"""Good and bad events that were counted elsewhere (domain section 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import ClassVar, NamedTuple, TypeVar

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Facts, Tallied, Tally
from platform_meter.model.objective import Countable, StoredSli

D = TypeVar("D", bound=Dim)
KIND = "sli"
"""What counts of SLIs are about, as objects."""


class Verdict(StrEnum):
    GOOD = "good"
    BAD = "bad"


class SliDim(NamedTuple):
    """What counts of SLIs are tallied by: good and bad apart."""

    sli: str
    verdict: Verdict


def good_and_bad(dim: Callable[[Verdict], D], good: float, bad: float) -> tuple[Tally[D], ...]:
    """Both amounts by what they are tallied by; together they are one event."""
    return (Tally(dim=dim(Verdict.GOOD), amount=good), Tally(dim=dim(Verdict.BAD), n=0, amount=bad))


@dataclass(frozen=True, slots=True, kw_only=True)
class SliCount(Tallied[SliDim]):
    """Good and bad events of one SLI in the `width` that ends at `at`; already counted elsewhere (Prometheus, nodes)."""

    elsewhere: ClassVar = True

    sli: str
    good: float
    bad: float
    width: timedelta

    def tallies(self) -> tuple[Tally[SliDim], ...]:
        return good_and_bad(partial(SliDim, self.sli), self.good, self.bad)


def _good(sli: StoredSli, dim: SliDim) -> bool | None:
    return dim.verdict is Verdict.GOOD if sli.takes("id", dim.sli) else None


def told_count(count: SliCount) -> tuple[str, str]:
    """Which SLI it was, and how many were bad."""
    return count.sli, f"{count.bad:,.6g} of {count.good + count.bad:,.6g} bad"


SLI = Countable(
    word="sli",
    event=SliCount,
    where=("id",),
    required=("id",),
    called="events",
    place=1,
    good=_good,
    told=told_count,
)

FACTS = Facts(events=(SliCount,))
