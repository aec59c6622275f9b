"""The API of the simulated cluster for machine learning, as far as Tekton serves it: runs of pipelines and of tasks.

An object's version is the second in which it changed last, and the list's is the present one: nothing has to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

from platform_meter.demo.apis.kubernetes.words import line, matcher, refuse, status
from platform_meter.demo.apis.wsgi import Api, Reply, Request, encode, stamp
from platform_meter.demo.company.layout import TEAM_LABEL
from platform_meter.demo.company.pipelines import KEPT, Build, Stage, System
from platform_meter.demo.company.records import uid_of
from platform_meter.demo.world import World
from platform_meter.model.facts.ci import Outcome

TOKEN = "tekton_demo"  # noqa: S105 - opens nothing but the simulation
ROOT = "/apis/tekton.dev/v1"
KINDS = {"pipelineruns": "PipelineRun", "taskruns": "TaskRun"}
BEAT = 0.25
WATCH_SECONDS = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One object as it is at a moment."""

    changed: datetime
    """When it last became otherwise."""
    created: datetime
    gone: datetime
    """When it is pruned."""
    body: dict[str, Any]


def _version(moment: datetime) -> int:
    return int(moment.timestamp())


class TektonApi(Api):
    """`stop` ends all watches; `beat` is the time in seconds between two looks while one waits."""

    def __init__(self, world: World, stop: Event | None = None, beat: float = BEAT) -> None:
        self._world = world
        self._pipelines = [one for one in world.history.pipelines if one.system is System.TEKTON]
        self._stop, self._beat = stop or Event(), beat
        routes: dict[str, Any] = {"GET /apis": self._groups}
        for plural in KINDS:
            routes[f"GET {ROOT}/{plural}"] = partial(self._list, plural=plural)
            routes[f"GET {ROOT}/namespaces/<namespace>/{plural}"] = partial(self._list, plural=plural)
        super().__init__(routes)

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("Authorization") != f"Bearer {TOKEN}":
            raise refuse(401, "Unauthorized", "Unauthorized")
        return handle()

    def missing(self, request: Request) -> Reply:
        del request
        raise refuse(404, "NotFound", "the server could not find the requested resource")

    def _groups(self, request: Request) -> Reply:
        del request
        version = {"groupVersion": "tekton.dev/v1", "version": "v1"}
        group = {"name": "tekton.dev", "versions": [version], "preferredVersion": version}
        body = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}
        return Reply(body=encode(body), type="application/json")

    def _list(self, request: Request, plural: str, namespace: str = "") -> Reply:
        try:
            meets = matcher(request.query.get("labelSelector", ""))
        except ValueError as error:
            raise refuse(400, "BadRequest", str(error)) from None

        def wanted(shown: Shown) -> bool:
            metadata = shown.body["metadata"]
            return (not namespace or metadata["namespace"] == namespace) and meets(metadata["labels"])

        if request.query.get("watch") in {"1", "true"}:
            seconds = request.number("timeoutSeconds", WATCH_SECONDS, 1, 7200)
            return Reply(body=self._watch(request, plural, wanted, seconds), type="application/json")
        now = self._world.now()
        bodies = [shown.body for shown in self._standing(plural, now) if shown.gone > now and wanted(shown)]
        start = request.number("continue", 0, 0, len(bodies))
        end = start + request.number("limit", len(bodies) or 1, 1, 10_000)
        metadata: dict[str, Any] = {"resourceVersion": str(_version(now))}
        if end < len(bodies):
            metadata["continue"] = str(end)
        body = {
            "kind": f"{KINDS[plural]}List",
            "apiVersion": "tekton.dev/v1",
            "metadata": metadata,
            "items": bodies[start:end],
        }
        return Reply(body=encode(body), type="application/json")

    def _watch(self, request: Request, plural: str, wanted: Callable[[Shown], bool], seconds: int) -> Iterator[bytes]:
        begun = self._world.now()
        version = request.number("resourceVersion", _version(begun), 0, 10**15)
        if version < _version(begun - KEPT):
            yield line("ERROR", status(410, "Expired", f"too old resource version: {version} ({_version(begun)})"))
            return
        while True:
            now = self._world.now()
            for shown in self._standing(plural, now):
                pruned = shown.gone <= now
                at = _version(shown.gone if pruned else shown.changed)
                if at > version and wanted(shown):
                    added = _version(shown.created) > version
                    yield line("DELETED" if pruned else "ADDED" if added else "MODIFIED", shown.body)
            version = max(version, _version(now))
            over = now - begun >= timedelta(seconds=seconds) or self._stop.is_set()
            if over:
                mark = {"kind": KINDS[plural], "apiVersion": "tekton.dev/v1"}
                yield line("BOOKMARK", {**mark, "metadata": {"resourceVersion": str(version)}})
                return
            self._stop.wait(self._beat)

    def _standing(self, plural: str, now: datetime) -> Iterator[Shown]:
        """What there is, and what was pruned no longer ago than watches go back."""
        for pipeline in self._pipelines:
            for build in reversed(self._world.history.builds[pipeline.name]):
                if build.ended < now - 2 * KEPT:
                    break
                if build.created <= now:
                    yield from [_run(build, now)] if plural == "pipelineruns" else _tasks(build, now)


