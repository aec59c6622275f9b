"""Support, for the platform's product manager and its support lead: what comes in, what is late, what will be."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_BACKLOG_AGE,
    TICKET_EXPECTED_BREACHES,
    TICKET_REOPEN,
    TICKET_SLA_CYCLES,
    TICKET_SLA_MET,
    TICKET_SLA_SECONDS,
    TICKETS_CREATED,
    TICKETS_OPEN,
    TICKETS_PER_ACTIVE_TEAM,
)
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import (
    GOOD_UNTIL_ONE,
    Column,
    Grid,
    Query,
    Steps,
    bar_gauge,
    lines,
    stat,
    table,
)
from platform_meter.slo.plan import Plan

_HERE = 'queue=~"$queue"'
_WINDOWED = f'{_HERE},window="$window"'
_NINETY = f'{_HERE},quantile="0.9"'
_MET: Steps = (("red", 0), ("orange", 0.8), ("green", 0.9))
_CLOCK = (
    "Business time: the clock runs while the status is a running one and the queue's calendar is open. A cycle is "
    "breached at the moment it passes its goal; what happens on reopening is the queue's `reopen` setting."
)
_RISK = "At risk: open, unpaused, at most 20 % of the goal left."


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-support",
        title="Support",
        description="For the platform's product manager and its support lead: what do users ask for, what is late, and "
        "what will be?",
        span="now-7d",
        variables=(
            Variable(name="queue", label="Queue", query=q.label_values(TICKETS_OPEN.name, "queue"), several=True),
            Variable(name="window", label="Window of ratios", query="28d,91d", listed=True, default="28d"),
        ),
        rows=(_numbers(), *_course(), *_now()),
    )


def _numbers() -> tuple[Card, ...]:
    known = f"count({q.gauge(TICKETS_OPEN, _HERE)})"
    return (
        stat("Open", "Tickets that are not done, paused ones too.", q.total(q.gauge(TICKETS_OPEN, _HERE)), decimals=0),
        stat(
            "Created",
            "Tickets created in the time range shown. They count when they are read.",
            q.or_zero(q.total(q.increase(TICKETS_CREATED, q.RANGE, _HERE)), known),
            decimals=0,
        ),
        stat(
            "At risk",
            f"{_RISK} Over all SLAs of the queues chosen: a ticket with two clocks can count twice.",
            q.total(q.gauge(TICKET_AT_RISK, _HERE)),
            decimals=0,
            steps=(("green", 0), ("orange", 1)),
        ),
        stat(
            "Expected breaches",
            "Open cycles that will breach, as the cycles of the last 91 days make likely (Kaplan-Meier); only where at "
            "least 30 cycles stand behind it.",
            q.total(q.gauge(TICKET_EXPECTED_BREACHES, _HERE)),
            decimals=1,
            steps=GOOD_UNTIL_ONE,
        ),
        stat(
            "Lowest met ratio",
            f"Of all SLAs and priorities in the window chosen above. {_CLOCK}",
            f"min({q.gauge(TICKET_SLA_MET, _WINDOWED)})",
            unit="percentunit",
            decimals=0,
            steps=_MET,
        ),
        stat(
            "Backlog age, p90",
            "Business time since creation that 90 % of the open tickets do not exceed; of the queue where it is longest.",
            f"max({q.gauge(TICKET_BACKLOG_AGE, _NINETY)})",
            unit="s",
        ),
    )


def _course() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            lines(
                "Tickets created by category",
                "Tickets created in each step. They count when they are read; a ticket without a category is `none`.",
                Query(
                    expr=q.total(q.increase(TICKETS_CREATED, q.STEP, _HERE), "category"),
                    legend="{{category}}",
                ),
                unit="short",
                bars=True,
                stacked=True,
                step="1h",
            ),
            lines(
                "Open tickets by age",
                "Open tickets by calendar age: under 1, 3, 7, 30 days, older. The classes do not overlap.",
                Query(expr=q.total(q.gauge(TICKETS_OPEN, _HERE), "age"), legend="{{age}}"),
                unit="short",
                stacked=True,
            ),
        ),
        (
            lines(
                "SLA met by priority",
                f"Cycles met / decided in the window chosen above. {_CLOCK}",
                Query(
                    expr=f"max by (queue, sla, priority) ({q.gauge(TICKET_SLA_MET, _WINDOWED)})",
                    legend="{{queue}} {{sla}} {{priority}}",
                ),
                unit="percentunit",
                least=None,
                most=1,
            ),
            lines(
                "Backlog age",
                "Business time since creation of the open tickets: median, 90 % quantile, oldest.",
                Query(
                    expr=f"max by (queue, quantile) ({q.gauge(TICKET_BACKLOG_AGE, _HERE)})",
                    legend="{{queue}} {{quantile}}",
                ),
                unit="s",
            ),
        ),
        (
            lines(
                "At risk by SLA",
                _RISK,
                Query(
                    expr=q.total(q.gauge(TICKET_AT_RISK, _HERE), "queue, sla"),
                    legend="{{queue}} {{sla}}",
                ),
                unit="short",
            ),
            lines(
                "SLA cycles decided",
                "Cycles met and breached in each step, counted when they are decided; none is ever taken back.",
                Query(
                    expr=q.total(q.increase(TICKET_SLA_CYCLES, q.STEP, _HERE), "sla, result"),
                    legend="{{sla}} {{result}}",
                ),
                unit="short",
                bars=True,
                stacked=True,
                step="1h",
            ),
        ),
    )


def _now() -> tuple[tuple[Card, ...], ...]:
    def worst(expr: str) -> str:
        return f"max by (queue, sla, priority) ({expr})"

    def took(quantile: str) -> str:
        return worst(q.gauge(TICKET_SLA_SECONDS, f'{_HERE},quantile="{quantile}"'))

    return (
        (
            table(
                "SLAs by priority",
                f"Met / decided in the window chosen above, business time of the cycles that stopped in 28 days (median "
                f"and 90 % quantile, from 5 cycles on), and what is at risk now. {_CLOCK}",
                Grid(words={"queue": "Queue", "sla": "SLA", "priority": "Priority"}),
                Column(
                    name="Met",
                    expr=worst(q.gauge(TICKET_SLA_MET, _WINDOWED)),
                    unit="percentunit",
                    decimals=0,
                    steps=_MET,
                ),
                Column(name="p50", expr=took("0.5"), unit="s"),
                Column(name="p90", expr=took("0.9"), unit="s"),
                Column(name="At risk now", expr=worst(q.gauge(TICKET_AT_RISK, _HERE))),
                Column(
                    name="Expected breaches",
                    expr=worst(q.gauge(TICKET_EXPECTED_BREACHES, _HERE)),
                    decimals=1,
                ),
                height=12,
                width=16,
            ),
            bar_gauge(
                "Open by priority",
                "Open tickets, paused ones too.",
                Query(
                    expr=q.total(q.gauge(TICKETS_OPEN, _HERE), "priority"),
                    legend="{{priority}}",
                ),
                unit="short",
            ),
        ),
        (
            table(
                "Queues",
                "In the window chosen above: tickets created / teams with any pipeline run, deployment, merged change "
                "or, where known, ticket; and tickets resolved and reopened since / resolved.",
                Grid(words={"queue": "Queue"}),
                Column(
                    name="Tickets per active team",
                    expr=f"max by (queue) ({q.gauge(TICKETS_PER_ACTIVE_TEAM, _WINDOWED)})",
                    decimals=1,
                ),
                Column(
                    name="Reopened",
                    expr=f"max by (queue) ({q.gauge(TICKET_REOPEN, _WINDOWED)})",
                    unit="percentunit",
                    decimals=1,
                ),
                height=6,
            ),
            table(
                "Created by category and priority",
                "Tickets created in the time range shown. They count when they are read.",
                Grid(
                    words={"queue": "Queue", "category": "Category", "priority": "Priority"},
                    sort="Created",
                    falling=True,
                ),
                Column(
                    name="Created",
                    expr=q.total(q.increase(TICKETS_CREATED, q.RANGE, _HERE), "queue, category, priority"),
                    decimals=0,
                ),
                height=6,
            ),
        ),
    )


DASHBOARD = Dashboard(board)
