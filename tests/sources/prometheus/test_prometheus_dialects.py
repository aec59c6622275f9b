"""Servers that speak Prometheus's query API in a way of their own, as their documentation has it, over HTTP.

They stand in for Thanos, Mimir and VictoriaMetrics: that those really answer so is what their documentation says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.support.http import Reply, Seen, Server, serving
from tests.support.real_source import Connected, connected

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.prometheus import SOURCE
from platform_meter.sources.prometheus.config import Config

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SLI = {"id": "web", "bad": "increase(e[{{window}}])", "total": "increase(r[{{window}}])", "scrape_interval": "0s"}
RANGE = "/api/v1/query_range"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def said(seen: Seen) -> dict[str, str]:
    """The parameters of a request, by address or form."""
    return {name: values[0] for name, values in parse_qs(seen.query or seen.body.decode()).items()}


def answer(code: int = 200, **more: Any) -> Reply:
    return Reply(code, {"Content-Type": "application/json"}, json.dumps(more).encode())


def counts(seen: Seen, **more: Any) -> Reply:
    """8 bad ones of 100 in each slice."""
    asked = said(seen)
    amount = "8" if asked["query"].startswith("increase(e") else "100"
    ends = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
    result = [{"metric": {}, "values": [[end, amount] for end in ends]}]
    return answer(status="success", data={"resultType": "matrix", "result": result}, **more)


def read(meter: Connected) -> list[tuple[float, float]]:
    """Good and bad of the two slices until noon."""
    reader = meter.stream("sli/web")
    reader.run(now=NOON + timedelta(minutes=1), since=timedelta(minutes=11))
    return [(fact.good, fact.bad) for fact in reader.events.values() if isinstance(fact, SliCount)]


def config(server: Server, path: str = "", **more: Any) -> Config:
    return Config.model_validate({"url": server.url + path, "slis": [SLI], **more})


def test_mimir_is_told_whose_series_are_meant(server: Server) -> None:
    """In its header with each call; without one it is named what lacks."""

    def mimir(seen: Seen) -> Reply:
        if seen.headers.get("x-scope-orgid") != "shop|pay":
            return Reply(401, body=b"no org id\n")
        return counts(seen) if seen.path.endswith("_range") else answer(status="success", data={"result": []})

    for path in (RANGE, "/api/v1/query"):
        server.on(f"/prometheus{path}", mimir)
    with connected(SOURCE, config(server, "/prometheus", tenant="shop|pay")) as meter:
        assert meter.check() == []
        assert read(meter) == [(92.0, 8.0), (92.0, 8.0)]
    with connected(SOURCE, config(server, "/prometheus")) as meter:
        assert list(meter.check()) == [
            "the server keeps series of several apart and is not told whose are meant; set tenant"
        ]


@pytest.mark.parametrize(
    ("path", "down"),
    [
        (
            "",
            lambda seen: (
                answer(422, status="error", errorType="execution", error="store down")
                if said(seen).get("partial_response") == "false"
                else counts(seen, warnings=["store down"])
            ),
        ),
        (
            "/select/7/prometheus",
            lambda seen: (
                answer(422, status="error", errorType="422", error="store down")
                if said(seen).get("deny_partial_response") == "1"
                else counts(seen, isPartial=True)
            ),
        ),
    ],
    ids=["Thanos", "the cluster of VictoriaMetrics"],
)
def test_a_part_is_refused_by_the_server_itself(server: Server, path: str, down: Callable[[Seen], Reply]) -> None:
    """While a store of it is down nothing is told; afterwards all is, of every slice."""
    server.on(path + RANGE, down)
    with connected(SOURCE, config(server, path)) as meter:
        with pytest.raises(Unexpected, match=r"422 .*store down"):
            read(meter)
        server.on(path + RANGE, counts)
        assert read(meter) == [(92.0, 8.0), (92.0, 8.0)]


def test_a_part_that_comes_after_all_is_none(server: Server) -> None:
    """Of a server, or a cache before it, that does not look at what it is asked for."""
    server.on(RANGE, lambda seen: counts(seen, infos=["one of two stores did not answer"]))
    with connected(SOURCE, config(server)) as meter:
        with pytest.raises(Unreachable, match="may not be whole: one of two stores did not answer"):
            read(meter)
        assert meter.outcomes == ["ok", "ok"]


def test_a_proxy_that_lets_only_get_pass_is_found_out_once(server: Server) -> None:
    """NGINX's `limit_except GET { deny all; }` answers 403 to a form, and the address is open."""
    long = f'increase(r{{a=~"{"b|" * 1_500}"}}[{{{{window}}}}])'
    server.on(RANGE, lambda seen: Reply(403) if seen.method == "POST" else counts(seen))
    with connected(SOURCE, config(server, slis=[{**SLI, "total": long}])) as meter:
        reader = meter.stream("sli/web")
        for minutes in (1, 6):
            reader.run(now=NOON + timedelta(minutes=minutes), since=timedelta(minutes=11))
        assert [fact.good for fact in reader.events.values() if isinstance(fact, SliCount)] == [92.0] * 4
    assert [seen.method for seen in server.seen].count("POST") == 1
    assert said(server.seen[0])["timeout"] == "27000ms"
