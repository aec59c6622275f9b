"""A GitLab in memory: projects of a group with their pipelines, jobs, deployments and merge requests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_meter.testing.outside import Call, Reply


def at(clock: str) -> str:
    """A time on the day of the tests, as GitLab writes it."""
    return f"2026-05-04T{clock}.000Z"


def project(id_: int, path: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "path_with_namespace": path, "created_at": at("00:00:00"), "topics": [], **more}


def pipeline(id_: int, status: str, created: str, ended: str, **more: Any) -> dict[str, Any]:
    """One of a push to main that ran for a minute; `ended` is also when it changed last."""
    row = {"id": id_, "status": status, "created_at": at(created), "updated_at": at(ended), "source": "push"}
    over = {"finished_at": at(ended), "duration": 60, "sha": f"sha{id_}", "ref": "main", "yaml_errors": None}
    return row | over | {"web_url": f"https://gitlab.example/pipelines/{id_}"} | more


def job(id_: int, name: str, status: str, created: str, ended: str | None, **more: Any) -> dict[str, Any]:
    """One that waited 5 s for a runner, if one took it, and ran for 30."""
    row = {"id": id_, "name": name, "status": status, "created_at": at(created), "tag_list": ["linux"]}
    times = {"started_at": at(created), "finished_at": ended and at(ended), "duration": 30.0, "queued_duration": 5.0}
    return row | times | {"runner": {"description": "r-1", "is_shared": False}} | more


def deployment(id_: int, sha: str, status: str, ended: str, **more: Any) -> dict[str, Any]:
    row = {"id": id_, "sha": sha, "status": status, "created_at": at("10:00:00"), "updated_at": at(ended)}
    return row | {"ref": "main", "environment": {"name": "production"}, "deployable": _job(id_, ended)} | more


def _job(id_: int, ended: str) -> dict[str, Any]:
    return {"finished_at": at(ended), "tag": False, "web_url": f"https://gitlab.example/jobs/{id_}"}


@dataclass(slots=True)
class GitLab:
    """Lists by project and name; `jobs` are those that wait and run now."""

    projects: list[dict[str, Any]] = field(default_factory=list)
    lists: dict[tuple[int, str], list[dict[str, Any]]] = field(default_factory=dict)
    jobs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """By pipeline."""
    others: dict[str, Reply] = field(default_factory=dict)
    """Answers by path: what belongs to a merge request, and what is refused."""
    trunk: list[str] = field(default_factory=list)
    """Commits of the first project, oldest first, that can be compared."""
    page: int = 3
    """Rows in a page, however many are asked for."""

    def put(self, id_: int, name: str, *rows: dict[str, Any]) -> GitLab:
        self.lists.setdefault((id_, name), []).extend(rows)
        return self

    def __call__(self, call: Call) -> Reply:
        path = call.path
        if path in self.others:
            return self.others[path]
        if path.startswith("/api/v4/groups/acme/"):
            return self._page(self.projects, call)
        if path == "/api/v4/projects/1/repository/compare":
            return self._compare(str(call.params["from"]), str(call.params["to"]))
        found = re.fullmatch(r"/api/v4/projects/(\d+)/(\w+)(?:/(\d+)(/jobs)?)?", path)
        if not found or not any(row["id"] == int(found[1]) for row in self.projects):
            return Reply(status=404)
        rows = self.lists.get((int(found[1]), found[2]), [])
        if found[2] == "jobs":
            return self._page(rows, call) if "scope[]" in call.params else Reply(status=400)
        if found[4]:
            jobs = self.jobs.get(int(found[3]), [])
            return self._page(jobs, call)
        if found[3]:
            one = [row for row in rows if row["id"] == int(found[3])]
            return Reply(body=one[0]) if one else Reply(status=404)
        return self._page(self._changed(rows, call), call)

    def _compare(self, base: str, head: str) -> Reply:
        if base not in self.trunk or head not in self.trunk:
            return Reply(status=404)
        between = self.trunk[self.trunk.index(base) + 1 : self.trunk.index(head) + 1]
        rows = [{"id": sha, "title": "secret", "author_name": "Alice"} for sha in between]
        return Reply(body={"commit": rows[-1] if rows else None, "commits": rows, "diffs": []})

    def _changed(self, rows: list[dict[str, Any]], call: Call) -> list[dict[str, Any]]:
        """What changed in the range that is asked for, the last first; a row with an odd time comes first."""

        def when(row: dict[str, Any]) -> datetime:
            return datetime.fromisoformat(row["updated_at"])

        bounds = {name: datetime.fromisoformat(str(call.params[name])) for name in call.params if "updated_" in name}
        after, before = bounds.get("updated_after"), bounds.get("updated_before")
        kept = [row for row in rows if (not after or when(row) > after) and (not before or when(row) < before)]
        return sorted(kept, key=when, reverse=True)

    def _page(self, rows: list[dict[str, Any]], call: Call) -> Reply:
        number = int(str(call.params.get("page", 1)))
        link = '<https://gitlab.example/next>; rel="next"' if len(rows) > number * self.page else ""
        return Reply(body=rows[(number - 1) * self.page : number * self.page], headers={"Link": link} if link else {})
