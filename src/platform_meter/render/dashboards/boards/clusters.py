"""Clusters and GitOps, for SREs: do the clusters answer, do nodes and pods get ready, does what is in Git get served."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.kubernetes import (
    CLUSTER_API_REQUESTS,
    CLUSTER_MEASURED,
    CLUSTER_NODES,
    POD_START,
    PODS_NEVER_READY,
    PODS_WAITING,
)
from platform_meter.model.catalogue.probes import PROBE_CHECKS
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.boards import _gitops as gitops
from platform_meter.render.dashboards.panels import Column, Grid, Query, Steps, heatmap, lines, named, stat, table
from platform_meter.slo.plan import Plan

_HERE = 'cluster=~"$cluster"'
_TARGETS = 'target=~"$cluster/readyz"'
_TEN_MINUTES, _HOUR = "10m", "1h"
_API: Steps = (("red", 0), ("orange", 0.995), ("green", 0.9995))
_CHECKS = (
    "Checks of `/readyz` answered with ok within 5 s / all checks, by our own probe; what failed on our side of it is no "
    "check."
)
_SERVED = (
    "Requests that the API server answered with neither 5xx nor 429 / all, as it counts itself; watches are left out. Only "
    "clusters whose source has `api_requests`."
)
_STARTS = "Pod creation to Ready with image pull; pods that waited for a node are left out."


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-clusters",
        title="Clusters and GitOps",
        description="For SREs: do the clusters answer, are nodes and pods ready, which clusters does nobody measure, do "
        "syncs succeed, and how long does a merged change take to be served?",
        span="now-24h",
        variables=(
            Variable(
                name="cluster", label="Cluster", query=q.label_values(CLUSTER_NODES.name, "cluster"), several=True
            ),
            gitops.ARGO_CD,
        ),
        rows=(
            (*_numbers(), *gitops.numbers()),
            *_plots(),
            *gitops.plots(),
            _clusters(),
            _listed(),
            gitops.failures(),
        ),
    )


def _answered(window: str, by: str = "") -> str:
    def checks(where: str) -> str:
        return q.total(q.increase(PROBE_CHECKS, window, _TARGETS + where), by)

    return q.share(checks(',result="ok"'), checks(""))


def _served(window: str, by: str) -> str:
    def requests(where: str) -> str:
        return q.total(q.increase(CLUSTER_API_REQUESTS, window, _HERE + where), by)

    return q.share(requests(',result="good"'), requests(""))


def _nodes(state: str, by: str = "") -> str:
    return q.total(q.gauge(CLUSTER_NODES, f'{_HERE},state="{state}"'), by)


def _waiting(by: str = "") -> str:
    return q.total(q.gauge(PODS_WAITING, _HERE), by)


def _never_ready(window: str) -> str:
    """0 in a cluster whose pods are watched and that lost none."""
    return q.or_zero(q.total(q.increase(PODS_NEVER_READY, window, _HERE), "cluster"), _waiting("cluster"))


def _numbers() -> tuple[Card, ...]:
    return (
        stat(
            "API answered",
            f"{_CHECKS} Over all clusters and the time range shown.",
            _answered(q.RANGE),
            unit="percentunit",
            decimals=3,
            steps=_API,
        ),
        stat(
            "Nodes not ready",
            "As they stand; cordoned nodes are not among them.",
            _nodes("not_ready"),
            decimals=0,
            steps=(("green", 0), ("red", 1)),
        ),
        stat(
            "Pods waiting",
            "Pods that have had a node for longer than the limit of their source, as they stand, while their containers "
            "have not all started.",
            _waiting(),
            decimals=0,
            steps=(("green", 0), ("orange", 1)),
        ),
        stat(
            "Clusters nobody measures",
            "Clusters that EKS or GKE lists for a source `clusters` and that no source reads, whichever clusters are "
            "chosen above. The table below names them.",
            q.total(f"{q.gauge(CLUSTER_MEASURED)} == bool 0"),
            decimals=0,
            steps=(("green", 0), ("orange", 1)),
        ),
    )


def _plots() -> tuple[tuple[Card, ...], ...]:
    def took(share: float) -> str:
        return q.quantile(share, POD_START, _HOUR, "cluster", _HERE)

    return (
        (
            lines(
                "API answered by cluster",
                f"{_CHECKS} Over the ten minutes before each point.",
                Query(expr=_answered(_TEN_MINUTES, "target"), legend="{{target}}"),
                unit="percentunit",
                least=None,
                most=1,
            ),
            lines(
                "API requests answered",
                f"{_SERVED} Over the hour before each point.",
                Query(expr=_served(_HOUR, "cluster, verb_class"), legend="{{cluster}} {{verb_class}}"),
                unit="percentunit",
                least=None,
                most=1,
            ),
            lines(
                "Nodes by state",
                "As they stand at the last poll.",
                Query(expr=q.total(q.gauge(CLUSTER_NODES, _HERE), "cluster, state"), legend="{{cluster}} {{state}}"),
                unit="short",
            ),
        ),
        (
            lines(
                "Pod start",
                f"{_STARTS} Over the hour before each point; out of histogram buckets.",
                Query(expr=took(0.95), legend="{{cluster}} p95"),
                Query(expr=took(0.5), legend="{{cluster}} p50"),
                unit="s",
            ),
            heatmap(
                "Pod start of all pods",
                f"Pods by how long they took. {_STARTS}",
                q.buckets(POD_START, q.STEP, where=_HERE),
                step="15m",
            ),
            lines(
                "Pods that do not start",
                "Waiting: those that have had a node for longer than the limit of their source and have not started yet. "
                "Never ready: those that were taken away so, in the hour before each point. Neither is a pod start.",
                Query(expr=_waiting("cluster"), legend="{{cluster}} waiting"),
                Query(expr=_never_ready(_HOUR), legend="{{cluster}} never ready"),
                unit="short",
            ),
        ),
    )


def _clusters() -> tuple[Card, ...]:
    # The probe's target names the cluster, and no label of its own does.
    probed = f'label_replace({_answered(q.RANGE, "target")}, "cluster", "$1", "target", "(.+)/readyz")'
    return (
        table(
            "Clusters",
            f"Answered: {_CHECKS} Requests answered: {_SERVED} Both over the time range shown, as pods that were never "
            f"ready and pod start. {_STARTS}",
            Grid(words={"cluster": "Cluster"}),
            Column(name="Answered", expr=f"sum by (cluster) ({probed})", unit="percentunit", decimals=3, steps=_API),
            Column(
                name="Requests answered",
                expr=_served(q.RANGE, "cluster"),
                unit="percentunit",
                decimals=3,
                steps=(("red", 0), ("orange", 0.99), ("green", 0.999)),
            ),
            Column(name="Nodes ready", expr=_nodes("ready", "cluster"), decimals=0),
            Column(
                name="Not ready",
                expr=_nodes("not_ready", "cluster"),
                decimals=0,
                steps=(("green", 0), ("red", 1)),
            ),
            Column(name="Cordoned", expr=_nodes("cordoned", "cluster"), decimals=0),
            Column(
                name="Pods waiting",
                expr=_waiting("cluster"),
                decimals=0,
                steps=(("green", 0), ("orange", 1)),
            ),
            Column(name="Never ready", expr=_never_ready(q.RANGE), decimals=0, steps=(("green", 0), ("orange", 1))),
            Column(name="Pod start, p95", expr=q.quantile(0.95, POD_START, q.RANGE, "cluster", _HERE), unit="s"),
        ),
    )


def _listed() -> tuple[Card, ...]:
    words = {"provider": "Cloud", "account": "Account", "region": "Region", "name": "Cluster", "version": "Version"}
    return (
        table(
            "Clusters that the clouds list",
            "Every cluster that EKS or GKE lists for a source `clusters`, and whether a source of this exporter reads it. "
            "One that is being created, and signs no tokens yet, is left out.",
            Grid(words=words, sort="Measured"),
            Column(
                name="Measured",
                expr=q.total(q.gauge(CLUSTER_MEASURED), ", ".join(words)),
                mappings=tuple(named({"0": ("by nobody", "orange"), "1": ("yes", "green")})),
            ),
        ),
    )


DASHBOARD = Dashboard(board)
