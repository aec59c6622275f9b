"""CI health: runs, durations, queue time, flakes, unclassified failures, runs now (domain section 7)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from platform_meter.measures.census import Share, census
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
from platform_meter.model.history import Held, Owner, Row, SourceState
from platform_meter.model.measure import WINDOWS, Counting, Gauging, Labels, Measures, Piece, Scene, window_label
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

    def add(self, run: Ended | PipelineRun, place: int) -> None:
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


def _behind_flaky(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    """Each group by its last run: of the whole, and of the part where it was flaky."""
    for source, rows in _runs_of(scene, labels):
        groups, last = defaultdict[int, _Groups](_Groups), dict[tuple[int, str], PipelineRun]()
        for row in rows:
            groups[row.object].add(row.event, 0)
            last[row.object, row.event.group] = row.event
        for (object_, group), run in last.items():
            part = float(group in groups[object_].flaky)
            yield Piece(source=source.instance, object=object_, fact=run, part=part)


def _behind_unclassified(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    """Each failure: of the whole, and of the part where its class is unknown."""
    for source, rows in _runs_of(scene, labels):
        for row in rows:
            if row.event.outcome in FAILURES:
                part = float(row.event.outcome is Outcome.UNKNOWN)
                yield Piece(source=source.instance, object=row.object, fact=row.event, part=part)


def _runs_of(scene: Scene, labels: Labels) -> Iterator[tuple[SourceState, Iterator[Row[PipelineRun]]]]:
    """The runs of a system and a team in a window, in order of time, by source instance."""
    system, team, label = labels
    window = next(window for window in WINDOWS if window_label(window) == label)

    def mine(source: SourceState, end: datetime) -> Iterator[Row[PipelineRun]]:
        for row in scene.history.rows(PipelineRun, end - window, end, source=source.instance):
            if scene.history.owner(row.object, end).team == team:
                yield row

    for source, end in _known(scene, PipelineRun):
        if source.type == system:
            yield source, mine(source, end)


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


def _active(_scene: Scene, source: SourceState, held: Held[PipelineActive]) -> Iterator[Share]:
    """Runs queued and running now, by pool."""
    pool = (source.type, held.reading.pool or UNKNOWN_POOL)
    yield Share((*pool, "queued"), held.reading.queued)
    yield Share((*pool, "running"), held.reading.running)


def _runners(_scene: Scene, source: SourceState, held: Held[PipelineRunners]) -> Iterator[Share]:
    """Runners idle, busy and offline now, by pool."""
    pool = (source.type, held.reading.pool or UNKNOWN_POOL)
    yield Share((*pool, "idle"), held.reading.idle)
    yield Share((*pool, "busy"), held.reading.busy)
    yield Share((*pool, "offline"), held.reading.offline)


ACTIVE = census(PIPELINE_ACTIVE, PipelineActive, _active)
RUNNERS = census(PIPELINE_RUNNERS, PipelineRunners, _runners)


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
            behind=_behind_flaky,
            every=timedelta(minutes=5),
            at_once=False,
        ),
        Gauging(
            metrics=(PIPELINE_UNCLASSIFIED,),
            reads=frozenset({PipelineRun}),
            compute=unclassified,
            behind=_behind_unclassified,
            every=timedelta(minutes=5),
            at_once=False,
        ),
        ACTIVE,
        RUNNERS,
    )
)
