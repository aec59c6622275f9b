"""The simulated Jenkins: folders of jobs, their builds, stages and consoles, the queue and the agents."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from platform_meter.demo.apis.jenkins.tree import wanted
from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.pipelines import RELEASE_STAGES, Build, Pipeline, Stage, System
from platform_meter.demo.world import World
from platform_meter.model.facts.ci import Outcome

USER, TOKEN = "meter", "jenkins_demo"
VERSION = "2.479.1"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
PIPELINE, FREESTYLE = "org.jenkinsci.plugins.workflow.job.WorkflowJob", "hudson.model.FreeStyleProject"
AGENTS = {"linux": 4, "big": 2}
"""Executors of the one agent of each label."""
RESULTS = {
    Outcome.SUCCESS: "SUCCESS",
    Outcome.USER_FAILURE: "FAILURE",
    Outcome.INFRA_FAILURE: "FAILURE",
    Outcome.CANCELLED: "ABORTED",
}
CAUSES = {
    "push": "jenkins.branch.BranchEventCause",
    "schedule": "hudson.triggers.TimerTrigger$TimerTriggerCause",
    "manual": "hudson.model.Cause$UserIdCause",
}
NEWEST = 100
"""Builds that `builds` shows; `allBuilds` has them all."""


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _said(seconds: int) -> int:
    return seconds * 1000


class JenkinsApi(Api):
    def __init__(self, world: World) -> None:
        self._world = world
        self._pipelines = {one.name: one for one in world.history.pipelines if one.system is System.JENKINS}
        self._basic = "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        super().__init__(
            {
                "GET /queue/api/json": self._queue,
                "GET /computer/api/json": self._computer,
                "GET /<path:path>": self._at,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("Authorization") != self._basic:
            raise self._refused(401, "Unauthorized")
        return handle().beside(("X-Jenkins", VERSION))

    def missing(self, request: Request) -> Reply:
        del request
        raise self._refused(404, "Not Found")

    @staticmethod
    def _refused(status: int, title: str) -> Refusal:
        page = f"<html><head><title>Error {status} {title}</title></head><body><h2>{title}</h2></body></html>"
        return Refusal(Reply(body=page.encode(), status=status, type="text/html;charset=utf-8"))

    def _shown(self, request: Request, body: dict[str, Any]) -> Reply:
        try:
            part = wanted(request.query.get("tree", ""))
        except ValueError as error:
            raise Refusal(Reply(body=str(error).encode(), status=400, type="text/plain")) from None
        return Reply(body=encode(part.of(body)))

    def _at(self, request: Request, path: str) -> Reply:
        """What stands under `job/<name>/job/<name>/...`: a folder, a job, or a part of one of its builds."""
        parts = path.split("/")
        names = []
        while parts[:1] == ["job"] and len(parts) > 1:
            names.append(parts[1])
            del parts[:2]
        name, pipeline = "/".join(names), self._pipelines.get("/".join(names))
        match parts:
            case ["api", "json"] if pipeline is not None:
                return self._shown(request, self._job(pipeline))
            case ["api", "json"] if not name or any(one.startswith(f"{name}/") for one in self._pipelines):
                return self._shown(request, self._folder(name))
            case [number, *rest] if pipeline is not None and number.isdecimal():
                return self._of_build(request, self._build(pipeline, int(number)), rest)
            case _:
                return self.missing(request)

    def _builds(self, pipeline: Pipeline) -> list[Build]:
        """Those that an agent took, the newest first."""
        now = self._world.now()
        return [build for build in reversed(self._world.history.builds[pipeline.name]) if build.started <= now]

    def _build(self, pipeline: Pipeline, number: int) -> Build:
        found = next((build for build in self._builds(pipeline) if build.number == number), None)
        if found is None:
            raise self._refused(404, "Not Found")
        return found

    def _folder(self, name: str) -> dict[str, Any]:
        depth = name.count("/") + 1 if name else 0
        inside = dict.fromkeys("/".join(one.split("/")[: depth + 1]) for one in self._pipelines if self._in(one, name))
        items = [self._head(self._pipelines[item]) if item in self._pipelines else self._item(item) for item in inside]
        return {"_class": self._class(name), "name": name.rpartition("/")[2], "jobs": items}

    @staticmethod
    def _in(one: str, folder: str) -> bool:
        return not folder or one.startswith(f"{folder}/")

    def _item(self, name: str) -> dict[str, Any]:
        inside = [{"name": one.split("/")[name.count("/") + 1]} for one in self._pipelines if self._in(one, name)]
        return {"_class": self._class(name), "name": name.rpartition("/")[2], "jobs": inside}

    def _class(self, name: str) -> str:
        if not name:
            return "hudson.model.Hudson"
        return MULTIBRANCH if any(one.place == name for one in self._pipelines.values()) else FOLDER

    def _job(self, pipeline: Pipeline) -> dict[str, Any]:
        builds = [self._body(build) for build in self._builds(pipeline)]
        return {**self._head(pipeline), "builds": builds[:NEWEST], "allBuilds": builds}

    def _head(self, pipeline: Pipeline) -> dict[str, Any]:
        """A job without its lists of builds, which its folder does not show."""
        last = next(iter(self._builds(pipeline)), None)
        return {
            "_class": FREESTYLE if pipeline.trigger == "schedule" else PIPELINE,
            "name": pipeline.name.rpartition("/")[2],
            "fullName": pipeline.name,
            "labelExpression": pipeline.pool,
            "lastBuild": None if last is None else self._body(last),
        }

    def _body(self, build: Build) -> dict[str, Any]:
        over = build.ended <= self._world.now()
        cause = {"_class": CAUSES[build.pipeline.trigger], "shortDescription": f"Started by {build.pipeline.trigger}"}
        return {
            "_class": "hudson.model.Build",
            "number": build.number,
            "timestamp": _milliseconds(build.started),
            "result": RESULTS[build.outcome] if over else None,
            "building": not over,
            "duration": _said(sum(build.seconds) + build.paused) if over else 0,
            "builtOn": f"agent-{build.pipeline.pool}",
            "queueId": build.id,
            "actions": [
                {"_class": "hudson.model.CauseAction", "causes": [cause]},
                {"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": build.sha}},
                {"_class": "jenkins.metrics.impl.TimeInQueueAction", "buildableTimeMillis": _said(build.queued)},
                None,
            ],
        }

    def _of_build(self, request: Request, build: Build, rest: list[str]) -> Reply:
        over = build.ended <= self._world.now()
        if rest == ["api", "json"]:
            return self._shown(request, self._body(build))
        if rest == ["consoleText"]:
            text = "\n".join(self._console(build, over=over))
            return Reply(body=f"{text}\n".encode(), type="text/plain;charset=utf-8")
        if rest == ["wfapi", "describe"] and build.pipeline.trigger != "schedule":
            stages = [self._stage(build, stage) for stage in build.stages() if stage.started <= self._world.now()]
            status = RESULTS[build.outcome].replace("FAILURE", "FAILED") if over else "IN_PROGRESS"
            body = {
                "id": str(build.number),
                "status": status,
                "startTimeMillis": _milliseconds(build.started),
                "pauseDurationMillis": _said(build.paused) if over else 0,
                "stages": stages,
            }
            return Reply(body=encode(body))
        return self.missing(request)

    @staticmethod
    def _stage(build: Build, stage: Stage) -> dict[str, Any]:
        failed = {"error": {"message": _why(build), "type": "hudson.AbortException"}} if stage.failed else {}
        return {
            "name": stage.name,
            "status": "FAILED" if stage.failed else "SUCCESS",
            "startTimeMillis": _milliseconds(stage.started),
            "durationMillis": _milliseconds(stage.ended) - _milliseconds(stage.started),
            **failed,
        }

    @staticmethod
    def _console(build: Build, *, over: bool) -> Iterator[str]:
        yield f"Running on agent-{build.pipeline.pool}"
        yield from (f"[Pipeline] stage ({stage.name})" for stage in build.stages())
        if over:
            if build.outcome in {Outcome.USER_FAILURE, Outcome.INFRA_FAILURE}:
                yield f"ERROR: {_why(build)}"
            yield f"Finished: {RESULTS[build.outcome]}"

    def _queue(self, request: Request) -> Reply:
        now = self._world.now()
        items = [
            {
                "_class": "hudson.model.Queue$BuildableItem",
                "id": build.id,
                "buildable": True,
                "inQueueSince": _milliseconds(build.created),
                "why": f"Waiting for next available executor on ‘{pipeline.pool}’",
            }
            for pipeline in self._pipelines.values()
            for build in self._world.history.builds[pipeline.name]
            if build.created <= now < build.started
        ]
        return self._shown(request, {"_class": "hudson.model.Queue", "items": items})

    def _computer(self, request: Request) -> Reply:
        now = self._world.now()
        running = [
            (pipeline.pool, build.number)
            for pipeline in self._pipelines.values()
            for build in self._builds(pipeline)[: NEWEST // 10]
            if now < build.ended
        ]
        agents = []
        for label, executors in AGENTS.items():
            numbers = [number for pool, number in running if pool == label]
            busy = [{"currentExecutable": {"number": number}} for number in numbers]
            idle = [{"currentExecutable": None}] * max(executors - len(busy), 0)
            name = f"agent-{label}"
            labels = [{"name": name}, {"name": label}]
            agents.append({"displayName": name, "assignedLabels": labels, "executors": [*busy, *idle]})
        return self._shown(request, {"_class": "hudson.model.ComputerSet", "computer": agents})


def _why(build: Build) -> str:
    if build.outcome is Outcome.INFRA_FAILURE:
        return f"Cannot contact agent-{build.pipeline.pool}: java.lang.InterruptedException"
    if build.pipeline.stages == RELEASE_STAGES or build.pipeline.trigger == "push":
        return "script returned exit code 2"
    return "Build step 'Execute shell' marked build as failure"
