"""What the Kubernetes API says, as far as it is read, and what each object means in facts. Pure.

Shapes follow the API's own names (meta/v1, core/v1, apps/v1, batch/v1); fields that are not read are left out, so that
a list of 500 pods decodes to little. Definitions of pod start and node readiness: domain section 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from msgspec import Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import (
    Namespace,
    Node,
    NodeState,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    Workload,
)
from platform_meter.model.facts.slis import SliCount
from platform_meter.sources.kit.kubernetes_objects import Thing
from platform_meter.sources.kit.rows import Row
from platform_meter.sources.kit.workloads import SYSTEM, Parent, ownership, pod_owner, workload_ref

NODE_WARM_UP = timedelta(minutes=10)
"""Younger nodes are left out of node readiness."""
TAKEN_AWAY = frozenset(
    {
        "ToBeDeletedByClusterAutoscaler",
        "karpenter.sh/disrupted",
        "karpenter.sh/disruption",
        "node.cloudprovider.kubernetes.io/shutdown",
        "node.kubernetes.io/out-of-service",
        "cloud.google.com/impending-node-termination",
        "aws-node-termination-handler/spot-itn",
        "aws-node-termination-handler/scheduled-maintenance",
        "aws-node-termination-handler/asg-lifecycle-termination",
        "aws-node-termination-handler/rebalance-recommendation",
    }
)
"""Taints by which those that take nodes away say so: autoscalers, clouds and their helpers."""
LATE_BINDING = timedelta(seconds=30)
"""A listed pod that got its node later than this is taken as one that waited for it: its past can't be seen."""
FIRST_UNREADY = timedelta(minutes=1)
"""So long after it got its node the kubelet has said of a pod that it is not ready yet."""
ENDED = ("Succeeded", "Failed")
"""Phases of pods that ended by themselves."""
WAITS = ("Unschedulable", "SchedulingGated")
"""Why a pod waits for its node, which is no part of its start: none has room, or its owner keeps a gate closed."""
OWNER_KINDS: Mapping[str, str] = {
    "ReplicaSet": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "Job": "job",
}


class Space(Thing):
    becomes: ClassVar[str] = "Namespace"


class Controller(Thing):
    """A Deployment, StatefulSet, DaemonSet or CronJob: what it wants and has is not read."""

    becomes: ClassVar[str] = "Workload"


class Condition(Row, rename="camel"):
    type: str
    status: str
    reason: str = ""
    last_transition_time: datetime | None = None


class Container(Struct, rename="camel"):
    restart_count: int = 0


class PodStatus(Struct, rename="camel"):
    phase: str = ""
    conditions: list[Condition] = []
    container_statuses: list[Container] = []


class Pod(Thing):
    becomes: ClassVar[str] = "PodStarted"
    status: PodStatus = field(default_factory=PodStatus)

    def condition(self, type_: str) -> Condition | None:
        return _condition(self.status.conditions, type_)


class Taint(Struct):
    key: str


class NodeSpec(Struct):
    unschedulable: bool = False
    taints: list[Taint] = []


class NodeStatus(Struct):
    conditions: list[Condition] = []


class ClusterNode(Thing):
    becomes: ClassVar[str] = "Node"
    spec: NodeSpec = field(default_factory=NodeSpec)
    status: NodeStatus = field(default_factory=NodeStatus)


def _condition(conditions: Sequence[Condition], type_: str) -> Condition | None:
    return next((c for c in conditions if c.type == type_), None)


def namespace(thing: Thing, cluster: str, keep: Iterable[str]) -> Namespace:
    """A namespace as it stands."""
    meta = thing.metadata
    ref = Ref(system=SYSTEM, kind="namespace", id=f"{cluster}/{meta.name}", labels=ownership(meta.labels, keep))
    return Namespace(about=ref, since=meta.creation_timestamp, cluster=cluster)


def workload(thing: Controller, kind: str, cluster: str, keep: Iterable[str]) -> Workload:
    """A controller as it stands."""
    meta = thing.metadata
    return Workload(
        about=workload_ref(cluster, meta.namespace, f"{kind}/{meta.name}", ownership(meta.labels, keep)),
        since=meta.creation_timestamp,
        cluster=cluster,
        namespace=meta.namespace,
        workload_kind=kind,
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


def pod_started(pod: Pod, cluster: str, keep: Iterable[str], limit: timedelta, parent: Parent) -> PodStarted | None:
    """The start of a pod: created to Ready (domain section 8, user-felt); None when its Ready is no plausible start.

    The API tells only the *last* transition of Ready. It is taken as the first one when no container has restarted
    and it lies within `limit` of creation. `updated` runs backwards from the creation, so that of two the earlier one
    stands: a pod that lost and regained readiness within `limit` can never overwrite its first start.
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
        about=pod_owner(pod.metadata, controller, cluster, keep, parent),
        updated=created - took,
        cluster=cluster,
        owner_kind=OWNER_KINDS.get(controller.kind, "other") if controller else "other",
        seconds=took.total_seconds(),
    )


def never_ready(pod: Pod, cluster: str, keep: Iterable[str], limit: timedelta, parent: Parent) -> PodNeverReady | None:
    """The end of a deleted pod that was never Ready, though it had its node for longer than `limit`.

    Ready turns False for the first time soon after a pod is bound; one that turned False later was ready before. Pods that
    ended by themselves are runs, and those without a node waited for one: both are none of these.
    """
    ready, bound, end = pod.condition("Ready"), pod.condition("PodScheduled"), pod.metadata.deletion_timestamp
    if pod.status.phase in ENDED or ready is None or ready.status == "True" or end is None:
        return None
    created, since = pod.metadata.creation_timestamp, bound.last_transition_time if bound else None
    if bound is None or bound.status != "True" or created is None or since is None:
        return None
    turned = ready.last_transition_time
    if turned is None or turned - since > FIRST_UNREADY or end - since <= limit:
        return None
    owner = next((o for o in pod.metadata.owner_references if o.controller), None)
    return PodNeverReady(
        key=f"pod/{pod.metadata.uid}",
        at=end,
        about=pod_owner(pod.metadata, owner, cluster, keep, parent),
        cluster=cluster,
        owner_kind=OWNER_KINDS.get(owner.kind, "other") if owner else "other",
        seconds=(end - created).total_seconds(),
    )


def waiting(pods: Iterable[Pod], cluster: str, limit: timedelta, now: datetime) -> PodsWaiting:
    """How many of these pods have had their node for longer than `limit`; those that are being taken away are none."""
    bound = (pod.condition("PodScheduled") for pod in pods if pod.metadata.deletion_timestamp is None)
    since = [one.last_transition_time for one in bound if one is not None and one.status == "True"]
    return PodsWaiting(
        about=Ref(system=SYSTEM, kind="cluster", id=cluster),
        cluster=cluster,
        waiting=sum(1 for at in since if at is not None and now - at > limit),
    )


def node(thing: ClusterNode, cluster: str, keep: Iterable[str]) -> Node:
    """A node as it stands. Cordoned comes first, and being taken away is the same: nobody expects it to be ready."""
    meta = thing.metadata
    ready = _condition(thing.status.conditions, "Ready")
    leaving = meta.deletion_timestamp is not None or any(taint.key in TAKEN_AWAY for taint in thing.spec.taints)
    if thing.spec.unschedulable or leaving:
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
