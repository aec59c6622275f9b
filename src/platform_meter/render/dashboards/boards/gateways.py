"""Gateway and mesh, for SREs: are requests served and in time, who is in the mesh, what is silent, which certificate ends."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.instances import INSTANCES
from platform_meter.model.catalogue.probes import PROBE_CERTIFICATE_EXPIRY, PROBE_CHECKS, PROBE_DURATION
from platform_meter.model.catalogue.traffic import (
    GATEWAY_DURATION,
    GATEWAY_REQUESTS,
    GATEWAY_ROUTES,
    MESH_DURATION,
    MESH_MEMBERS,
    MESH_MTLS,
    MESH_REQUESTS,
)
from platform_meter.model.metric import Metric
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import Column, Grid, Query, Steps, bar_gauge, heatmap, lines, stat, table
from platform_meter.slo.plan import Plan

_GATEWAY, _MESH = 'gateway=~"$gateway"', 'mesh=~"$mesh"'
_TARGETS = 'target!~".+/readyz"'
"""Those of clusters have a dashboard of their own."""
_HOUR = "1h"
_DAY_SECONDS = 86_400
_GOOD: Steps = (("red", 0), ("orange", 0.995), ("green", 0.999))
_ENDS: Steps = (("red", 0), ("orange", 7 * _DAY_SECONDS), ("green", 14 * _DAY_SECONDS))
_SILENT: Steps = (("green", 0), ("red", 1))
_BY_GATEWAY = (
    "Good / (good + bad) as the gateway counts: bad is 5xx, errors of clients are left out. Requests count when they are "
    "read: what is judged by the time of the request is on the SLO dashboards."
)
_BY_MESH = (
    "Good / (good + bad) as the proxies count: bad is 5xx and no answer at all, errors of clients and what they gave up are "
    "left out. Requests count when they are read: what is judged by their time is on the SLO dashboards."
)
_GATEWAY_TIME = "from the first byte of a request to the end of its answer, what is behind the gateway with it"
_MESH_TIME = "of Istio until the whole answer is sent, of Linkerd until its first byte"
_INSTANCES = (
    "Instances that are expected: reporting are those heard from within two minutes, silent the others. Where of one group "
    "nothing is known now, its kind is absent in that cluster."
)
_MEMBERS = (
    "As they stand: in the mesh, outside of it, or exempt, which are those told to stay out, on the network of their host, "
    "or the cluster's own."
)
_CERTIFICATE = "Time until the end of the certificate that was served when it was last looked at, trusted or not"
_CHECKS = (
    "Checks that were answered as expected / all checks, our own or those of blackbox_exporter; clusters are left out."
)


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-gateways",
        title="Gateway and mesh",
        description="For SREs: are requests through gateways and between services served, and in time, whose are the bad "
        "ones, what is outside of the mesh, which instances are silent, and which certificate ends next?",
        span="now-24h",
        variables=(
            Variable(
                name="gateway", label="Gateway", query=q.label_values(GATEWAY_REQUESTS.name, "gateway"), several=True
            ),
            Variable(name="mesh", label="Mesh", query=q.label_values(MESH_REQUESTS.name, "mesh"), several=True),
        ),
        rows=(
            _numbers(),
            *_traffic("Gateway", GATEWAY_REQUESTS, GATEWAY_DURATION, "gateway", _BY_GATEWAY, _GATEWAY_TIME),
            *_traffic("Mesh", MESH_REQUESTS, MESH_DURATION, "mesh", _BY_MESH, _MESH_TIME),
            _standing(),
            _probes(),
            _by_team(),
            _inventory(),
        ),
    )


def _requests(metric: Metric, window: str, where: str, by: str = "") -> str:
    return q.total(q.increase(metric, window, where), by)


def _success(metric: Metric, window: str, where: str, by: str = "") -> str:
    return q.share(_requests(metric, window, f'{where},result="good"', by), _requests(metric, window, where, by))


def _silent(by: str = "") -> str:
    return q.total(q.gauge(INSTANCES, 'state="silent"'), by)


def _numbers() -> tuple[Card, ...]:
    routes = q.total(q.gauge(GATEWAY_ROUTES, _GATEWAY))
    unowned = q.total(q.gauge(GATEWAY_ROUTES, f'{_GATEWAY},team="_unowned"'))
    return (
        stat(
            "Gateway success",
            f"Of the requests of the time range shown. {_BY_GATEWAY}",
            _success(GATEWAY_REQUESTS, q.RANGE, _GATEWAY),
            unit="percentunit",
            decimals=3,
            steps=_GOOD,
        ),
        stat(
            "Gateway requests, p95",
            f"How long 95 % of the requests took at most: {_GATEWAY_TIME}; out of histogram buckets.",
            f"histogram_quantile(0.95, {q.buckets(GATEWAY_DURATION, q.RANGE, where=_GATEWAY)})",
            unit="s",
        ),
        stat(
            "Routes without owner",
            "As they stand. What goes through them is missing from every team's numbers.",
            q.or_zero(unowned, routes),
            decimals=0,
            steps=(("green", 0), ("orange", 1)),
        ),
        stat(
            "Mesh success",
            f"Of the requests of the time range shown. {_BY_MESH}",
            _success(MESH_REQUESTS, q.RANGE, _MESH),
            unit="percentunit",
            decimals=3,
            steps=_GOOD,
        ),
        stat(
            "Mesh requests, p95",
            f"How long 95 % of the requests took at most: {_MESH_TIME}; out of histogram buckets.",
            f"histogram_quantile(0.95, {q.buckets(MESH_DURATION, q.RANGE, where=_MESH)})",
            unit="s",
        ),
        stat(
            "Mutual TLS, least",
            "Share of the requests of the last 24 hours that came with mutual TLS, in the mesh and cluster with the least. "
            "Absent below the smallest number of requests that says something.",
            f"min({q.gauge(MESH_MTLS, _MESH)})",
            unit="percentunit",
            decimals=1,
            steps=(("red", 0), ("orange", 0.9), ("green", 1)),
        ),
        stat("Silent instances", _INSTANCES, _silent(), decimals=0, steps=_SILENT),
        stat(
            "Next certificate ends in",
            f"{_CERTIFICATE}, of the endpoint with the least. Below 0 it has ended.",
            f"min({q.gauge(PROBE_CERTIFICATE_EXPIRY)}) - time()",
            unit="s",
            decimals=1,
            steps=_ENDS,
        ),
    )


def _traffic(
    what: str, requests: Metric, duration: Metric, label: str, counted: str, took: str
) -> tuple[tuple[Card, ...], tuple[Card, ...]]:
    """Two rows of what goes through gateways, or through meshes."""
    where, name = f'{label}=~"${label}"', f"{{{{{label}}}}}"
    return (
        (
            lines(
                f"{what} success over time",
                f"{counted} Over the hour before each point.",
                Query(expr=_success(requests, _HOUR, where, label), legend=name),
                unit="percentunit",
                decimals=2,
                least=None,
                most=1,
            ),
            lines(
                f"{what} requests per second",
                "Good and bad ones, over the hour before each point.",
                Query(
                    expr=q.total(q.rate(requests, _HOUR, where), f"{label}, result"), legend=f"{name} {{{{result}}}}"
                ),
                unit="reqps",
            ),
        ),
        (
            lines(
                f"{what} request time",
                f"How long requests took: {took}. Over the hour before each point; out of histogram buckets.",
                Query(expr=q.quantile(0.95, duration, _HOUR, label, where), legend=f"{name} p95"),
                Query(expr=q.quantile(0.5, duration, _HOUR, label, where), legend=f"{name} p50"),
                unit="s",
            ),
            heatmap(
                f"{what} time of all requests",
                f"Requests by how long they took: {took}.",
                q.buckets(duration, q.STEP, where=where),
                step="15m",
            ),
        ),
    )


def _standing() -> tuple[Card, ...]:
    return (
        lines(
            "Workloads by mesh and state",
            _MEMBERS,
            Query(
                expr=q.total(q.gauge(MESH_MEMBERS, _MESH), "mesh, cluster, state"),
                legend="{{mesh}} {{cluster}} {{state}}",
            ),
            unit="short",
        ),
        lines(
            "Mutual TLS",
            "Share of the requests of the 24 hours before each point that came with mutual TLS.",
            Query(expr=q.total(q.gauge(MESH_MTLS, _MESH), "mesh, cluster"), legend="{{mesh}} {{cluster}}"),
            unit="percentunit",
            least=None,
            most=1,
        ),
        lines(
            "Silent instances by kind",
            _INSTANCES,
            Query(expr=_silent("kind, cluster"), legend="{{kind}} {{cluster}}"),
            unit="short",
        ),
    )


def _probes() -> tuple[Card, ...]:
    def checks(where: str) -> str:
        return q.total(q.increase(PROBE_CHECKS, _HOUR, _TARGETS + where), "target")

    return (
        lines(
            "Checks answered",
            f"{_CHECKS} Over the hour before each point.",
            Query(expr=q.share(checks(',result="ok"'), checks("")), legend="{{target}}"),
            unit="percentunit",
            least=None,
            most=1,
        ),
        lines(
            "Check time, p95",
            "How long checks took, over the hour before each point; out of histogram buckets. A timeout took as long as was "
            "waited.",
            Query(expr=q.quantile(0.95, PROBE_DURATION, _HOUR, "target", _TARGETS), legend="{{target}}"),
            unit="s",
        ),
        bar_gauge(
            "Certificates end in",
            f"{_CERTIFICATE}; those with the least first. Below 0 it has ended.",
            Query(
                expr=f"sort({q.total(q.gauge(PROBE_CERTIFICATE_EXPIRY), 'target')} - time())",
                legend="{{target}}",
            ),
            unit="s",
            steps=_ENDS,
        ),
    )


def _by_team() -> tuple[Card, ...]:
    def columns(metric: Metric, where: str, by: str) -> tuple[Column, ...]:
        whole = _requests(metric, q.RANGE, where, by)
        bad = _requests(metric, q.RANGE, f'{where},result="bad"', by)
        return (
            Column(
                name="Success",
                expr=_success(metric, q.RANGE, where, by),
                unit="percentunit",
                decimals=3,
                steps=_GOOD,
            ),
            Column(name="Bad", expr=f"({q.or_zero(bad, whole)}) and {whole} > 0", unit="short", decimals=0),
            Column(name="Requests", expr=f"{whole} > 0", unit="short", decimals=0),
        )

    gateways, meshes = "team, gateway", "team, mesh"
    return (
        table(
            "Gateways by team",
            f"Whose routes the requests took, in the time range shown. {_BY_GATEWAY}",
            Grid(words={"team": "Team", "gateway": "Gateway"}, sort="Success"),
            *columns(GATEWAY_REQUESTS, _GATEWAY, gateways),
            Column(name="Routes", expr=q.total(q.gauge(GATEWAY_ROUTES, _GATEWAY), gateways), decimals=0),
        ),
        table(
            "Mesh by team",
            f"Whose services were asked, in the time range shown. {_BY_MESH}",
            Grid(words={"team": "Team", "mesh": "Mesh"}, sort="Success"),
            *columns(MESH_REQUESTS, _MESH, meshes),
        ),
    )


def _inventory() -> tuple[Card, ...]:
    def instances(state: str) -> str:
        return q.total(q.gauge(INSTANCES, f'state="{state}"'), "kind, cluster")

    def members(state: str) -> str:
        return q.total(q.gauge(MESH_MEMBERS, f'{_MESH},state="{state}"'), "mesh, cluster")

    return (
        table(
            "Instances",
            _INSTANCES,
            Grid(words={"kind": "Kind", "cluster": "Cluster"}, sort="Silent", falling=True),
            Column(name="Reporting", expr=instances("reporting"), decimals=0),
            Column(name="Silent", expr=instances("silent"), decimals=0, steps=_SILENT),
        ),
        table(
            "Workloads in the mesh",
            f"{_MEMBERS} Mutual TLS: share of the requests of the last 24 hours that came with it.",
            Grid(words={"mesh": "Mesh", "cluster": "Cluster"}),
            Column(name="In the mesh", expr=members("in_mesh"), decimals=0),
            Column(name="Outside", expr=members("outside"), decimals=0, steps=(("green", 0), ("orange", 1))),
            Column(name="Exempt", expr=members("exempt"), decimals=0),
            Column(
                name="Mutual TLS",
                expr=q.total(q.gauge(MESH_MTLS, _MESH), "mesh, cluster"),
                unit="percentunit",
                decimals=1,
            ),
        ),
    )


DASHBOARD = Dashboard(board)
