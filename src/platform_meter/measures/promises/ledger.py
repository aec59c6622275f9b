"""What is known of a promise in any of its periods: its counts, and from when on all of them are there."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from platform_meter.measures.objectives.reach import Stretch, candidate_sources, some_only
from platform_meter.measures.objectives.slices import Counts, Line, Lines, judged_between
from platform_meter.measures.objectives.windows import Clusters, judge_all, sum_counts
from platform_meter.measures.support.decided import decided
from platform_meter.model.definitions import Definitions, Promise
from platform_meter.model.facts.tickets import SLA_CYCLES, SlaResult
from platform_meter.model.history import Count, SourceState, known_to
from platform_meter.model.measure import Scene
from platform_meter.model.objective import StoredObjective, StoredSli

HELD = 2
"""Periods, the running one among them, whose slices stay in memory; those of an earlier one are read for it alone."""
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = {"month": timedelta(days=62), "quarter": timedelta(days=184), "year": timedelta(days=731)}
"""`HELD` periods in a row have at most so much time, but for an hour of a clock change."""


def stretch(promise: Promise, now: datetime, back: int) -> Stretch:
    """The period that runs, or the one so many before it."""
    return Stretch(*promise.period.around(now, back))


class Found(NamedTuple):
    """What is known of one period."""

    counts: Counts
    since: datetime
    """From when on all of it is known: its start, or later."""


def may_miss(counts: Counts, promised: float) -> int:
    """How many of those to come may be bad with no good one among them before the promise is broken; of one that is broken
    already, below 0 and in itself no number of anything.
    """
    target = Decimal(str(promised))
    return math.floor(Decimal(str(counts.good)) / target - Decimal(str(counts.valid)))


def must_meet(counts: Counts, promised: float) -> int:
    """How many of those to come have to be good with no bad one among them until the promise is kept; 0 while it is."""
    target = Decimal(str(promised))
    lacking = target * Decimal(str(counts.valid)) - Decimal(str(counts.good))
    return max(0, math.ceil(lacking / (1 - target)))


class Ledger:
    """Promises as SLOs over stored events, each with the slices that its periods need. Not for two threads at once."""

    def __init__(self, definitions: Definitions) -> None:
        slos = {objective.slo: objective for objective in definitions.objectives}
        counted = ((p, _counted(p, slos)) for p in definitions.promises)
        self.objectives: Mapping[str, StoredObjective] = {p.id: o for p, o in counted if o is not None}
        """By promise; without those whose SLO Prometheus counts."""
        self._lines = Lines(self.objectives.values())
        self._clusters = Clusters()

    def found(self, scene: Scene, promise: Promise, backs: AbstractSet[int]) -> dict[int, Found] | None:
        """What is known of the promise so many periods before the one that runs: nothing of a period that is not over, or
        lies before all that is known. None where nothing can be told now, since a source is stale.

        A period without anything valid is known too. Costs what these periods hold.
        """
        objective = self.objectives.get(promise.id)
        if objective is None:
            return None
        oldest = _oldest(scene, candidate_sources(scene, objective))
        stretches = {back: stretch(promise, scene.now, back) for back in {*range(HELD), *backs}}
        stretches = {back: one for back, one in stretches.items() if back < HELD or one.end > oldest}
        sources, counts = self._counts(scene, objective, stretches)
        until = known_to(sources)
        if until is None:
            return None
        since = max([oldest, *(s.begun for s in sources if s.begun is not None)])
        found = {}
        for back in backs & stretches.keys():
            start, end = stretches[back]
            known = Stretch(max(since, _begins(scene, objective, start)), end)
            if known.start >= end or (back > 0 and until < end):
                continue
            if objective.slice is not None and back >= HELD:
                one = self._earlier(scene, objective, sources, known)
            else:
                one = Found(counts[back], self._heard(scene, objective, sources, known))
            if one.since < end:
                found[back] = one
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
        return self._first_heard(scene, objective, sources, stretch) or start

    def _first_heard(
        self, scene: Scene, objective: StoredObjective, sources: Sequence[SourceState], stretch: Stretch
    ) -> datetime | None:
        """The first moment in the stretch at which anything valid was told, to the day; None where nothing was."""
        start, end = stretch
        days: defaultdict[date, dict[tuple[int, Any], Count]] = defaultdict(dict)
        first, last = (moment.astimezone(scene.zone).date() for moment in stretch)
        kind = objective.sli.events.event
        for told in scene.history.daily(kind, [s.instance for s in sources], first, last + _DAY):
            days[told.day][told.object, told.dim] = Count(n=told.n, amount=told.amount)
        for day in sorted(days):
            if judge_all(objective.sli, days[day], self._clusters, scene.history).valid:
                heard = max(start, datetime.combine(day, time(), scene.zone).astimezone(UTC))
                return heard if heard < end else None
        return None

    def _earlier(
        self,
        scene: Scene,
        objective: StoredObjective,
        sources: Sequence[SourceState],
        stretch: Stretch,
    ) -> Found:
        """A period whose slices are kept nowhere. What was heard before it makes the silence at its beginning count."""
        start, end = stretch
        line = judged_between(scene.history, objective, start, end)
        first = line.index(start)
        if line.first is None or line.first > first:
            before = Stretch(start - objective.period, start)
            if self._first_heard(scene, objective, sources, before) is None:
                return Found(_slices(line, stretch), end if line.first is None else line.start(line.first))
            line.begin_by(first)
        return Found(_slices(line, stretch), start)

    def _counts(
        self, scene: Scene, objective: StoredObjective, stretches: Mapping[int, Stretch]
    ) -> tuple[Sequence[SourceState], Mapping[int, Counts]]:
        """The sources that the events come from, all that may give them while none did; and good and bad by period, of
        slices in the periods that are held.
        """
        candidates = candidate_sources(scene, objective)
        if objective.slice is not None:
            self._lines.read(scene.history, scene.now)
            line = self._lines[objective.slo]
            sources = [s for s in candidates if s.instance in line.sources] or candidates
            ends = [s.watermark for s in sources if s.watermark is not None]
            return sources, {
                back: line.count(*one.slices(line, min(ends))) if ends else Counts()
                for back, one in stretches.items()
                if back < HELD
            }
        if objective.sli.events.folded is not None:
            each = {s.instance: _cycles(scene, objective, s, stretches) for s in candidates}
        else:
            each = {
                s.instance: {back: self._of(scene, objective, s, one) for back, one in stretches.items()}
                for s in candidates
            }
        given = [s for s in candidates if any(counts.valid for counts in each[s.instance].values())]
        sources = (given or candidates) if some_only(objective) else candidates
        return sources, {back: sum_counts(counts[back] for counts in each.values()) for back in stretches}

    def _of(self, scene: Scene, objective: StoredObjective, source: SourceState, stretch: Stretch) -> Counts:
        """Good and bad of one source."""
        if source.watermark is None:
            return Counts()
        start, end = stretch.moments(source.watermark)
        if start >= end:
            return Counts()
        sli = objective.sli
        tallies = scene.history.counts(sli.events.event, source.instance, start, end)
        return judge_all(sli, tallies, self._clusters, scene.history)


def _oldest(scene: Scene, sources: Sequence[SourceState]) -> datetime:
    """What ended before it nobody tells, or it is stored no more."""
    told = [s.begun for s in sources if s.begun is not None]
    return max([min(told, default=_EPOCH), scene.history.pruned() or _EPOCH])


def _slices(line: Line, stretch: Stretch) -> Counts:
    return line.count(line.index(stretch.start), line.index(stretch.end))


def _cycles(
    scene: Scene, objective: StoredObjective, source: SourceState, stretches: Mapping[int, Stretch]
) -> Mapping[int, Counts]:
    """Decided cycles of one source by period, in one pass over its tickets."""
    found = dict.fromkeys(stretches, Counts())
    if source.watermark is None:
        return found
    start = min(one.start for one in stretches.values())
    end = min(source.watermark, max(one.end for one in stretches.values()))
    for cycle in decided(scene, objective.sli, source, start, end):
        met = cycle.result is SlaResult.MET
        for back, one in stretches.items():
            if one.start <= cycle.at < one.end:
                found[back] = found[back].plus(Counts(float(met), float(not met)))
    return found


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
