"""Gateways and mesh: what fails on the way between services and into them, whose it is, and what has fallen silent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from platform_meter.model.catalogue.traffic import MESH_MEMBERS, MESH_MTLS
from platform_meter.model.facts import Tallied
from platform_meter.model.facts.instances import REPORTED, Instances
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import GatewayRequests, MeshMember, MeshRequests
from platform_meter.model.metric import UNOWNED
from platform_meter.model.objective import StoredSli
from platform_meter.web.bounds import ENOUGH, failed_words
from platform_meter.web.charts import Chart, Series
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.pages.gateways.ends import End, ends
from platform_meter.web.pages.gateways.one import detail
from platform_meter.web.pages.gateways.traffic import Gateway, Mesh, Traffic, by_mesh, daily, gateways, lines, missing
from platform_meter.web.related import DAY, DAYS, Group, groups, known, slos
from platform_meter.web.view import Tile, View, sentence, span, whole

SHOWN = 10
"""Rows of a table, at most."""
ENDS = 30
"""Endpoints shown, at most."""
LINES = 8
"""In one chart, at most: each has a colour of its own."""
MESH = frozenset({"mesh_requests", "mesh_latency", REPORTED.word})
GATEWAY = """
sources:
  kong:
    type: kong
    url: https://kong-admin.acme.example:8444
"""
A_MESH = """
sources:
  istio-prod:
    type: istio
    cluster: prod
    context: prod
    prometheus: {url: "https://prometheus.acme.example"}
"""
LISTENER = """
sources:
  prometheus:
    type: prometheus
    url: https://prometheus.acme.example
    instances:
      - kind: gateway
        cluster: eu
        group: kong
        heard: process_start_time_seconds{job="kong"}
        expected: 3
"""
PROBES = """
sources:
  probes:
    type: probes
    targets:
      - {name: portal, url: "https://portal.acme.example/healthz"}
