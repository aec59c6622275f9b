"""A Kong in memory: its Admin API, which gives two rows a page, and the metrics of its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_meter.testing.outside import Call, Reply

PER_PAGE = 2
BOUNDS = (25, 50, 80, 100, 250, 400, 700, 1000, 2000, 5000, 10000, 30000, 60000)
"""Of Kong's own histograms, in milliseconds."""
Rows = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Node:
    """What one node has counted since it began, as its plugin writes it."""

    id: str = "node-1"
    lines: list[str] = field(default_factory=list)

    def answered(self, route: str, code: int, n: float, *, by: str = "service", **labels: str) -> Node:
        """Requests with one status; `by` is who answered, `service` or `kong`."""
        more = "".join(f',{name}="{value}"' for name, value in labels.items())
        self.lines.append(
            f'kong_http_requests_total{{service="of-{route}",route="{route}",code="{code}",source="{by}"{more},consumer=""}} {n:g}'
        )
        return self

    def took(self, route: str, milliseconds: Mapping[float, float], total: float) -> Node:
        """How many took at most so long, each counted at its own duration, and the sum of all durations."""
        labels = f'service="of-{route}",route="{route}"'
        for bound in BOUNDS:
            n = sum(count for took, count in milliseconds.items() if took <= bound)
            self.lines.append(f'kong_request_latency_ms_bucket{{{labels},le="{bound}"}} {n:g}')
        all_ = sum(milliseconds.values())
        self.lines += [
            f'kong_request_latency_ms_bucket{{{labels},le="+Inf"}} {all_:g}',
            f"kong_request_latency_ms_count{{{labels}}} {all_:g}",
            f"kong_request_latency_ms_sum{{{labels}}} {total:g}",
        ]
        return self

    @property
    def page(self) -> str:
        """As `/metrics` has it, with what other families count."""
        named = [f'kong_node_info{{node_id="{self.id}",version="3.9.0"}} 1'] if self.id else []
        others = ["# HELP kong_bandwidth_bytes Bytes", 'kong_bandwidth_bytes{service="a",direction="egress"} 7']
        return "\n".join((*others, *named, "# TYPE kong_http_requests_total counter", *self.lines, ""))


@dataclass(slots=True)
class Kong:
    """`lists` has rows by path. `refused` may not be read. `nodes` are at addresses beside, that without a name here."""

    lists: dict[str, Rows]
    nodes: Mapping[str, Node] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    role: str = "traditional"
    plugins: Sequence[str] = ("prometheus", "rate-limiting")

    def __call__(self, call: Call) -> Reply:
        path = f"{call.beside}:{call.path}" if call.beside else call.path
        if path in self.refused:
            return Reply(status=403)
        if call.path == "/metrics":
            return Reply(body=self.nodes[call.beside].page) if call.beside in self.nodes else Reply(status=404)
        if path == "/":
            return Reply(body=self.info())
        if path == "/clustering/data-planes" and path in self.lists:
            reply = self.page(path, call)
            return Reply(body=reply.body, headers={"date": "Mon, 01 Jun 2026 12:00:00 GMT"})
        return self.page(path, call) if path in self.lists else Reply(status=404)

    def page(self, path: str, call: Call) -> Reply:
        """A part of a list, from the row that the offset names."""
        rows, start = self.lists[path], int(str(call.params.get("offset") or "at-0").removeprefix("at-"))
        some, end = rows[start : start + PER_PAGE], start + PER_PAGE
        if end >= len(rows):
            return Reply(body={"data": some, "next": None})
        offset = f"at-{end}"
        return Reply(body={"data": some, "next": f"{path}?offset={offset}", "offset": offset})

    def info(self) -> dict[str, Any]:
        return {
            "version": "3.9.0",
            "edition": "community",
            "node_id": "node-1",
            "hostname": "kong-1",
            "plugins": {"enabled_in_cluster": list(self.plugins)},
            "configuration": {"role": self.role, "pg_host": "postgres"},
        }


def made(minute: int) -> int:
    """Epoch seconds of a minute past noon of 2026-06-01."""
    return 1_780_315_200 + 60 * minute


def service(name: str, *tags: str) -> dict[str, Any]:
    row = {"id": f"id-of-{name}", "name": name, "host": f"{name}.example", "port": 80, "protocol": "http"}
    return {**row, "tags": list(tags) or None, "created_at": made(0), "updated_at": made(0), "enabled": True}


def route(name: str | None, of: str | None, *tags: str, minute: int = 1, id_: str = "") -> dict[str, Any]:
    row = {"id": id_ or f"id-of-{name}", "name": name, "paths": [f"/{name}"], "protocols": ["http", "https"]}
    return {
        **row,
        "service": {"id": f"id-of-{of}"} if of else None,
        "tags": list(tags) or None,
        "created_at": made(minute),
        "updated_at": made(minute),
    }


def consumer(name: str, *tags: str) -> dict[str, Any]:
    row = {"id": f"id-of-{name.partition('@')[0]}", "username": name, "custom_id": None, "created_at": made(2)}
    return {**row, "tags": list(tags) or None}


def plane(number: int, seconds_ago: float) -> dict[str, Any]:
    """A data plane that was heard from so long before noon."""
    row = {"id": f"plane-{number}", "hostname": f"kong-{number}", "ip": "10.0.0.1", "version": "3.9.0"}
    return {**row, "sync_status": "normal", "config_hash": "0" * 32, "last_seen": made(0) - seconds_ago}


def plugin(name: str, *, number: int = 1, enabled: bool = True, config: Any = None, **on: str) -> dict[str, Any]:
    """On nothing it is on everything."""
    row = {"id": f"plugin-{name}-{number}", "name": name, "enabled": enabled, "created_at": made(3), "tags": None}
    where = {kind: {"id": f"id-of-{on[kind]}"} if kind in on else None for kind in ("route", "service", "consumer")}
    return {**row, **where, "config": config or {}, "protocols": ["http"]}
