"""Workloads as the cluster's own source names them, and whose a pod is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from platform_meter.model.facts import Ref
from platform_meter.sources.kit.kubernetes_objects import Meta, Owner

SYSTEM = "kubernetes"
LASTING = frozenset({"StatefulSet", "DaemonSet", "ReplicationController", "Deployment", "Rollout", "CronJob"})
"""Kinds of owners that outlive their pods under one name."""
MAKERS: Mapping[str, str] = {"Deployment": "pod-template-hash", "Rollout": "rollouts-pod-template-hash"}
"""What makes ReplicaSets (`NAME-HASH`), and the label in which their pods have the hash."""

Parent = Callable[[Owner, str], Owner | None]
"""What made an owner in this namespace, where it was made by another object."""


def ownership(labels: Mapping[str, str], keep: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The labels in `keep`, sorted: what the ownership join may use, and no more."""
    return tuple(sorted((name, labels[name]) for name in {*keep} if name in labels))


def pod_owner(meta: Meta, controller: Owner | None, cluster: str, keep: Iterable[str], parent: Parent) -> Ref:
    """The object that lives on when the pod is gone.

    What made a ReplicaSet or a Job its own owner reference tells. Of a ReplicaSet that is gone already the label on the pod
    tells; one that nobody made stands for itself. Single Jobs, bare pods and those of any other kind are one object for
    each kind and namespace: names made for one run (a TaskRun, a Workflow) would grow without bound.
    """
    labels, space = ownership(meta.labels, keep), meta.namespace
    if controller is None:
        return workload_ref(cluster, space, "Pod", ())
    made_by = parent(controller, space)
    if made_by is not None and made_by.kind in LASTING:
        return workload_ref(cluster, space, f"{made_by.kind}/{made_by.name}", labels)
    if made_by is not None:
        return workload_ref(cluster, space, made_by.kind, ())
    if controller.kind == "ReplicaSet":
        return workload_ref(cluster, space, _maker(controller.name, meta.labels), labels)
    if controller.kind in LASTING:
        return workload_ref(cluster, space, f"{controller.kind}/{controller.name}", labels)
    return workload_ref(cluster, space, controller.kind, ())


def _maker(replica_set: str, labels: Mapping[str, str]) -> str:
    """Kind and name of what made a ReplicaSet, as the label that its maker puts on the pods tells."""
    for kind, label in MAKERS.items():
        name = replica_set.removesuffix(f"-{labels.get(label, '')}")
        if name and name != replica_set:
            return f"{kind}/{name}"
    return f"ReplicaSet/{replica_set}"


def workload_ref(cluster: str, space: str, path: str, labels: tuple[tuple[str, str], ...]) -> Ref:
    return Ref(
        system=SYSTEM,
        kind="workload",
        id=f"{cluster}/{space}/{path}",
        labels=labels,
        links=(f"{SYSTEM}:{cluster}/{space}",),
    )
