"""CI and repositories under the names of OpenTelemetry's conventions, from the facts of our own metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from platform_meter.measures.ci import FAILURES
from platform_meter.model.conventions import REPOSITORIES, RUN_DURATION, SETTING, WORKERS
from platform_meter.model.facts.ci import Outcome, PipelineRun, PipelineRunners
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Counting, Gauging, Measures, Scene
from platform_meter.model.metric import Increment, Sample

EXECUTING = "executing"
RESULTS = {
    Outcome.SUCCESS: "success",
    Outcome.USER_FAILURE: "failure",
    Outcome.INFRA_FAILURE: "error",
    Outcome.CANCELLED: "cancellation",
    Outcome.UNKNOWN: "failure",
}
"""A skipped run was never executed."""


def count_run(event: PipelineRun, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """How long the tasks of an ended run were executed, where its system tells when they began."""
    result = RESULTS.get(event.outcome)
    if result is not None and event.executing is not None:
        yield Increment(
            metric=RUN_DURATION,
            labels=(event.pipeline, EXECUTING, result, str(event.outcome) if event.outcome in FAILURES else ""),
            amount=event.executing.total_seconds(),
        )


def workers(scene: Scene) -> Iterator[Sample]:
    """Runners of fresh sources that read them."""
    fresh = {s.instance for s in scene.history.sources(PipelineRunners) if s.fresh}
    held = [held.reading for held in scene.history.readings(PipelineRunners) if held.source in fresh]
    if held:
        states = {
            "available": sum(one.idle for one in held),
            "busy": sum(one.busy for one in held),
            "offline": sum(one.offline for one in held),
        }
        for state, n in states.items():
            yield Sample(metric=WORKERS, labels=(state,), value=float(n))


def repositories(scene: Scene) -> Iterator[Sample]:
    """Repositories of fresh sources, by the organisation or group that they stand in."""
    types = {s.instance: s.type for s in scene.history.sources(Repository) if s.fresh}
    found = Counter[tuple[str, str]]()
    for held in scene.history.readings(Repository):
        if held.source in types:
            found[types[held.source], held.reading.about.id.rpartition("/")[0]] += 1
    for labels, n in sorted(found.items()):
        yield Sample(metric=REPOSITORIES, labels=labels, value=float(n))


MEASURES = Measures(
    setting=SETTING,
    standing=(
        Counting(event=PipelineRun, metrics=(RUN_DURATION,), count=count_run),
        Gauging(metrics=(WORKERS,), reads=frozenset({PipelineRunners}), compute=workers),
        Gauging(metrics=(REPOSITORIES,), reads=frozenset({Repository}), compute=repositories),
    ),
    brings=(RUN_DURATION, WORKERS, REPOSITORIES),
)
