"""Facts of CI: runs and jobs that ended, and how many wait or run now (domain section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from platform_meter.model.facts import Event, Facts, Reading, Tally


class Outcome(StrEnum):
    """How a pipeline run or job ended, seen from the platform (domain section 7)."""

    SUCCESS = "success"
    USER_FAILURE = "user_failure"
    INFRA_FAILURE = "infra_failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """It failed and nothing tells whose failure it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun(Event):
    """One attempt of a CI run, ended. `ran` is start to end; `group` names pipeline+sha+inputs for flake detection."""

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

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=self.outcome, amount=self.ran.total_seconds()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineJob(Event):
    """One attempt of a job, ended. `queued` is runner start minus creation; absent when no runner ever took it."""

    run: str
    pool: str
    outcome: Outcome
    ran: timedelta
    queued: timedelta | None = None

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=self.outcome, amount=self.ran.total_seconds()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineActive(Reading):
    """Runs or jobs of one pool that wait or run now."""

    pool: str
    queued: int
    running: int


FACTS = Facts(events=(PipelineRun, PipelineJob), readings=(PipelineActive,))
