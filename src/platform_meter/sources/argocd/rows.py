"""Applications and Rollouts as far as they are read: the same objects in Argo CD's API and in the cluster."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct, field

from platform_meter.sources.kit.kubernetes_objects import Meta, Thing
from platform_meter.sources.kit.rows import Row


class AppSource(Struct, rename="camel"):
    """Where a part of the desired state stands."""

    repo_url: str = field(name="repoURL", default="")
    chart: str = ""


class Destination(Struct):
    server: str = ""
    name: str = ""
    namespace: str = ""


class Automated(Struct):
    enabled: bool | None = None
    """Absent in older versions, where being there is enough."""


class SyncPolicy(Struct):
    automated: Automated | None = None


class Spec(Struct, rename="camel"):
    project: str = ""
    destination: Destination = field(default_factory=Destination)
    source: AppSource | None = None
    sources: list[AppSource] = field(default_factory=list)
    sync_policy: SyncPolicy | None = None


class Initiator(Struct):
    automated: bool = False


class Sync(Struct, rename="camel"):
    """What was asked for."""

    dry_run: bool = False
    revision: str = ""
    revisions: list[str] = field(default_factory=list)


class Operation(Struct, rename="camel"):
    sync: Sync | None = None
    initiated_by: Initiator = field(default_factory=Initiator)


class SyncOutcome(Struct):
    """What was synced."""

    revision: str = ""
    revisions: list[str] = field(default_factory=list)


class OperationState(Row, rename="camel"):
    """The last operation, the one under way included."""

    phase: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    operation: Operation = field(default_factory=Operation)
    sync_result: SyncOutcome | None = None


class Entry(Row, rename="camel"):
    """One sync that succeeded, of those that are kept."""

    id: int = 0
    revision: str = ""
    revisions: list[str] = field(default_factory=list)
    deployed_at: datetime | None = None
    deploy_started_at: datetime | None = None
    source: Any = None
    sources: Any = None
    """Both as they stand: only whether two entries had the same ones is asked."""

    @property
    def shas(self) -> tuple[str, ...]:
        return revisions(self)

    @property
    def version(self) -> tuple[object, ...]:
        """What was deployed: revisions, and sources with the parameters in them."""
        return (self.shas, self.source, self.sources)


class Compared(Struct):
    """How desired and live state compare, and at which revisions they were."""

    status: str = ""
    revision: str = ""
    revisions: list[str] = field(default_factory=list)


class HealthStatus(Row, rename="camel"):
    status: str = ""
    last_transition_time: datetime | None = None


class Part(Struct):
    """One object of an application."""

    group: str = ""
    kind: str = ""


class Status(Row, rename="camel"):
    sync: Compared = field(default_factory=Compared)
    health: HealthStatus = field(default_factory=HealthStatus)
    operation_state: OperationState | None = None
    history: list[Entry] = field(default_factory=list)
    reconciled_at: datetime | None = None
    resources: list[Part] = field(default_factory=list)


class Application(Thing):
    becomes: ClassVar[str] = "GitopsApp"

    spec: Spec = field(default_factory=Spec)
    status: Status = field(default_factory=Status)
    operation: Any = None
    """There while one is wanted that the controller has not begun."""

    @property
    def name(self) -> str:
        return f"{self.metadata.namespace}/{self.metadata.name}"


class RolloutMeta(Meta, rename="camel"):
    annotations: dict[str, str] = field(default_factory=dict)


class Condition(Row, rename="camel"):
    type: str = ""
    status: str = ""
    reason: str = ""
    last_update_time: datetime | None = None
    last_transition_time: datetime | None = None


class RolloutStatus(Row, rename="camel"):
    abort: bool = False
    aborted_at: datetime | None = None
    current_pod_hash: str = ""
    stable: str = field(name="stableRS", default="")
    conditions: list[Condition] = field(default_factory=list)


class Rollout(Thing):
    becomes: ClassVar[str] = "RolloutEnded"

    metadata: RolloutMeta
    status: RolloutStatus = field(default_factory=RolloutStatus)


def revisions(of: Sync | SyncOutcome | Entry | Compared) -> tuple[str, ...]:
    """One for each source, in their order; an application of one source has one."""
    return tuple(of.revisions) or ((of.revision,) if of.revision else ())