"""


def page(view: View) -> Mapping[str, Any]:
    """All of them."""
    found, meshes = gateways(view, DAY), _meshes(view)
    flows, listening, probed = by_mesh(view, DAY), groups(view), ends(view, DAY)
    counted = [(g.name, "", g.traffic) for g in found if g.traffic is not None]
    return {
        "tiles": _tiles(view, found, flows, listening, probed),
        "gateways": [(g, missing(view, g)) for g in found],
        "no_gateways": view.lacking(GatewayRequests) or "no route and no request is known yet",
        "late": view.lacking(GatewayRequests),
        "failing": lines(view, counted, most=SHOWN),
        "nothing": "No request failed in 24 hours."
        if counted
        else sentence(view.lacking(GatewayRequests) or "nothing was counted"),
        "charts": [_by_gateway(view), _by_mesh(view)],
        "meshes": [(mesh, meshes.get(mesh, {}), flows.get(mesh)) for mesh in sorted({*meshes, *flows})],
        "no_meshes": view.lacking(MeshMember) or view.lacking(MeshRequests) or "nothing is known of any yet",
        "late_mesh": view.lacking(MeshRequests) or view.lacking(MeshMember),
        "services": lines(view, ((m.cluster, m.mesh, told) for m, told in flows.items()), most=SHOWN, bad=False),
        "seconds": DAY.total_seconds(),
        "slos": slos(view, _of_mesh),
        "groups": listening,
        "no_groups": view.lacking(Instances) or "no instances are expected",
        "ends": probed[:ENDS],
        "more_ends": max(0, len(probed) - ENDS),
        "no_ends": view.lacking(ProbeCheck) or "nothing was probed yet",
        "known": known(view),
        "fine": failed_words,
        "examples": {"gateway": GATEWAY, "mesh": A_MESH, "instances": LISTENER, "probes": PROBES},
        "shown": SHOWN,
        "unowned": UNOWNED,
    }


def _of_mesh(sli: StoredSli) -> bool | None:
    return True if sli.events.word in MESH else None


def _meshes(view: View) -> dict[Mesh, dict[str, float]]:
    """Members by state and the share of mutual TLS, as of `/metrics`."""
    found = defaultdict[Mesh, dict[str, float]](dict)
    for labels, value in view.get(MESH_MEMBERS):
        found[Mesh(labels["mesh"], labels["cluster"])][labels["state"]] = value
    for labels, value in view.get(MESH_MTLS):
        found[Mesh(labels["mesh"], labels["cluster"])]["mutual"] = value
    return found


def _tiles(
    view: View,
    found: Sequence[Gateway],
    flows: Mapping[Mesh, Traffic],
    listening: Sequence[Group],
    probed: Sequence[End],
) -> list[Tile]:
    told = [g for g in listening if g.silent is not None]
    silent = sum(g.silent or 0 for g in told)
    first = next((end for end in probed if end.left is not None), None)
    return [
        _failed(
            "Failed through gateways", [g.traffic for g in found if g.traffic], view.lacking(GatewayRequests), "#fails"
        ),
        _failed("Failed in the mesh", list(flows.values()), view.lacking(MeshRequests), "#mesh"),
        Tile(
            name="Silent instances",
            value=whole(silent if told else None),
            more=f"of {whole(sum(g.expected or 0 for g in told))} expected"
            if told
            else view.lacking(Instances) or "none is expected",
            level="bad" if silent else "",
            href="#instances",
        ),
        Tile(
            name="Next certificate ends",
            value="–"
            if first is None or first.left is None
            else f"in {span(first.left)}"
            if first.left > 0
            else "ended",
            more=first.target if first else "no endpoint with one is probed",
            level=first.level if first else "",
            href="#probes",
        ),
    ]


def _failed(name: str, told: Sequence[Traffic], lacking: str, href: str) -> Tile:
    requests, bad = sum(t.all.requests for t in told), sum(t.all.bad for t in told)
    return Tile(
        name=name,
        value=failed_words(bad / requests if requests >= ENOUGH else None),
        more=f"{whole(bad)} of {whole(requests)} requests in 24 h" if requests else lacking or "no request in 24 h",
        href=href,
    )


def _by_gateway(view: View) -> Chart:
    return _good(view, GatewayRequests, lambda _type, dim: str(dim.gateway), "Requests that gateways answered well")


def _by_mesh(view: View) -> Chart:
    return _good(
        view, MeshRequests, lambda type_, dim: f"{type_} {dim.cluster}", "Requests that were answered well in the mesh"
    )


def _good(view: View, kind: type[Tallied[Any]], of: Callable[[str, Any], str], title: str) -> Chart:
    """Of those with most requests, the share by day."""
    days = view.days(DAYS)
    types = {s.instance: s.type for s in view.history.sources(kind)}
    found = defaultdict[str, list[list[float]]](lambda: [[0.0, 0.0] for _ in days])
    for told in daily(view, kind, types):
        place = (told.day - days[0]).days
        found[of(types[told.source], told.dim)][place][told.dim.verdict is Verdict.BAD] += told.amount
    busiest = sorted(found, key=lambda name: (-sum(map(sum, found[name])), name))
    left = f" The {LINES} with most requests." if len(busiest) > LINES else ""
    return Chart(
        title=title,
        caption=f"Share by day; what clients gave up or got wrong is left out.{left} The last day is not over, and the axis does not begin at 0.",
        labels=tuple(f"{d:%d %b}" for d in days),
        series=tuple(
            Series(name=name, values=tuple(g / (g + b) if g + b else None for g, b in found[name]))
            for name in sorted(busiest[:LINES])
        ),
        percent=True,
        zoom=True,
        running=True,
        digits=3,
        absence=f"No data: {view.lacking(kind) or 'no request was counted'}.",
    )


PAGE = WebPage(
    path="/gateways",
    title="Gateways and mesh",
    place=6,
    template="gateways/gateways.html",
    fill=page,
    detail=Detail(template="gateways/gateway.html", fill=detail),
)
