"""What several pages show beside a cluster, a mesh or a gateway: its SLOs, its expected instances, and what a window counted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_SLI
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Reading, Tallied
from platform_meter.model.facts.instances import Instances
from platform_meter.model.history import Count, SourceState
from platform_meter.model.objective import StoredObjective, StoredSli
from platform_meter.web.view import View, lacking

D = TypeVar("D", bound=Dim)

DAY, WEEK = timedelta(days=1), timedelta(days=7)
DAYS = 28
"""Of a chart, today with them."""


def given(view: View, kind: type[Event | Reading], sources: Collection[str]) -> list[SourceState]:
    """Those of the sources that give this kind and are fresh in it."""
    return [s for s in view.history.sources(kind) if s.instance in sources and s.fresh and s.watermark is not None]


def why_none(view: View, kind: type[Event | Reading], sources: Collection[str]) -> str:
    """Why these sources give nothing of a kind, in words; empty where each that gives it is fresh."""
    return lacking([s for s in view.history.sources(kind) if s.instance in sources], "no source reads it")


def tallied(
    view: View, kind: type[Tallied[D]], sources: Collection[str], window: timedelta
) -> Iterator[tuple[int, D, Count]]:
    """What was counted of each (object, dim) in a window that ends where each fresh source was last read."""
    for state in given(view, kind, sources):
        if state.watermark is not None:
            counts = view.history.counts(kind, state.instance, state.watermark - window, state.watermark)
            yield from ((object_, dim, count) for (object_, dim), count in counts.items())


def known(view: View) -> frozenset[str]:
    """Clusters that have a page: those whose nodes are counted."""
    return frozenset(labels["cluster"] for labels, _ in view.get(CLUSTER_NODES))


@dataclass(frozen=True, slots=True, kw_only=True)
class SloLine:
    """One SLO that counts something of the page's subject, as of `/metrics`."""

    objective: StoredObjective
    several: bool
    """It counts others too, as its file names none."""
    sli: float | None
    """Over its period."""
    left: float | None
    """Share of the budget."""

    @property
    def level(self) -> str:
        return "" if self.left is None else "bad" if self.left < 0 else "good"


def slos(view: View, chosen: Callable[[StoredSli], bool | None]) -> list[SloLine]:
    """The SLOs over stored events that `chosen` takes; it says True of one that names the subject, False of one that
    counts all of its kind, None of one that does not count it.
    """
    found = []
    for one in view.definitions.objectives:
        if (named := chosen(one.sli)) is not None:
            sli = view.one(SLO_SLI, slo=one.slo, window=one.period_label)
            left = view.one(SLO_BUDGET_REMAINING, slo=one.slo)
            found.append(SloLine(objective=one, several=not named, sli=sli, left=left))
    return sorted(found, key=lambda line: (line.left is None, line.left or 0.0, line.objective.slo))


def names(sli: StoredSli, word: str, value: str) -> bool | None:
    """Whether an SLI names this value of a word of its events; False where it takes all, None where it takes others."""
    if word not in sli.events.where or not sli.takes(word, value):
        return None
    return word in sli.where


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The instances of one kind and name in one cluster."""

    cluster: str
    kind: str
    group: str
    expected: int | None
    reporting: int | None
    """Of those that are expected."""
    why: str
    """Why a number is missing."""

    @property
    def silent(self) -> int | None:
        return None if self.expected is None or self.reporting is None else self.expected - self.reporting


def groups(view: View, taken: Callable[[Instances], bool] = lambda _: True) -> Sequence[Group]:
    """Expected instances, those with most silent ones first."""
    fresh = {s.instance: s.fresh for s in view.history.sources(Instances)}
    found = []
    for held in view.history.readings(Instances):
        one = held.reading
        if held.source not in fresh or not taken(one):
            continue
        expected, reporting = (one.expected, one.reporting) if fresh[held.source] else (None, None)
        found.append(
            Group(
                cluster=one.cluster,
                kind=one.instance_kind,
                group=one.group,
                expected=expected,
                reporting=reporting if reporting is None or expected is None else min(reporting, expected),
                why=f"no fresh data from {held.source}"
                if not fresh[held.source]
                else "not known how many are expected"
                if expected is None
                else "nobody listened"
                if reporting is None
                else "",
            )
        )
    return sorted(found, key=lambda g: (-(g.silent or 0), g.cluster, g.kind, g.group))
