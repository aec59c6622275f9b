"""Window gauges of the SLOs over stored events: exact good and bad, SLI, burn, budget, age of the data (domain section 5).

Windows end at the watermark of the SLO's source; several instances add up, each up to its own. Where one of them is
stale, only what the file says and the age of the data are left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from platform_meter.measures.objectives.slices import Counts, Lines
from platform_meter.measures.support.queues import Book, reads
from platform_meter.model.catalogue.slos import (
    SLO_BUDGET_REMAINING,
    SLO_BURN,
    SLO_DATA_AGE,
    SLO_INFO,
    SLO_OBJECTIVE,
    SLO_PERIOD,
    SLO_SLI,
    SLO_WINDOW_EVENTS,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Fact
from platform_meter.model.facts.tickets import SlaResult
from platform_meter.model.history import Count, History, SourceState
from platform_meter.model.measure import Gauging, Measure, Scene, window_label
from platform_meter.model.metric import Sample
from platform_meter.model.objective import StoredObjective, StoredSli

SYSTEM = "system"
"""The word of `where` that a source's configuration answers; the others only the events themselves can."""

Tallies = Mapping[tuple[int, Dim], Count]


def configured(definitions: Definitions) -> tuple[Measure, ...]:
    """The measure of these objectives. It keeps counts between calls: make it once per load, for one store."""
    windows = Windows(definitions.objectives)
    kinds: frozenset[type[Fact]] = frozenset(o.sli.events.read for o in definitions.objectives)
    return (
        Gauging(
            metrics=(
                SLO_INFO,
                SLO_OBJECTIVE,
                SLO_PERIOD,
                SLO_WINDOW_EVENTS,
                SLO_SLI,
                SLO_BURN,
                SLO_BUDGET_REMAINING,
                SLO_DATA_AGE,
            ),
            reads=kinds,
            compute=lambda scene: list(_gauges(scene, windows)),
        ),
    )


def labels(objective: StoredObjective) -> dict[str, timedelta]:
    """Length by `window` label: the windows that rules read, and last the period as it is written."""
    return {**{window_label(w): w for w in objective.windows}, objective.period_label: objective.period}


def burn(counts: Counts, objective: StoredObjective) -> float | None:
    """Error ratio / allowed error ratio; None without valid events."""
    return counts.bad / counts.valid / float(objective.allowed) if counts.valid else None


def _gauges(scene: Scene, windows: Windows) -> Iterator[Sample]:
    for objective in scene.definitions.objectives:
        slo = objective.slo
        info = (slo, objective.owner, objective.capability, objective.counts, objective.profile)
        yield Sample(metric=SLO_INFO, labels=info, value=1.0)
        yield Sample(metric=SLO_OBJECTIVE, labels=(slo,), value=float(objective.objective))
        yield Sample(metric=SLO_PERIOD, labels=(slo,), value=objective.period.total_seconds())
        found = windows.of(scene, objective)
        yield from _age(scene, slo, found.sources)
        if found.counts is not None:
            for label, counts in found.counts.items():
                yield from _window(objective, label, counts)


def _age(scene: Scene, slo: str, sources: Iterable[SourceState]) -> Iterator[Sample]:
    """Of several instances the one read longest ago; absent while one was never read."""
    read = [s.last_success for s in sources]
    known = [at for at in read if at is not None]
    if known and len(known) == len(read):
        yield Sample(metric=SLO_DATA_AGE, labels=(slo,), value=(scene.now - min(known)).total_seconds())


def _window(objective: StoredObjective, label: str, counts: Counts) -> Iterator[Sample]:
    slo = objective.slo
    yield Sample(metric=SLO_WINDOW_EVENTS, labels=(slo, label, "good"), value=counts.good)
    yield Sample(metric=SLO_WINDOW_EVENTS, labels=(slo, label, "bad"), value=counts.bad)
    rate = burn(counts, objective)
    if rate is None:
        return
    yield Sample(metric=SLO_SLI, labels=(slo, label), value=counts.good / counts.valid)
    yield Sample(metric=SLO_BURN, labels=(slo, label), value=rate)
    if label == objective.period_label:
        yield Sample(metric=SLO_BUDGET_REMAINING, labels=(slo, label), value=1 - rate)


class Found(NamedTuple):
    """What stands behind one SLO at a moment."""

    sources: tuple[SourceState, ...]
    """Instances its events come from."""
    counts: Mapping[str, Counts] | None
    """By `window` label; None while a source is stale, or none is configured."""


Stamp = tuple[StoredObjective, tuple[SourceState, ...], int]