def _metadata(build: Build, name: str, created: datetime, changed: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": build.pipeline.place,
        "uid": uid_of("tekton", name),
        "creationTimestamp": stamp(created),
        "resourceVersion": str(_version(changed)),
        "labels": {
            TEAM_LABEL: build.pipeline.team.id,
            "tekton.dev/pipeline": build.pipeline.name,
            "pipelinesascode.tekton.dev/sha": build.sha,
            "pipelinesascode.tekton.dev/event-type": "push",
        },
    }


def _condition(outcome: Outcome, at: datetime | None, reason: str, message: str) -> dict[str, Any]:
    """`at`: when it ended; None while it goes on."""
    if at is None:
        return {"type": "Succeeded", "status": "Unknown", "reason": "Running", "message": "Not all have finished"}
    well = outcome is Outcome.SUCCESS
    return {
        "type": "Succeeded",
        "status": "True" if well else "False",
        "reason": "Succeeded" if well else reason,
        "message": "All finished" if well else message,
        "lastTransitionTime": stamp(at),
    }


def _name(build: Build) -> str:
    return f"{build.pipeline.name}-{build.number:05d}"


def _run(build: Build, now: datetime) -> Shown:
    over = build.ended <= now
    changed = build.ended if over else build.created
    reason = "Cancelled" if build.outcome is Outcome.CANCELLED else "Failed"
    done = {"completionTime": stamp(build.ended)} if over else {}
    body = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": _metadata(build, _name(build), build.created, changed),
        "spec": {"pipelineRef": {"name": build.pipeline.name}, "params": []},
        "status": {
            "startTime": stamp(build.created),
            **done,
            "conditions": [
                _condition(build.outcome, build.ended if over else None, reason, "Tasks Completed with a failure")
            ],
        },
    }
    return Shown(changed=changed, created=build.created, gone=build.ended + KEPT, body=body)


def _tasks(build: Build, now: datetime) -> Iterator[Shown]:
    """A TaskRun for each stage that began; its pod waits until its first step starts."""
    stages = list(build.stages())
    for place, stage in enumerate(stages):
        created = stage.started if place else build.created
        if created <= now:
            yield _task(build, stage, created, now, last=place == len(stages) - 1)


def _task(build: Build, stage: Stage, created: datetime, now: datetime, *, last: bool) -> Shown:
    outcome = build.outcome if last else Outcome.SUCCESS
    over, lost = stage.ended <= now, outcome is Outcome.INFRA_FAILURE
    changed = stage.ended if over else stage.started if stage.started <= now else created
    code = int(outcome is Outcome.USER_FAILURE)
    ended = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": stamp(stage.ended)}
    began = {"startedAt": stamp(stage.started)}
    step = {"name": "run", "terminated": {**began, **ended}} if over else {"name": "run", "running": began}
    reason = {Outcome.CANCELLED: "TaskRunCancelled", Outcome.INFRA_FAILURE: "PodCreationFailed"}.get(outcome, "Failed")
    metadata = _metadata(build, f"{_name(build)}-{stage.name}", created, changed)
    metadata["labels"] |= {"tekton.dev/pipelineRun": _name(build), "tekton.dev/pipelineTask": stage.name}
    body = {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": metadata,
        "spec": {"params": []},
        "status": {
            "podName": "" if lost else f"{metadata['name']}-pod",
            "startTime": stamp(created),
            **({"completionTime": stamp(stage.ended)} if over else {}),
            "steps": [step] if stage.started <= now and not lost else [],
            "conditions": [
                _condition(
                    outcome, stage.ended if over else None, reason, f'"step-run" of {stage.name} did not succeed'
                )
            ],
        },
    }
    return Shown(changed=changed, created=created, gone=build.ended + KEPT, body=body)
