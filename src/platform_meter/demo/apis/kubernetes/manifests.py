"""Kubernetes objects as the API server writes them: what a meter may look at, in the shape of the real ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from platform_meter.demo.apis.wsgi import stamp
from platform_meter.demo.company.objects import Change, Marks, Namespace, Node, Pod, PodState, Workload, WorkloadState
from platform_meter.demo.company.records import sha_of, uid_of

MADE = {"replicasets": ("apps/v1", "ReplicaSet", "Deployment"), "jobs": ("batch/v1", "Job", "CronJob")}
"""What is made of workloads for their pods: its group, its kind, and whose it is."""
OWNERS = {"deployments": "ReplicaSet", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "jobs": "Job"}
KIND = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "cronjobs": "CronJob"}


def manifest(change: Change) -> dict[str, Any]:
    """The object that a change left, or took away."""
    match change.object:
        case Namespace() as namespace:
            body = _namespace(namespace)
        case Node() as node:
            body = _node(node)
        case PodState(pod=pod, ready=up):
            body = _pod(pod, ready=up)
        case WorkloadState(workload=workload, ready=count):
            body = _workload(workload, count)
    body["metadata"]["resourceVersion"] = str(change.version)
    return body


def made(kind: str, pods: Iterable[Pod]) -> list[dict[str, Any]]:
    """The ReplicaSets or Jobs of these pods, by their metadata, each of which says whose it is."""
    api_version, name, maker = MADE[kind]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for pod in pods:
        if OWNERS[pod.owner_kind] != name:
            continue
        owner = _owner(pod)
        of = pod.owner.rpartition("-")[0] if kind == "jobs" else pod.owner  # a CronJob adds the minute to its name
        reference = {
            "apiVersion": api_version,
            "kind": maker,
            "name": of,
            "uid": uid_of(pod.namespace, of),
            "controller": True,
        }
        metadata = _metadata(owner, pod.namespace, dict(pod.labels), pod.created)
        found[pod.namespace, owner] = {"metadata": {**metadata, "ownerReferences": [reference]}}
    return [found[key] for key in sorted(found)]


def _owner(pod: Pod) -> str:
    return f"{pod.owner}-{_hash(pod)}" if pod.owner_kind == "deployments" else pod.owner


def _hash(pod: Pod) -> str:
    return sha_of(pod.owner)[:9]


def _metadata(name: str, namespace: str, labels: Mapping[str, str], created: datetime) -> dict[str, Any]:
    where = {"namespace": namespace} if namespace else {}
    return {
        "name": name,
        **where,
        "uid": uid_of(namespace, name),
        "resourceVersion": "0",
        "creationTimestamp": stamp(created),
        "labels": dict(labels),
    }


def _namespace(found: Namespace) -> dict[str, Any]:
    labels = {"kubernetes.io/metadata.name": found.name, **dict(found.labels)}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": _metadata(found.name, "", labels, found.created),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _node(found: Node) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": "True" if found.ready else "Unknown",
        "lastHeartbeatTime": stamp(found.since),
        "lastTransitionTime": stamp(found.since),
        "reason": "KubeletReady" if found.ready else "NodeStatusUnknown",
        "message": "kubelet is posting ready status" if found.ready else "Kubelet stopped posting node status.",
    }
    labels = {"kubernetes.io/hostname": found.name, "kubernetes.io/os": "linux"}
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": _metadata(found.name, "", labels, found.created),
        "spec": {"unschedulable": True, "taints": [taint]} if found.cordoned else {},
        "status": {
            "capacity": {"cpu": "16", "memory": "65536Mi", "pods": "110"},
            "conditions": [condition],
            "nodeInfo": {"kubeletVersion": found.version, "operatingSystem": "linux", "architecture": "amd64"},
        },
    }


def _pod(pod: Pod, *, ready: bool) -> dict[str, Any]:
    """A pod before or after it became Ready for the first time."""
    replicated = {"pod-template-hash": _hash(pod)} if pod.owner_kind == "deployments" else {}
    owner = _owner(pod)
    since = pod.ready if ready else pod.created
    status = "True" if ready else "False"
    condition = {"lastProbeTime": None, "lastTransitionTime": stamp(since), "status": status}
    state = {"running": {"startedAt": stamp(pod.ready)}} if ready else {"waiting": {"reason": "ContainerCreating"}}
    reference = {
        "apiVersion": "batch/v1" if pod.owner_kind == "jobs" else "apps/v1",
        "kind": OWNERS[pod.owner_kind],
        "name": owner,
        "uid": uid_of(pod.namespace, owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    labels = {**dict(pod.labels), **dict(pod.marks.labels), **replicated}
    metadata = {**_metadata(pod.name, pod.namespace, labels, pod.created), **_annotated(pod.marks)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "ownerReferences": [reference]},
        "spec": {
            "nodeName": pod.node,
            "restartPolicy": "OnFailure" if pod.owner_kind == "jobs" else "Always",
            "containers": _containers(pod.owner, pod.marks),
        },
        "status": {
            "phase": "Running" if ready else "Pending",
            "startTime": stamp(pod.created),
            "conditions": [
                {"type": "PodScheduled", **condition, "status": "True", "lastTransitionTime": stamp(pod.created)},
                {"type": "Initialized", **condition, "status": "True", "lastTransitionTime": stamp(pod.created)},
                {"type": "ContainersReady", **condition},
                {"type": "Ready", **condition},
            ],
            "containerStatuses": [
                {
                    "name": "main",
                    "ready": ready,
                    "started": ready,
                    "restartCount": 0,
                    "image": f"registry.acme.test/{pod.owner}:stable",
                    "imageID": "",
                    "state": state,
                }
            ],
        },
    }


def _containers(name: str, marks: Marks) -> list[dict[str, Any]]:
    own = [{"name": "main", "image": f"registry.acme.test/{name}:stable", "resources": {}}]
    proxy = [{"name": marks.proxy, "image": f"registry.acme.test/mesh/{marks.proxy}:stable", "resources": {}}]
    return [*own, *(proxy if marks.proxy else ())]


def _annotated(marks: Marks) -> dict[str, Any]:
    return {"annotations": dict(marks.annotations)} if marks.annotations else {}


def _workload(found: Workload, ready: int) -> dict[str, Any]:
    labels, wanted = dict(found.labels), found.wanted
    metadata = {**_metadata(found.name, found.namespace, labels, found.created), "generation": 1}
    selector = {"matchLabels": labels}
    template = {
        "metadata": {"labels": {**labels, **dict(found.marks.labels)}, **_annotated(found.marks)},
        "spec": {"containers": _containers(found.name, Marks())},  # the proxy comes when pods are admitted
    }
    if found.kind == "cronjobs":
        return {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": metadata,
            "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": template}}},
            "status": {},
        }
    daemon = found.kind == "daemonsets"
    spec = {"selector": selector, "template": template, **({} if daemon else {"replicas": wanted})}
    counts = (
        {
            "desiredNumberScheduled": wanted,
            "currentNumberScheduled": wanted,
            "numberReady": ready,
            "numberMisscheduled": 0,
        }
        if daemon
        else {
            "replicas": wanted,
            **({"readyReplicas": ready} if ready else {}),
        }  # zero is left out, as the real one does
    )
    return {
        "apiVersion": "apps/v1",
        "kind": KIND[found.kind],
        "metadata": metadata,
        "spec": spec,
        "status": {"observedGeneration": 1, **counts},
    }
