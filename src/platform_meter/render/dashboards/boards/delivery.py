"""Delivery, for a team and its platform's product manager: how its changes come to production, beside its own past."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.delivery import (
    DEPLOYMENTS,
    DORA_DEPLOY_DAYS,
    DORA_DEPLOYMENTS,
    DORA_FAILURE,
    DORA_LEAD_TIME,
    DORA_OPEN,
    DORA_RECOVERY,
    DORA_REWORK,
    DORA_SAMPLES,
    DORA_UNLINKED,
    INCIDENTS,
)
from platform_meter.model.metric import Metric
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.boards._marks import incidents
from platform_meter.render.dashboards.panels import Column, Grid, Query, lines, stat, table
from platform_meter.slo.plan import Plan

_TEAM = 'team="$team"'
_HERE = f'{_TEAM},window="$window"'
_HALF = f'{_HERE},quantile="0.5"'
_ENOUGH = "Absent with fewer than 5 samples."
_FAILED = (
    "A deployment failed where an incident names it, a rollback or revert takes it back, a hotfix mends it, or an incident "
    "of its service that names none began within 24 h after it. It counts once, however many incidents it caused."
)
_STAGES = (
    "Coding: first commit to opened; pickup: to the first review by somebody else; review: to merged; deploy: to production, "
    "which alone is the platform's own share. A stage that nobody recorded is absent."
)


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-delivery",
        title="Delivery",
        description="For a team and the platform's product manager: how often, how fast and how safely do its changes come "
        "to production, beside its own past? Teams are not compared.",
        span="now-28d",
        variables=(
            Variable(name="team", label="Team", query=q.label_values(DORA_LEAD_TIME.name, "team")),
            Variable(name="window", label="Window", query="28d,91d", listed=True, default="28d"),
        ),
        marks=(incidents("Incidents", _TEAM),),
        rows=(_numbers(), *_course(), *_behind()),
    )


def _gauge(metric: Metric, where: str, by: str = "") -> str:
    """As it stands, by these labels alone; all others are chosen."""
    return f"max by ({by}) ({q.gauge(metric, where)})" if by else f"max({q.gauge(metric, where)})"


def _numbers() -> tuple[Card, ...]:
    return (
        stat(
            "Deployments a day",
            "Successful deployments to production per day, over the window chosen above. One version that reaches several "
            "environments within 24 h is one.",
            _gauge(DORA_DEPLOYMENTS, _HERE),
            decimals=2,
        ),
        stat(
            "Lead time, median",
            f"Of changes of people that came to production in the window: from the first commit. {_ENOUGH}",
            _gauge(DORA_LEAD_TIME, f'{_HALF},stage="total"'),
            unit="s",
        ),
        stat(
            "Of it the platform's share",
            f"Median from merged to production, of the same changes. {_ENOUGH}",
            _gauge(DORA_LEAD_TIME, f'{_HALF},stage="deploy"'),
            unit="s",
        ),
        stat(
            "Change failure",
            f"Failed deployments / deployments; those younger than 24 h are left out. {_FAILED} {_ENOUGH}",
            _gauge(DORA_FAILURE, _HERE),
            unit="percentunit",
            decimals=1,
        ),
        stat(
            "Rework",
            f"Deployments that are a rollback, a hotfix or the remedy of an incident, of all. {_ENOUGH}",
            _gauge(DORA_REWORK, _HERE),
            unit="percentunit",
            decimals=1,
        ),
        stat(
            "Open failures",
            "Failed deployments that nobody has recovered from yet: in no recovery time.",
            _gauge(DORA_OPEN, _TEAM),
            decimals=0,
            steps=(("green", 0), ("orange", 1)),
        ),
    )


def _course() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            lines(
                "Deployments by kind",
                "Deployments to all environments that ended in each step. They count when they are read.",
                Query(
                    expr=q.total(q.increase(DEPLOYMENTS, q.STEP, f'{_TEAM},result="success"'), "kind"),
                    legend="{{kind}}",
                ),
                Query(expr=q.total(q.increase(DEPLOYMENTS, q.STEP, f'{_TEAM},result="failed"')), legend="never served"),
                unit="short",
                bars=True,
                stacked=True,
                step="1h",
            ),
            lines(
                "Days with a deployment",
                "Median over 13 full weeks of the days with a deployment to production, of 7; weeks without any are among "
                f"them. {_ENOUGH}",
                Query(expr=_gauge(DORA_DEPLOY_DAYS, _TEAM), legend="deploy days"),
                unit="percentunit",
                most=1,
            ),
        ),
        (
            lines(
                "Lead time by stage",
                f"Medians of each stage; they do not add up to that of the total. {_STAGES} {_ENOUGH}",
                Query(expr=_gauge(DORA_LEAD_TIME, _HALF, "stage"), legend="{{stage}}"),
                unit="s",
            ),
            lines(
                "Lead time, half and 90 %",
                f"From the first commit to production: half of the changes take no longer, and 90 %. {_ENOUGH}",
                Query(expr=_gauge(DORA_LEAD_TIME, f'{_HERE},stage="total"', "quantile"), legend="{{quantile}}"),
                unit="s",
            ),
        ),
        (
            lines(
                "Change failure and rework",
                f"Shares of the deployments to production. {_FAILED}",
                Query(expr=_gauge(DORA_FAILURE, _HERE), legend="failed"),
                Query(expr=_gauge(DORA_REWORK, _HERE), legend="rework"),
                unit="percentunit",
                most=1,
            ),
            lines(
                "Recovery time",
                "From the first failure of a failed deployment to the last resolution or remedy: half take no longer, and "
                f"90 %. Open ones are in neither. {_ENOUGH}",
                Query(expr=_gauge(DORA_RECOVERY, _HERE, "quantile"), legend="{{quantile}}"),
                unit="s",
            ),
        ),
        (
            lines(
                "Incidents by link",
                "Incidents by what links them to a deployment; none: to no deployment. Each counts once, when it is over or "
                "too old to be linked.",
                Query(expr=q.total(q.increase(INCIDENTS, q.STEP, _TEAM), "link"), legend="{{link}}"),
                unit="short",
                bars=True,
                stacked=True,
                step="1h",
            ),
            lines(
                "Open failures and unlinked incidents",
                "Failed deployments that nobody has recovered from, and incidents of the last 28 days that no deployment is "
                "linked to.",
                Query(expr=_gauge(DORA_OPEN, _TEAM), legend="open failures"),
                Query(expr=_gauge(DORA_UNLINKED, _TEAM), legend="unlinked incidents"),
                unit="short",
            ),
        ),
    )


def _behind() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            table(
                "What stands behind each number",
                "How many deployments, judged deployments, changes and recoveries each number is made of in the window; "
                "dropped are stages that would be negative, after history was rewritten.",
                Grid(words={"metric": "Number"}),
                Column(name="Samples", expr=_gauge(DORA_SAMPLES, _HERE, "metric"), decimals=0),
                height=8,
            ),
        ),
    )


DASHBOARD = Dashboard(board)
