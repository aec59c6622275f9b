"""Facts of CI: runs and jobs that ended, and how many wait or run now (domain section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally
from platform_meter.model.objective import Countable, StoredSli, Unknown


class Outcome(StrEnum):
    """How a pipeline run or job ended, seen from the platform (domain section 7)."""

    SUCCESS = "success"
    USER_FAILURE = "user_failure"
    INFRA_FAILURE = "infra_failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """It failed and nothing tells whose failure it was."""


class OutcomeDim(NamedTuple):
    """What runs and jobs are tallied by."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun(Tallied[OutcomeDim]):
    """One attempt of a CI run, ended. `ran` is start to end; `group` names pipeline+sha+inputs for flake detection.

    `approval` is how long it waited for a person (a reviewer, a manual step): no part of `ran`, nor of any queue; absent
    where it did not, or its system does not tell.
    """

    verb: ClassVar[str] = "run"

    pipeline: str
    outcome: Outcome
    ran: timedelta
    group: str
    sha: str = ""
    attempt: int = 1
    trigger: str = ""
    reason: str = ""
    pool: str = ""
    approval: timedelta | None = None

    def tallies(self) -> tuple[Tally[OutcomeDim], ...]:
        return (Tally(dim=OutcomeDim(self.outcome), amount=self.ran.total_seconds()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineJob(Tallied[OutcomeDim]):
    """One attempt of a job, ended. `queued` is runner start minus creation; absent when no runner ever took it."""

    run: str
    pool: str
    outcome: Outcome
    ran: timedelta
    queued: timedelta | None = None

    def tallies(self) -> tuple[Tally[OutcomeDim], ...]:
        return (Tally(dim=OutcomeDim(self.outcome), amount=self.ran.total_seconds()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineActive(Reading):
    """Runs or jobs of one pool that wait or run now."""

    pool: str
    queued: int
    running: int


def _good(sli: StoredSli, dim: OutcomeDim) -> bool | None:
    """Platform success (domain section 7): success and user failures are good, infrastructure failures are bad."""
    match dim.outcome:
        case Outcome.SUCCESS | Outcome.USER_FAILURE:
            return True
        case Outcome.INFRA_FAILURE:
            return False
        case Outcome.UNKNOWN if sli.unknown is Unknown.BAD:
            return False
        case _:
            return None


def _told(run: PipelineRun) -> tuple[str, str]:
    where = run.about.id
    pipeline = run.pipeline if run.pipeline.startswith(where) else f"{where}: {run.pipeline}"
    return pipeline, run.reason or str(run.outcome)


PIPELINE_RUNS = Countable(
    word="pipeline_runs", event=PipelineRun, where=("system",), unclassified=True, good=_good, told=_told
)

FACTS = Facts(events=(PipelineRun, PipelineJob), readings=(PipelineActive,))
