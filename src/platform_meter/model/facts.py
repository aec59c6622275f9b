"""Facts: what sources say. Events happened once; readings tell how things stand now.

An event is counted once by (source instance, key), however often it is seen. A reading is replaced by the next
complete poll of its stream. Times are UTC and aware, durations are `timedelta`, shares run 0..1.
Definitions: domain sections 2, 4 and 7 to 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar


class Outcome(StrEnum):
    """How a pipeline run or job ended, seen from the platform (domain section 7)."""

    SUCCESS = "success"
    USER_FAILURE = "user_failure"
    INFRA_FAILURE = "infra_failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """It failed and nothing tells whose failure it was."""


class DeployResult(StrEnum):
    SUCCESS = "success"
    FAILED = "failed"
    """The rollout never served."""


class DeployKind(StrEnum):
    PLANNED = "planned"
    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    CONFIG = "config"


class TicketChange(StrEnum):
    CREATED = "created"
    STATUS = "status"
    COMMENT = "comment"
    PRIORITY = "priority"
    ASSIGNED = "assigned"
    LABELED = "labeled"
    """Its labels or its type changed, and nothing that another word says."""
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Role(StrEnum):
    """Who acted on a ticket. An agent is neither its reporter nor a bot."""

    REPORTER = "reporter"
    AGENT = "agent"
    BOT = "bot"


class ProbeResult(StrEnum):
    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"


class NodeState(StrEnum):
    READY = "ready"
    NOT_READY = "not_ready"
    CORDONED = "cordoned"


class SlaResult(StrEnum):
    MET = "met"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """An object as its source names it; the ownership join turns it into service and team.

    `system` is the source type (`github`), `kind` a bounded word (`repository`, `workload`), `id` the natural name
    there (`acme/payments`). `name` is what Ownership rules match: `github:acme/payments`.
    """

    system: str
    kind: str
    id: str
    labels: tuple[tuple[str, str], ...] = ()
    """Sorted label pairs the ownership join may use (rule 3)."""
    links: tuple[str, ...] = ()
    """Names of other objects whose owner is also this one's owner (rule 4)."""

    @property
    def name(self) -> str:
        return f"{self.system}:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One addition to a rollup: `n` events and `amount` units under the bounded word `dim`."""

    dim: str
    n: int = 1
    amount: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Happened once and stays true. Counted once, however often it is seen."""

    verb: ClassVar[str] = ""
    """What a Capability file calls this kind of use; empty where it is no use of anything."""
    use_dims: ClassVar[frozenset[str]] = frozenset()
    """The `Tally.dim`s that are use, where not every event of this kind is one; empty means all."""

    key: str
    """Natural id in its source instance, with the attempt where there is one."""
    at: datetime
    """The end of what happened, not when we saw it."""
    about: Ref
    updated: datetime | None = None
    """When the source last changed it: of one key, the highest wins whatever the order of arrival."""

    def tallies(self) -> tuple[Tally, ...]:
        """What this event adds to the 5-minute and daily rollups of its kind and object."""
        return (Tally(dim=self.verb),)


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
class Deployment(Event):
    """A rollout of one version to one environment, ended."""

    verb: ClassVar[str] = "deploy"

    environment: str
    sha: str
    result: DeployResult
    kind: DeployKind = DeployKind.PLANNED
    version: str = ""
    started: datetime | None = None

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=f"{self.environment}|{self.result}|{self.kind}"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Event):
    """A merged change; `at` is the merge. A stage nobody recorded is absent, not 0."""

    verb: ClassVar[str] = "merge"

    sha: str
    opened: datetime
    first_commit: datetime | None = None
    first_review: datetime | None = None
    labels: tuple[str, ...] = ()
    bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent(Event):
    """One step in a ticket's history. The values are those that hold after it; None means unchanged by it.

    Every ticket starts with CREATED, which carries status, priority, category, type and labels. A change of status
    into a resolved one is STATUS too; RESOLVED and REOPENED come from the tool's own resolution field, in addition.
    """

    verb: ClassVar[str] = "ticket"
    use_dims: ClassVar[frozenset[str]] = frozenset({TicketChange.CREATED})
    """Asking is use; that an agent answers, or a bot closes it days later, is not."""

    queue: str
    """The tool's queue; of CREATED the one that the ticket was created in, wherever it is now."""
    ticket: str
    """What its steps are joined by: the tool's id for it, which stays when it is moved and its name changes."""
    change: TicketChange
    name: str = ""
    """What people call it now (`PLAT-1`); CREATED says it."""
    role: Role = Role.AGENT
    public: bool = True
    status: str | None = None
    priority: str | None = None
    category: str | None = None
    """Its component, else its type or one of its labels."""
    resolution: str | None = None
    issue_type: str | None = None
    labels: tuple[str, ...] | None = None
    """As `ticket_labels` bounds them."""

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=self.change),)


