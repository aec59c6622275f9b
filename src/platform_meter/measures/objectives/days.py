"""Good and bad of an SLO day by day, and the bad events themselves: what a page shows beside the window gauges."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from platform_meter.measures.objectives.slices import Counts, Lines
from platform_meter.measures.objectives.windows import READ, Clusters, candidate_sources, judge, judge_all, sum_counts
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.kubernetes import PodStarted, ProbeCheck
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.tickets import SlaCycle
from platform_meter.model.measure import Scene
from platform_meter.model.objective import Stored, StoredObjective

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
        """Good and bad in each [moment, next moment).

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
            if objective.sli.events is Stored.SLA_CYCLES:
                return _decided(scene, objective, moments)
            return [self._judged(scene, objective, start, end) for start, end in pairwise(moments)]

    def _judged(self, scene: Scene, objective: StoredObjective, start: datetime, end: datetime) -> Counts:
        kind, sli, history = READ[objective.sli.events], objective.sli, scene.history
        return sum_counts(
            judge_all(sli, history.counts(kind, s.instance, start, min(end, s.watermark)), self._clusters, history)
            for s in candidate_sources(scene, objective)
            if s.watermark is not None and start < s.watermark
        )


def _decided(scene: Scene, objective: StoredObjective, moments: Sequence[datetime]) -> list[Counts]:
    found = [Counts() for _ in moments[1:]]
    day = 0
    for row in scene.history.rows(SlaCycle, moments[0], moments[-1]):
        while row.event.at >= moments[day + 1]:
            day += 1
        if row.event.queue == objective.sli.where.get("queue") and row.event.sla == objective.sli.where.get("sla"):
            met = judge(objective.sli, row.event.tallies()[0].dim)
            found[day] = found[day].plus(Counts(1.0, 0.0) if met else Counts(0.0, 1.0))
    return found


def recent_bad(scene: Scene, objective: StoredObjective, *, most: int, within: timedelta) -> list[BadEvent]:
    """The last bad events, newest first; looks back day by day until there are enough."""
    kind: type[Event] = SlaCycle if objective.sli.events is Stored.SLA_CYCLES else READ[objective.sli.events]
    instances = {s.instance for s in candidate_sources(scene, objective)}
    found: list[BadEvent] = []
    end = scene.now + _STEP  # clocks differ
    while len(found) < most and end > scene.now - within:
        start = max(end - _STEP, scene.now - within)
        rows = scene.history.rows(kind, start, end)
        day = [b for row in rows if row.source in instances for b in _bad(objective, row.source, row.event)]
        found += reversed(day)
        end = start
    return found[:most]


def _bad(objective: StoredObjective, source: str, event: Event) -> Iterator[BadEvent]:
    sli = objective.sli
    if not any(judge(sli, t.dim) is False and (t.n or t.amount) for t in event.tallies()):
        return
    what, where = event.about.id, sli.where
    match event:
        case PipelineRun():
            pipeline = event.pipeline if event.pipeline.startswith(what) else f"{what}: {event.pipeline}"
            yield BadEvent(event.at, source, pipeline, event.reason or str(event.outcome))
        case PodStarted() if where.get("cluster", event.cluster) == event.cluster:
            yield BadEvent(event.at, source, what, f"ready after {event.seconds:,.0f} s")
        case ProbeCheck():
            yield BadEvent(event.at, source, event.target, f"{event.result} after {event.seconds:.2f} s")
        case SlaCycle() if where.get("queue") == event.queue:
            yield BadEvent(event.at, source, event.ticket, f"{event.priority}, goal {event.goal / 3600:,.1f} h passed")
        case SliCount() if event.bad > 0:
            yield BadEvent(event.at, source, event.sli, f"{event.bad:,.6g} of {event.good + event.bad:,.6g} bad")
        case _:
            return
