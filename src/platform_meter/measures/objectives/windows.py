"""Window gauges of the SLOs over stored events: exact good and bad, SLI, burn, budget, age of the data (domain section 5).

Windows end at the watermark of the SLO's source; several instances add up, each up to its own. Where one of them is
stale, only what the file says and the age of the data are left.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from platform_meter.measures.objectives.behind import behind
from platform_meter.measures.objectives.reach import Window, candidate_sources, labels, some_only
from platform_meter.measures.objectives.slices import Counts, Lines
from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Ticket
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
from platform_meter.model.history import Count, History, SourceState, known_to
from platform_meter.model.measure import Gauging, Measure, Scene
from platform_meter.model.metric import Sample
from platform_meter.model.objective import StoredObjective, StoredSli

Tallies = Mapping[tuple[int, Dim], Count]
ByDim = Mapping[tuple[str, Dim], Count]
"""By cluster, which is empty where nobody asks for it, and dim."""


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
            behind=behind,
            stated=(SLO_INFO, SLO_OBJECTIVE, SLO_PERIOD, SLO_DATA_AGE),
        ),
    )


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
        objectives = tuple(objectives)
        self._lines = Lines(objectives)
        self._reach = max((length for o in objectives for length in labels(o).values()), default=timedelta())
        self._found: dict[str, tuple[Stamp, Found]] = {}
        self._tallies: dict[
            tuple[type[Event], str], tuple[tuple[datetime, int], dict[tuple[timedelta, bool], ByDim]]
        ] = {}
        """By kind and source: what all SLOs over them share, by length and whether clusters are told apart."""
        self._workloads = Clusters()
        self._decided: dict[tuple[str, str], tuple[Sequence[Ticket], Mapping[str, _Decisions]]] = {}

    def of(self, scene: Scene, objective: StoredObjective) -> Found:
        candidates = candidate_sources(scene, objective)
        stamp = (objective, candidates, scene.history.latest(objective.sli.events.read))
        known = self._found.get(objective.slo)
        if known is None or known[0] != stamp:
            known = self._found[objective.slo] = (stamp, self._count(scene, objective, candidates))
        return known[1]

    def _count(self, scene: Scene, objective: StoredObjective, candidates: tuple[SourceState, ...]) -> Found:
        sources = self._sources(scene, objective, candidates)
        until = known_to(sources)
        if until is None:
            return Found(sources, None)
        lengths = labels(objective)
        if objective.slice is not None:
            return Found(sources, self._slices(objective, until, lengths))
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
        if not some_only(objective):
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
        at = (length, asks_of_clusters(objective.sli))
        together = kept[1].get(at)
        if together is None:
            tallies = scene.history.counts(kind, source.instance, end - length, end)
            together = kept[1][at] = by_dim(tallies, self._workloads if at[1] else None, scene.history)
        return judge(objective.sli, together)

    def _slices(
        self, objective: StoredObjective, watermark: datetime, lengths: Mapping[str, timedelta]
    ) -> dict[str, Counts]:
        """Windows of whole slices, the last of which ended at or before the watermark."""
        line = self._lines[objective.slo]
        return {label: line.count(*Window(length).slices(line, watermark)) for label, length in lengths.items()}

    def _cycles(
        self,
        scene: Scene,
        objective: StoredObjective,
        sources: Sequence[SourceState],
        lengths: Mapping[str, timedelta],
    ) -> dict[str, Counts]:
        """Cycles decided in each window as they stand now (domain section 9), as the support gauges count them."""
        where, book = objective.sli.where, scene.kept.of(Book)
        queue = next((q for q in book.queues(scene) if q.id == where.get("queue")), None)
        counts = dict.fromkeys(lengths, Counts())
        for source in sources:
            end = source.watermark
            if queue is None or end is None:
                continue
            decisions = self._decisions((queue.id, source.instance), book.tickets(queue, source), end).get(
                where.get("sla", "")
            )
            if decisions is not None:
                counts = {label: counts[label].plus(decisions.since(end - n)) for label, n in lengths.items()}
        return counts

    def _decisions(self, of: tuple[str, str], tickets: Sequence[Ticket], end: datetime) -> Mapping[str, _Decisions]:
        """Of the book's answer for a queue and source, by SLA, as far back as a window reaches: all SLOs share them."""
        kept, start = self._decided.get(of), end - self._reach
        if kept is None or kept[0] is not tickets:
            found: defaultdict[str, list[tuple[datetime, bool]]] = defaultdict(list)
            for ticket in tickets:
                for cycle in ticket.cycles if ticket.valid else ():
                    if cycle.decision is not None and cycle.decision.at >= start:
                        found[cycle.sla].append((cycle.decision.at, cycle.decision.result is SlaResult.MET))
            kept = self._decided[of] = (tickets, {sla: _Decisions(of_it) for sla, of_it in found.items()})
        return kept[1]


class _Decisions:
    """Cycles decided up to the watermark, in order of time, so that a window is one search."""

    def __init__(self, found: list[tuple[datetime, bool]]) -> None:
        found.sort()
        self._at = [at for at, _ in found]
        self._met = [0, *accumulate(met for _, met in found)]

    def since(self, start: datetime) -> Counts:
        first = bisect_left(self._at, start)
        met = self._met[-1] - self._met[first]
        return Counts(float(met), float(len(self._at) - first - met))


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
    return judge(sli, by_dim(tallies, clusters if asks_of_clusters(sli) else None, history))


def asks_of_clusters(sli: StoredSli) -> bool:
    """Whether it counts events of one cluster, which their objects tell and not their words."""
    return sli.events.by_object and "cluster" in sli.where


def by_dim(tallies: Tallies, clusters: Clusters | None, history: History) -> ByDim:
    """The tallies without their objects: added up by words, and by cluster where `clusters` tells it."""
    sums: dict[tuple[str, Dim], list[float]] = {}
    for (object_, dim), count in tallies.items():
        total = sums.setdefault((clusters.of(object_, history) if clusters else "", dim), [0, 0.0])
        total[0] += count.n
        total[1] += count.amount
    return {place: Count(n=int(n), amount=amount) for place, (n, amount) in sums.items()}


def judge(sli: StoredSli, together: ByDim) -> Counts:
    """Good and bad in tallies by words."""
    good = bad = 0.0
    cluster = sli.where["cluster"] if asks_of_clusters(sli) else ""
    for (place, dim), count in together.items():
        verdict = sli.events.good(sli, dim) if place == cluster else None
        much = count.amount if sli.events.elsewhere else float(count.n)
        if verdict is not None:
            good, bad = (good + much, bad) if verdict else (good, bad + much)
    return Counts(good, bad)


def sum_counts(counts: Iterable[Counts]) -> Counts:
    total = Counts()
    for one in counts:
        total = total.plus(one)
    return total
