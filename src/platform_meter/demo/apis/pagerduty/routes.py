"""PagerDuty's REST API (version 2) of the simulated company: lists cut by offset, and a limit on calls per minute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from platform_meter.demo.apis.metered import Allowance
from platform_meter.demo.apis.pagerduty.bodies import Bodies, service_id
from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.incidents import watched
from platform_meter.demo.company.records import Incident
from platform_meter.demo.company.tickets import PRIORITIES
from platform_meter.demo.world import World

T = TypeVar("T")
TOKEN = "pagerduty_demo"  # noqa: S105 - opens nothing but the simulation
LIMIT = 960
"""Calls per minute and key."""
CAP = 10_000
"""How far `offset` and `limit` reach together."""
USUAL, MOST = 25, 100
"""Rows of one page."""
USUAL_RANGE, WIDEST = timedelta(days=30), timedelta(days=184)


def refuse(status: int, code: int, message: str, *errors: str) -> Refusal:
    error = {"message": message, "code": code, **({"errors": list(errors)} if errors else {})}
    return Refusal(Reply(body=encode({"error": error}), status=status))


def _values(request: Request, name: str) -> set[str]:
    """All values of a parameter that may stand several times."""
    return {value for key, value in parse_qsl(request.query_string) if key == f"{name}[]"}


class PagerdutyApi(Api):
    """Serves one world at `base`, the address under which callers reach it, with `limit` calls per minute."""

    def __init__(self, world: World, base: str, limit: int = LIMIT) -> None:
        self._world, self._base = world, base
        self._allowed = Allowance(limit=limit, window=timedelta(minutes=1))
        super().__init__(
            {
                "GET /incidents": self._incidents,
                "GET /incidents/<id_>": self._incident,
                "GET /incidents/<id_>/log_entries": self._log,
                "GET /incidents/<id_>/alerts": self._alerts,
                "GET /services": self._services,
                "GET /services/<id_>": self._service,
                "GET /priorities": self._priorities,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("Authorization") != f"Token token={TOKEN}":
            raise refuse(401, 2006, "Unauthorized", "Access Denied")
        remaining, reset = self._allowed.spend(self._world.now())
        try:
            if remaining < 0:
                raise refuse(429, 2020, "Rate Limit Exceeded")
            reply = handle()
        except Refusal as refused:
            reply = refused.reply
        return reply.beside(
            ("ratelimit-limit", str(self._allowed.limit)),
            ("ratelimit-remaining", str(max(0, remaining))),
            ("ratelimit-reset", str(reset)),
        )

    def missing(self, request: Request) -> Reply:
        del request
        raise refuse(404, 2100, "Not Found")

    def _bodies(self) -> Bodies:
        return Bodies(self._base, {one.number: one for one in self._world.history.incidents})

    def _page(self, request: Request, name: str, items: Sequence[T], show: Callable[[T], Any]) -> Reply:
        """One page of a list; only who asks for it is told how long that is."""
        size, start = request.number("limit", USUAL, 1, MOST), request.number("offset", 0, 0, 10**9)
        if start + size > CAP:
            raise refuse(400, 2001, "Invalid Input Provided", f"Offset and limit must be at most {CAP} together.")
        body = {
            name: [show(item) for item in items[start : start + size]],
            "limit": size,
            "offset": start,
            "more": start + size < len(items),
            "total": len(items) if request.query.get("total") == "true" else None,
        }
        return Reply(body=encode(body))

    # incidents

    def _range(self, request: Request, now: datetime) -> tuple[datetime, datetime]:
        """Which incidents are wanted, by when they were made."""
        if request.query.get("date_range") == "all":
            return datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        try:
            until = datetime.fromisoformat(request.query["until"]) if "until" in request.query else now
            since = datetime.fromisoformat(request.query["since"]) if "since" in request.query else until - USUAL_RANGE
        except ValueError:
            raise refuse(400, 2001, "Invalid Input Provided", "Since and until must be times.") from None
        if until - since > WIDEST:
            raise refuse(400, 2001, "Invalid Input Provided", "The time range must not be wider than six months.")
        return since, until

    def _incidents(self, request: Request) -> Reply:
        now, include = self._world.now(), _values(request, "include")
        since, until = self._range(request, now)
        bodies = self._bodies()
        statuses, urgencies = _values(request, "statuses"), _values(request, "urgencies")
        services, teams = _values(request, "service_ids"), _values(request, "team_ids")
        found = []
        for one in self._world.history.incidents:
            if not (since <= one.begun < until and one.begun <= now):
                continue
            body = bodies.incident(one, now, include)
            if (
                (not statuses or body["status"] in statuses)
                and (not urgencies or body["urgency"] in urgencies)
                and (not services or service_id(one.repo) in services)
                and (not teams or body["teams"][0]["id"] in teams)
            ):
                found.append(body)
        field, _, way = request.query.get("sort_by", "created_at:asc").partition(":")
        if field not in {"created_at", "incident_number", "resolved_at", "urgency"}:
            raise refuse(400, 2001, "Invalid Input Provided", f"Incidents can't be sorted by {field}.")
        found.sort(key=lambda body: (body[field] or "", body["incident_number"]), reverse=way == "desc")
        return self._page(request, "incidents", found, lambda body: body)

    def _find(self, id_: str) -> tuple[Incident, datetime]:
        now = self._world.now()
        for one in self._world.history.incidents:
            if id_ in {one.id, str(one.number)} and one.begun <= now:
                return one, now
        raise refuse(404, 2100, "Not Found")

    def _incident(self, request: Request, id_: str) -> Reply:
        one, now = self._find(id_)
        return Reply(body=encode({"incident": self._bodies().incident(one, now, _values(request, "include"))}))

    def _log(self, request: Request, id_: str) -> Reply:
        one, now = self._find(id_)
        found = self._bodies().log(one, now, overview=request.query.get("is_overview") == "true")
        return self._page(request, "log_entries", found, lambda body: body)

    def _alerts(self, request: Request, id_: str) -> Reply:
        one, now = self._find(id_)
        return self._page(request, "alerts", [self._bodies().alert(one, now)], lambda body: body)

    # services

    def _services(self, request: Request) -> Reply:
        found = sorted(watched(self._world.company), key=lambda repo: repo.name)
        return self._page(request, "services", found, self._bodies().service)

    def _service(self, request: Request, id_: str) -> Reply:
        del request
        for repo in watched(self._world.company):
            if service_id(repo) == id_:
                return Reply(body=encode({"service": self._bodies().service(repo)}))
        raise refuse(404, 2100, "Not Found")

    def _priorities(self, request: Request) -> Reply:
        bodies = self._bodies()
        return self._page(request, "priorities", PRIORITIES, lambda name: bodies.priority(name, full=True))
