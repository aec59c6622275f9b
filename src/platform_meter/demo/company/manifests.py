"""Kubernetes objects as the API server writes them: what a meter may look at, in the shape of the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_meter.demo.company.layout import Service
from platform_meter.demo.company.records import sha_of

TEAM_LABEL = "acme.test/team"
OWNERS = {"deployments": "ReplicaSet", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "jobs": "Job"}
KIND = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "cronjobs": "CronJob"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    name: str
    namespace: str
    owner_kind: str
    """As paths say it: deployments, statefulsets, daemonsets; jobs for a run of a CronJob."""
    owner: str
    labels: tuple[tuple[str, str], ...]
    node: str
    created: datetime
    ready: datetime


def stamp(at: datetime | str) -> str:
    return at if isinstance(at, str) else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def service_labels(service: Service) -> tuple[tuple[str, str], ...]:
    return (
        ("app.kubernetes.io/name", service.id),
        ("app.kubernetes.io/part-of", service.id),
        (TEAM_LABEL, service.team),
    )


def _uid(*parts: str) -> str:
    digest = sha_of(*parts)
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def _metadata(name: str, namespace: str, labels: Mapping[str, str], created: datetime | str) -> dict[str, Any]:
    where = {"namespace": namespace} if namespace else {}
    return {
        "name": name,
        **where,
        "uid": _uid(namespace, name),
        "resourceVersion": "0",
        "creationTimestamp": stamp(created),
        "labels": dict(labels),
    }


def namespace(name: str, labels: Mapping[str, str], created: datetime) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": _metadata(name, "", {"kubernetes.io/metadata.name": name, **labels}, created),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def node(
    name: str, *, version: str, created: datetime | str, since: datetime, ready: bool, cordoned: bool
) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": "True" if ready else "Unknown",
        "lastHeartbeatTime": stamp(since),
        "lastTransitionTime": stamp(since),
        "reason": "KubeletReady" if ready else "NodeStatusUnknown",
        "message": "kubelet is posting ready status" if ready else "Kubelet stopped posting node status.",
    }
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": _metadata(name, "", {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}, created),
        "spec": {"unschedulable": True, "taints": [taint]} if cordoned else {},
        "status": {
            "capacity": {"cpu": "16", "memory": "65536Mi", "pods": "110"},
            "conditions": [condition],
            "nodeInfo": {"kubeletVersion": version, "operatingSystem": "linux", "architecture": "amd64"},
        },
    }


def pod(pod: Pod, *, ready: bool) -> dict[str, Any]:
    """A pod before or after it became Ready for the first time."""
    owner = f"{pod.owner}-{sha_of(pod.owner)[:9]}" if pod.owner_kind == "deployments" else pod.owner
    since = pod.ready if ready else pod.created
    status = "True" if ready else "False"
    condition = {"lastProbeTime": None, "lastTransitionTime": stamp(since), "status": status}
    state = {"running": {"startedAt": stamp(pod.ready)}} if ready else {"waiting": {"reason": "ContainerCreating"}}
    reference = {
        "apiVersion": "batch/v1" if pod.owner_kind == "jobs" else "apps/v1",
        "kind": OWNERS[pod.owner_kind],
        "name": owner,
        "uid": _uid(pod.namespace, owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = _metadata(pod.name, pod.namespace, dict(pod.labels), pod.created)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "ownerReferences": [reference]},
        "spec": {
            "nodeName": pod.node,
            "restartPolicy": "OnFailure" if pod.owner_kind == "jobs" else "Always",
            "containers": [{"name": "main", "image": f"registry.acme.test/{pod.owner}:stable", "resources": {}}],
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


def is_ready(body: Mapping[str, Any]) -> bool:
    """Whether a pod, as written above, is Ready."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in body["status"]["conditions"])


def workload(
    kind: str,
    namespace: str,
    name: str,
    *,
    labels: tuple[tuple[str, str], ...],
    wanted: int,
    ready: int,
    created: datetime,
) -> dict[str, Any]:
    selector = {"matchLabels": dict(labels)}
    template = {
        "metadata": {"labels": dict(labels)},
        "spec": {"containers": [{"name": "main", "image": f"registry.acme.test/{name}:stable"}]},
    }
    if kind == "cronjobs":
        return {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {**_metadata(name, namespace, dict(labels), created), "generation": 1},
            "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": template}}},
            "status": {},
        }
    daemon = kind == "daemonsets"
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
        "kind": KIND[kind],
        "metadata": {**_metadata(name, namespace, dict(labels), created), "generation": 1},
        "spec": spec,
        "status": {"observedGeneration": 1, **counts},
    }
