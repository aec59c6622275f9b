from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.demo.worlds import START, Caller, Clock, nowhere, small_world

from platform_meter.demo.apis.mesh import told
from platform_meter.demo.apis.mesh.routes import PrometheusApi
from platform_meter.demo.company.mesh import MEAN_SECONDS, Member, members, within
from platform_meter.demo.world import World

END = START - timedelta(minutes=30)
RANGE = {"start": str(END.timestamp() - 600), "end": str(END.timestamp()), "step": "300"}


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(), services=120)


def ask(world: World, query: str, cluster: str = "eu", **more: str) -> Any:
    api = Caller(PrometheusApi(world, cluster), {}, "")
    return api.get(f"/api/v1/query_range?{urlencode({'query': query, **RANGE, **more})}").json


def grown(by: str, selector: str, over: int = 300) -> str:
    """As sources of meshes ask it."""
    name = selector.partition("{")[0]
    x, then = selector, "offset 300s"
    new = f"({x} unless {x} {then}) and on (instance, job) {name}{{}} {then}"
    return f"sum by ({by}) ({new} or increase({x}[{over}s]) * 300 / {over})"


def first(world: World, cluster: str) -> Member:
    return next(members(world.company, world.scenario, cluster))


def of(told: Any, name: str, label: str) -> Iterator[Any]:
    return (row for row in told["data"]["result"] if row["metric"][label] == name)


@pytest.mark.parametrize(
    ("cluster", "selector", "service", "code"),
    [
        (
            "eu",
            'istio_requests_total{reporter=~"source", response_flags!~"(.*,)?DC(,.*)?"}',
            "destination_service_name",
            "response_code",
        ),
        ("us", 'response_total{direction=~"inbound", target_port!~"4191"}', "deployment", "status_code"),
    ],
)
def test_requests_by_what_was_answered(world: World, cluster: str, selector: str, service: str, code: str) -> None:
    """Each moment tells what grew in the five minutes before it, of those answered well, not found, and failed."""
    one = first(world, cluster)
    found = {
        row["metric"][code]: {at: float(value) for at, value in row["values"]}
        for row in of(ask(world, grown(f"{service}, {code}", selector), cluster), one.service.id, service)
    }
    assert set(found) == {"200", "404", "503"}
    for back in (0, 300, 600):
        end = END - timedelta(seconds=back)
        truth = one.between(end - timedelta(minutes=5), end)
        at = int(end.timestamp())
        assert {c: values[at] for c, values in found.items()} == pytest.approx(
            {"200": truth.good, "404": truth.missing, "503": truth.failed}, rel=1e-4
        )


def test_a_longer_range_is_scaled(world: World) -> None:
    """What grew in six minutes stands for five."""
    one = first(world, "eu")
    told = ask(world, grown("destination_service_name", 'istio_requests_total{reporter=~"source"}', over=360))
    (row,) = of(told, one.service.id, "destination_service_name")
    grew = one.between(END - timedelta(minutes=6), END)
    assert float(row["values"][-1][1]) == pytest.approx((grew.valid + grew.missing) * 5 / 6, rel=1e-6)


def test_durations(world: World) -> None:
    """Buckets hold the share of requests that took so long at most; the sum has their mean."""
    one = first(world, "eu")
    timed = 'istio_request_duration_milliseconds_{}{{reporter=~"source", response_code!~"4..|101"}}'
    grew = one.between(END - timedelta(minutes=5), END).valid
    buckets = {
        row["metric"]["le"]: float(row["values"][-1][1])
        for row in of(
            ask(world, grown("destination_service_name, le", timed.format("bucket"))),
            one.service.id,
            "destination_service_name",
        )
    }
    assert buckets["+Inf"] == pytest.approx(grew, rel=1e-6)
    assert buckets["250"] == pytest.approx(grew * within(0.25), rel=1e-6)
    (row,) = of(
        ask(world, grown("destination_service_name", timed.format("sum"))), one.service.id, "destination_service_name"
    )
    assert float(row["values"][-1][1]) == pytest.approx(grew * MEAN_SECONDS * 1_000, rel=1e-6)


@pytest.mark.parametrize(
    ("cluster", "selector", "label", "mutual"),
    [
        ("eu", 'istio_requests_total{reporter="destination"}', "connection_security_policy", "mutual_tls"),
        ("us", 'response_total{direction="inbound"}', "tls", "true"),
    ],
)
def test_mutual_tls(world: World, cluster: str, selector: str, label: str, mutual: str) -> None:
    """Of a member with plain callers, a tenth of all requests comes without."""
    service = "destination_service_name" if cluster == "eu" else "deployment"
    one = next(m for m in members(world.company, world.scenario, cluster) if m.plain)
    told = of(ask(world, grown(f"{service}, {label}", selector), cluster), one.service.id, service)
    found = {row["metric"][label]: float(row["values"][-1][1]) for row in told}
    assert found[mutual] / sum(found.values()) == pytest.approx(0.9, rel=1e-4)


def test_proxies_that_are_heard_from(world: World) -> None:
    """Those of all members, in each minute."""
    query = (
        "(count(count by (instance) (count_over_time(process_start_time_seconds[2m]))) or vector(0))"
        " and count(count_over_time(up[1m])) and count(count_over_time(up[1m] offset 1m))"
    )
    (row,) = ask(world, query)["data"]["result"]
    many = len(list(members(world.company, world.scenario, "eu")))
    assert [(at, value) for at, value in row["values"]] == [
        (int((END - timedelta(seconds=back)).timestamp()), f"{many:.6f}") for back in (600, 300, 0)
    ]


def test_one_moment(world: World) -> None:
    """Without one it is now; the answer is dated by the simulation's own clock."""
    api = Caller(PrometheusApi(world, "eu"), {}, "")
    query = grown("reporter", 'istio_requests_total{reporter="source"}')
    answer = api.get(f"/api/v1/query?{urlencode({'query': query})}")
    (row,) = answer.json["data"]["result"]
    assert answer.json["data"]["resultType"] == "vector"
    assert row["metric"] == {"reporter": "source"}
    assert datetime.fromtimestamp(row["value"][0], UTC) == START
    assert answer.headers["Date"] == "Wed, 20 May 2026 09:30:00 GMT"


@pytest.mark.parametrize(
    "query",
    ["up", grown("le", 'istio_requests_total{reporter="source"'), grown("le", "istio_requests_total{reporter}")],
)
def test_other_questions_are_refused(world: World, query: str) -> None:
    """As what can't be read, not with an empty answer."""
    assert ask(world, query)["errorType"] == "bad_data"


def test_what_is_measured() -> None:
    """The mesh and the proxies of each cluster."""
    world = small_world(Clock(), services=120)
    sources = told(world.company, nowhere(world.company).urls).sources
    assert set(sources) == {"istio-eu", "linkerd-us", "prometheus-eu", "prometheus-us"}
    assert sources["prometheus-us"]["instances"] == [
        {
            "kind": "proxy",
            "cluster": "us",
            "group": "linkerd",
            "heard": "process_start_time_seconds",
            "expected": len(list(members(world.company, world.scenario, "us"))),
        }
    ]
