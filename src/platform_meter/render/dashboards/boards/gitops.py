"""GitOps, for SREs: do syncs succeed, what is out of sync, how long does a merged change take to be served."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.gitops import (
    GITOPS_APPS,
    GITOPS_PROJECT_SYNCS,
    GITOPS_PROPAGATION,
    GITOPS_SYNCS,
)
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import Column, Grid, Query, Steps, bar_gauge, heatmap, lines, stat, table
from platform_meter.slo.plan import Plan

_HERE = 'source_instance=~"$argocd"'
_HOUR = "1h"
_GOOD: Steps = (("red", 0), ("orange", 0.95), ("green", 0.99))
_ENDS = (
    "Succeeded / (succeeded + failed + error); dry runs are left out. Syncs count when they are read: what is judged by "
    "the time of the sync is on the SLO dashboards."
)
_CHANGES = (
    "Merge of a change to its application synced at that revision and healthy; applications that sync by themselves, and "
    "changes whose merge a source told."
)


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-gitops",
        title="GitOps",
        description="For SREs: do syncs succeed and why not, which applications are out of sync, and how long does a "
        "merged change take to be served?",
        span="now-24h",
        variables=(
            Variable(
                name="argocd",
                label="Argo CD",
                query=q.label_values(GITOPS_APPS.name, "source_instance"),
                several=True,
            ),
        ),
        rows=(_numbers(), _over_time(), _changes(), _failures()),
    )


def _ended(results: str, window: str) -> str:
    return q.total(q.increase(GITOPS_SYNCS, window, f'{_HERE},result=~"{results}"'))


def _success(window: str) -> str:
    """0 where syncs ended and none of them well."""
    whole = _ended(".+", window)
    return f"({q.or_zero(_ended('success', window), whole)}) / ({whole} > 0)"


def _apps(where: str) -> str:
    return q.total(q.gauge(GITOPS_APPS, f"{_HERE}{where}"))


def _numbers() -> tuple[Card, ...]:
    return (
        stat("Syncs", f"Syncs that ended in the time range shown. {_ENDS}", _ended(".+", q.RANGE), decimals=0),
        stat(
            "Sync success",
            _ENDS,
            _success(q.RANGE),
            unit="percentunit",
            decimals=2,
            steps=_GOOD,
        ),
        stat(
            "Propagation, p95",
            f"{_CHANGES} Out of histogram buckets.",
            f"histogram_quantile(0.95, {q.buckets(GITOPS_PROPAGATION, q.RANGE, where=_HERE)})",
            unit="s",
            steps=(("green", 0), ("red", 600)),
        ),
        stat("Applications", "As they stand, whoever syncs them.", _apps(""), decimals=0),
        stat(
            "Out of sync",
            "Applications whose live state differs from Git, as they stand; those that a person syncs are among them.",
            q.or_zero(_apps(',sync="out_of_sync"'), _apps("")),
            decimals=0,
            steps=(("green", 0), ("orange", 1)),
        ),
        stat(
            "Not healthy",
            "Applications that are degraded or have something missing, as they stand.",
            q.or_zero(_apps(',health=~"degraded|missing"'), _apps("")),
            decimals=0,
            steps=(("green", 0), ("red", 1)),
        ),
    )


def _over_time() -> tuple[Card, ...]:
    return (
        lines(
            "Syncs by result",
            f"Syncs that ended in each step. {_ENDS}",
            Query(expr=q.total(q.increase(GITOPS_SYNCS, q.STEP, _HERE), "result"), legend="{{result}}"),
            unit="short",
            bars=True,
            stacked=True,
            step=_HOUR,
        ),
        lines(
            "Applications by sync and health",
            "As they stand at the last poll.",
            Query(expr=q.total(q.gauge(GITOPS_APPS, _HERE), "sync, health"), legend="{{sync}} {{health}}"),
            unit="short",
        ),
    )


def _changes() -> tuple[Card, ...]:
    def took(share: float) -> str:
        return q.quantile(share, GITOPS_PROPAGATION, _HOUR, "source_instance", _HERE)

    return (
        lines(
            "Propagation",
            f"{_CHANGES} Over the hour before each point; out of histogram buckets.",
            Query(expr=took(0.95), legend="{{source_instance}} p95"),
            Query(expr=took(0.5), legend="{{source_instance}} p50"),
            unit="s",
        ),
        heatmap(
            "Propagation of all changes",
            f"Changes by how long they took. {_CHANGES}",
            q.buckets(GITOPS_PROPAGATION, q.STEP, where=_HERE),
            step="15m",
        ),
    )


def _failures() -> tuple[Card, ...]:
    by = "project, cluster"
    good = q.total(q.increase(GITOPS_PROJECT_SYNCS, q.RANGE, 'result="success"'), by)
    whole = q.total(q.increase(GITOPS_PROJECT_SYNCS, q.RANGE), by)
    failed = q.total(q.increase(GITOPS_PROJECT_SYNCS, q.RANGE, 'result!="success"'), "reason")
    return (
        table(
            "Sync success by project and cluster",
            f"{_ENDS} Of all instances of Argo CD; which application it was is on the SLO's own page.",
            Grid(words={"project": "Project", "cluster": "Cluster"}, sort="Success"),
            Column(
                name="Success",
                expr=f"({q.or_zero(good, whole)}) / ({whole} > 0)",
                unit="percentunit",
                decimals=2,
                steps=_GOOD,
            ),
            Column(name="Syncs", expr=f"{whole} > 0", decimals=0),
        ),
        bar_gauge(
            "Failed syncs by reason",
            "Syncs that failed or ended in error in the time range shown, by what their message tells; of all instances "
            "of Argo CD.",
            Query(expr=f"sort_desc({failed} > 0)", legend="{{reason}}"),
            unit="short",
            steps=(("orange", 0),),
        ),
    )


DASHBOARD = Dashboard(board)
