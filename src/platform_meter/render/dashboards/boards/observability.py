"""Observability, for the platform's product manager and SREs: who can see what runs, what nobody looks at, what is silent."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.budgets import TOLD_BUDGET, TOLD_SLI
from platform_meter.model.catalogue.entities import TEAM_INFO
from platform_meter.model.catalogue.logs import LOG_INDEX_AGE
from platform_meter.model.catalogue.observability import ALERT_RULES, DASHBOARDS, MONITORS
from platform_meter.model.metric import Metric
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import Column, Grid, Query, Steps, bar_gauge, lines, stat, table
from platform_meter.slo import names
from platform_meter.slo.plan import Plan

_TEAM = 'team=~"$team"'
_UNSEEN = f'{_TEAM},used="no"'
_SOME: Steps = (("green", 0), ("orange", 1))
_QUIET: Steps = (("green", 0), ("orange", 3_600), ("red", 21_600))
_OWNER = "Owners as for all objects; `_unowned` where nothing says whose it is."
_VIEWS = (
    "Nobody looked at them within 30 days, as far as the tool tells: editions without usage insights tell nothing, and a "
    "view of today counts from tomorrow on."
)
_ALERT = "Monitors whose worst group is in the state alert, as their tool tells it; that one is muted is not told."
_AGE = (
    "Time since the date of the newest document of the indices that a pattern names, those dated in the future left out. "
    "Patterns without documents are absent."
)


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-observability",
        title="Observability",
        description="For the platform's product manager and SREs: who has dashboards, alerts and SLOs, which dashboards does "
        "nobody look at, how do monitors of other tools stand, and which logs have gone quiet?",
        span="now-24h",
        variables=(Variable(name="team", label="Team", query=q.label_values(TEAM_INFO.name, "team"), several=True),),
        rows=(_numbers(), _course(), _owners(), _beside()),
    )


def _by(metric: Metric, where: str = _TEAM, by: str = "team") -> str:
    return q.total(q.gauge(metric, where), by)


def _numbers() -> tuple[Card, ...]:
    return (
        stat("Dashboards", f"Of all tools that are read. {_OWNER}", q.total(q.gauge(DASHBOARDS, _TEAM)), decimals=0),
        stat(
            "Nobody looks at",
            f"Share of the dashboards. {_VIEWS}",
            q.share(q.total(q.gauge(DASHBOARDS, _UNSEEN)), q.total(q.gauge(DASHBOARDS, _TEAM))),
            unit="percentunit",
            decimals=0,
        ),
        stat(
            "Alert rules",
            f"Of tools that alert by themselves; paused ones are left out. {_OWNER}",
            q.total(q.gauge(ALERT_RULES, _TEAM)),
            decimals=0,
        ),
        stat(
            "Monitors that alert",
            f"{_ALERT} Of all teams.",
            q.total(q.gauge(MONITORS, 'state="alert"')),
            decimals=0,
            steps=_SOME,
        ),
        stat("Oldest logs", f"{_AGE} Of the oldest.", f"max({q.gauge(LOG_INDEX_AGE)})", unit="s", steps=_QUIET),
    )


def _course() -> tuple[Card, ...]:
    return (
        lines(
            "Monitors by state",
            "Monitors of all teams, as their tool tells each: the worst of its groups.",
            Query(expr=_by(MONITORS, "", "state"), legend="{{state}}"),
            unit="short",
            stacked=True,
        ),
        lines(
            "Dashboards by use",
            f"Whether anybody looked at them of late, as their tool tells. {_VIEWS}",
            Query(expr=_by(DASHBOARDS, by="used"), legend="{{used}}"),
            unit="short",
            stacked=True,
        ),
        lines(
            "Age of logs over time",
            _AGE,
            Query(expr=q.total(q.gauge(LOG_INDEX_AGE), "index"), legend="{{index}}"),
            unit="s",
        ),
    )


def _owners() -> tuple[Card, ...]:
    known = q.slo(names.INFO, "slo, owner", 'owner=~"$team"')
    slos = f'count by (team) (label_replace({known}, "team", "$1", "owner", "(.+)"))'
    return (
        table(
            "What each team has",
            "Dashboards, those that nobody looks at, alert rules, monitors and SLOs of each team; empty where it has none. "
            f"{_VIEWS} {_OWNER}",
            Grid(words={"team": "Team"}, sort="Nobody looks at", falling=True),
            Column(name="Known", expr=f"max by (team) ({q.gauge(TEAM_INFO, _TEAM)})", hidden=True),
            Column(name="Dashboards", expr=_by(DASHBOARDS), decimals=0),
            Column(name="Nobody looks at", expr=_by(DASHBOARDS, _UNSEEN), decimals=0, steps=_SOME),
            Column(name="Alert rules", expr=_by(ALERT_RULES), decimals=0),
            Column(name="Monitors", expr=_by(MONITORS), decimals=0),
            Column(name="SLOs", expr=slos, decimals=0),
            height=12,
            width=16,
        ),
        bar_gauge(
            "Age of logs",
            f"{_AGE} The oldest first.",
            Query(expr=f"sort_desc({q.total(q.gauge(LOG_INDEX_AGE), 'index')})", legend="{{index}}"),
            unit="s",
            steps=_QUIET,
        ),
    )


def _beside() -> tuple[Card, ...]:
    def told(metric: Metric) -> str:
        return f"max by (source_instance, slo) ({q.gauge(metric)})"

    return (
        table(
            "SLOs as other tools reckon them",
            "What a tool says of its own SLO that stands for one of ours: share of good events over its window, and what is "
            "left of its budget. It enters no alert; ours are in the SLO overview.",
            Grid(words={"slo": "SLO", "source_instance": "Tool"}),
            Column(name="Good", expr=told(TOLD_SLI), unit="percentunit", decimals=3),
            Column(
                name="Budget left",
                expr=told(TOLD_BUDGET),
                unit="percentunit",
                decimals=0,
                steps=(("red", 0), ("orange", 0.1), ("green", 0.25)),
            ),
            height=6,
        ),
    )


DASHBOARD = Dashboard(board)