class Windows:
    """The windows of every objective, counted again only when a watermark moved or an event came.

    Asked twice it gives what a fresh one would. Not for two threads at once.
    """

    def __init__(self, objectives: Iterable[StoredObjective]) -> None:
        self._lines = Lines(objectives)
        self._book = Book()
        self._found: dict[str, tuple[Stamp, Found]] = {}
        self._tallies: dict[tuple[type[Event], str], tuple[tuple[datetime, int], dict[timedelta, Tallies]]] = {}
        self._workloads = Clusters()

    def of(self, scene: Scene, objective: StoredObjective) -> Found:
        candidates = candidate_sources(scene, objective)
        stamp = (objective, candidates, scene.history.latest(objective.sli.events.read))
        known = self._found.get(objective.slo)
        if known is None or known[0] != stamp:
            known = self._found[objective.slo] = (stamp, self._count(scene, objective, candidates))
        return known[1]

    def _count(self, scene: Scene, objective: StoredObjective, candidates: tuple[SourceState, ...]) -> Found:
        sources = self._sources(scene, objective, candidates)
        ends = [s.watermark for s in sources if s.fresh and s.watermark is not None]
        if not sources or len(ends) < len(sources):
            return Found(sources, None)
        lengths = labels(objective)
        if objective.slice is not None:
            return Found(sources, self._slices(objective, min(ends), lengths))
        if objective.sli.events.folded is not None:
            return Found(sources, self._cycles(scene, objective, sources, lengths))
        counts = {
            label: sum_counts(self._judged(scene, objective, source, length) for source in sources)
            for label, length in lengths.items()
        }
        return Found(sources, counts)

    def _sources(
        self, scene: Scene, objective: StoredObjective, candidates: tuple[SourceState, ...]
    ) -> tuple[SourceState, ...]:
        """Those of the candidates whose events these are; all of them while there is no event."""
        if objective.slice is not None:
            self._lines.read(scene.history, scene.now)
            given = self._lines[objective.slo].sources
            return tuple(s for s in candidates if s.instance in given) or candidates
        kind = objective.sli.events
        if kind.folded is not None or not (kind.elsewhere or objective.sli.where.keys() - {SYSTEM}):
            return candidates
        given = {s.instance for s in candidates if self._judged(scene, objective, s, objective.period).valid}
        return tuple(s for s in candidates if s.instance in given) or candidates

    def _judged(self, scene: Scene, objective: StoredObjective, source: SourceState, length: timedelta) -> Counts:
        """Good and bad of one instance in the window of this length that ends at its watermark."""
        end = source.watermark
        if end is None:
            return Counts()
        kind = objective.sli.events.event
        stamp = (end, scene.history.latest(kind))
        kept = self._tallies.get((kind, source.instance))
        if kept is None or kept[0] != stamp:
            kept = self._tallies[kind, source.instance] = (stamp, {})
        tallies = kept[1].get(length)
        if tallies is None:
            tallies = kept[1][length] = scene.history.counts(kind, source.instance, end - length, end)
        return judge_all(objective.sli, tallies, self._workloads, scene.history)

    def _slices(
        self, objective: StoredObjective, watermark: datetime, lengths: Mapping[str, timedelta]
    ) -> dict[str, Counts]:
        """Windows of whole slices, the last of which ended at or before the watermark."""
        line = self._lines[objective.slo]
        end = line.index(watermark)
        return {label: line.count(end - math.ceil(length / line.length), end) for label, length in lengths.items()}

    def _cycles(
        self,
        scene: Scene,
        objective: StoredObjective,
        sources: Sequence[SourceState],
        lengths: Mapping[str, timedelta],
    ) -> dict[str, Counts]:
        """Cycles decided in each window as they stand now (domain section 9), as the support gauges count them."""
        where = objective.sli.where
        queue = next((q for q in self._book.queues(scene) if q.id == where.get("queue")), None)
        good, bad = dict.fromkeys(lengths, 0), dict.fromkeys(lengths, 0)
        for source in sources:
            for ticket in self._book.tickets(queue, source) if queue else ():
                for cycle in ticket.cycles if ticket.valid else ():
                    decision = cycle.decision
                    if decision is None or source.watermark is None or cycle.sla != where.get("sla"):
                        continue
                    tally = good if decision.result is SlaResult.MET else bad
                    for label, length in lengths.items():
                        tally[label] += source.watermark - length <= decision.at < source.watermark
        return {label: Counts(float(good[label]), float(bad[label])) for label in lengths}


def candidate_sources(scene: Scene, objective: StoredObjective) -> tuple[SourceState, ...]:
    """Configured instances that may give the objective's events, by what the file says alone."""
    kind, where = objective.sli.events, objective.sli.where
    sources = scene.history.sources(kind.read)
    if kind.folded is not None:
        queue = next((t for t in scene.definitions.ticketing if t.id == where.get("queue")), None)
        return tuple(s for s in sources if queue is not None and reads(queue, s))
    return tuple(s for s in sources if objective.sli.takes(SYSTEM, s.type))


class Clusters:
    """Which objects stand in which cluster, read again when one is unknown."""

    def __init__(self) -> None:
        self._cluster: dict[int, str] = {}

    def of(self, object_: int, history: History) -> str:
        if object_ not in self._cluster:
            self._cluster.update((o.id, _cluster_of(o.name)) for o in history.objects(kind="workload"))
            self._cluster.setdefault(object_, "")
        return self._cluster[object_]


def _cluster_of(name: str) -> str:
    """`kubernetes:eu/payments/Deployment/api` stands in eu."""
    return name.partition(":")[2].partition("/")[0]


def judge_all(sli: StoredSli, tallies: Tallies, clusters: Clusters, history: History) -> Counts:
    """Good and bad in tallies of the SLI's kind of event."""
    good = bad = 0.0
    kind = sli.events
    cluster = sli.where.get("cluster") if kind.by_object else None
    verdicts: dict[Dim, bool | None] = {}
    for (object_, dim), count in tallies.items():
        if dim not in verdicts:
            verdicts[dim] = kind.good(sli, dim)
        verdict = verdicts[dim]
        if verdict is None or (cluster is not None and clusters.of(object_, history) != cluster):
            continue
        much = count.amount if kind.elsewhere else float(count.n)
        good, bad = (good + much, bad) if verdict else (good, bad + much)
    return Counts(good, bad)


def sum_counts(counts: Iterable[Counts]) -> Counts:
    total = Counts()
    for one in counts:
        total = total.plus(one)
    return total
