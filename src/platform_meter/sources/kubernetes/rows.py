"""What the Kubernetes API says, as far as it is read, and what each object means in facts. Pure.

Shapes follow the API's own names (meta/v1, core/v1, apps/v1, batch/v1); fields that are not read are left out, so that
a list of 500 pods decodes to little. Definitions of pod start and node readiness: domain section 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Generic, TypeVar

from msgspec import Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import Namespace, Node, NodeState, PodStarted, Workload
from platform_meter.model.facts.slis import SliCount
from platform_meter.sources.kit.rows import Row

SYSTEM = "kubernetes"
OWNERSHIP_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "backstage.io/kubernetes-id")
"""Labels that the ownership join reads without being told to (domain section 3, rule 3)."""

NODE_WARM_UP = timedelta(minutes=10)
"""Younger nodes are left out of node readiness."""
LATE_BINDING = timedelta(seconds=30)
"""A listed pod that got its node later than this is taken as one that waited for it: its past can't be seen."""
WAITS = ("Unschedulable", "SchedulingGated")
"""Why a pod waits for its node, which is no part of its start: none has room, or its owner keeps a gate closed."""
OWNER_KINDS: Mapping[str, str] = {
    "ReplicaSet": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "Job": "job",
}
_CRON_RUN = re.compile(r"-\d{8,}$")
"""What a CronJob adds to its own name for each Job: the scheduled minute."""


class Owner(Struct):
    kind: str
    name: str
    controller: bool = False


