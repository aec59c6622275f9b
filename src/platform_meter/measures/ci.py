"""CI health: runs, durations, queue time, flakes, unclassified failures, runs now (domain section 7)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from platform_meter.model.catalogue.ci import (
    PIPELINE_ACTIVE,
    PIPELINE_APPROVAL,
    PIPELINE_FLAKY,
    PIPELINE_QUEUE_DURATION,
    PIPELINE_RUN_DURATION,
    PIPELINE_RUNNERS,
    PIPELINE_RUNS,
    PIPELINE_UNCLASSIFIED,
)
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import (
    UNKNOWN_POOL,
    Outcome,
    PipelineActive,
    PipelineJob,
    PipelineRun,
    PipelineRunners,
)
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import WINDOWS, Counting, Gauging, Measures, Scene, window_label
from platform_meter.model.metric import Increment, Metric, Ratio, Sample

FAILURES = frozenset({Outcome.USER_FAILURE, Outcome.INFRA_FAILURE, Outcome.UNKNOWN})
"""Every way to fail; `unknown` failed and nothing tells whose failure it was."""

Parts = Counter[tuple[str, str, str]]
"""Sums by system, team and window; instances of one type add up."""


def count_run(event: PipelineRun, owner: Owner, source: SourceState) -> Iterator[Increment]:
    """One ended run, its duration and its wait for a person. A skipped run never ran: it has no duration."""
    yield Increment(metric=PIPELINE_RUNS, labels=(source.type, owner.team, event.outcome))
    if event.outcome is not Outcome.SKIPPED:
        yield Increment(
            metric=PIPELINE_RUN_DURATION,
            labels=(source.type, event.pool or UNKNOWN_POOL),
            amount=event.ran.total_seconds(),
        )
    if event.approval is not None:
        yield Increment(metric=PIPELINE_APPROVAL, labels=(source.type,), amount=event.approval.total_seconds())


def count_job(event: PipelineJob, _owner: Owner, source: SourceState) -> Iterator[Increment]:
    """How long a job waited for its runner; a job that no runner ever took has no queue time."""
    if event.queued is not None:
        yield Increment(
            metric=PIPELINE_QUEUE_DURATION,
            labels=(source.type, event.pool or UNKNOWN_POOL),
            amount=event.queued.total_seconds(),
        )


class Ended(Struct, frozen=True, gc=False):
    """What flake detection asks of a run."""

    outcome: Outcome
    group: str


class _Groups:
    """Groups of one pipeline. Each mapping gives, by group, the place in WINDOWS of the shortest window that holds ..."""

    __slots__ = ("ended", "failed", "flaky")

    def __init__(self) -> None:
        self.ended: dict[str, int] = {}
        """... its last run, however it ended."""
        self.failed: dict[str, int] = {}
        """... its last failure."""
        self.flaky: dict[str, int] = {}
        """... its last failure that a success followed; a shorter window sees that success alone."""

    def add(self, run: Ended, place: int) -> None:
        if run.outcome is Outcome.SUCCESS:
            if run.group in self.failed:
                self.flaky[run.group] = self.failed[run.group]
        elif run.outcome in FAILURES:
            self.failed[run.group] = place
        self.ended[run.group] = place


def flaky(scene: Scene) -> Iterator[Sample]:
    """Groups (pipeline, commit and inputs) with a failure of any class and later a success / groups with an ended run.

    A group belongs to a window by its runs in it, and to the team that owns its pipeline at the window's end.
    """
    flakes, wholes = Parts(), Parts()
    for source, end in _known(scene, PipelineRun):
        found: defaultdict[int, _Groups] = defaultdict(_Groups)
        # The oldest first: all windows in one pass, in order of time.
        for place, start, stop in reversed(_slices(end)):
            for object_, run in scene.history.parts(PipelineRun, Ended, start, stop, source=source.instance):
                found[object_].add(run, place)
        for object_, groups in found.items():
            team = scene.history.owner(object_, end).team
            ended, flakes_of = Counter(groups.ended.values()), Counter(groups.flaky.values())
            for place, window in enumerate(WINDOWS):
                if n := sum(ended[i] for i in range(place + 1)):
                    at = (source.type, team, window_label(window))
                    wholes[at] += n
                    flakes[at] += sum(flakes_of[i] for i in range(place + 1))
    return _ratios(PIPELINE_FLAKY, flakes, wholes, scene.minimum)


def _slices(end: datetime) -> list[tuple[int, datetime, datetime]]:
    """What each window adds to the next shorter one: (place in WINDOWS, start, end), the newest first."""
    stops = (end, *(end - window for window in WINDOWS))
    return [(place, end - window, stops[place]) for place, window in enumerate(WINDOWS)]


def unclassified(scene: Scene) -> Iterator[Sample]:
    """Failures of unknown class / all failures, from rollups."""
    unknown, failures = Parts(), Parts()
    for source, end in _known(scene, PipelineRun):
        for place, start, stop in _slices(end):
            counts = scene.history.counts(PipelineRun, source.instance, start, stop)
            for (object_, dim), count in counts.items():
                if dim.outcome in FAILURES:
                    team = scene.history.owner(object_, end).team
                    for window in WINDOWS[place:]:
                        at = (source.type, team, window_label(window))
                        failures[at] += count.n
                        unknown[at] += count.n if dim.outcome is Outcome.UNKNOWN else 0
    return _ratios(PIPELINE_UNCLASSIFIED, unknown, failures, scene.minimum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Two views of the same runs; None where nothing ran."""

    platform: float | None
    """Not broken by the platform: (success + user failures) / valid. Unclassified failures are left out."""
    felt: float | None
    """Success as users feel it: success / valid."""


