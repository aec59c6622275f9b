"""The pages of gateways and meshes: all of them, and each gateway by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import objective
from tests.support.views import examples, html, rows, site, tables, view
from werkzeug.test import Client

from platform_meter import sources
from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.probes import PROBE_CERTIFICATE_EXPIRY
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_SLI
from platform_meter.model.catalogue.traffic import MESH_MEMBERS, MESH_MTLS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.instances import REPORTED, InstanceKind, Instances
from platform_meter.model.facts.probes import PROBE_CHECKS, ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.facts.traffic import (
    GATEWAY_REQUESTS,
    MESH_LATENCY,
    Consumer,
    GatewayLatency,
    GatewayRequests,
    MeshLatency,
    MeshMember,
    MeshRequests,
    Plugin,
    Route,
)
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.metric import UNOWNED
from platform_meter.runtime.files.config import load_config
from platform_meter.web.app import make_app
from platform_meter.web.pages.gateways import page
from platform_meter.web.pages.gateways.one import detail
from platform_meter.web.view import Tile, View

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
NOBODY = Owner(service=UNOWNED, team=UNOWNED, rule="6")
Told = tuple[str, Owner, Fact]
GIVES: Mapping[str, frozenset[type[Fact]]] = {
    "kong": frozenset({Route, Consumer, Plugin, GatewayRequests, GatewayLatency}),
    "nginx": frozenset({Route, GatewayRequests, GatewayLatency}),
    "istio": frozenset({MeshRequests, MeshLatency, MeshMember}),
    "linkerd": frozenset({MeshRequests, MeshLatency, MeshMember}),
    "prom": frozenset({Instances}),
    "probes": frozenset({ProbeCheck, ServedCertificate}),
}
SOURCES = tuple(source(name, watermark=NOW) for name in GIVES)


def route(name: str, team: str = "pay", gateway: str = "kong") -> Told:
    about = Ref(system=gateway, kind="route", id=f"{gateway}/{name}")
    return gateway, owner(team) if team else NOBODY, Route(about=about, gateway=gateway)


def requests(
    good: float, bad: float, name: str = "pay", team: str = "pay", *, gateway: str = "kong", hours: float = 1
) -> Told:
    """What a route answered until so long ago."""
    at, about = NOW - timedelta(hours=hours), Ref(system=gateway, kind="route", id=f"{gateway}/{name}")
    fact = GatewayRequests(key=f"{name}/{hours}", at=at, about=about, gateway=gateway, good=good, bad=bad)
    return gateway, owner(team) if team else NOBODY, fact


def took(within: Mapping[str, float], name: str = "pay", team: str = "pay", gateway: str = "kong") -> Told:
    about = Ref(system=gateway, kind="route", id=f"{gateway}/{name}")
    fact = GatewayLatency(
        key=f"l{name}", at=NOW - timedelta(hours=1), about=about, gateway=gateway, within=within, seconds=1.0
    )
    return gateway, owner(team), fact


def service(name: str) -> Ref:
    return Ref(system="istio", kind="service", id=f"eu/{name}")


def meshed(good: float, bad: float, name: str, team: str, *, mesh: str = "istio", hours: float = 1) -> Told:
    at = NOW - timedelta(hours=hours)
    fact = MeshRequests(key=f"{name}/{hours}", at=at, about=service(name), cluster="eu", good=good, bad=bad)
    return mesh, owner(team), fact


def mesh_took(within: Mapping[str, float], name: str, team: str) -> Told:
    at = NOW - timedelta(hours=1)
    fact = MeshLatency(key=f"l{name}", at=at, about=service(name), cluster="eu", within=within, seconds=1.0)
    return "istio", owner(team), fact


def consumer(name: str) -> Told:
    return "kong", NOBODY, Consumer(about=Ref(system="kong", kind="consumer", id=f"kong/{name}"), gateway="kong")


def plugin(on: str, kind: str) -> Told:
    about = Ref(system="kong", kind="plugin", id=f"kong/{on}/{kind}")
    return "kong", NOBODY, Plugin(about=about, gateway="kong", plugin=kind)


def group(kind: InstanceKind, expected: int | None, reporting: int | None) -> Told:
    about = Ref(system="prometheus", kind="instances", id=f"eu/{kind}/all")
    fact = Instances(about=about, cluster="eu", instance_kind=kind, group="all", expected=expected, reporting=reporting)
    return "prom", NOBODY, fact


def probe(target: str, result: ProbeResult, minutes: float) -> Told:
    at, about = NOW - timedelta(minutes=minutes), Ref(system="probes", kind="endpoint", id=target)
    fact = ProbeCheck(key=f"{target}/{minutes}", at=at, about=about, target=target, result=result, seconds=0.1)
    return "probes", NOBODY, fact


def seen(told: Sequence[Told], *, sources: Sequence[SourceState] = SOURCES, **more: Any) -> View:
    return view(NOW, MemoryHistory(told, sources=sources, gives=GIVES), **more)


def tile(made: Mapping[str, Any] | None, name: str) -> Tile:
    assert made is not None
    found: Tile = next(t for t in made["tiles"] if t.name == name)
    return found


def late(*names: str) -> list[SourceState]:
    return [replace(s, fresh=s.instance not in names) for s in SOURCES]


TRAFFIC = [
    route("pay"),
    route("cart", "shop"),
    route("old", ""),
    route("web", "web", "nginx"),
    requests(90.0, 10.0),
    requests(4990.0, 10.0, "cart", "shop"),
    requests(50.0, 50.0, hours=25),
    requests(8.0, 0.0, "web", "web", gateway="nginx"),
    took({"0.1": 50.0, "0.25": 45.0, "2.5": 5.0}),
    took({"0.025": 4900.0}, "cart", "shop"),
    consumer("app"),
    consumer("batch"),
    plugin("pay", "rate-limiting"),
    plugin("cart", "rate-limiting"),
    plugin("pay", "jwt"),
]


def test_each_gateway_has_a_line() -> None:
    """Requests of a day, the share that failed, durations at bounds, routes with and without owner, consumers."""
    found = seen(TRAFFIC)
    assert tables(found, "/gateways")["Gateways"].rows == (
        ("kong", "5,100", "0.392 %", "25 ms", "25 ms", "3", "1", "2"),
        ("nginx", "8", "0.0 %", "–", "–", "1", "0", "–"),
    )
    assert '<a href="/gateways/kong">' in html(found, "/gateways")
    made = tile(page(found), "Failed through gateways")
    assert (made.value, made.more, made.level) == ("0.392 %", "20 of 5,108 requests in 24 h", "")


def test_what_fails_is_told_in_words() -> None:
    """Which route, whose, how many of how many; those with most first, and none that did not fail."""
    found = tables(seen([*TRAFFIC, requests(2.0, 1.0, "old", "")]), "/gateways")
    assert found["Gateways / What fails"].rows == (
        ("cart", "10 of 5,000 failed, 0.200 %", "shop", "kong", "25 ms"),
        ("pay", "10 of 100 failed, 10.0 %", "pay", "kong", "250 ms"),
        ("old", "1 of 3 failed", "nobody's", "kong", "–"),
    )
    well = tables(seen([route("pay"), requests(10.0, 0.0)]), "/gateways")
    assert well["Gateways / What fails"].rows == (("No request failed in 24 hours.",),)


def test_one_gateway_by_itself() -> None:
    """Its own tiles, failures, owners and plugins; nothing of the others."""
    found = seen(TRAFFIC)
    made = detail(found, "kong")
    assert [(t.value, t.more) for t in (made or {})["tiles"]] == [
        ("5,100", ""),
        ("0.392 %", "20 of them"),
        ("25 ms", "half within 25 ms"),
        ("3", "1 without an owner"),
        ("2", ""),
    ]
    shown = tables(found, "/gateways/kong")
    assert shown["What fails"].rows == (
        ("cart", "10 of 5,000 failed, 0.200 %", "shop", "25 ms", "25 ms"),
        ("pay", "10 of 100 failed, 10.0 %", "pay", "100 ms", "250 ms"),
    )
    assert shown["Whose routes"].rows == (
        ("pay", "1", "100", "10"),
        ("shop", "1", "5,000", "10"),
        ("nobody's", "1", "0", "0"),
    )
    assert shown["The last 28 days / Plugins"].rows == (("rate-limiting", "2"), ("jwt", "1"))
    assert shown["The last 28 days / Requests by day"].rows[-2:] == (("09 Jun", "50", "50"), ("10 Jun", "20", "5,080"))
    other = tables(seen(TRAFFIC), "/gateways/nginx")
    assert other["What fails"].rows == (("No request failed in 24 hours.",),)
    assert other["The last 28 days / Plugins"].rows == (("No source tells its plugins.",),)
    assert Client(make_app(site(found))).get("/gateways/other").status_code == 404


def test_a_gateway_whose_source_is_late_keeps_its_name_alone() -> None:
    """Dashes with the reason, and the others go on; its sums leave it out."""
    found = seen(TRAFFIC, sources=late("kong"))
    assert tables(found, "/gateways")["Gateways"].rows == (
        ("kong no fresh data from kong", "–", "–", "–", "–", "–", "–", "–"),
        ("nginx", "8", "0.0 %", "–", "–", "1", "0", "–"),
    )
    assert "Not all is current: no fresh data from kong." in html(found, "/gateways")
    shown = tables(found, "/gateways/kong")
    assert {t.value for t in (detail(found, "kong") or {})["tiles"]} == {"–"}
    assert shown["What fails"].rows == (("No fresh data from kong.",),)
    assert "No data: no fresh data from kong." in html(found, "/gateways/kong")


def test_one_source_may_tell_of_two_gateways() -> None:
    """Each has its own requests, on its page and in its chart."""
    told = [requests(70.0, 7.0, gateway="kong"), requests(50.0, 0.0, "b", gateway="kong", hours=2)]
    where, whose, other = told[1]
    assert isinstance(other, GatewayRequests)
    found = seen([told[0], (where, whose, replace(other, gateway="edge"))])
    assert [row[:2] for row in tables(found, "/gateways")["Gateways"].rows] == [("edge", "50"), ("kong", "77")]
    charts = [
        tables(found, f"/gateways/{name}")["The last 28 days / Requests by day"].rows[-1] for name in ("edge", "kong")
    ]
    assert charts == [("10 Jun", "0", "50"), ("10 Jun", "7", "70")]


def test_nothing_is_counted_before_the_second_look() -> None:
    """A counter that was read once tells no requests, and that is not 0; one that was read twice tells that there were none."""
    once = [source("kong", watermark=NOW, since=NOW), source("nginx", watermark=NOW, since=NOW - timedelta(minutes=1))]
    found = seen([route("pay"), route("web", "web", "nginx")], sources=once)
    assert [row[:3] for row in tables(found, "/gateways")["Gateways"].rows] == [("kong", "–", "–"), ("nginx", "0", "–")]
    assert detail(found, "kong") is not None


MESHED = [
    meshed(9_000.0, 1_000.0, "shop/cart", "shop"),
    meshed(99.0, 1.0, "pay/api", "pay"),
    meshed(76_300.0, 0.0, "web/front", "web"),
    meshed(1.0, 99.0, "pay/api", "pay", hours=26),
    mesh_took({"0.05": 95.0, "1": 5.0}, "pay/api", "pay"),
    mesh_took({"0.25": 10.0}, "shop/cart", "shop"),
]


def test_each_mesh_has_a_line_and_its_worst_services() -> None:
    """Members, mutual TLS, and what services answered; those with most failures first, then the busiest."""
    now = rows(
        *[(MESH_MEMBERS, ("istio", "eu", s), n) for s, n in (("in_mesh", 40.0), ("outside", 2.0), ("exempt", 1.0))],
        (MESH_MTLS, ("istio", "eu"), 0.985),
        (CLUSTER_NODES, ("eu", "ready"), 3.0),
        (MESH_MEMBERS, ("linkerd", "us", "in_mesh"), 7.0),
    )
    found = seen(MESHED, rows=now)
    shown = tables(found, "/gateways")
    assert shown["Meshes"].rows == (
        ("istio", "eu", "40", "2", "1", "98.5 %", "86,400", "1.2 %", "250 ms"),
        ("linkerd", "us", "7", "–", "–", "–", "–", "–", "–"),
    )
    assert shown["Meshes / Services with most failures"].rows == (
        ("shop/cart", "1,000 of 10,000 failed, 10.0 %", "shop", "istio, eu", "0.12", "250 ms", "250 ms"),
        ("pay/api", "1 of 100 failed, 1.0 %", "pay", "istio, eu", "0.00", "50 ms", "50 ms"),
        ("web/front", "0 of 76,300 failed", "web", "istio, eu", "0.88", "–", "–"),
    )
    text = html(found, "/gateways")
    assert '<a href="/clusters/eu">eu</a>' in text
    assert "/clusters/us" not in text  # it has no page


def test_the_last_four_weeks_by_gateway_and_mesh() -> None:
    """The share answered well on each day; one without requests has none."""
    shown = tables(seen([*TRAFFIC, *MESHED]), "/gateways")
    gateways = shown["The last 28 days / Requests that gateways answered well"]
    assert gateways.columns == ("", "kong", "nginx")
    assert gateways.rows[-3:] == (
        ("08 Jun", "–", "–"),
        ("09 Jun", "50.000 %", "–"),
        ("10 Jun", "99.608 %", "100.000 %"),
    )
    mesh = shown["The last 28 days / Requests that were answered well in the mesh"]
    assert mesh.rows[-2:] == (("09 Jun", "1.000 %"), ("10 Jun", "98.841 %"))


def test_a_chart_has_no_more_lines_than_colours() -> None:
    """The eight busiest, and it says so."""
    sources = [source(f"g{n}", "nginx", watermark=NOW) for n in range(10)]
    told = [requests(10.0 + n, 0.0, gateway=f"g{n}") for n in range(10)]
    found = seen(told, sources=sources)
    columns = tables(found, "/gateways")["The last 28 days / Requests that gateways answered well"].columns
    assert columns == ("", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9")
    assert "The 8 with most requests." in html(found, "/gateways")


def test_instances_by_kind() -> None:
    """Silent ones first; where it is not known how many are expected there is no number."""
    told = [group(InstanceKind.GATEWAY, 3, 3), group(InstanceKind.PROXY, 40, 38), group(InstanceKind.AGENT, None, 5)]
    found = seen(told)
    assert tables(found, "/gateways")["Instances that should report"].rows == (
        ("proxy", "all", "eu", "40", "38", "2", ""),
        ("agent", "all", "eu", "–", "5", "–", "not known how many are expected"),
        ("gateway", "all", "eu", "3", "3", "0", ""),
    )
    made = tile(page(found), "Silent instances")
    assert (made.value, made.more, made.level) == ("2", "of 43 expected", "bad")
    gone = tables(seen(told, sources=late("prom")), "/gateways")["Instances that should report"].rows
    assert gone[0] == ("agent", "all", "eu", "–", "–", "–", "no fresh data from prom")


def test_certificates_that_end_soonest_stand_first() -> None:
    """Then endpoints without one by what they failed; each with the SLO that counts it."""
    told = [probe("portal", ProbeResult.OK, n) for n in range(1, 9)] + [probe("portal", ProbeResult.TIMEOUT, 9)]
    told += [probe("tcp", ProbeResult.ERROR, n) for n in range(1, 4)] + [probe("plain", ProbeResult.OK, 1)]
    ends = {"portal": 40, "registry": 3, "old": -1}
    now = rows(
        *((PROBE_CERTIFICATE_EXPIRY, (name,), (NOW + timedelta(days=n)).timestamp()) for name, n in ends.items())
    )
    slos = (objective(PROBE_CHECKS, "0.999", slo="portal-up", where={"target": "portal"}),)
    found = seen(told, rows=now, definitions=Definitions(objectives=slos))
    assert tables(found, "/gateways")["Probes and certificates"].rows == (
        ("old", "09 Jun 2026 12:00", "ended", "–", "–", ""),
        ("registry", "13 Jun 2026 12:00", "3.0 d", "–", "–", ""),
        ("portal", "20 Jul 2026 12:00", "40.0 d", "88.9 %", "1", "portal-up"),
        ("tcp", "–", "–", "–", "3", ""),
        ("plain", "–", "–", "–", "0", ""),
    )
    made = tile(page(found), "Next certificate ends")
    assert (made.value, made.more, made.level) == ("ended", "old", "bad")
    assert '<a href="/slos/portal-up">portal-up</a>' in html(found, "/gateways")


@pytest.mark.parametrize(("days", "level"), [(30, ""), (29.9, "warn"), (7, "warn"), (6.9, "bad"), (-1, "bad")])
def test_a_certificate_is_coloured_in_time(days: float, level: str) -> None:
    """Within 30 days, and worse within 7."""
    end = (NOW + timedelta(days=days)).timestamp()
    found = page(seen([], rows=rows((PROBE_CERTIFICATE_EXPIRY, ("x",), end))))
    assert [end.level for end in found["ends"]] == [level]


def test_slos_are_linked() -> None:
    """Those of meshes and of instances on the page of all, those of one gateway on its own."""
    made = (
        objective(MESH_LATENCY, "0.99", slo="mesh-fast", where={"cluster": "eu"}, threshold=0.25),
        objective(REPORTED, "0.999", slo="kong-reports", where={"kind": "gateway"}),
        objective(GATEWAY_REQUESTS, "0.999", slo="kong-well", where={"gateway": "kong"}),
        objective(GATEWAY_REQUESTS, "0.995", slo="all-well"),
        objective(GATEWAY_REQUESTS, "0.999", slo="nginx-well", where={"gateway": "nginx"}),
    )
    now = rows((SLO_SLI, ("kong-well", "28d"), 0.99951), (SLO_BUDGET_REMAINING, ("kong-well", "28d"), 0.51))
    found = seen(TRAFFIC, rows=now, definitions=Definitions(objectives=made))
    assert [row[0] for row in tables(found, "/gateways")["SLOs of meshes and instances"].rows] == [
        "kong-reports",
        "mesh-fast",
    ]
    assert tables(found, "/gateways/kong")["SLOs"].rows == (
        ("kong-well", "51.0 %", "99.951 %", "99.9 % in 28d", "gateway requests"),
        ("all-well", "–", "–", "99.5 % in 28d", "gateway requests of all, not of this alone"),
    )


def test_what_nobody_reads_is_never_0() -> None:
    """Dashes with a reason, and an example of what to configure for each."""
    empty = seen([], sources=[])
    text = html(empty, "/gateways")
    assert {t.value for t in page(empty)["tiles"]} == {"–"}
    for said in ("No gateway is read", "No mesh is read", "Nobody listens for instances", "Nothing is probed"):
        assert f"{said}: no configured source gives it." in text
    for type_ in ("kong", "istio", "prometheus", "probes"):
        assert f"type: {type_}" in text
    quiet = seen([route("pay")])
    assert tables(quiet, "/gateways")["Gateways"].rows == (("kong", "0", "–", "–", "–", "1", "0", "0"),)


def test_its_examples_can_be_copied() -> None:
    """Each is a whole configuration that the sources take."""
    known = {name: one.config for name, one in sources.load().items()}
    found = examples(seen([], sources=[]), "/gateways")
    assert len(found) == 4
    assert [load_config(text, "x.yaml", known).problems for text in found] == [()] * 4


def test_no_table_is_longer_than_its_bound() -> None:
    """Ten on the page of all, twenty on that of one, thirty endpoints."""
    told = [requests(1.0, 1.0 + n, f"r{n}", f"t{n}") for n in range(25)]
    told += [meshed(1.0, 1.0, f"a/s{n}", "pay") for n in range(12)]
    told += [probe(f"p{n}", ProbeResult.OK, 1) for n in range(34)]
    found = seen(told)
    shown, one = tables(found, "/gateways"), tables(found, "/gateways/kong")
    assert len(shown["Gateways / What fails"].rows) == 10
    assert len(shown["Meshes / Services with most failures"].rows) == 10
    assert len(shown["Probes and certificates"].rows) == 30
    assert "4 more; /metrics has them all." in html(found, "/gateways")
    assert (len(one["What fails"].rows), len(one["Whose routes"].rows)) == (20, 20)
