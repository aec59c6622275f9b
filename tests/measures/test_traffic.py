"""Measures of meshes and gateways."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.history import NOBODY, MemoryHistory, owner, source
from tests.support.stores import open_at, put

from platform_meter.measures import traffic
from platform_meter.model.catalogue.traffic import (
    GATEWAY_REQUESTS,
    GATEWAY_ROUTES,
    MESH_MEMBERS,
    MESH_MTLS,
    MESH_REQUESTS,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.traffic import (
    GatewayLatency,
    GatewayRequests,
    MemberState,
    MeshLatency,
    MeshMember,
    MeshRequests,
    MeshSecurity,
    Route,
)
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Counting, Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.testing.measures import adds_up, measures_held_to_contract

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MESH, EDGE = source("mesh-eu", "istio", watermark=NOW), source("edge", "kong", watermark=NOW)
PAY = owner("pay", "team-pay")
SERVICE = Ref(system="istio", kind="service", id="eu/pay/api")
ROUTE = Ref(system="kong", kind="route", id="edge/pay")
Told = tuple[str, Owner, Fact]


def scene(told: Sequence[Told], *sources: SourceState) -> Scene:
    return Scene(history=MemoryHistory(told, sources=sources or (MESH, EDGE)), definitions=Definitions(), now=NOW)


def member(name: str, state: MemberState, cluster: str = "eu", instance: str = "mesh-eu") -> Told:
    about = Ref(system="kubernetes", kind="workload", id=f"{cluster}/pay/deployment/{name}")
    return (instance, NOBODY, MeshMember(about=about, cluster=cluster, state=state))


def secured(key: str, mutual: float, plain: float, at: datetime = NOW - HOUR, instance: str = "mesh-eu") -> Told:
    return (instance, NOBODY, MeshSecurity(key=key, at=at, about=SERVICE, cluster="eu", mutual=mutual, plain=plain))


def routed(name: str, whose: Owner, instance: str = "edge", gateway: str = "edge") -> Told:
    return (instance, whose, Route(about=Ref(system="kong", kind="route", id=f"{gateway}/{name}"), gateway=gateway))


def test_they_keep_the_contract_of_measures() -> None:
    """Each metric is declared once and measured once."""
    measures_held_to_contract(traffic.MEASURES)


def test_requests_are_counted_as_many_as_they_were() -> None:
    """By mesh or gateway, owner and result; what was never bad stands at 0."""
    meshed = MeshRequests(key="1", at=NOW, about=SERVICE, cluster="eu", good=40.5, bad=0.0)
    through = GatewayRequests(key="1", at=NOW, about=ROUTE, gateway="public", good=7.0, bad=2.0)
    found = [
        *traffic.count_mesh_requests(meshed, PAY, MESH),
        *traffic.count_gateway_requests(through, PAY, EDGE),
    ]
    assert [(i.metric, i.labels, i.amount) for i in found] == [
        (MESH_REQUESTS, ("istio", "team-pay", "good"), 40.5),
        (MESH_REQUESTS, ("istio", "team-pay", "bad"), 0.0),
        (GATEWAY_REQUESTS, ("public", "team-pay", "good"), 7.0),
        (GATEWAY_REQUESTS, ("public", "team-pay", "bad"), 2.0),
    ]


def test_durations_are_counted_all_at_once(tmp_path: Path) -> None:
    """By mesh or gateway, under the bounds they were counted by, and with their sum; seen in the store."""
    within = {"0.1": 9.5, "+Inf": 1.5}
    countings = [one for one in traffic.MEASURES.standing if isinstance(one, Counting)]
    store = open_at(f"sqlite:///{tmp_path / 'meter.db'}", countings=countings)
    for n in range(2):
        at = NOW + timedelta(minutes=n)
        meshed = MeshLatency(key=f"{n}", at=at, about=SERVICE, cluster="eu", within=within, seconds=20.25)
        through = GatewayLatency(key=f"{n}", at=at, about=ROUTE, gateway="public", within=within, seconds=3.0)
        put(store, [meshed, through], at)
    found = {(row.metric, row.labels): (row.buckets, row.sum) for row in store.counters() if row.buckets}
    store.close()
    buckets = (0, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 3)
    assert found == {
        ("platform_mesh_request_duration_seconds", ("github",)): (buckets, 40.5),
        ("platform_gateway_request_duration_seconds", ("public",)): (buckets, 6.0),
    }


def test_every_mesh_shows_every_state_of_its_workloads() -> None:
    """0 where none is; one that two sources tell of is one; clusters of a stale source are absent."""
    told = [
        member("a", MemberState.IN_MESH),
        member("b", MemberState.IN_MESH),
        member("c", MemberState.EXEMPT),
        member("a", MemberState.IN_MESH, instance="again"),
        member("d", MemberState.OUTSIDE, cluster="us", instance="linked"),
        member("e", MemberState.OUTSIDE, cluster="ap", instance="stale"),
    ]
    sources = (
        MESH,
        source("again", "istio", watermark=NOW),
        source("linked", "linkerd", watermark=NOW),
        source("stale", "istio", watermark=NOW, fresh=False),
    )
    adds_up(traffic.MEMBERS, scene(told, *sources))
    found = [(s.metric, s.labels, resolve(s.value)) for s in traffic.MEMBERS.compute(scene(told, *sources))]
    assert found == [
        (MESH_MEMBERS, ("istio", "eu", "exempt"), 1.0),
        (MESH_MEMBERS, ("istio", "eu", "in_mesh"), 2.0),
        (MESH_MEMBERS, ("istio", "eu", "outside"), 0.0),
        (MESH_MEMBERS, ("linkerd", "us", "exempt"), 0.0),
        (MESH_MEMBERS, ("linkerd", "us", "in_mesh"), 0.0),
        (MESH_MEMBERS, ("linkerd", "us", "outside"), 1.0),
    ]


def shares(told: Sequence[Told], *sources: SourceState) -> dict[tuple[str, ...], float | None]:
    (gauge,) = (m for m in traffic.MEASURES.standing if isinstance(m, Gauging) and MESH_MTLS in m.metrics)
    adds_up(gauge, scene(told, *sources))
    found = list(gauge.compute(scene(told, *sources)))
    assert all(s.metric is MESH_MTLS for s in found)
    return {s.labels: resolve(s.value) for s in found}


def test_the_share_of_mutual_tls_is_that_of_24_hours() -> None:
    """Of all requests, not of services; what is older is left out, and what comes after the last whole poll."""
    told = [
        secured("1", 90.0, 0.0),
        secured("2", 0.0, 30.0, at=NOW - 24 * HOUR),
        secured("3", 0.0, 500.0, at=NOW - 24 * HOUR - timedelta(milliseconds=1)),
        secured("4", 0.0, 500.0, at=NOW),
    ]
    assert shares(told) == {("istio", "eu"): 0.75}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([secured("1", 4.0, 0.0)], None),
        ([secured("1", 4.0, 0.0), secured("2", 1.0, 0.0)], 1.0),
        ([secured("1", 0.0, 0.0)], None),
        ([secured("1", 0.0, 5.0)], 0.0),
    ],
    ids=["too few", "enough", "none", "all plain"],
)
def test_a_share_of_too_few_requests_is_absent(told: list[Told], expected: float | None) -> None:
    """Never 0 where nothing was asked; 0 where all came without."""
    assert shares(told) == {("istio", "eu"): expected}


def test_the_share_of_a_stale_source_is_absent() -> None:
    """Nobody knows what came since."""
    told = [secured("1", 90.0, 0.0)]
    assert shares(told, source("mesh-eu", "istio", watermark=NOW, fresh=False)) == {}
    assert shares(told, source("mesh-eu", "istio", watermark=None)) == {}


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)), min_size=1, max_size=8))
def test_the_share_is_between_none_and_all(told: list[tuple[int, int]]) -> None:
    """Whatever came in whatever order: mutual requests of all requests."""
    facts = [secured(f"{n}", float(mutual), float(plain)) for n, (mutual, plain) in enumerate(told)]
    (share,) = shares(facts).values()
    mutual, every = sum(m for m, _ in told), sum(m + p for m, p in told)
    assert (share is None) is (every < 5)
    assert share is None or share * every == pytest.approx(mutual)
    assert shares(facts[::-1]) == shares(facts)


def test_routes_are_counted_by_gateway_and_owner() -> None:
    """One that two sources tell of is one; what nobody owns is told so; a stale source's are absent."""
    told = [
        routed("a", PAY),
        routed("b", PAY),
        routed("c", NOBODY),
        routed("a", PAY, instance="replica"),
        routed("d", PAY, gateway="inner"),
        routed("e", PAY, instance="stale", gateway="old"),
    ]
    sources = (EDGE, source("replica", "kong", watermark=NOW), source("stale", "kong", watermark=NOW, fresh=False))
    found = [(s.metric, s.labels, resolve(s.value)) for s in traffic.ROUTES.compute(scene(told, *sources))]
    assert found == [
        (GATEWAY_ROUTES, ("edge", "_unowned"), 1.0),
        (GATEWAY_ROUTES, ("edge", "team-pay"), 2.0),
        (GATEWAY_ROUTES, ("inner", "team-pay"), 1.0),
    ]
