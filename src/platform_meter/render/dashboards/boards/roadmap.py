"""Roadmap and impact, for the platform's product manager: what was committed and what came of it, and what people ask for."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.impact import CAMPAIGN_REACH, EFFECT, SAMPLES
from platform_meter.model.catalogue.roadmap import (
    FEEDBACK_CLOSED_LOOP,
    FEEDBACK_OPEN,
    PAIN_POINT_REPORTS,
    ROADMAP_COMMITMENTS,
    ROADMAP_DELIVERY,
    ROADMAP_ITEMS,
    ROADMAP_LINKED,
)
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import Column, Grid, Query, lines, stat, table
from platform_meter.slo.plan import Plan

_HERE = 'period="$period"'
_SLIPPED, _ADDED = f'{_HERE},result=~"late|moved"', f'{_HERE},result="added"'
_MONTH, _QUARTER = 'window="28d"', 'window="91d"'
_COMMITTED = (
    "Committed is what was planned for the period when it began, kept once and never changed. Absent where nobody saw it "
    "begin."
)
_OPEN = "Open until its ticket is resolved, or its item shipped and its reporter was told."


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-roadmap",
        title="Roadmap and impact",
        description="For the platform's product manager: was delivered what was committed, does it answer what people ask "
        "for, are they told, and did what was changed help? The page /roadmap names the items, and /impact has the verdicts.",
        span="now-90d",
        variables=(Variable(name="period", label="Period", query=q.label_values(ROADMAP_COMMITMENTS.name, "period")),),
        rows=(_numbers(), *_course(), *_behind(), _impact()),
    )


def _numbers() -> tuple[Card, ...]:
    return (
        stat(
            "Delivered of committed",
            f"Items committed to the period chosen above and done within it, of those committed; so far, while it runs. {_COMMITTED}",
            f"max({q.gauge(ROADMAP_DELIVERY, _HERE)})",
            unit="percentunit",
            decimals=1,
        ),
        stat(
            "Slipped",
            f"Committed items that were done late, or moved to another period. {_COMMITTED}",
            f"sum({q.gauge(ROADMAP_COMMITMENTS, _SLIPPED)})",
            decimals=0,
        ),
        stat(
            "Added",
            f"Items done within the period that it was not committed to. {_COMMITTED}",
            f"max({q.gauge(ROADMAP_COMMITMENTS, _ADDED)})",
            decimals=0,
        ),
        stat(
            "Linked",
            "Items planned for the period that name feedback, of all but the dropped ones.",
            f"max({q.gauge(ROADMAP_LINKED, _HERE)})",
            unit="percentunit",
            decimals=1,
        ),
    )


def _course() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            lines(
                "Items of the period by status",
                "Items that are planned for the period chosen above now, whether they were committed to it or not.",
                Query(expr=f"max by (status) ({q.gauge(ROADMAP_ITEMS, _HERE)})", legend="{{status}}"),
                unit="short",
                stacked=True,
            ),
            lines(
                "Reports of pain points, 28 days",
                "Feedback of the last 28 days that matches a pain point of a Persona file, by label of its ticket or by theme.",
                Query(
                    expr=f"max by (persona, pain_point) ({q.gauge(PAIN_POINT_REPORTS, _MONTH)})",
                    legend="{{persona}}: {{pain_point}}",
                ),
                unit="short",
            ),
        ),
        (
            lines(
                "Open feedback by theme",
                f"{_OPEN} What tells of several personas counts for each.",
                Query(expr=q.total(q.gauge(FEEDBACK_OPEN), "theme"), legend="{{theme}}"),
                unit="short",
                stacked=True,
            ),
            lines(
                "Loop closed by theme",
                "Feedback whose reporter was told after its item shipped, of all whose item shipped: by a public comment of "
                "an agent after that, or as the row of the interview says.",
                Query(expr=f"max by (theme) ({q.gauge(FEEDBACK_CLOSED_LOOP)})", legend="{{theme}}"),
                unit="percentunit",
                most=1,
            ),
        ),
    )


def _behind() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            table(
                "What became of each period",
                f"Each committed item once, and beside them those added. {_COMMITTED}",
                Grid(words={"period": "Period", "result": "Result"}),
                Column(name="Items", expr=f"max by (period, result) ({q.gauge(ROADMAP_COMMITMENTS)})", decimals=0),
            ),
            table(
                "Pain points, 91 days",
                "Reports of the last 91 days. The page /roadmap ranks them and names the items that answer each.",
                Grid(words={"persona": "Persona", "pain_point": "Pain point"}),
                Column(
                    name="Reports",
                    expr=f"max by (persona, pain_point) ({q.gauge(PAIN_POINT_REPORTS, _QUARTER)})",
                    decimals=0,
                ),
            ),
        ),
    )


def _impact() -> tuple[Card, ...]:
    by = "intervention, metric"
    return (
        table(
            "Effects of changes",
            "From before to after, with the interval of 95 %: of durations and weekly series a share of what was before, of "
            "ratios a difference. Where the interval holds 0 there is no clear change; the page /impact says what else "
            "stands against a claim. No row without enough data.",
            Grid(words={"intervention": "Change", "metric": "Metric"}),
            *(
                Column(name=name, expr=f"max by ({by}) ({q.gauge(EFFECT, where)})", unit="percentunit", decimals=1)
                for name, where in (("Low", 'bound="low"'), ("Change", 'bound="point"'), ("High", 'bound="high"'))
            ),
            *(
                Column(name=f"n {side}", expr=f"max by ({by}) ({q.gauge(SAMPLES, side_is)})", decimals=0)
                for side, side_is in (("before", 'side="before"'), ("after", 'side="after"'))
            ),
        ),
        table(
            "Reach of campaigns",
            "Attended of invited, as the Campaign files have it.",
            Grid(words={"campaign": "Campaign"}),
            Column(name="Reach", expr=f"max by (campaign) ({q.gauge(CAMPAIGN_REACH)})", unit="percentunit", decimals=1),
        ),
    )


DASHBOARD = Dashboard(board)
