"""Good and bad of an SLO day by day, and the bad events themselves: what a page shows beside the window gauges."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from platform_meter.measures.objectives.reach import candidate_sources
from platform_meter.measures.objectives.slices import Counts, Lines
from platform_meter.measures.objectives.windows import Clusters, judge_all
from platform_meter.model.facts import Tallied
from platform_meter.model.history import Count
from platform_meter.model.measure import Scene
from platform_meter.model.objective import StoredObjective, StoredSli

_STEP = timedelta(days=1)


class BadEvent(NamedTuple):
    """One event that took budget."""

    at: datetime
    source: str
    what: str
    """The object, as its source names it."""
    why: str


class DailyCounts:
    """Counts between any moments, for any number of threads and one store; sliced SLOs keep their slices between calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objectives: tuple[StoredObjective, ...] = ()
        self._lines, self._clusters = Lines(()), Clusters()

    def counts(self, scene: Scene, objective: StoredObjective, moments: Sequence[datetime]) -> list[Counts]:
        """Good and bad in each [moment, next moment); days of the zone cost the least.

        SLA cycles count as they were decided: one that a reopening took back since still stands on its day.
        """
        with self._lock:
            if objective.slice is not None:
                if self._objectives != scene.definitions.objectives:
                    self._objectives = scene.definitions.objectives
                    self._lines = Lines(self._objectives)
                self._lines.read(scene.history, scene.now)
                line = self._lines[objective.slo]
                ends = [s.watermark for s in candidate_sources(scene, objective) if s.instance in line.sources]
                last = min((line.index(end) for end in ends if end is not None), default=0)
                return [line.count(line.index(a), min(line.index(b), last)) for a, b in pairwise(moments)]
            if objective.sli.events.folded is not None:
                return _decided(scene, objective, moments)
            return self._judged(scene, objective, moments)

    def _judged(self, scene: Scene, objective: StoredObjective, moments: Sequence[datetime]) -> list[Counts]:
        """Days of the zone that are over for a source are read at once, of all sources; the rest up to its watermark."""
        sli, history = objective.sli, scene.history
        kind = sli.events.event
        days = [moment.astimezone(scene.zone).date() for moment in moments]
        is_day = [
            (start, end) == (_midnight(day, scene), _midnight(day + _STEP, scene))
            for day, (start, end) in zip(days, pairwise(moments), strict=False)
        ]
        ends = {s.instance: s.watermark for s in candidate_sources(scene, objective) if s.watermark is not None}
        whole: defaultdict[tuple[str, date], dict[tuple[int, Any], Count]] = defaultdict(dict)
        for told in history.daily(kind, ends, days[0], days[-1]):
            whole[told.source, told.day][told.object, told.dim] = Count(n=told.n, amount=told.amount)
        found = [Counts() for _ in days[1:]]
        for instance, watermark in ends.items():
            for n, (start, end) in enumerate(pairwise(moments)):
                if start < watermark:
                    last = min(end, watermark)
                    read = is_day[n] and last == end
                    tallies = whole[instance, days[n]] if read else history.counts(kind, instance, start, last)
                    found[n] = found[n].plus(judge_all(sli, tallies, self._clusters, history))
        return found


def _midnight(day: date, scene: Scene) -> datetime:
    return datetime.combine(day, time(), scene.zone)


def _decided(scene: Scene, objective: StoredObjective, moments: Sequence[datetime]) -> list[Counts]:
    sli, kind = objective.sli, objective.sli.events
    found = [Counts() for _ in moments[1:]]
    day = 0
    for row in scene.history.rows(kind.event, moments[0], moments[-1]):
        while row.event.at >= moments[day + 1]:
            day += 1
        if kind.belongs(sli, row.event):
            verdicts = [kind.good(sli, tally.dim) for tally in row.event.tallies()]
            found[day] = found[day].plus(Counts(float(verdicts.count(True)), float(verdicts.count(False))))
    return found


def recent_bad(scene: Scene, objective: StoredObjective, *, most: int, within: timedelta) -> list[BadEvent]:
    """The last bad events, newest first; looks back day by day until there are enough."""
    sli, kind = objective.sli, objective.sli.events
    instances = {s.instance for s in candidate_sources(scene, objective)}
    found: list[BadEvent] = []
    end = scene.now + _STEP  # clocks differ
    while len(found) < most and end > scene.now - within:
        start = max(end - _STEP, scene.now - within)
        rows = [row for row in scene.history.rows(kind.event, start, end) if row.source in instances]
        bad = [row for row in rows if kind.belongs(sli, row.event) and _is_bad(sli, row.event)]
        found += [BadEvent(row.event.at, row.source, *kind.told(row.event)) for row in reversed(bad)]
        end = start
    return found[:most]


def _is_bad(sli: StoredSli, event: Tallied[Any]) -> bool:
    return any(sli.events.good(sli, t.dim) is False and (t.n or t.amount) for t in event.tallies())
