"""A Jenkins in memory: folders, jobs with numbered builds, stages, logs, a queue; or a Hudson, which has less of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from platform_meter.testing.outside import Call, Reply

FREESTYLE, PIPELINE = "hudson.model.FreeStyleProject", "org.jenkinsci.plugins.workflow.job.WorkflowJob"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
_RANGE = re.compile(r"\{(\d+),(\d+)\}")


def ms(at: str) -> int:
    """Of a time on the day of the tests."""
    return int(datetime.fromisoformat(f"2026-05-04T{at}+00:00").astimezone(UTC).timestamp() * 1000)


def build(number: int, at: str, result: str | None, seconds: int = 60, **more: Any) -> dict[str, Any]:
    """One that goes on where `result` is None; `actions` stand as they are."""
    row = {"number": number, "timestamp": ms(at), "result": result, "building": result is None, "queueId": -1}
    return row | {"duration": 0 if result is None else 1000 * seconds, "builtOn": "", "actions": [{}], **more}


def code(sha: str, repository: str = "shop", **parameters: str) -> list[dict[str, Any]]:
    """Actions of a build of a commit."""
    revision = {"lastBuiltRevision": {"SHA1": sha}, "remoteUrls": [f"https://github.com/acme/{repository}.git"]}
    return [revision, {"parameters": [{"name": name, "value": value} for name, value in parameters.items()]}]


@dataclass(slots=True)
class Jenkins:
    """Folders by name with their class, jobs by full name with their class and builds, the newest last."""

    folders: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, tuple[str, list[dict[str, Any]]]] = field(default_factory=dict)
    others: dict[str, Reply] = field(default_factory=dict)
    """Answers by path: stages, logs, queue items, and what is refused."""
    hudson: bool = False
    queue: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)

    def put(self, name: str, class_: str, *builds: dict[str, Any]) -> Jenkins:
        self.jobs.setdefault(name, (class_, []))[1].extend(builds)
        return self

    def __call__(self, call: Call) -> Reply:
        if call.path in self.others:
            return self.others[call.path]
        if call.path == "/queue/api/json":
            return self._say({"items": self.queue})
        if call.path == "/computer/api/json":
            return self._say({"computer": self.nodes})
        found = re.fullmatch(r"((?:/job/[^/]+)*)/api/json", call.path)
        name = "/".join(found[1].split("/job/")[1:]) if found else "?"
        tree = str(call.params.get("tree", ""))
        if self.hudson and ("{" in tree or "allBuilds" in tree):
            return Reply(status=500, body="expected EOF")
        if name in self.jobs:
            return self._say(self._builds(name, tree))
        if name and name not in self.folders:
            return Reply(status=404)
        return self._say({"jobs": self._cut(self._items(name), tree)})

    def _say(self, body: Any) -> Reply:
        headers = {"X-Hudson": "1.395"} if self.hudson else {"X-Hudson": "1.395", "X-Jenkins": "2.440"}
        return Reply(body=body, headers=headers)

    def _builds(self, name: str, tree: str) -> dict[str, Any]:
        builds = self.jobs[name][1][::-1]
        key = "builds" if self.hudson else "allBuilds"
        return {"labelExpression": "linux" if self.jobs[name][0] == FREESTYLE else None, key: self._cut(builds, tree)}

    def _items(self, folder: str) -> list[dict[str, Any]]:
        def inside(name: str) -> bool:
            return name.rpartition("/")[0] == folder

        rows: list[dict[str, Any]] = [
            {"name": n.rpartition("/")[2], "_class": c, "jobs": []} for n, c in self.folders.items() if inside(n)
        ]
        for name, (class_, builds) in self.jobs.items():
            if inside(name):
                last = {key: builds[-1][key] for key in ("number", "timestamp")} if builds else None
                row: dict[str, Any] = {"name": name.rpartition("/")[2], "_class": class_}
                rows.append(row | {"lastBuild": last})
        return rows

    def _cut(self, rows: list[dict[str, Any]], tree: str) -> list[dict[str, Any]]:
        part = _RANGE.search(tree)
        return rows[int(part[1]) : int(part[2])] if part else rows
