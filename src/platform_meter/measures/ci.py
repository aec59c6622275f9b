"""CI health: runs, durations, queue time, flakes, unclassified failures, runs now (domain section 7)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from platform_meter.measures import catalogue
from platform_meter.model.facts import Event, Outcome, PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.history import Owner, Row, SourceState
from platform_meter.model.measure import WINDOWS, Counting, Gauging, Measure, Scene, window_label
from platform_meter.model.metric import Increment, Metric, Ratio, Sample

FAILURES = frozenset({Outcome.USER_FAILURE, Outcome.INFRA_FAILURE, Outcome.UNKNOWN})
"""Every way to fail; `unknown` failed and nothing tells whose failure it was."""

UNKNOWN_POOL = "unknown"

Parts = Counter[tuple[str, str, str]]
"""Sums by system, team and window; instances of one type add up."""


def count_run(event: Event, owner: Owner, source: SourceState) -> Iterator[Increment]:
    """One ended run and its duration. A skipped run never ran: it is counted, but has no duration."""
    if not isinstance(event, PipelineRun):
        raise TypeError(f"count_run counts PipelineRun, not {type(event).__name__}")
    yield Increment(metric=catalogue.PIPELINE_RUNS, labels=(source.type, owner.team, event.outcome))
    if event.outcome is not Outcome.SKIPPED:
        yield Increment(
            metric=catalogue.PIPELINE_RUN_DURATION,
            labels=(source.type, event.pool or UNKNOWN_POOL),
            amount=event.ran.total_seconds(),
        )


def count_job(event: Event, _owner: Owner, source: SourceState) -> Iterator[Increment]:
    """How long a job waited for its runner; a job that no runner ever took has no queue time."""
    if not isinstance(event, PipelineJob):
        raise TypeError(f"count_job counts PipelineJob, not {type(event).__name__}")
    if event.queued is not None:
        yield Increment(
            metric=catalogue.PIPELINE_QUEUE_DURATION,
            labels=(source.type, event.pool or UNKNOWN_POOL),
            amount=event.queued.total_seconds(),
        )


class Group(Enum):
    """What the runs of one pipeline, commit and input showed so far."""

    CLEAN = "clean"
    FAILED = "failed"
    FLAKY = "flaky"


def flaky(scene: Scene) -> Iterator[Sample]:
    """Groups (pipeline, commit and inputs) with a failure of any class and later a success / groups that ended.

    A group belongs to a window by its runs in it, and to the team that owns its pipeline at the window's end.
    """
    flakes, wholes = Parts(), Parts()
    for source, end in _known(scene, PipelineRun):
        for window in WINDOWS:
            label = window_label(window)
            runs = scene.history.rows(PipelineRun, end - window, end, source=source.instance)
            for object_, groups in _groups(runs).items():
                at = (source.type, scene.history.owner(object_, end).team, label)
                wholes[at] += len(groups)
                flakes[at] += sum(group is Group.FLAKY for group in groups.values())
    return _ratios(catalogue.PIPELINE_FLAKY, flakes, wholes, scene.minimum)


def _groups(runs: Iterable[Row[PipelineRun]]) -> dict[int, dict[str, Group]]:
    """Groups with a success or failure by the pipeline's object; `runs` come in order of time and are not kept."""
    found: defaultdict[int, dict[str, Group]] = defaultdict(dict)
    for row in runs:
        run, groups = row.event, found[row.object]
        if run.outcome in FAILURES:
            if groups.get(run.group) is not Group.FLAKY:
                groups[run.group] = Group.FAILED
        elif run.outcome is Outcome.SUCCESS:
            failed = groups.get(run.group, Group.CLEAN) is not Group.CLEAN
            groups[run.group] = Group.FLAKY if failed else Group.CLEAN
    return {object_: groups for object_, groups in found.items() if groups}


def unclassified(scene: Scene) -> Iterator[Sample]:
    """Failures of unknown class / all failures, from rollups."""
    unknown, failures = Parts(), Parts()
    for source, end in _known(scene, PipelineRun):
        for window in WINDOWS:
            label = window_label(window)
            counts = scene.history.counts(PipelineRun, source.instance, end - window, end)
            for (object_, dim), count in counts.items():
                if dim in FAILURES:
                    at = (source.type, scene.history.owner(object_, end).team, label)
                    failures[at] += count.n
                    unknown[at] += count.n if dim == Outcome.UNKNOWN else 0
    return _ratios(catalogue.PIPELINE_UNCLASSIFIED, unknown, failures, scene.minimum)


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
        yield Sample(metric=catalogue.PIPELINE_ACTIVE, labels=labels, value=value)


def _known(scene: Scene, kind: type[Event]) -> Iterator[tuple[SourceState, datetime]]:
    """Fresh source instances, with the watermark at which their windows end."""
    for source in scene.history.sources(kind):
        if source.fresh and source.watermark is not None:
            yield source, source.watermark


def _ratios(metric: Metric, parts: Parts, wholes: Parts, minimum: int) -> Iterator[Sample]:
    for labels, whole in sorted(wholes.items()):
        yield Sample(metric=metric, labels=labels, value=Ratio(part=parts[labels], whole=whole, minimum=minimum))


MEASURES: tuple[Measure, ...] = (
    Counting(
        event=PipelineRun,
        metrics=(catalogue.PIPELINE_RUNS, catalogue.PIPELINE_RUN_DURATION),
        count=count_run,
    ),
    Counting(event=PipelineJob, metrics=(catalogue.PIPELINE_QUEUE_DURATION,), count=count_job),
    Gauging(
        metrics=(catalogue.PIPELINE_FLAKY,),
        reads=frozenset({PipelineRun}),
        compute=flaky,
        every=timedelta(minutes=5),
    ),
    Gauging(
        metrics=(catalogue.PIPELINE_UNCLASSIFIED,),
        reads=frozenset({PipelineRun}),
        compute=unclassified,
        every=timedelta(minutes=5),
    ),
    Gauging(metrics=(catalogue.PIPELINE_ACTIVE,), reads=frozenset({PipelineActive}), compute=active),
)
