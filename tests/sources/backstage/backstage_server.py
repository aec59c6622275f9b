"""A Backstage in memory: entries by cursor or by offset, runs of templates, in pages smaller than what is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
BY_QUERY, ALL, TASKS = "/api/catalog/entities/by-query", "/api/catalog/entities", "/api/scaffolder/v2/tasks"


def entry(
    kind: str,
    name: Any,
    *relations: tuple[str, str],
    spec: Row | None = None,
    notes: dict[str, str] | None = None,
    **meta: Any,
) -> Row:
    """An entry as the catalog has it, with its relations as (type, whole name)."""
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "annotations": notes or {}, **meta}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec or {},
        "relations": [{"type": type_, "targetRef": target} for type_, target in relations],
    }


def user(name: str, *groups: str) -> Row:
    """Ann or another, of these groups."""
    relations = [("memberOf", f"group:default/{group}") for group in groups]
    profile = {"displayName": name.title(), "email": f"{name.title()}@example.test"}
    return entry("User", name, *relations, spec={"profile": profile, "memberOf": list(groups)})


def run(
    id_: Any, status: str, created: str, beat: str | None = None, template: str = "new-service", **parameters: Any
) -> Row:
    """A run of a template that Ann started."""
    return {
        "id": id_,
        "status": status,
        "createdAt": created,
        "lastHeartbeatAt": beat,
        "createdBy": "user:default/ann",
        "spec": {
            "apiVersion": "scaffolder.backstage.io/v1beta3",
            "parameters": {"description": "For Ann's friends", **parameters},
            "steps": [],
            "user": {"entity": user("ann", "payments"), "ref": "user:default/ann"},
            "templateInfo": {"entityRef": f"template:default/{template}"},
        },
    }


@dataclass(slots=True)
class Backstage:
    """Answers as Backstage does; an old one knows neither cursors nor pages of runs."""

    entries: list[Row]
    runs: list[Row] = field(default_factory=list)
    """The newest first."""
    remotes: dict[str, str] = field(default_factory=dict)
    """By run: where what it made was put, as it tells at its end."""
    old: bool = False
    refused: frozenset[str] = frozenset()
    """Paths that are answered 403."""
    size: int = 2
    """Rows of a page, whatever is asked for."""

    def __call__(self, call: Call) -> Reply:
        if call.path in self.refused:
            return Reply(status=403)
        if call.path == BY_QUERY and not self.old:
            return Reply(body=self._by_query(call))
        if call.path == ALL:
            return Reply(body=self._page(self.entries, call))
        if call.path == TASKS:
            tasks = self.runs if self.old else self._page(self.runs, call)
            return Reply(body={"tasks": tasks, **({} if self.old else {"totalTasks": len(self.runs)})})
        if call.path.startswith(f"{TASKS}/"):
            return self._run(call.path.removeprefix(f"{TASKS}/"))
        return Reply(status=404)

    def _by_query(self, call: Call) -> Row:
        start = int(call.params.get("cursor", 0))
        items, after = self.entries[start : start + self.size], start + self.size
        info = {"nextCursor": str(after)} if after < len(self.entries) else {}
        return {"items": items, "totalItems": len(self.entries), "pageInfo": info}

    def _page(self, rows: Sequence[Row], call: Call) -> list[Row]:
        start = int(call.params["offset"])
        return list(rows[start : start + self.size])

    def _run(self, path: str) -> Reply:
        id_, _, part = path.partition("/")
        found = [row for row in self.runs if row["id"] == id_]
        if not found:
            return Reply(status=404)
        if not part:
            return Reply(body=found[0])
        log = {"id": 1, "taskId": id_, "type": "log", "body": {"message": "Beginning step Publish"}}
        output = {"remoteUrl": self.remotes[id_]} if id_ in self.remotes else {}
        end = {"id": 2, "taskId": id_, "type": "completion", "body": {"message": "Done, Ann", "output": output}}
        return Reply(body=[log, end])