GONE = "gone"
"""The resolution of a ticket that its tool no longer shows: deleted, transferred, or moved to where we don't look."""
MOST_LABELS = 20


def ticket_labels(names: Iterable[str]) -> tuple[str, ...]:
    """A ticket's labels as events carry them: each once, sorted, at most `MOST_LABELS`."""
    return tuple(sorted({name for name in names if name})[:MOST_LABELS])


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaCycle(Event):
    """One run of one SLA clock, decided: stopped in time (met) or past its goal (breached). `at` is that moment.

    Written by the tick from TicketEvents, because time alone can breach a goal. `elapsed` is business seconds at
    the decision. Key: queue, SLA, id of the ticket and number of the cycle.
    """

    queue: str
    sla: str
    ticket: str
    """What people called it then."""
    priority: str
    result: SlaResult
    elapsed: float
    goal: float

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=f"{self.sla}|{self.priority}|{self.result}", amount=self.elapsed),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage(Event):
    """Use of a capability: `amount` units of `action` by whoever owns `about`. `actor` is a salted hash or empty."""

    action: str
    amount: float = 1.0
    subject: str = ""
    actor: str = ""

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=self.action, amount=self.amount),)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStarted(Event):
    """A pod became Ready for the first time. `seconds` is creation to Ready, image pull included (user-felt)."""

    cluster: str
    owner_kind: str
    """One of deployment, statefulset, daemonset, job, other."""
    seconds: float

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=f"{self.owner_kind}|{pod_start_bucket(self.seconds)}", amount=self.seconds),)


POD_START_BUCKETS = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds, inclusive; the metric and the rollup share them, so a latency SLO is exact at each."""


def pod_start_bucket(seconds: float) -> str:
    """The smallest bucket bound that holds `seconds`, as it is written in `le`."""
    for bound in POD_START_BUCKETS:
        if seconds <= bound:
            return f"{bound:g}"
    return "+Inf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheck(Event):
    """One check by our own probe. `target` is bounded by configuration (`cluster-eu/readyz`)."""

    target: str
    result: ProbeResult
    seconds: float

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=f"{self.target}|{self.result}", amount=self.seconds),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliCount(Event):
    """Good and bad events of one SLI in the `width` that ends at `at`; already counted elsewhere (Prometheus, nodes)."""

    sli: str
    good: float
    bad: float
    width: timedelta

    def tallies(self) -> tuple[Tally, ...]:
        return (
            Tally(dim=f"{self.sli}|good", amount=self.good),
            Tally(dim=f"{self.sli}|bad", n=0, amount=self.bad),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one object stands. The next complete poll of its stream replaces all of the stream's readings of this type."""

    about: Ref
    since: datetime | None = None
    """When the object came to be, where the source knows it."""

    @property
    def key(self) -> str:
        return f"{self.about.kind}/{self.about.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository(Reading):
    archived: bool = False
    codeowner: str = ""
    """Team slug that owns `/` or `*` in CODEOWNERS, or the only team that may maintain (rule 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(Reading):
    """A controller in a cluster. `about.id` is cluster/namespace/kind/name."""

    cluster: str
    namespace: str
    workload_kind: str
    wanted: int
    ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace(Reading):
    cluster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Reading):
    cluster: str
    state: NodeState


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineActive(Reading):
    """Runs or jobs of one pool that wait or run now."""

    pool: str
    queued: int
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntity(Reading):
    """A portal's entry: its owner and the annotations that tie other systems' objects to it (rule 2)."""

    service: str
    team: str
    annotations: tuple[tuple[str, str], ...] = field(default=())


Fact = Event | Reading

EVENTS: dict[str, type[Event]] = {
    c.__name__: c
    for c in (
        PipelineRun,
        PipelineJob,
        Deployment,
        Change,
        TicketEvent,
        SlaCycle,
        Usage,
        PodStarted,
        ProbeCheck,
        SliCount,
    )
}
READINGS: dict[str, type[Reading]] = {
    c.__name__: c for c in (Repository, Workload, Namespace, Node, PipelineActive, CatalogEntity)
}
