"""The simulated Kong: the Admin API of its control plane, and the Status API of each of its data planes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

from platform_meter.demo.apis.text_format import head
from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.gateways import KONG, NODES, Answered, Served, last_sign, part, served, took, within
from platform_meter.demo.company.records import uid_of
from platform_meter.demo.world import World

TEXT = "text/plain; charset=UTF-8"
VERSION = "3.9.1"
BOUNDS = (25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000)
"""Milliseconds, of Kong's own histogram."""
COUNTING = "prometheus"
"""The plugin that counts, which is on no route."""
CONSUMERS = ("checkout-app", "partner-portal", "warehouse-scanner")
LIMITED = 3
"""One in so many routes has a plugin of its own."""
PAGE = 100
"""Rows of a page where nobody asks for another number."""
_MOST = 1_000


class AdminApi(Api):
    """Lists of entities, page by page; of the open source edition, which has no workspaces."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._created = int(world.company.start.timestamp()) - 300 * 86_400
        lists = self._lists(served(world.company, world.scenario, KONG))
        super().__init__(
            {
                "GET /": self._info,
                "GET /clustering/data-planes": self._planes,
                **{f"GET /{name}": _listed(rows) for name, rows in lists.items()},
            }
        )

    def missing(self, request: Request) -> Reply:
        del request
        raise Refusal(Reply(body=encode({"message": "Not found"}), status=404))

    def _info(self, request: Request) -> Reply:
        del request
        plugins = {"enabled_in_cluster": [COUNTING, "rate-limiting"]}
        return Reply(body=encode({"version": VERSION, "plugins": plugins, "configuration": {"role": "control_plane"}}))

    def _planes(self, request: Request) -> Reply:
        """Each gives a sign of life twice a minute, by a clock that stands beside it; in silent-gateway the last gives none."""
        now = self._world.now()
        seen = {name: int(last_sign(self._world.scenario, name, now).timestamp()) for name in NODES}
        rows = [{"id": _id("node", n), "hostname": n, "version": VERSION, "last_seen": at} for n, at in seen.items()]
        return replace(_listed(rows)(request), headers=(("Date", format_datetime(now, usegmt=True)),))

    def _lists(self, routes: Sequence[Served]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        return {
            "services": [self._row("service", r.name, host=f"{r.name}.acme.test") for r in routes],
            "routes": [
                self._row("route", r.name, paths=[f"/{r.name}"], service={"id": _id("service", r.name)}) for r in routes
            ],
            "consumers": [{**self._row("consumer", name), "username": name} for name in CONSUMERS],
            "plugins": [
                self._plugin(COUNTING, config={"status_code_metrics": True, "latency_metrics": True}),
                *(self._plugin("rate-limiting", route={"id": _id("route", r.name)}) for r in routes[::LIMITED]),
            ],
        }

    def _row(self, kind: str, name: str, **more: Any) -> Mapping[str, Any]:
        return {"id": _id(kind, name), "name": name, "tags": None, "created_at": self._created, **more}

    def _plugin(self, name: str, *, route: Mapping[str, str] | None = None, **more: Any) -> Mapping[str, Any]:
        id_ = _id("plugin", name, *(route or {}).values())
        of = {"route": route, "service": None, "consumer": None}
        return {**self._row("plugin", name), "id": id_, "enabled": True, "config": {}, **of, **more}


class StatusApi(Api):
    """What one data plane counted."""

    def __init__(self, world: World, node: str) -> None:
        self._world, self._node = world, node
        self._served = served(world.company, world.scenario, KONG)
        super().__init__({"GET /metrics": self._metrics})

    def missing(self, request: Request) -> Reply:
        del request
        return Reply(body=encode({"message": "Not found"}), status=404)

    def _metrics(self, request: Request) -> Reply:
        del request
        return Reply(body="".join(f"{line}\n" for line in self._lines()).encode(), type=TEXT)

    def _lines(self) -> Iterator[str]:
        now = self._world.now()
        counted = [(_about(route), part(route.answered(now), self._node)) for route in self._served]
        yield from head("kong_node_info", "gauge", "Kong Node metadata information")
        yield f'kong_node_info{{node_id="{_id("node", self._node)}",version="{VERSION}"}} 1'
        name = "kong_http_requests_total"
        yield from head(name, "counter", "HTTP status codes per consumer/service/route in Kong")
        for about, answered in counted:
            for code, count in (("200", answered.good), ("404", answered.missing), ("500", answered.failed)):
                yield f'{name}{{{about},code="{code}",source="service",workspace="default",consumer=""}} {count}'
        name = "kong_request_latency_ms"
        yield from head(name, "histogram", "Total latency incurred during requests for each service/route in Kong")
        for about, answered in counted:
            yield from _histogram(name, f'{about},workspace="default"', answered)


def _about(route: Served) -> str:
    return f'service="{route.name}",route="{route.name}"'


def _histogram(name: str, about: str, answered: Answered) -> Iterator[str]:
    count = answered.all
    for bound in BOUNDS:
        yield f'{name}_bucket{{{about},le="{bound}"}} {within(count, bound / 1_000)}'
    yield f'{name}_bucket{{{about},le="+Inf"}} {count}'
    yield f"{name}_count{{{about}}} {count}"
    yield f"{name}_sum{{{about}}} {took(count) * 1_000:.0f}"


def _id(kind: str, *names: str) -> str:
    return uid_of("kong", kind, *names)


def _listed(rows: Sequence[Mapping[str, Any]]) -> Callable[[Request], Reply]:
    """A list in pages of `size`, each of which but the last says where the next one begins."""

    def answer(request: Request) -> Reply:
        begin, size = request.number("offset", 0, 0, len(rows)), request.number("size", PAGE, 1, _MOST)
        end = begin + size
        more = {"offset": str(end), "next": f"{request.path}?offset={end}"} if end < len(rows) else {"next": None}
        return Reply(body=encode({"data": rows[begin:end], **more}))

    return answer
