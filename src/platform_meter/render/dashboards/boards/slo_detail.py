"""SLO detail, for whoever is on call: how bad, since when, what changed, what to read."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Mark, Variable
from platform_meter.render.dashboards.boards._marks import deployments, incidents
from platform_meter.render.dashboards.boards.slo_overview import AGE_SAID, BURN, BURN_SAID, DETAIL, age, firing
from platform_meter.render.dashboards.panels import (
    BUDGET,
    GOOD_UNTIL_ONE,
    Column,
    Grid,
    Query,
    lines,
    stat,
    table,
    text,
)
from platform_meter.render.dashboards.words import html_table
from platform_meter.slo import names
from platform_meter.slo.plan import Plan

_THIS = 'slo="$slo"'
_FIRING = firing("page|ticket", f",{_THIS}")
_COUNTED = "Counts of SLIs in Prometheus are estimates by increase(); those of stored SLIs are exact, by the time of the event."


def board(plans: Sequence[Plan]) -> Board:
    """The `plans` give the first SLO shown and what each one promises."""
    return Board(
        uid=DETAIL,
        title="SLO detail",
        description="For on-call: is the alert real, how bad is it, what changed, and where is the runbook?",
        span="now-24h",
        refresh="30s",
        variables=(
            Variable(
                name="slo",
                label="SLO",
                query=q.label_values(names.OBJECTIVE, "slo"),
                default=min((p.slo for p in plans), default=""),
            ),
            Variable(
                name="owner",
                label="Owner",
                query=q.label_values(names.INFO, "owner", _THIS),
                hidden=True,
            ),
        ),
        marks=_MARKS,
        rows=(
            _numbers(),
            (
                lines(
                    "Burn by window",
                    f"{BURN_SAID} An alert fires when its long and its short window are both above its factor and the "
                    "long one holds enough bad events.",
                    Query(expr=q.slo(names.BURN, by="window", where=_THIS), legend="{{window}}"),
                    decimals=2,
                    steps=BURN,
                    width=24,
                ),
            ),
            (
                lines(
                    "Error budget left",
                    "Budget left = 1 - burn over the SLO's period; not cut off at 0.",
                    Query(expr=q.slo(names.BUDGET, by="period", where=_THIS), legend="{{period}}"),
                    unit="percentunit",
                    least=None,
                    steps=BUDGET,
                ),
                lines(
                    "Bad events by window",
                    f"Bad events (or slices) in the windows that guard an alert, and in the period. {_COUNTED}",
                    Query(expr=q.slo(names.BAD, by="window", where=_THIS), legend="{{window}}"),
                    unit="short",
                ),
                lines(
                    "SLI and objective",
                    "Good / valid over the SLO's period, and what it should be.",
                    Query(expr=q.slo(names.SLI, by="window", where=_THIS), legend="SLI over {{window}}"),
                    Query(expr=q.slo(names.OBJECTIVE, where=_THIS), legend="objective"),
                    unit="percentunit",
                    decimals=3,
                    least=None,
                ),
            ),
            (
                table(
                    "Alerts firing",
                    "Alerts of this SLO that fire now, by level and long window. Empty while none does.",
                    Grid(words={"alertname": "Alert", "level": "Level", "window": "Window"}),
                    Column(name="Firing", expr=f"max by (alertname, level, window) ({_FIRING})"),
                    height=6,
                    may_be_empty="ci-outage",
                ),
                table(
                    "About",
                    "Whose SLO it is, what it counts, and which alert profile it has.",
                    Grid(
                        words={
                            "service": "Service",
                            "owner": "Owner",
                            "capability": "Capability",
                            "profile": "Profile",
                            "counts": "Counts",
                        }
                    ),
                    Column(
                        name="Known",
                        expr=q.slo(names.INFO, by="service, owner, capability, profile, counts", where=_THIS),
                        hidden=True,
                    ),
                    height=6,
                ),
            ),
            (_promises(plans),),
        ),
    )


_MARKS = (
    Mark(
        name="Alerts",
        expr=f"max by (alertname, level, window) ({_FIRING})",
        title="{{alertname}} ({{level}})",
        text="{{window}}",
        color="red",
        may_be_empty="ci-outage",
    ),
    deployments("Deployments of the owner", 'team="$owner"'),
    incidents("Incidents of the owner", 'team="$owner"'),
)


def _numbers() -> tuple[Card, ...]:
    return (
        stat(
            "Budget left",
            "Error budget left over the SLO's period. Red: overspent; orange: under 25 %.",
            f"max({names.BUDGET}{{{_THIS}}})",
            unit="percentunit",
            decimals=1,
            steps=BUDGET,
        ),
        stat(
            "SLI",
            "Good / valid events (or slices) over the SLO's period.",
            f"max({names.SLI}{{{_THIS}}})",
            unit="percentunit",
            decimals=3,
        ),
        stat(
            "Objective",
            "The share of good events that was agreed.",
            f"max({names.OBJECTIVE}{{{_THIS}}})",
            unit="percentunit",
            decimals=3,
        ),
        stat(
            "Highest burn",
            f"Of all alert windows. {BURN_SAID}",
            f"max({names.BURN}{{{_THIS}}})",
            decimals=2,
            steps=BURN,
        ),
        stat(
            "Firing now",
            "Alerts of this SLO that fire now.",
            q.or_zero(f"count({_FIRING})", f"count({names.OBJECTIVE}{{{_THIS}}})"),
            steps=GOOD_UNTIL_ONE,
        ),
        stat(
            "Data age",
            f"{AGE_SAID} Nothing newer is in any number here.",
            f"max({age(_THIS)})",
            unit="s",
        ),
    )


def _promises(plans: Sequence[Plan]) -> Card:
    rows = [
        (p.slo, p.display, p.description, f"{p.objective * 100:f}".rstrip("0").rstrip("."), p.period_label, p.runbook)
        for p in sorted(plans, key=lambda p: p.slo)
    ]
    head = ("SLO", "Name", "What it promises", "Objective, %", "Period", "Runbook")
    return text(
        "What each SLO promises, and its runbook",
        "From the SLO files. Runbook paths are those of the repository that holds them.",
        html_table(head, rows),
    )


DASHBOARD = Dashboard(board)
