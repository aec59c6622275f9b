"""Satisfaction, for the platform's product manager: what users say, how sure that is, and how many did not say anything."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.surveys import (
    SURVEY_NPS,
    SURVEY_RESPONSE_RATIO,
    SURVEY_RESPONSES,
    SURVEY_SCORE,
)
from platform_meter.model.metric import Metric
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard, Variable
from platform_meter.render.dashboards.panels import Column, Grid, Query, lines, stat, table
from platform_meter.slo.plan import Plan

_HERE = 'survey=~"$survey"'
_ALL = f'{_HERE},segment="all"'
_BOUNDS = ("low", "point", "high")
_WAVE = "Of the newest wave that has answers; of each person the last answer counts."
_INTERVAL = (
    "The interval holds the true value in 95 of 100 such surveys: NPS adjusted, CSAT Wilson, SUS t or BCa, Likert BCa."
)
_GROUPS = "Groups of fewer than five people, and those from which such a group could be worked out, are hidden."


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-satisfaction",
        title="Satisfaction",
        description="For the platform's product manager: what do users say, how sure is that, and who did not answer?",
        span="now-90d",
        variables=(
            Variable(
                name="survey", label="Survey", query=q.label_values(SURVEY_RESPONSES.name, "survey"), several=True
            ),
        ),
        rows=(_numbers(), *_course(), *_groups()),
    )


def _at(bound: str, where: str = _ALL) -> str:
    return f'{where},bound="{bound}"'


def _by(labels: str, expr: str) -> str:
    return f"max by ({labels}) ({expr})"


def _numbers() -> tuple[Card, ...]:
    return (
        stat(
            "NPS",
            f"Share of promoters less share of detractors, -100 to 100. {_WAVE} {_INTERVAL}",
            _by("survey", q.gauge(SURVEY_NPS, _at("point"))),
            decimals=1,
        ),
        stat(
            "Answers",
            f"People who answered. {_WAVE}",
            _by("survey", q.gauge(SURVEY_RESPONSES, _ALL)),
            decimals=0,
        ),
        stat(
            "Response ratio",
            f"Invited who answered / invited. {_WAVE}",
            _by("survey", q.gauge(SURVEY_RESPONSE_RATIO, _ALL)),
            unit="percentunit",
            decimals=0,
        ),
    )


def _course() -> tuple[tuple[Card, ...], ...]:
    def bounds(metric: Metric, by: str, words: str) -> list[Query]:
        return [Query(expr=_by(by, q.gauge(metric, _at(bound))), legend=f"{words} {bound}") for bound in _BOUNDS]

    return (
        (
            lines(
                "NPS with its interval",
                f"As it stood at each time; a step is a new answer or a new wave. {_INTERVAL}",
                *bounds(SURVEY_NPS, "survey", "{{survey}}"),
                decimals=1,
                least=None,
            ),
            lines(
                "Scores with their intervals",
                f"CSAT, SUS / 100 and Likert index: scales of their own, never put together. {_INTERVAL}",
                *bounds(SURVEY_SCORE, "survey, question", "{{survey}} {{question}}"),
                unit="percentunit",
                most=1,
            ),
        ),
    )


def _groups() -> tuple[tuple[Card, ...], ...]:
    def score(name: str, metric: Metric, by: str, bound: str, unit: str = "none") -> Column:
        return Column(name=name, expr=_by(by, q.gauge(metric, _at(bound, _HERE))), unit=unit, decimals=1)

    group, asked = "survey, segment", "survey, segment, question"
    return (
        (
            table(
                "NPS by group",
                f"{_WAVE} {_GROUPS} Teams are for the role pm, on the page Satisfaction.",
                Grid(words={"survey": "Survey", "segment": "Group"}),
                score("NPS", SURVEY_NPS, group, "point"),
                score("Low", SURVEY_NPS, group, "low"),
                score("High", SURVEY_NPS, group, "high"),
                Column(name="Answers", expr=_by(group, q.gauge(SURVEY_RESPONSES, _HERE)), decimals=0),
                Column(
                    name="Response ratio",
                    expr=_by(group, q.gauge(SURVEY_RESPONSE_RATIO, _HERE)),
                    unit="percentunit",
                    decimals=0,
                ),
            ),
            table(
                "Scores by group",
                f"{_WAVE} {_GROUPS}",
                Grid(words={"survey": "Survey", "segment": "Group", "question": "Question"}),
                score("Score", SURVEY_SCORE, asked, "point", "percentunit"),
                score("Low", SURVEY_SCORE, asked, "low", "percentunit"),
                score("High", SURVEY_SCORE, asked, "high", "percentunit"),
            ),
        ),
    )


DASHBOARD = Dashboard(board)
