"""Promises: how much of what was promised was kept, in calendar periods of the promise's zone (domain sections 5, 13, 14).

A promise counts what its SLO counts, or the decided cycles of a queue's SLA. Two periods are told: `running`, up to where
the sources were read, and `last`, once they were read to its end. What Prometheus counts is not stored: of such an SLO only
the target is told. Where a source is stale, that is so too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from platform_meter.measures.objectives.behind import judged
from platform_meter.measures.objectives.reach import Stretch, candidate_sources, some_only
from platform_meter.measures.objectives.slices import Counts, Lines
from platform_meter.measures.objectives.windows import Clusters, judge_all, sum_counts
from platform_meter.measures.support.decided import decided
from platform_meter.model.catalogue.promises import PROMISE_MET, PROMISE_SINCE, PROMISE_TARGET
from platform_meter.model.definitions import Definitions, Promise
from platform_meter.model.facts import Fact
from platform_meter.model.facts.tickets import SLA_CYCLES, SlaResult
from platform_meter.model.history import Count, SourceState, known_to
from platform_meter.model.measure import Gauging, Labels, Measure, Measures, Piece, Scene
from platform_meter.model.metric import Metric, Ratio, Sample
from platform_meter.model.objective import StoredObjective, StoredSli

RUNNING, LAST = "running", "last"
_DAY = timedelta(days=1)
_BACK = {RUNNING: 0, LAST: 1}
"""Periods before the one that runs."""
_LONGEST = {"month": timedelta(days=62), "quarter": timedelta(days=184), "year": timedelta(days=731)}
"""Two periods in a row have at most so much time, but for an hour of a clock change."""


def configured(definitions: Definitions) -> tuple[Measure, ...]:
    """The measure of these promises. It keeps slices between calls: make it once per load, for one store."""
    ledger = Ledger(definitions)
    kinds: frozenset[type[Fact]] = frozenset(o.sli.events.read for o in ledger.objectives.values())
    return (
        Gauging(
            metrics=(PROMISE_MET, PROMISE_TARGET, PROMISE_SINCE),
            reads=kinds,
            compute=lambda scene: list(_gauges(scene, ledger)),
            behind=_behind,
            stated=(PROMISE_TARGET, PROMISE_SINCE),
            every=timedelta(minutes=5),
            # Nobody acts on a ratio over a month within minutes, and it reads all of that month's rollups.
            at_once=False,
        ),
    )


def _gauges(scene: Scene, ledger: Ledger) -> Iterator[Sample]:
    for promise in scene.definitions.promises:
        yield Sample(metric=PROMISE_TARGET, labels=(promise.id,), value=promise.promised)
        for period, found in ledger.found(scene, promise).items():
            at = (promise.id, period)
            yield Sample(metric=PROMISE_MET, labels=at, value=Ratio(part=found.counts.good, whole=found.counts.valid))
            yield Sample(metric=PROMISE_SINCE, labels=at, value=found.since.timestamp())


def _behind(scene: Scene, _metric: Metric, wanted: Labels) -> Iterator[Piece]:
    """All that is valid in the period, of which what is good makes the ratio."""
    promise = next(p for p in scene.definitions.promises if p.id == wanted[0])
    objective = Ledger(scene.definitions).objectives[promise.id]
    for one in judged(scene, objective, _stretch(scene, promise, wanted[1])):
        if one.good or one.bad:
            yield replace(one.piece, adds=one.good + one.bad, part=one.good)


def _stretch(scene: Scene, promise: Promise, period: str) -> Stretch:
    return Stretch(*promise.period.around(scene.now, _BACK[period]))


class Found(NamedTuple):
    """What is known of one period."""

    counts: Counts
    since: datetime
    """From when on all of it is known."""


class Ledger:
    """Promises as SLOs over stored events, each with the slices that its periods need. Not for two threads at once."""

    def __init__(self, definitions: Definitions) -> None:
        slos = {objective.slo: objective for objective in definitions.objectives}
        counted = ((p, _counted(p, slos)) for p in definitions.promises)
        self.objectives: Mapping[str, StoredObjective] = {p.id: o for p, o in counted if o is not None}
        """By promise; without those whose SLO Prometheus counts."""
        self._lines = Lines(self.objectives.values())
        self._clusters = Clusters()

    def found(self, scene: Scene, promise: Promise) -> dict[str, Found]:
        """What is known of the promise by period: of those that have anything valid."""
        objective = self.objectives.get(promise.id)
        if objective is None:
            return {}
        stretches = {period: _stretch(scene, promise, period) for period in _BACK}
        sources, counts = self._counts(scene, objective, stretches)
        until = known_to(sources)
        if until is None:
            return {}
        known = [s.read_from or s.since for s in sources]
        since = max(at for at in (*known, scene.history.pruned(), stretches[LAST].start) if at is not None)
        found = {}
        for period, stretch in stretches.items():
            over = period == RUNNING or until >= stretch.end
            begins = max(since, _begins(scene, objective, stretch.start))
            if over and counts[period].valid and begins < stretch.end:
                found[period] = Found(
                    counts[period], self._heard(scene, objective, sources, Stretch(begins, stretch.end))
                )
        return found

    def _heard(
        self, scene: Scene, objective: StoredObjective, sources: Sequence[SourceState], stretch: Stretch
    ) -> datetime:
        """From when on what comes minute by minute was heard at all, to the day: who scrapes or probes cannot look back,
        whatever its source says. Of what happens now and then silence says nothing.
        """
        start, end = stretch
        if objective.slice is not None:
            line = self._lines[objective.slo]
            return start if line.first is None else max(start, line.start(line.first))
        first_day = Stretch(start, min(end, start + _DAY))
        kind = objective.sli.events
        if not kind.elsewhere or any(self._of(scene, objective, s, first_day).valid for s in sources):
            return start
        days: defaultdict[date, dict[tuple[int, Any], Count]] = defaultdict(dict)
        first, last = (moment.astimezone(scene.zone).date() for moment in stretch)
        for told in scene.history.daily(kind.event, [s.instance for s in sources], first, last + _DAY):
            days[told.day][told.object, told.dim] = Count(n=told.n, amount=told.amount)
        heard = (d for d in sorted(days) if judge_all(objective.sli, days[d], self._clusters, scene.history).valid)
        return max(start, datetime.combine(next(heard, first), time(), scene.zone).astimezone(UTC))

    def _counts(
        self, scene: Scene, objective: StoredObjective, stretches: Mapping[str, Stretch]
    ) -> tuple[Sequence[SourceState], Mapping[str, Counts]]:
        """The sources that the events come from, all that may give them while none did; and good and bad by period."""
        candidates = candidate_sources(scene, objective)
        if objective.slice is not None:
            self._lines.read(scene.history, scene.now)
            line = self._lines[objective.slo]
            sources = [s for s in candidates if s.instance in line.sources] or candidates
            ends = [s.watermark for s in sources if s.watermark is not None]
            return sources, {
                p: line.count(*stretch.slices(line, min(ends))) if ends else Counts()
                for p, stretch in stretches.items()
            }
        each = {s.instance: {p: self._of(scene, objective, s, one) for p, one in stretches.items()} for s in candidates}
        given = [s for s in candidates if any(counts.valid for counts in each[s.instance].values())]
        sources = (given or candidates) if some_only(objective) else candidates
        return sources, {p: sum_counts(counts[p] for counts in each.values()) for p in stretches}

    def _of(self, scene: Scene, objective: StoredObjective, source: SourceState, stretch: Stretch) -> Counts:
        """Good and bad of one source."""
        if source.watermark is None:
            return Counts()
        start, end = stretch.moments(source.watermark)
        sli, kind = objective.sli, objective.sli.events
        if kind.folded is not None:
            met = [cycle.result is SlaResult.MET for cycle in decided(scene, sli, source, start, end)]
            return Counts(float(met.count(True)), float(met.count(False)))
        if start >= end:
            return Counts()
        tallies = scene.history.counts(kind.event, source.instance, start, end)
        return judge_all(sli, tallies, self._clusters, scene.history)


def _begins(scene: Scene, objective: StoredObjective, start: datetime) -> datetime:
    """From when on all that a period that starts then counts is there: where only days are left, from a midnight on."""
    summed = scene.history.summed_before(objective.sli.events.event)
    if summed is None or start >= summed:
        return start
    if objective.slice is not None:
        return summed
    day = start.astimezone(scene.zone).date()
    midnights = (datetime.combine(day + timedelta(days=n), time(), scene.zone) for n in (0, 1))
    return next(midnight for midnight in midnights if midnight >= start)


def _counted(promise: Promise, slos: Mapping[str, StoredObjective]) -> StoredObjective | None:
    """What the promise counts: as its SLO does, and as far back as its periods reach."""
    reach, asked = _LONGEST[promise.period.calendar], promise.ticketing
    if asked is None:
        slo = slos.get(promise.slo or "")
        return None if slo is None else replace(slo, slo=promise.id, period=reach)
    return StoredObjective(
        slo=promise.id,
        service="",
        profile="",
        objective=Decimal(str(asked.ratio)),
        period=reach,
        period_label="",
        windows=(),
        sli=StoredSli(events=SLA_CYCLES, where={"queue": asked.queue, "sla": asked.sla}),
    )


MEASURES = Measures(declared=configured)
