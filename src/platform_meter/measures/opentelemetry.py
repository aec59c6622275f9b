"""CI and repositories under the names of OpenTelemetry's conventions, from the facts of our own metrics."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.census import Share, census
from platform_meter.measures.ci import FAILURES
from platform_meter.model.conventions import REPOSITORIES, RUN_DURATION, SETTING, WORKERS
from platform_meter.model.facts.ci import Outcome, PipelineRun, PipelineRunners
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.history import Held, Owner, SourceState
from platform_meter.model.measure import Counting, Measures, Scene
from platform_meter.model.metric import Increment

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


def _workers(_scene: Scene, _source: SourceState, held: Held[PipelineRunners]) -> Iterator[Share]:
    """Runners by what they do."""
    one = held.reading
    yield Share(("available",), one.idle)
    yield Share(("busy",), one.busy)
    yield Share(("offline",), one.offline)


def _repositories(_scene: Scene, source: SourceState, held: Held[Repository]) -> Iterator[Share]:
    """Repositories by the organisation or group that they stand in."""
    yield Share((source.type, held.reading.about.id.rpartition("/")[0]))


WORKERS_NOW = census(WORKERS, PipelineRunners, _workers)
REPOSITORIES_NOW = census(REPOSITORIES, Repository, _repositories)

MEASURES = Measures(
    setting=SETTING,
    standing=(
        Counting(event=PipelineRun, metrics=(RUN_DURATION,), count=count_run),
        WORKERS_NOW,
        REPOSITORIES_NOW,
    ),
    brings=(RUN_DURATION, WORKERS, REPOSITORIES),
)
