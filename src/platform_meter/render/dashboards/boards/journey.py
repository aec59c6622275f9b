"""Journeys, for the platform's product manager: where newcomers drop off, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.journeys import FUNNEL_DROPOFF, FUNNEL_UNITS, TIME_TO_FIRST, TIME_TO_FIRST_REACHED
from platform_meter.model.metric import Metric
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import Column, Grid, Query, lines, stat, table
from platform_meter.slo.plan import Plan

_HERE = 'journey=~"$journey"'
_MATURE = f'{_HERE},state="mature"'
_ENTRANTS = "Entrants of the last 182 days whose time for the journey is over."
_TIMES = (
    "From entering, by Kaplan-Meier over the entrants of the last 182 days, those who are not there yet counted so far; no "
    "number while too few came."
)


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-journey",
        title="Journey",
        description="For the platform's product manager: where do newcomers drop off, and how long do they take?",
        span="now-30d",
        refresh="5m",
        variables=(
            Variable(
                name="journey",
                label="Journey",
                query=q.label_values(FUNNEL_UNITS.name, "journey"),
                several=True,
            ),
        ),
        rows=(_numbers(), _course(), (_stages(),)),
    )


def _numbers() -> tuple[Card, ...]:
    return (
        stat("Entered", _ENTRANTS, q.total(q.gauge(FUNNEL_UNITS, f'{_MATURE},stage="entered"')), decimals=0),
        stat(
            "With time left",
            "Entrants of the last 182 days whose time for the journey is not over.",
            q.total(q.gauge(FUNNEL_UNITS, f'{_HERE},state="pending",stage="entered"')),
            decimals=0,
        ),
        stat(
            "Worst drop-off",
            "Of those who came to the stage before, the share that did not come to the next one; of the stage that lost most.",
            f"max({q.gauge(FUNNEL_DROPOFF, _HERE)})",
            unit="percentunit",
            decimals=0,
            steps=(("green", 0), ("orange", 0.3), ("red", 0.6)),
        ),
    )


def _course() -> tuple[Card, ...]:
    by_stage = "{{journey}} {{stage}}"
    return (
        lines(
            "Drop-off by stage",
            "Of the mature entrants who came to the stage before, the share that did not come to this one.",
            Query(expr=q.total(q.gauge(FUNNEL_DROPOFF, _HERE), "journey, stage"), legend=by_stage),
            unit="percentunit",
            most=1,
        ),
        lines(
            "Half of them within",
            _TIMES,
            Query(
                expr=q.total(q.gauge(TIME_TO_FIRST, f'{_HERE},quantile="0.5"'), "journey, milestone"),
                legend="{{journey}} {{milestone}}",
            ),
            unit="s",
        ),
    )


def _stages() -> Card:
    def of(metric: Metric, where: str) -> str:
        return q.total(q.gauge(metric, where), "journey, stage")

    reached = f'label_replace({q.gauge(TIME_TO_FIRST_REACHED, _HERE)}, "stage", "$1", "milestone", "(.*)")'
    return table(
        "Stages",
        f"{_ENTRANTS} A stage counts as the file says: after the one before it, or implied by a later one.",
        Grid(words={"journey": "Journey", "stage": "Stage"}),
        Column(name="Came so far", expr=of(FUNNEL_UNITS, _MATURE)),
        Column(name="Drop-off", expr=of(FUNNEL_DROPOFF, _HERE), unit="percentunit", decimals=0),
        Column(name="With time left", expr=of(FUNNEL_UNITS, f'{_HERE},state="pending"')),
        Column(
            name="Ever reached",
            expr=q.total(reached, "journey, stage"),
            unit="percentunit",
            decimals=0,
        ),
    )


DASHBOARD = Dashboard(board)
