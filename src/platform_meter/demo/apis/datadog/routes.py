"""Datadog's API as one organisation of the simulated company sees it: two keys, pages, and limits by kind of call."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from platform_meter.demo.apis.datadog import bodies
from platform_meter.demo.apis.metered import Allowance
from platform_meter.demo.apis.wsgi import Api, Handler, Refusal, Reply, Request, encode
from platform_meter.demo.company.watching import Metric, told_there, watched
from platform_meter.demo.world import World

API_KEY, APPLICATION_KEY = "datadog_demo_api", "datadog_demo_application"
LIMIT = 1_600
"""Calls of each kind in `WINDOW`."""
WINDOW = timedelta(hours=1)
MOST = 1_500
"""Buckets of a series; those of a longer range are longer."""
PER_PAGE, MOST_MONITORS, MOST_INCIDENTS = 100, 1_000, 100
_COUNTED = re.compile(r"sum:(?P<metric>[\w.]+)\{service:(?P<service>[\w-]+)\}\.as_count\(\)(?:\.rollup\(sum, ?60\))?")


def refuse(status: int, *errors: str) -> Refusal:
    return Refusal(Reply(body=encode({"errors": errors}), status=status))


class DatadogApi(Api):
    """Serves one world, with `limit` calls of each kind an hour."""

    def __init__(self, world: World, limit: int = LIMIT) -> None:
        self._world = world
        self._watched = watched(world.company, world.scenario)
        kinds: dict[str, tuple[str, Handler]] = {
            "/api/v1/validate": ("validate", self._validate),
            "/api/v1/query": ("timeseries_query", self._query),
            "/api/v1/monitor": ("list_monitors", self._monitors),
            "/api/v1/slo/<id_>/history": ("slo_history", self._history),
            "/api/v2/incidents": ("incidents", self._incidents),
            "/api/v2/incidents/<id_>": ("incidents", self._incident),
        }
        self._allowed = {kind: Allowance(limit=limit, window=WINDOW) for kind, _ in kinds.values()}
        super().__init__({f"GET {path}": self._limited(kind, handler) for path, (kind, handler) in kinds.items()})

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.header("DD-API-KEY") != API_KEY:
            raise refuse(403, "Forbidden")
        if request.path != "/api/v1/validate" and request.header("DD-APPLICATION-KEY") != APPLICATION_KEY:
            raise refuse(403, "Forbidden")
        return handle()

    def missing(self, request: Request) -> Reply:
        del request
        raise refuse(404, "Not found")

    def _limited(self, kind: str, handler: Handler) -> Handler:
        """The handler, with headers that tell what is left of its kind."""

        def limited(request: Request, **names: str) -> Reply:
            allowed, seconds = self._allowed[kind], int(WINDOW.total_seconds())
            left, reset = allowed.spend(self._world.now())
            said = f"Rate limit of {allowed.limit} requests in {seconds} seconds reached. Please try again later."
            try:
                reply = handler(request, **names) if left >= 0 else refuse(429, said).reply
            except Refusal as refused:
                reply = refused.reply
            headers = {
                "limit": str(allowed.limit),
                "period": str(seconds),
                "remaining": str(max(0, left)),
                "reset": str(reset),
                "name": kind,
            }
            return reply.beside(*((f"X-RateLimit-{name.capitalize()}", value) for name, value in headers.items()))

        return limited

    def _validate(self, request: Request) -> Reply:
        del request
        return Reply(body=encode({"valid": True}))

    def _range(self, request: Request, *names: str) -> tuple[int, int]:
        """What is asked for, in epoch seconds."""
        try:
            start, end = (int(request.query[name]) for name in names)
        except (KeyError, ValueError):
            raise refuse(400, f"{' and '.join(names)} must be epoch seconds") from None
        if start >= end:
            raise refuse(400, f"{names[0]} must be less than {names[1]}")
        return start, end

    def _query(self, request: Request) -> Reply:
        """Counts of one metric; a bucket without any has no point, and the one that runs has what came so far."""
        start, end = self._range(request, "from", "to")
        query = request.query.get("query", "")
        found = _COUNTED.fullmatch(query)
        if found is None:
            raise refuse(400, f"Error parsing query: unable to parse {query}")
        width, now = bodies.MINUTE, int(self._world.now().timestamp())
        if (end - start) // width > MOST:
            width *= 5
        points: dict[int, int] = {}
        if found["service"] == self._watched.service.id and found["metric"] in set(Metric):
            metric = Metric(found["metric"])
            for at in range(-(-start // width) * width, min(end, now) + 1, width):
                until = min(at + width, now)
                if count := self._watched.counted(metric, _moment(at), _moment(until)):
                    points[at] = count
        scope = f"service:{found['service']}"
        said = [bodies.series(Metric(found["metric"]), scope, points, width)] if points else []
        return Reply(body=encode(bodies.reply(said, query, start, end)))

    def _monitors(self, request: Request) -> Reply:
        """By number, those behind `id_offset`."""
        after, size = request.number("id_offset", 0, 0, 10**9), request.number("page_size", PER_PAGE, 1, MOST_MONITORS)
        rows = bodies.monitors(self._watched, self._world.now(), bodies.known_since(self._world.company.start))
        return Reply(body=encode([row for row in rows if row["id"] > after][:size]))

    def _history(self, request: Request, id_: str) -> Reply:
        if id_ != bodies.SLO:
            raise refuse(404, f"SLO {id_} not found")
        start, end = self._range(request, "from_ts", "to_ts")
        try:
            target = float(request.query.get("target", "99.9"))
        except ValueError:
            raise refuse(400, "target must be a percentage") from None
        return Reply(body=encode(bodies.history(self._watched, _moment(start), _moment(end), target)))

    def _told(self) -> list[dict[str, object]]:
        now = self._world.now()
        known = told_there(self._world.company, self._world.history.incidents, now)
        return [bodies.incident(one, number, now) for number, one in enumerate(known, 1)]

    def _incidents(self, request: Request) -> Reply:
        """By offset; the next one is told while there is one."""
        size = request.number("page[size]", 10, 1, MOST_INCIDENTS)
        offset, rows = request.number("page[offset]", 0, 0, 10**9), self._told()
        page = rows[offset : offset + size]
        more = {"next_offset": offset + size} if offset + size < len(rows) else {}
        pagination = {"offset": offset, "size": len(page), **more}
        return Reply(body=encode({"data": page, "meta": {"pagination": pagination}}))

    def _incident(self, request: Request, id_: str) -> Reply:
        del request
        for row in self._told():
            if row["id"] == id_:
                return Reply(body=encode({"data": row}))
        raise refuse(404, "incident not found")


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
