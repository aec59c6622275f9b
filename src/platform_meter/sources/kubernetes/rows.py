"""What the Kubernetes API says, as far as it is read, and what each object means in facts. Pure.

Shapes follow the API's own names (meta/v1, core/v1, apps/v1, batch/v1); fields that are not read are left out, so that
a list of 500 pods decodes to little. Definitions of pod start and node readiness: domain section 8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from msgspec import Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import Namespace, Node, NodeState, PodStarted, Workload
from platform_meter.model.facts.slis import SliCount
from platform_meter.sources.kit.kubernetes_objects import Meta, Owner, Thing
from platform_meter.sources.kit.rows import Row

SYSTEM = "kubernetes"

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
WAITS = ("Unschedulable", "SchedulingGated")
"""Why a pod waits for its node, which is no part of its start: none has room, or its owner keeps a gate closed."""
OWNER_KINDS: Mapping[str, str] = {
    "ReplicaSet": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "Job": "job",
}
LASTING = frozenset({"StatefulSet", "DaemonSet", "ReplicationController"})
"""Kinds of owners that outlive their pods under one name."""
MAKERS: Mapping[str, str] = {"Deployment": "pod-template-hash", "Rollout": "rollouts-pod-template-hash"}
"""What makes ReplicaSets (`NAME-HASH`), and the label in which their pods have the hash."""
_CRON_RUN = re.compile(r"-\d{8,}$")
"""What a CronJob adds to its own name for each Job: the scheduled minute."""


class Space(Thing):
    becomes: ClassVar[str] = "Namespace"


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
        about=_pod_owner(pod.metadata, controller, cluster, keep),
        updated=created - took,
        cluster=cluster,
        owner_kind=OWNER_KINDS.get(controller.kind, "other") if controller else "other",
        seconds=took.total_seconds(),
    )


def _pod_owner(meta: Meta, controller: Owner | None, cluster: str, keep: Iterable[str]) -> Ref:
    """The object that lives on when the pod is gone.

    A ReplicaSet's name is that of what made it and a hash, which the pod carries as a label; without the label it stands
    for itself. A CronJob's Job has the CronJob's name and a time. Single Jobs, bare pods and those of any other kind are
    one object for each kind and namespace: names made for one run (a TaskRun, a Workflow) would grow without bound.
    """
    labels = ownership(meta.labels, keep)
    match controller:
        case Owner(kind="ReplicaSet", name=name):
            return _workload_ref(cluster, meta.namespace, _maker(name, meta.labels), labels)
        case Owner(kind="Job", name=name) if _CRON_RUN.search(name):
            return _workload_ref(cluster, meta.namespace, f"CronJob/{_CRON_RUN.sub('', name)}", labels)
        case Owner(kind=kind, name=name) if kind in LASTING:
            return _workload_ref(cluster, meta.namespace, f"{kind}/{name}", labels)
        case Owner(kind=kind):
            return _workload_ref(cluster, meta.namespace, kind, ())
        case None:
            return _workload_ref(cluster, meta.namespace, "Pod", ())


def _maker(replica_set: str, labels: Mapping[str, str]) -> str:
    """Kind and name of what made a ReplicaSet, as the label that its maker puts on the pods tells."""
    for kind, label in MAKERS.items():
        name = replica_set.removesuffix(f"-{labels.get(label, '')}")
        if name and name != replica_set:
            return f"{kind}/{name}"
    return f"ReplicaSet/{replica_set}"


def _workload_ref(cluster: str, space: str, path: str, labels: tuple[tuple[str, str], ...]) -> Ref:
    return Ref(
        system=SYSTEM,
        kind="workload",
        id=f"{cluster}/{space}/{path}",
        labels=labels,
        links=(f"{SYSTEM}:{cluster}/{space}",),
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
