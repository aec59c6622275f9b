"""A Kubernetes API in memory that keeps its past: lists in pages of one moment, watches from a version, and forgets."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from platform_meter.testing.outside import Call, Reply

CREATED = "2026-05-01T08:00:00Z"
INSTALLED_APART = ("gateway.networking.k8s.io", "monitoring.coreos.com", "wgpolicyk8s.io")
"""Groups whose resources are there once an object of them is put."""


def thing(name: str, namespace: str = "", created: str | datetime = CREATED, **more: Any) -> dict[str, Any]:
    """One object; `labels` and `owners` go into its metadata, the rest beside it."""
    meta: dict[str, Any] = {"name": name, "uid": f"uid-{name}", "labels": more.pop("labels", {})}
    meta["creationTimestamp"] = created.isoformat() if isinstance(created, datetime) else created
    meta["ownerReferences"] = more.pop("owners", [])
    meta |= {"annotations": more.pop("annotations")} if "annotations" in more else {}
    if namespace:
        meta["namespace"] = namespace
    return {"metadata": meta, **more}


def rolled(name: str, *images: str, revision: int = 1, at: str = "09:00:00", **more: Any) -> dict[str, Any]:
    """A Deployment of two pods whose rollout of these images completed at a time of that day; `updated` of them have
    come up, and `reason` is what its progress says.
    """
    updated = more.pop("updated", 2)
    reason = more.pop("reason", "NewReplicaSetAvailable" if updated == 2 else "ReplicaSetUpdated")
    status = {"type": "Progressing", "status": "True", "reason": reason, "lastUpdateTime": f"2026-05-01T{at}Z"}
    made = thing(
        name,
        more.pop("namespace", "shop"),
        spec={"replicas": 2, "template": {"spec": {"containers": [{"image": image} for image in images]}}},
        status={
            "observedGeneration": more.pop("observed", revision),
            "replicas": 2,
            "readyReplicas": 2,
            "updatedReplicas": updated,
            "availableReplicas": more.pop("available", 2),
            "conditions": [status],
        },
        **more,
    )
    made["metadata"] |= {"generation": revision, "annotations": {"deployment.kubernetes.io/revision": str(revision)}}
    return made


@dataclass(slots=True)
class Cluster:
    """Objects by path of their list and name. Each change gets the next version, as in etcd."""

    version: int = 10
    forgotten: int = 0
    """Versions before this one are compacted away: going on from them is 410."""
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    log: list[tuple[str, int, str, dict[str, Any]]] = field(default_factory=list)
    lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    readyz: Reply = field(default_factory=lambda: Reply(body="ok"))
    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    """How many requests it has answered by verb and code, as its `/metrics` tells."""
    within: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many requests it was done with, by verb and bound in seconds."""
    issuer: str = "https://oidc.example/eu/"
    """By which name it signs tokens; empty where it does not tell."""
    began: str = "1.7773e+09"
    """When its process began, in seconds since 1970."""

    def put(self, path: str, *things: dict[str, Any]) -> Cluster:
        for made in things:
            held = self.objects.setdefault(path, {})
            name = str(made["metadata"]["name"])
            self._log(path, "MODIFIED" if name in held else "ADDED", made)
            held[name] = self.log[-1][3]
        return self

    def delete(self, path: str, name: str) -> Cluster:
        self._log(path, "DELETED", self.objects[path].pop(name))
        return self

    def forget(self) -> None:
        self.version += 1
        self.forgotten = self.version

    def _log(self, path: str, type_: str, made: dict[str, Any]) -> None:
        self.version += 1
        kept = copy.deepcopy(made)
        kept["metadata"]["resourceVersion"] = str(self.version)
        self.log.append((path, self.version, type_, kept))

    def __call__(self, call: Call) -> Reply:
        if call.path == "/readyz":
            return self.readyz
        if call.path == "/metrics":
            counted = (
                f'apiserver_request_total{{code="{code}",resource="pods",verb="{verb}"}} {n}'
                for (verb, code), n in self.requests.items()
            )
            took = (
                f'apiserver_request_sli_duration_seconds_bucket{{scope="cluster",verb="{verb}",le="{bound}"}} {n}'
                for (verb, bound), n in self.within.items()
            )
            return Reply(body="\n".join([*counted, *took, f"process_start_time_seconds {self.began}"]))
        if call.path == "/.well-known/openid-configuration":
            found = Reply(body={"issuer": self.issuer, "jwks_uri": ""}) if self.issuer else Reply(status=404)
            return Reply(body="", status=found.status) if call.method == "TEXT" else found
        if call.path == "/apis":
            return Reply(body={"groups": list(self._groups())})
        if call.path not in self.objects and any(f"/{group}/" in call.path for group in INSTALLED_APART):
            return Reply(status=404)
        if call.method == "LINES":
            return self._watch(call)
        reply = self._list(call) if "watch" not in call.params else Reply(body="")
        return Reply(body=msgspec.json.encode(reply.body).decode()) if call.method == "TEXT" else reply

    def _groups(self) -> Iterator[dict[str, Any]]:
        for path in self.objects:
            if path.startswith("/apis/"):
                _, _, group, version, _ = path.split("/")
                served = {"version": version}
                yield {"name": group, "versions": [served], "preferredVersion": served}

    def _list(self, call: Call) -> Reply:
        version, start = map(int, str(call.params.get("continue", f"{self.version}:0")).split(":"))
        if version < self.forgotten:
            return Reply(status=410)
        # Of one namespace there is the list that a field selects a name from.
        path, selector = re.sub("/namespaces/[^/]+", "", call.path), call.params.get("fieldSelector", "")
        key = f"{path}@{version}{selector}"
        held = self.objects.get(path, {}).values()
        whole = self.lists.setdefault(key, [made for made in held if _fits(made, selector)])
        end = start + int(call.params["limit"])
        meta = {"resourceVersion": str(version), "continue": f"{version}:{end}" if end < len(whole) else ""}
        return Reply(body={"metadata": meta, "items": whole[start:end]})

    def _watch(self, call: Call) -> Reply:
        since = int(call.params["resourceVersion"])
        if since < self.forgotten:
            gone = {"kind": "Status", "code": 410, "message": f"too old resource version: {since}"}
            return Reply(body=[{"type": "ERROR", "object": gone}])
        news = [{"type": t, "object": o} for path, version, t, o in self.log if path == call.path and version > since]
        bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(self.version)}}}
        return Reply(body=[*news, bookmark])


def _fits(made: dict[str, Any], selector: str) -> bool:
    """Whether its fields are as a selector wants them: `status.phase=Pending,spec.nodeName!=`."""
    for part in filter(None, selector.split(",")):
        field_, unlike, value = re.fullmatch(r"([\w.]+?)(!?)=(.*)", part).groups()  # type: ignore[union-attr] # our own
        section, name = field_.split(".")
        if (made.get(section, {}).get(name, "") == value) is bool(unlike):
            return False
    return True
