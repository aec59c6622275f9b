"""The portal's first page, its catalog by cursor, and runs of its templates, as Backstage answers."""

from __future__ import annotations

import base64
from typing import Any

from platform_meter.demo.apis.wsgi import Api, Handler, Refusal, Reply, Request, encode, stamp
from platform_meter.demo.company.layout import ORG, Company, Team, mail
from platform_meter.demo.company.portal import Entry, Made, entries, runs
from platform_meter.demo.world import World

TITLE = "Developer portal"
TOKEN = "demo-portal-token-for-platform-meter"  # noqa: S105 - of a simulated company
SECRET = base64.b64encode(b"demo portal events").decode()
"""What signs the events that it sends."""
_TYPE = "text/html; charset=utf-8"
_MOST = 500
"""Rows of a page, whatever is asked for."""


class PortalApi(Api):
    """Only its first page is for everybody."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._entries = [*people(world.company), *(_entry(one) for one in entries(world.company))]
        tasks = "/api/scaffolder/v2/tasks"
        super().__init__(
            {
                "GET /": self._page,
                "GET /catalog/<namespace>/<kind>/<name>": self._page,
                "GET /api/catalog/entities/by-query": self._known(self._by_query),
                f"GET {tasks}": self._known(self._tasks),
                f"GET {tasks}/<id_>": self._known(self._task),
                f"GET {tasks}/<id_>/events": self._known(self._events),
            }
        )

    def missing(self, request: Request) -> Reply:
        if request.path.startswith("/api/"):
            return _refused(404, "NotFoundError", f"nothing at {request.path}")
        return Reply(body=b"<title>Not found</title>", status=404, type=_TYPE)

    @staticmethod
    def _known(handle: Handler) -> Handler:
        def handler(request: Request, **names: str) -> Reply:
            if request.header("Authorization") != f"Bearer {TOKEN}":
                return _refused(401, "AuthenticationError", "Missing credentials")
            return handle(request, **names)

        return handler

    def _page(self, request: Request, **names: str) -> Reply:
        del request, names
        return Reply(body=f"<!doctype html><title>{TITLE}</title><h1>{TITLE}</h1>".encode(), type=_TYPE)

    def _by_query(self, request: Request) -> Reply:
        start, size = request.number("cursor", 0, 0, len(self._entries)), request.number("limit", 20, 1, _MOST)
        after = start + size
        info = {"nextCursor": str(after)} if after < len(self._entries) else {}
        body = {"items": self._entries[start:after], "totalItems": len(self._entries), "pageInfo": info}
        return Reply(body=encode(body))

    def _tasks(self, request: Request) -> Reply:
        now = self._world.now()
        found = runs(self._world.company, now)
        start, size = request.number("offset", 0, 0, len(found)), request.number("limit", len(found), 1, len(found))
        tasks = [_task(self._world, made) for made in found[start : start + size]]
        return Reply(body=encode({"tasks": tasks, "totalTasks": len(found)}))

    def _task(self, request: Request, id_: str) -> Reply:
        del request
        return Reply(body=encode(_task(self._world, self._find(id_))))

    def _events(self, request: Request, id_: str) -> Reply:
        del request
        made, now = self._find(id_), self._world.now()
        told = [{"id": 1, "taskId": id_, "type": "log", "createdAt": stamp(made.began), "body": {"message": "Begun"}}]
        if made.ended <= now:
            output = {} if made.outcome != "completed" else {"remoteUrl": f"https://github.com/{ORG}/{made.repository}"}
            body = {"message": f"Run {made.outcome}", "output": output}
            told.append({"id": 2, "taskId": id_, "type": "completion", "createdAt": stamp(made.ended), "body": body})
        return Reply(body=encode(told))

    def _find(self, id_: str) -> Made:
        found = next((made for made in runs(self._world.company, self._world.now()) if made.id == id_), None)
        if found is None:
            raise Refusal(_refused(404, "NotFoundError", f"Task with id {id_} does not exist"))
        return found


def _refused(status: int, name: str, message: str) -> Reply:
    return Reply(body=encode({"error": {"name": name, "message": message}}), status=status)


def people(company: Company) -> list[dict[str, Any]]:
    """Organizations, the teams below them, and who is in these."""
    found = [
        _thing("Group", org, {"type": "business-unit", "children": []})
        for org in sorted({t.org for t in company.teams})
    ]
    for team in company.teams:
        above = [{"type": "childOf", "targetRef": f"group:default/{team.org}"}]
        found.append(_thing("Group", team.id, {"type": "team", "parent": team.org, "children": []}, relations=above))
        found += [_user(team, person) for person in team.people]
    return found


def _user(team: Team, person: str) -> dict[str, Any]:
    spec = {"profile": {"email": mail(person)}, "memberOf": [team.id]}
    return _thing("User", person, spec, relations=[{"type": "memberOf", "targetRef": f"group:default/{team.id}"}])


def _entry(one: Entry) -> dict[str, Any]:
    said = {"type": one.type, "lifecycle": one.lifecycle, "owner": one.owner, "system": one.system}
    notes = {
        "github.com/project-slug": f"{ORG}/{one.repository}" if one.repository else "",
        "backstage.io/source-template": f"template:default/{one.template}" if one.template else "",
    }
    return _thing(
        one.kind,
        one.name,
        {name: text for name, text in said.items() if text},
        {name: text for name, text in notes.items() if text},
        relations=[{"type": "ownedBy", "targetRef": f"group:default/{one.owner}"}] if one.owner else [],
        **({"description": one.description} if one.description else {}),
    )


def _thing(
    kind: str,
    name: str,
    spec: dict[str, Any],
    notes: dict[str, str] | None = None,
    *,
    relations: list[dict[str, str]] | None = None,
    **meta: str,
) -> dict[str, Any]:
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default", "annotations": notes or {}, **meta},
        "spec": spec,
        "relations": relations or [],
    }


def _task(world: World, made: Made) -> dict[str, Any]:
    """As the list has it; while it runs its heart beats."""
    now = world.now()
    over = made.ended <= now
    asked = {"repoUrl": f"github.com?owner={ORG}&repo={made.repository}"} if made.asked else {}
    team = world.company.team[made.team]
    return {
        "id": made.id,
        "status": made.outcome if over else "processing",
        "createdAt": stamp(made.began),
        "lastHeartbeatAt": stamp(made.ended if over else now),
        "createdBy": f"user:default/{made.person}",
        "spec": {
            "apiVersion": "scaffolder.backstage.io/v1beta3",
            "parameters": {"owner": f"group:default/{made.team}", **asked},
            "steps": [],
            "user": {"ref": f"user:default/{made.person}", "entity": _user(team, made.person)},
            "templateInfo": {"entityRef": f"template:default/{made.template}"},
        },
    }
