"""Facts of CI: runs and jobs that ended, and how many wait or run now (domain section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally, UseWord
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
    """What runs are tallied by."""

    outcome: Outcome


SECONDS_CI = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0)
"""Upper bounds in seconds, inclusive; metrics and the rollup share them, so an SLO of queue time is exact at each."""
UNKNOWN_POOL = "unknown"
"""The pool of what does not tell one."""


class QueueDim(NamedTuple):
    """What jobs are tallied by: their pool, and the smallest bucket bound that holds the seconds that they waited."""

    pool: str
    bucket: str
    """As written in `le`; `+Inf` past the last bound, empty where no wait is known."""

    def within(self, seconds: float) -> bool | None:
        """Whether these jobs waited no longer; exact at each bound, None where no wait is known."""
        return float(self.bucket) <= seconds if self.bucket else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun(Tallied[OutcomeDim]):
    """One attempt of a CI run, ended. `ran` is start to end; `group` names pipeline+sha+inputs for flake detection.

    `approval` is how long it waited for a person (a reviewer, a manual step): no part of `ran`, nor of any queue; absent
    where it did not, or its system does not tell. `executing` is first task's start to end, absent where its system does
    not tell when that was. `rule` is what made the outcome, the first that fits (`model/outcomes.py`);
    empty where none did. `url` is the run's own page.
    """

    verb: ClassVar[str] = "run"
    use_words: ClassVar = {
        "pipeline": UseWord(of="pipeline"),
        "result": UseWord(
            of="outcome",
            values={str(o): str(o) for o in Outcome},
            unusual=frozenset({*map(str, Outcome)} - {"success"}),
        ),
        "trigger": UseWord(of="trigger", unusual=frozenset({"schedule"})),
    }

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
    executing: timedelta | None = None
    rule: str = ""
    url: str = ""

    def commits(self) -> tuple[str, ...]:
        return (self.sha,)

    def tallies(self) -> tuple[Tally[OutcomeDim], ...]:
        return (Tally(dim=OutcomeDim(self.outcome), amount=self.ran.total_seconds()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineJob(Tallied[QueueDim]):
    """One attempt of a job, ended. `queued` is runner start minus creation; absent when no runner ever took it."""

    run: str
    pool: str
    outcome: Outcome
    ran: timedelta
    queued: timedelta | None = None

    def tallies(self) -> tuple[Tally[QueueDim], ...]:
        pool = self.pool or UNKNOWN_POOL
        if self.queued is None:
            return (Tally(dim=QueueDim(pool, "")),)
        seconds = self.queued.total_seconds()
        bound = next((f"{bound:g}" for bound in SECONDS_CI if seconds <= bound), "+Inf")
        return (Tally(dim=QueueDim(pool, bound), amount=seconds),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineActive(Reading):
    """Runs or jobs of one pool that wait or run now. A pool's readings add up."""

    pool: str
    queued: int
    running: int
    of: str = ""
    """The one run or job that it tells of, where each is told by itself; empty where it tells of the pool."""

    @property
    def key(self) -> str:
        pool = f"{self.about.kind}/{self.about.id}"
        return f"{pool}/{self.of}" if self.of else pool


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRunners(Reading):
    """Machines of one pool that run jobs: what they could take on, and what is broken."""

    pool: str
    idle: int
    busy: int
    offline: int


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


def _waited(sli: StoredSli, dim: QueueDim) -> bool | None:
    """Whether it waited no longer than the threshold; a job that no runner took has no wait, and is not valid."""
    if sli.threshold is None or not sli.takes("pool", dim.pool):
        return None
    return dim.within(sli.threshold)


def _told_job(job: PipelineJob) -> tuple[str, str]:
    waited = job.queued.total_seconds() if job.queued is not None else 0.0
    return f"{job.about.id}: job in {job.pool or UNKNOWN_POOL}", f"waited {waited:,.0f} s for a runner"


QUEUE_WAITS = Countable(
    word="queue_waits",
    event=PipelineJob,
    where=("system", "pool"),
    thresholds=SECONDS_CI,
    good=_waited,
    told=_told_job,
)

FACTS = Facts(events=(PipelineRun, PipelineJob), readings=(PipelineActive, PipelineRunners))
