"""Jira Cloud's REST API (v3) of the simulated company: search by JQL with page tokens, changelogs, names."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from platform_meter.demo.apis.jira import jql
from platform_meter.demo.apis.jira.bodies import CATEGORIES, FIELDS, NAMED, STATUSES, Bodies, stamp, ticket_id
from platform_meter.demo.apis.jira.plans import OTHERS, QUARTER, QUARTER_ID, Plans
from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.records import Ticket
from platform_meter.demo.company.roadmap import PROJECT
from platform_meter.demo.company.tickets import PROJECTS, Project
from platform_meter.demo.world import World
from platform_meter.model.typed import decode

USER, TOKEN = "meter@acme.test", "jira_demo"
MAX_RESULTS, USUAL_RESULTS = 100, 50
"""Tickets on one page when fields are asked for."""
ISSUE_404 = "Issue does not exist or you do not have permission to see it."


def _refuse(status: int, *messages: str) -> Refusal:
    return Refusal(
        Reply(
            body=encode({"errorMessages": messages, "errors": {}}), status=status, type="application/json;charset=UTF-8"
        )
    )


class JiraApi(Api):
    def __init__(self, world: World, base: str) -> None:
        self._world = world
        self._bodies = Bodies(base, world.company)
        self._plans = Plans(world, self._bodies)
        root = "/rest/api/3"
        super().__init__(
            {
                f"GET {root}/myself": self._myself,
                f"GET {root}/serverInfo": self._server_info,
                f"GET {root}/search": self._gone,
                f"GET {root}/search/jql": self._search,
                f"POST {root}/search/jql": self._search,
                f"POST {root}/search/approximate-count": self._count,
                f"GET {root}/issue/<key>": self._issue,
                f"GET {root}/issue/<key>/changelog": self._changelog,
                f"GET {root}/issue/<key>/comment": self._comments,
                f"POST {root}/changelog/bulkfetch": self._bulk,
                f"GET {root}/field": self._fields,
                f"GET {root}/project/search": self._projects,
                f"GET {root}/status": self._statuses,
                f"GET {root}/statuscategory": self._categories,
                **{f"GET {root}/{kind}": self._named(kind) for kind in NAMED},
                f"GET {root}/project/<key>/components": self._components,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        kind, _, given = request.header("Authorization").partition(" ")
        wanted = base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()
        if kind != "Basic" or given != wanted:
            raise _refuse(401, "Client must be authenticated to access this resource.")
        try:
            return handle()
        except msgspec.DecodeError:
            raise _refuse(400, "Invalid request payload. Refer to the REST API documentation and try again.") from None

    def missing(self, request: Request) -> Reply:
        raise _refuse(404, f"null for uri: {self._bodies.base}{request.path}")

    @staticmethod
    def _say(body: Any) -> Reply:
        return Reply(body=encode(body), type="application/json;charset=UTF-8")

    # who and what

    def _myself(self, request: Request) -> Reply:
        del request
        me = self._bodies.user("u-meter")
        return self._say({**me, "emailAddress": USER, "locale": "en_US", "accountType": "app"})

    def _server_info(self, request: Request) -> Reply:
        del request
        return self._say(
            {
                "baseUrl": self._bodies.base,
                "version": "1001.0.0-SNAPSHOT",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": "Cloud",
                "buildNumber": 100_290,
                "serverTime": stamp(self._world.now()),
                "serverTitle": "Jira",
            }
        )

    def _gone(self, request: Request) -> Reply:
        del request
        raise _refuse(
            410,
            "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration "
            "guideline is available in the changelog of the API.",
        )

    def _fields(self, request: Request) -> Reply:
        del request
        more = {QUARTER_ID: QUARTER, **OTHERS}
        own = [{"id": id_, "key": id_, "name": name, "custom": id_ == QUARTER_ID} for id_, name in more.items()]
        return self._say([*(self._bodies.field(key) for key in FIELDS), *own])

    def _statuses(self, request: Request) -> Reply:
        del request
        return self._say([self._bodies.status(name) for name in STATUSES])

    def _named(self, kind: str) -> Callable[[Request], Reply]:
        """All priorities, resolutions or issue types."""

        def answer(request: Request) -> Reply:
            del request
            return self._say([self._bodies.named(kind, name) for name in NAMED[kind]])

        return answer

    def _categories(self, request: Request) -> Reply:
        del request
        return self._say([self._bodies.category(key) for key in CATEGORIES])

    def _projects(self, request: Request) -> Reply:
        keys = request.query.get("keys", "")
        found = [p for p in PROJECTS if not keys or p.key in keys.split(",")]
        return self._say(self._page(request, [self._bodies.project(p) for p in found], 50))

    def _project(self, key: str) -> Project:
        found = next((p for p in PROJECTS if key in {p.key, str(p.id)}), None)
        if found is None:
            raise _refuse(404, f"No project could be found with key '{key}'.")
        return found

    def _components(self, request: Request, key: str) -> Reply:
        del request
        project = self._project(key)
        more = {"project": project.key, "projectId": project.id, "isAssigneeTypeValid": True}
        return self._say([{**component, **more} for component in self._bodies.components(project)])

    def _page(self, request: Request, values: list[Any], most: int) -> dict[str, Any]:
        """A page by startAt and maxResults."""
        start = request.number("startAt", 0, 0, 10**9)
        size = request.number("maxResults", most, 1, most)
        end = start + size
        last = end >= len(values)
        url = f"{self._bodies.base}{request.path}"
        body = {
            "self": f"{url}?startAt={start}&maxResults={size}",
            "startAt": start,
            "maxResults": size,
            "total": len(values),
            "isLast": last,
            "values": values[start:end],
        }
        return body if last else body | {"nextPage": f"{url}?startAt={end}&maxResults={size}"}

    # tickets

    def _ticket(self, key: str) -> tuple[Ticket, datetime]:
        now = self._world.now()
        for ticket in self._world.history.tickets:
            if key in {ticket.key, str(ticket_id(ticket))} and ticket.created <= now:
                return ticket, now
        raise _refuse(404, ISSUE_404)

    def _issue(self, request: Request, key: str) -> Reply:
        ticket, now = self._ticket(key)
        fields = _names(request.query.get("fields", "*all"))
        changelog = "changelog" in request.query.get("expand", "").split(",")
        return self._say(self._bodies.issue(ticket, now, fields, changelog=changelog))

    def _changelog(self, request: Request, key: str) -> Reply:
        ticket, now = self._ticket(key)
        return self._say(self._page(request, self._bodies.histories(ticket, now), 100))

    def _comments(self, request: Request, key: str) -> Reply:
        ticket, now = self._ticket(key)
        comments = self._bodies.comments(ticket, now)
        start, size = request.number("startAt", 0, 0, 10**9), request.number("maxResults", 100, 1, 100)
        body = {
            "startAt": start,
            "maxResults": size,
            "total": len(comments),
            "comments": comments[start : start + size],
        }
        return self._say(body)

    def _bulk(self, request: Request) -> Reply:
        asked = request.json
        keys = asked.get("issueIdsOrKeys") if isinstance(asked, dict) else None
        if not keys:
            raise _refuse(400, "issueIdsOrKeys must not be empty.")
        found = []
        for key in keys:
            ticket, now = self._ticket(str(key))
            entries = self._bodies.histories(ticket, now)
            # this endpoint alone tells time in milliseconds; the schema keeps the text form, and so do we
            found.append({"issueId": str(ticket_id(ticket)), "changeHistories": entries})
        return self._say({"issueChangeLogs": found})

    def _query(self, text: str) -> jql.Query:
        try:
            query = jql.parse(text, ZONE)
        except ValueError as error:
            raise _refuse(400, str(error)) from None
        known = {p.key.lower() for p in PROJECTS} | {PROJECT.lower()}
        for name in jql.projects(text):
            if name.lower() not in known:
                raise _refuse(400, f"The value '{name}' does not exist for the field 'project'.")
        return query

    def _count(self, request: Request) -> Reply:
        query, now = self._query(str(request.json.get("jql", ""))), self._world.now()
        found = [t for t in self._world.history.tickets if t.created <= now and query.meets(t, now)]
        return self._say({"count": len(found)})

    def _search(self, request: Request) -> Reply:
        """Pages go on after the last ticket shown, by time and number: what changes meanwhile comes again, later."""
        asked = request.json if request.method == "POST" else request.query
        if not isinstance(asked, dict):
            raise _refuse(400, "Invalid request payload. Refer to the REST API documentation and try again.")
        text, token = str(asked.get("jql") or ""), str(asked.get("nextPageToken") or "")
        query, now = self._query(text), self._world.now()
        names = asked.get("fields") or "id"
        fields = _names(names if isinstance(names, str) else ",".join(names))
        changelog = "changelog" in str(asked.get("expand") or "").split(",")
        if {name.upper() for name in jql.projects(text)} == {PROJECT}:
            return self._say({"issues": self._plans.found(now, fields, changelog=changelog), "isLast": True})
        size = _size(asked.get("maxResults"))
        mark = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        found = [(self._place(t, query, now), t) for t in self._world.history.tickets if t.created <= now]
        found = sorted((item for item in found if query.meets(item[1], now)), key=lambda item: item[0])
        if token:
            after = _untoken(token, mark)
            found = [item for item in found if item[0] > after]
        page = found[:size]
        body: dict[str, Any] = {
            "issues": [self._bodies.issue(t, now, fields, changelog=changelog) for _, t in page],
            "isLast": len(page) == len(found),
        }
        if len(page) < len(found):
            body["nextPageToken"] = base64.urlsafe_b64encode(encode([mark, *page[-1][0]])).decode()
        return self._say(body)

    @staticmethod
    def _place(ticket: Ticket, query: jql.Query, now: datetime) -> tuple[int, int]:
        at = ticket.updated_at(now) if query.by == "updated" else ticket.created
        seconds = int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
        return (-seconds, -ticket_id(ticket)) if query.down else (seconds, ticket_id(ticket))


def _names(text: str) -> frozenset[str]:
    """Fields to show; empty for all. `id` alone shows none of them."""
    names = frozenset(part.strip() for part in text.split(",") if part.strip())
    return frozenset() if names & {"*all", "*navigable"} else names


def _size(given: Any) -> int:
    text = str(given if given is not None else USUAL_RESULTS)
    return min(max(int(text), 1), MAX_RESULTS) if text.isdecimal() else USUAL_RESULTS


def _untoken(token: str, mark: str) -> tuple[int, int]:
    try:
        known, first, second = decode(base64.urlsafe_b64decode(token), tuple[str, int, int])
    except (ValueError, msgspec.DecodeError):
        known, first, second = "", 0, 0
    if known != mark:
        raise _refuse(400, "The provided next page token is invalid or belongs to another query.")
    return first, second
