"""One Argo CD in memory, seen through its own API and through the Kubernetes API of its cluster: the same objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.sources.kubernetes.kubernetes_server import Cluster, thing

from platform_meter.testing.outside import Call, Reply

APPS, ROLLOUTS = "/apis/argoproj.io/v1alpha1/applications", "/apis/argoproj.io/v1alpha1/rollouts"
API = "/api/v1/applications"
DAY = "2026-05-04T"
REPOSITORY = "https://github.com/acme/{}.git"


@dataclass(slots=True)
class Argo(Cluster):
    """`absent` holds lists of resources that are not installed, `refused` those that may not be read."""

    absent: frozenset[str] = frozenset()
    refused: frozenset[str] = field(default=frozenset())
    commits: dict[str, str] = field(default_factory=dict)
    """When a revision was committed."""

    def __call__(self, call: Call) -> Reply:
        if call.path == "/apis":
            versions = [{"version": "v1alpha1"}]
            group = {"name": "argoproj.io", "versions": versions, "preferredVersion": versions[0]}
            return Reply(body={"groups": [group] if APPS not in self.absent else []})
        if call.path in self.absent:
            return Reply(status=404)
        if call.path in self.refused:
            return Reply(status=403)
        if call.path == API:
            items = list(self.objects.get(APPS, {}).values())
            return Reply(body={"metadata": {"resourceVersion": str(self.version)}, "items": items or None})
        if call.path.startswith(f"{API}/") and call.path.endswith("/metadata"):
            sha = call.path.split("/")[-2]
            date = self.commits.get(sha)
            body = {"author": "Jo <jo@acme.example>", "message": "tidy up", "date": at(date) if date else None}
            return Reply(body=body) if sha in self.commits else Reply(status=404)
        return Cluster.__call__(self, call)


def at(time: str) -> str:
    return f"{DAY}{time}Z"


def entry(id_: int, revision: str, time: str, **more: Any) -> dict[str, Any]:
    """One sync of the history, begun at the same minute."""
    source = {"repoURL": REPOSITORY.format("shop"), "path": "deploy", "targetRevision": "main"}
    return {
        "id": id_,
        "revision": revision,
        "deployedAt": at(time),
        "deployStartedAt": at(f"{time[:-2]}00"),
        "source": source,
        **more,
    }


def operation(phase: str, revision: str, start: str, end: str = "", **more: Any) -> dict[str, Any]:
    """The last operation; `dry` and `person` say how it was asked for."""
    by = {"username": more.pop("person")} if "person" in more else {"automated": True}
    sync = {"revision": revision, **({"dryRun": True} if more.pop("dry", False) else {})}
    return {
        "phase": phase,
        "startedAt": at(start),
        **({"finishedAt": at(end)} if end else {}),
        "operation": {"sync": sync, "initiatedBy": by},
        "syncResult": {"revision": revision},
        "message": more.pop("message", "successfully synced (all tasks run)"),
        **more,
    }


def app(
    name: str,
    *history: dict[str, Any],
    sync: tuple[str, str] = ("Synced", ""),
    health: tuple[str, str] = ("Healthy", "09:00:00"),
    last: dict[str, Any] | None = None,
    reconciled: str = "10:25:00",
    auto: bool = True,
    namespace: str = "shop",
    **more: Any,
) -> dict[str, Any]:
    """An application of project `store` in namespace `argocd`; what is synced is by itself the last of its history."""
    revision = sync[1] or (history[-1]["revision"] if history else "")
    spec = {
        "project": "store",
        "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
        "source": {"repoURL": REPOSITORY.format(name), "path": "deploy"},
        **({"syncPolicy": {"automated": {"prune": True}}} if auto else {}),
        **more.pop("spec", {}),
    }
    status = {
        "sync": {"status": sync[0], "revision": revision},
        "health": {"status": health[0], "lastTransitionTime": at(health[1])},
        "history": list(history),
        "reconciledAt": at(reconciled),
        "resources": [{"group": "apps", "kind": "Deployment", "name": name}],
        **({"operationState": last} if last else {}),
        **more.pop("status", {}),
    }
    return thing(name, "argocd", spec=spec, status=status, **more)


def rollout(name: str, revision: int, hash_: str, **status: Any) -> dict[str, Any]:
    """A Rollout of namespace `shop`."""
    made = thing(name, "shop", status={"currentPodHash": hash_, **status})
    made["metadata"]["annotations"] = {"rollout.argoproj.io/revision": str(revision)}
    return made


def completed(time: str, status: str = "True") -> dict[str, Any]:
    return {"type": "Completed", "status": status, "lastTransitionTime": at(time), "lastUpdateTime": at(time)}
