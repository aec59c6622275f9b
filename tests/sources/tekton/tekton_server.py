"""A cluster in memory that has Tekton installed: both kinds by list and watch, and the tasks of one run by its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sources.kubernetes.kubernetes_server import Cluster, thing

from platform_meter.testing.outside import Call, Reply

RUNS, TASKS = "/apis/tekton.dev/v1/pipelineruns", "/apis/tekton.dev/v1/taskruns"
DAY = "2026-05-04T"


@dataclass(slots=True)
class Tekton(Cluster):
    """Its versions in `/apis`; empty: it is not installed."""

    versions: tuple[str, ...] = ("v1", "v1beta1")
    children: Reply | None = None
    """What is answered of a run's tasks instead of them."""

    def __call__(self, call: Call) -> Reply:
        if call.path == "/apis":
            versions = [{"version": version} for version in self.versions]
            group = {"name": "tekton.dev", "versions": versions, "preferredVersion": versions[0] if versions else {}}
            return Reply(
                body={
                    "groups": [{"name": "apps", "versions": [], "preferredVersion": {"version": "v1"}}]
                    + ([group] if versions else [])
                }
            )
        if call.path.startswith("/apis/tekton.dev/v1/namespaces/"):
            name, _, value = str(call.params["labelSelector"]).partition("=")
            held = self.objects.get(TASKS, {}).values()
            items = [one for one in held if one["metadata"]["labels"].get(name) == value]
            return self.children or Reply(body={"metadata": {"resourceVersion": str(self.version)}, "items": items})
        return Cluster.__call__(self, call)


def verdict(reason: str, message: str = "") -> dict[str, str]:
    """The condition that tells how a run ended, or that it goes on."""
    status = {"Succeeded": "True", "Completed": "True", "Running": "Unknown"}.get(reason, "False")
    return {"type": "Succeeded", "status": status, "reason": reason, "message": message}


def run(name: str, reason: str, *, start: str = "10:00:05", end: str = "10:05:05", **more: Any) -> dict[str, Any]:
    """A PipelineRun of `shop`, made at 10:00:00; `labels` stand as they are, `code` is Pipelines-as-Code's repository."""
    labels = {"tekton.dev/pipeline": "build", **more.pop("labels", {})}
    if repository := more.pop("code", ""):
        own = {"url-org": "acme", "url-repository": repository, "sha": "abc1", "event-type": "push"}
        labels |= {f"pipelinesascode.tekton.dev/{key}": value for key, value in own.items()}
    ended = {} if reason == "Running" else {"completionTime": f"{DAY}{end}Z"}
    return thing(
        name,
        "shop",
        f"{DAY}10:00:00Z",
        labels=labels,
        spec={"params": more.pop("params", [])},
        status={"conditions": [verdict(reason, more.pop("message", ""))], "startTime": f"{DAY}{start}Z", **ended},
        **more,
    )


def pending(name: str) -> dict[str, Any]:
    """A PipelineRun that was told to wait."""
    found = run(name, "Running")
    found["spec"]["status"] = "PipelineRunPending"
    found["status"] = {"conditions": [verdict("PipelineRunPending")]}
    return found


def task(
    of: str, name: str, reason: str, *steps: tuple[str, int, str], end: str = "10:03:00", **more: Any
) -> dict[str, Any]:
    """A TaskRun of a run, made at 10:00:06; a step is (name, exit code, start)."""
    ended = [
        {
            "name": step,
            "terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "startedAt": f"{DAY}{at}Z"},
        }
        for step, code, at in steps
    ]
    return thing(
        f"{of}-{name}",
        "shop",
        f"{DAY}10:00:06Z",
        labels={"tekton.dev/pipeline": "build", "tekton.dev/pipelineRun": of, "tekton.dev/pipelineTask": name},
        spec={},
        status={
            "conditions": [verdict(reason, more.pop("message", ""))],
            "startTime": f"{DAY}10:00:06Z",
            "steps": ended,
            **({} if reason == "Running" else {"completionTime": f"{DAY}{end}Z"}),
        },
    )