class Meta(Row, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    owner_references: list[Owner] = field(default_factory=list)


class Thing(Row):
    """What every object has; enough for a namespace."""

    becomes: ClassVar[str] = "Namespace"
    metadata: Meta


T = TypeVar("T", bound=Thing)


class ListMeta(Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = field(name="continue", default="")


class Listing(Struct, Generic[T]):
    """One page of a list."""

    metadata: ListMeta
    items: list[T] | None


class Status(Struct):
    """What the API says of a call that failed; also the object of an ERROR event."""

    code: int = 0
    message: str = ""


class ReplicaSpec(Struct):
    replicas: int = 1


class ReplicaStatus(Struct, rename="camel"):
    ready_replicas: int = 0


class Replicated(Thing):
    """A Deployment or StatefulSet."""

    becomes: ClassVar[str] = "Workload"
    spec: ReplicaSpec = field(default_factory=ReplicaSpec)
    status: ReplicaStatus = field(default_factory=ReplicaStatus)

    def replicas(self) -> tuple[int, int]:
        return self.spec.replicas, self.status.ready_replicas


class DaemonStatus(Struct, rename="camel"):
    desired_number_scheduled: int = 0
    number_ready: int = 0


class DaemonSet(Thing):
    becomes: ClassVar[str] = "Workload"
    status: DaemonStatus = field(default_factory=DaemonStatus)

    def replicas(self) -> tuple[int, int]:
        return self.status.desired_number_scheduled, self.status.number_ready


class CronJob(Thing):
    """Counted as inventory only: between its runs nothing of it is wanted."""

    becomes: ClassVar[str] = "Workload"

    def replicas(self) -> tuple[int, int]:
        return 0, 0


Controller = Replicated | DaemonSet | CronJob


class Condition(Row, rename="camel"):
    type: str
    status: str
    reason: str = ""
    last_transition_time: datetime | None = None


class Container(Struct, rename="camel"):
    restart_count: int = 0


class PodStatus(Struct, rename="camel"):
    conditions: list[Condition] = []
    container_statuses: list[Container] = []


class Pod(Thing):
    becomes: ClassVar[str] = "PodStarted"
    status: PodStatus = field(default_factory=PodStatus)

    def condition(self, type_: str) -> Condition | None:
        return _condition(self.status.conditions, type_)


class NodeSpec(Struct):
    unschedulable: bool = False


class NodeStatus(Struct):
    conditions: list[Condition] = []


class ClusterNode(Thing):
    becomes: ClassVar[str] = "Node"
    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)


def _condition(conditions: Sequence[Condition], type_: str) -> Condition | None:
    return next((c for c in conditions if c.type == type_), None)


def ownership(labels: Mapping[str, str], keep: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The labels in `keep`, sorted: what the ownership join may use, and no more."""
    return tuple(sorted((name, labels[name]) for name in {*keep} if name in labels))


def namespace(thing: Thing, cluster: str, keep: Iterable[str]) -> Namespace:
    """A namespace as it stands."""
    meta = thing.metadata
    ref = Ref(system=SYSTEM, kind="namespace", id=f"{cluster}/{meta.name}", labels=ownership(meta.labels, keep))
    return Namespace(about=ref, since=meta.creation_timestamp, cluster=cluster)


def workload(thing: Controller, kind: str, cluster: str, keep: Iterable[str]) -> Workload:
    """A controller as it stands: replicas wanted by its spec (nodes that should run it) and ready."""
    meta = thing.metadata
    wanted, ready = thing.replicas()
    return Workload(
        about=_workload_ref(cluster, meta.namespace, f"{kind}/{meta.name}", ownership(meta.labels, keep)),
        since=meta.creation_timestamp,
        cluster=cluster,
        namespace=meta.namespace,
        workload_kind=kind,
        wanted=wanted,
        ready=ready,
    )


def waits_for_node(pod: Pod) -> bool:
    """Whether it can't be bound now, for a reason in `WAITS`. False once it is bound.

    The API keeps no time at which a gate was opened, so a start can't be counted from there.
    """
    bound = pod.condition("PodScheduled")
    return bound is not None and bound.status == "False" and bound.reason in WAITS


def bound_late(pod: Pod) -> bool:
    """Whether the pod got its node more than `LATE_BINDING` after it was created."""
    bound, created = pod.condition("PodScheduled"), pod.metadata.creation_timestamp
    if bound is None or bound.status != "True" or bound.last_transition_time is None or created is None:
        return False
    return bound.last_transition_time - created > LATE_BINDING


def pod_started(pod: Pod, cluster: str, keep: Iterable[str], limit: timedelta) -> PodStarted | None:
    """The start of a pod: created to Ready (domain section 8, user-felt); None when its Ready is no plausible start.

    The API tells only the *last* transition of Ready. It is taken as the first one when no container has restarted
    and it lies within `limit` of creation. `updated` is the creation, the same however often the pod is seen: a pod
    that lost and regained readiness within `limit` can never overwrite its first start.
    """
    ready, created = pod.condition("Ready"), pod.metadata.creation_timestamp
    if ready is None or ready.status != "True" or ready.last_transition_time is None or created is None:
        return None
    took = ready.last_transition_time - created
    if not timedelta() <= took <= limit or any(c.restart_count for c in pod.status.container_statuses):
        return None
    controller = next((o for o in pod.metadata.owner_references if o.controller), None)
    return PodStarted(
        key=f"pod/{pod.metadata.uid}",
        at=ready.last_transition_time,
        about=_pod_owner(pod.metadata, controller, cluster, keep),
        updated=created,
        cluster=cluster,
        owner_kind=OWNER_KINDS.get(controller.kind, "other") if controller else "other",
        seconds=took.total_seconds(),
    )


def _pod_owner(meta: Meta, controller: Owner | None, cluster: str, keep: Iterable[str]) -> Ref:
    """The object that lives on when the pod is gone.

    A ReplicaSet's name is its Deployment's and a hash, a CronJob's Job the CronJob's and a time. Single Jobs and bare
    pods of a namespace are one object each: names made for one run would grow without bound.
    """
    labels = ownership(meta.labels, keep)
    match controller:
        case Owner(kind="ReplicaSet", name=name):
            return _workload_ref(cluster, meta.namespace, f"Deployment/{name.rpartition('-')[0] or name}", labels)
        case Owner(kind="Job", name=name) if _CRON_RUN.search(name):
            return _workload_ref(cluster, meta.namespace, f"CronJob/{_CRON_RUN.sub('', name)}", labels)
        case Owner(kind="Job"):
            return _workload_ref(cluster, meta.namespace, "Job", ())
        case Owner(kind=kind, name=name):
            return _workload_ref(cluster, meta.namespace, f"{kind}/{name}", labels)
        case None:
            return _workload_ref(cluster, meta.namespace, "Pod", ())


def _workload_ref(cluster: str, space: str, path: str, labels: tuple[tuple[str, str], ...]) -> Ref:
    return Ref(
        system=SYSTEM,
        kind="workload",
        id=f"{cluster}/{space}/{path}",
        labels=labels,
        links=(f"{SYSTEM}:{cluster}/{space}",),
    )


def node(thing: ClusterNode, cluster: str, keep: Iterable[str]) -> Node:
    """A node as it stands. Cordoned comes first: nobody expects such a node to be ready."""
    meta = thing.metadata
    ready = _condition(thing.status.conditions, "Ready")
    if thing.spec.unschedulable:
        state = NodeState.CORDONED
    elif ready is not None and ready.status == "True":
        state = NodeState.READY
    else:
        state = NodeState.NOT_READY
    ref = Ref(system=SYSTEM, kind="node", id=f"{cluster}/{meta.name}", labels=ownership(meta.labels, keep))
    return Node(about=ref, since=meta.creation_timestamp, cluster=cluster, state=state)


def node_minutes(nodes: Iterable[Node], cluster: str, minute: datetime) -> SliCount | None:
    """Ready and not ready nodes in the minute that ends at `minute`; None when none counts.

    Cordoned nodes and nodes younger than `NODE_WARM_UP` are left out (domain section 8).
    """
    counted = [
        n.state
        for n in nodes
        if n.state is not NodeState.CORDONED and (n.since is None or minute - n.since >= NODE_WARM_UP)
    ]
    if not counted:
        return None
    good = counted.count(NodeState.READY)
    return SliCount(
        key=f"node-ready/{minute:%Y-%m-%dT%H:%MZ}",
        at=minute,
        about=Ref(system=SYSTEM, kind="cluster", id=cluster),
        sli=f"{cluster}/node-ready",
        good=float(good),
        bad=float(len(counted) - good),
        width=timedelta(minutes=1),
    )
