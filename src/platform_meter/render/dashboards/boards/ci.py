"""CI/CD, for SREs: does the platform or do its users break builds, how long do jobs wait, can the numbers be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.ci import (
    PIPELINE_ACTIVE,
    PIPELINE_APPROVAL,
    PIPELINE_FLAKY,
    PIPELINE_QUEUE_DURATION,
    PIPELINE_RUN_DURATION,
    PIPELINE_RUNS,
    PIPELINE_UNCLASSIFIED,
)
from platform_meter.model.catalogue.delivery import DEPLOYMENTS
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import (
    Column,
    Grid,
    Query,
    Steps,
    bar_gauge,
    heatmap,
    lines,
    named,
    stat,
    table,
)
from platform_meter.slo.plan import Plan

_HERE = 'system=~"$system",team=~"$team"'
_POOLS = 'system=~"$system"'
_HOUR, _DAY = "1h", "1d"
_GOOD: Steps = (("red", 0), ("orange", 0.95), ("green", 0.99))
_CLASSES = (
    "Valid runs are success, user failure and infrastructure failure; cancelled, skipped and unclassified ones are left "
    "out. Runs count when they are read: what is judged by the time of the run is on the SLO dashboards."
)
_TRUSTED = 0.2
"""Share of unclassified failures above which platform success says nothing (domain section 7)."""


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-ci",
        title="CI/CD",
        description="For SREs: does the platform or do its users break builds, how long do jobs wait, and can the "
        "numbers be trusted?",
        span="now-24h",
        variables=(
            Variable(name="system", label="System", query=q.label_values(PIPELINE_RUNS.name, "system"), several=True),
            Variable(
                name="team",
                label="Team",
                query=q.label_values(PIPELINE_RUNS.name, "team", _POOLS),
                several=True,
            ),
            Variable(name="window", label="Window of ratios", query="28d,91d", listed=True, default="28d"),
        ),
        rows=(_numbers(), *_runs(), *_waits(), *_trust(), _tables()),
    )


def _runs_of(outcomes: str, window: str, by: str = "") -> str:
    return q.total(q.increase(PIPELINE_RUNS, window, f'{_HERE},outcome=~"{outcomes}"'), by)


def _share(outcomes: str, of: str, window: str, by: str = "") -> str:
    return q.share(_runs_of(outcomes, window, by), _runs_of(of, window, by))


_VALID = "success|user_failure|infra_failure"
_FAILED = "user_failure|infra_failure|unknown"


def _numbers() -> tuple[Card, ...]:
    unknown = _share("unknown", _FAILED, q.RANGE)
    return (
        stat("Runs", f"Runs that ended in the time range shown. {_CLASSES}", _runs_of(".+", q.RANGE), decimals=0),
        stat(
            "Platform success",
            f"(Success + user failure) / valid: the share of runs that the platform did not break. {_CLASSES}",
            _share("success|user_failure", _VALID, q.RANGE),
            unit="percentunit",
            decimals=2,
            steps=_GOOD,
        ),
        stat(
            "Felt success",
            f"Success / valid: what users see, whoever broke it. {_CLASSES}",
            _share("success", _VALID, q.RANGE),
            unit="percentunit",
            decimals=2,
        ),
        stat(
            "Queue time, p95",
            "Creation of a job to its start on a runner, for each attempt, over all pools; out of histogram buckets.",
            f"histogram_quantile(0.95, {q.buckets(PIPELINE_QUEUE_DURATION, q.RANGE, where=_POOLS)})",
            unit="s",
        ),
        stat(
            "Unclassified failures",
            "Unclassified / all failures in the time range shown. Above 20 % platform success is not to be trusted.",
            unknown,
            unit="percentunit",
            decimals=1,
            steps=(("green", 0), ("red", _TRUSTED)),
        ),
        stat(
            "Platform success is",
            "Whether enough failures could be classed: at most 20 % unclassified in the window chosen above, in the "
            "team and system with the most. The bars below say which.",
            f"max({q.gauge(PIPELINE_UNCLASSIFIED, _windowed())}) > bool {_TRUSTED:g}",
            steps=(("green", 0), ("red", 1)),
            mappings=named({"0": ("to be trusted", "green"), "1": ("not to be trusted", "red")}),
        ),
    )


def _windowed() -> str:
    return f'{_HERE},window="$window"'


def _runs() -> tuple[tuple[Card, ...], ...]:
    platform, felt = "success|user_failure", "success"
    return (
        (
            lines(
                "Platform success by system",
                f"(Success + user failure) / valid, over the hour before each point. {_CLASSES}",
                Query(expr=_share(platform, _VALID, _HOUR, "system"), legend="{{system}}"),
                unit="percentunit",
                least=None,
                most=1,
            ),
            lines(
                "Felt success by system",
                f"Success / valid, whoever broke the others, over the hour before each point. {_CLASSES}",
                Query(expr=_share(felt, _VALID, _HOUR, "system"), legend="{{system}}"),
                unit="percentunit",
                least=None,
                most=1,
            ),
        ),
        (
            lines(
                "Runs by outcome",
                f"Runs that ended in each step, by outcome. {_CLASSES}",
                Query(expr=_runs_of(".+", q.STEP, "outcome"), legend="{{outcome}}"),
                unit="short",
                bars=True,
                stacked=True,
                step=_HOUR,
            ),
            lines(
                "Failures by system and class",
                "Runs that failed in each step: the platform's, the users', and those that no rule could class.",
                Query(expr=_runs_of(_FAILED, q.STEP, "system, outcome"), legend="{{system}} {{outcome}}"),
                unit="short",
                bars=True,
                stacked=True,
                step=_HOUR,
            ),
        ),
    )


def _waits() -> tuple[tuple[Card, ...], ...]:
    queue, ran = PIPELINE_QUEUE_DURATION, PIPELINE_RUN_DURATION
    return (
        (
            lines(
                "Queue time by pool",
                "Creation of a job to its start on a runner, for each attempt, over the hour before each point; out of "
                "histogram buckets. A pool is the first label of the job's runner.",
                Query(expr=q.quantile(0.95, queue, _HOUR, "system, pool", _POOLS), legend="{{system}} {{pool}} p95"),
                Query(expr=q.quantile(0.5, queue, _HOUR, "system, pool", _POOLS), legend="{{system}} {{pool}} p50"),
                unit="s",
            ),
            heatmap(
                "Queue time of all jobs",
                "Jobs by how long they waited for a runner, all pools.",
                q.buckets(queue, q.STEP, where=_POOLS),
                step="15m",
            ),
            lines(
                "Queued and running now",
                "Runs as they stand at the last poll.",
                Query(
                    expr=q.total(q.gauge(PIPELINE_ACTIVE, _POOLS), "system, pool, state"),
                    legend="{{system}} {{pool}} {{state}}",
                ),
                unit="short",
            ),
        ),
        (
            lines(
                "Run time by pool",
                "Start to end of a run, skipped runs left out, over the hour before each point; out of histogram buckets.",
                Query(expr=q.quantile(0.95, ran, _HOUR, "pool", _POOLS), legend="{{pool}} p95"),
                Query(expr=q.quantile(0.5, ran, _HOUR, "pool", _POOLS), legend="{{pool}} p50"),
                unit="s",
            ),
            lines(
                "Waits for a runner and for a person",
                "How long 95 % wait at most, over the day before each point; out of histogram buckets. A person's wait is "
                "an approval, a manual job or an input step, no part of queue or run time, where its system tells it.",
                Query(expr=q.quantile(0.95, queue, _DAY, "system", _POOLS), legend="{{system}} runner"),
                Query(expr=q.quantile(0.95, PIPELINE_APPROVAL, _DAY, "system", _POOLS), legend="{{system}} person"),
                unit="s",
            ),
            lines(
                "Deployments",
                "Deployments that ended in each step, by environment and result; rolled back ones count as the "
                "deployments they are. They count when they are read.",
                Query(
                    expr=q.total(q.increase(DEPLOYMENTS, q.STEP, 'team=~"$team"'), "environment, result"),
                    legend="{{environment}} {{result}}",
                ),
                unit="short",
                bars=True,
                stacked=True,
                step=_HOUR,
            ),
        ),
    )


def _trust() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            bar_gauge(
                "Flaky groups by team",
                "Groups of one pipeline, commit and input that failed and later succeeded / groups that ended, in the "
                "window chosen above. A lower bound: only reruns show it. Teams under 5 groups are left out.",
                Query(
                    expr=f"sort_desc({q.total(q.gauge(PIPELINE_FLAKY, _windowed()), 'team, system')})",
                    legend="{{team}} {{system}}",
                ),
                unit="percentunit",
                steps=(("green", 0), ("orange", 0.03), ("red", 0.1)),
            ),
            bar_gauge(
                "Unclassified failures by team",
                "Failures that no rule could class / all failures, in the window chosen above. Above 20 % the team's "
                "platform success is not to be trusted. Teams under 5 failures are left out.",
                Query(
                    expr=f"sort_desc({q.total(q.gauge(PIPELINE_UNCLASSIFIED, _windowed()), 'team, system')})",
                    legend="{{team}} {{system}}",
                ),
                unit="percentunit",
                most=1,
                steps=(("green", 0), ("red", _TRUSTED)),
            ),
        ),
    )


def _tables() -> tuple[Card, ...]:
    return (
        table(
            "Runs by team and outcome",
            f"Runs that ended in the time range shown. {_CLASSES}",
            Grid(words={"team": "Team", "system": "System", "outcome": "Outcome"}, sort="Runs", falling=True),
            Column(
                name="Runs",
                expr=f"{q.total(q.increase(PIPELINE_RUNS, q.RANGE, _HERE), 'team, system, outcome')} > 0",
                decimals=0,
            ),
        ),
        table(
            "Deployments by team",
            "Deployments that ended in the time range shown. They count when they are read.",
            Grid(
                words={"team": "Team", "environment": "Environment", "kind": "Kind", "result": "Result"},
                sort="Deployments",
                falling=True,
            ),
            Column(
                name="Deployments",
                expr=q.total(q.increase(DEPLOYMENTS, q.RANGE, 'team=~"$team"'), "team, environment, kind, result")
                + " > 0",
                decimals=0,
            ),
        ),
    )


DASHBOARD = Dashboard(board)