def success_shares(by_outcome: Mapping[str, int]) -> Shares:
    """Platform success and user-felt success (domain section 7); valid = success + user + infrastructure failures."""
    good, user = by_outcome.get(Outcome.SUCCESS, 0), by_outcome.get(Outcome.USER_FAILURE, 0)
    valid = good + user + by_outcome.get(Outcome.INFRA_FAILURE, 0)
    return Shares(platform=(good + user) / valid, felt=good / valid) if valid else Shares(platform=None, felt=None)


def active(scene: Scene) -> Iterator[Sample]:
    """Runs queued and running now, by pool, of fresh sources."""
    types = {s.instance: s.type for s in scene.history.sources(PipelineActive) if s.fresh}
    counts: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for held in scene.history.readings(PipelineActive):
        if held.source in types:
            pool = (types[held.source], held.reading.pool or UNKNOWN_POOL)
            counts[*pool, "queued"] += held.reading.queued
            counts[*pool, "running"] += held.reading.running
    for labels, value in sorted(counts.items()):
        yield Sample(metric=PIPELINE_ACTIVE, labels=labels, value=value)


def runners(scene: Scene) -> Iterator[Sample]:
    """Runners idle, busy and offline now, by pool, of fresh sources."""
    types = {s.instance: s.type for s in scene.history.sources(PipelineRunners) if s.fresh}
    counts = Counter[tuple[str, str, str]]()
    for held in scene.history.readings(PipelineRunners):
        if held.source in types:
            pool, reading = (types[held.source], held.reading.pool or UNKNOWN_POOL), held.reading
            counts.update({(*pool, "idle"): reading.idle, (*pool, "busy"): reading.busy})
            counts[*pool, "offline"] += reading.offline
    for labels, value in sorted(counts.items()):
        yield Sample(metric=PIPELINE_RUNNERS, labels=labels, value=float(value))


def _known(scene: Scene, kind: type[Event]) -> Iterator[tuple[SourceState, datetime]]:
    """Fresh source instances, with the watermark at which their windows end."""
    for source in scene.history.sources(kind):
        if source.fresh and source.watermark is not None:
            yield source, source.watermark


def _ratios(metric: Metric, parts: Parts, wholes: Parts, minimum: int) -> Iterator[Sample]:
    for labels, whole in sorted(wholes.items()):
        yield Sample(metric=metric, labels=labels, value=Ratio(part=parts[labels], whole=whole, minimum=minimum))


MEASURES = Measures(
    standing=(
        Counting(
            event=PipelineRun,
            metrics=(PIPELINE_RUNS, PIPELINE_RUN_DURATION, PIPELINE_APPROVAL),
            count=count_run,
        ),
        Counting(event=PipelineJob, metrics=(PIPELINE_QUEUE_DURATION,), count=count_job),
        Gauging(
            metrics=(PIPELINE_FLAKY,),
            reads=frozenset({PipelineRun}),
            compute=flaky,
            every=timedelta(minutes=5),
            at_once=False,
        ),
        Gauging(
            metrics=(PIPELINE_UNCLASSIFIED,),
            reads=frozenset({PipelineRun}),
            compute=unclassified,
            every=timedelta(minutes=5),
            at_once=False,
        ),
        Gauging(metrics=(PIPELINE_ACTIVE,), reads=frozenset({PipelineActive}), compute=active),
        Gauging(metrics=(PIPELINE_RUNNERS,), reads=frozenset({PipelineRunners}), compute=runners),
    )
)
