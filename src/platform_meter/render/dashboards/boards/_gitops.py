"""Panels of GitOps on the dashboard of clusters: do syncs succeed, how long does a merged change take to be served."""

from __future__ import annotations

from platform_meter.model.catalogue.gitops import (
    GITOPS_APPS,
    GITOPS_PROJECT_SYNCS,
    GITOPS_PROPAGATION,
    GITOPS_ROLLOUTS,
    GITOPS_SYNCS,
)
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Card, Variable
from platform_meter.render.dashboards.panels import Column, Grid, Query, Steps, bar_gauge, heatmap, lines, stat, table

ARGO_CD = Variable(
    name="argocd",
    label="Argo CD",
    query=q.label_values(GITOPS_APPS.name, "source_instance"),
    several=True,
)
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


def _ended(results: str, window: str) -> str:
    return q.total(q.increase(GITOPS_SYNCS, window, f'{_HERE},result=~"{results}"'))


def _success(window: str) -> str:
    return q.share(_ended("success", window), _ended(".+", window))


def _apps(where: str) -> str:
    return q.total(q.gauge(GITOPS_APPS, f"{_HERE}{where}"))


def numbers() -> tuple[Card, ...]:
    """For the first row."""
    return (
        stat(
            "Sync success",
            f"Of the syncs of Argo CD that ended in the time range shown. {_ENDS}",
            _success(q.RANGE),
            unit="percentunit",
            decimals=2,
            steps=_GOOD,
        ),
        stat(
            "Propagation, p95",
            f"{_CHANGES} Changes of the time range shown; out of histogram buckets. Red above ten minutes.",
            f"histogram_quantile(0.95, {q.buckets(GITOPS_PROPAGATION, q.RANGE, where=_HERE)})",
            unit="s",
            steps=(("green", 0), ("red", 600)),
        ),
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


def plots() -> tuple[tuple[Card, ...], ...]:
    """Two rows."""

    def took(share: float) -> str:
        return q.quantile(share, GITOPS_PROPAGATION, _HOUR, "source_instance", _HERE)

    return (
        (
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
                "Rollouts by result",
                "Progressive rollouts that ended in each step: promoted, or aborted and rolled back.",
                Query(expr=q.total(q.increase(GITOPS_ROLLOUTS, q.STEP, _HERE), "result"), legend="{{result}}"),
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
        ),
        (
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
        ),
    )


def failures() -> tuple[Card, ...]:
    """The row of tables."""
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
                expr=q.share(good, whole),
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
