"""Portal and catalog, for whoever runs the portal as a product: is the catalog true, do templates work, is it used."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.catalogue.portal import (
    CATALOG_COVERAGE,
    CATALOG_ENTITIES,
    DOCS_HELPFUL,
    DOCS_VIEWS,
    GOLDEN_PATH,
    GOLDEN_PATH_STAY,
    PORTAL_ACTIVE_PEOPLE,
    PORTAL_SEARCHES,
    TEMPLATE_RUNS,
)
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Board, Card, Dashboard
from platform_meter.render.dashboards.panels import Column, Grid, Query, Steps, lines, stat, table
from platform_meter.slo.plan import Plan

_GOOD: Steps = (("red", 0), ("orange", 0.8), ("green", 0.95))
_COMPLETE = (
    "Complete: all fields that the settings ask for, as far as the kind can have them, and an owner that is an existing "
    "group with members."
)
_COVERED = (
    "Deployables that are in the catalog / all that were seen in clusters now, or in CI within 28 days. All that belongs "
    "to one service is one; what belongs to none stands by itself."
)
_PATH = "New repositories of 28 days that a template made / all new ones."
_STAY = (
    "Of repositories that a template made and whose 90th day was within 91 days: those whose entry in the catalog was "
    "complete on that day. Absent until the catalog is known for so long."
)
_ENDED = "Runs count when they are read. Success: worked / (worked + failed); what somebody cancelled is left out."
_TOLD = "Where the portal sends its analytics events."


def board(_: Sequence[Plan]) -> Board:
    return Board(
        uid="pm-portal",
        title="Portal and catalog",
        description="For whoever runs the portal as a product: is the catalog true and whole, do templates work, does "
        "anybody find what they look for?",
        span="now-7d",
        variables=(),
        rows=(_numbers(), *_course(), *_now()),
    )


def _runs(outcome: str, window: str, by: str = "") -> str:
    return q.total(q.increase(TEMPLATE_RUNS, window, f'outcome="{outcome}"'), by)


def _tried(window: str, by: str = "") -> str:
    return q.total(q.increase(TEMPLATE_RUNS, window, 'outcome!="cancelled"'), by)


def _complete(by: str = "") -> str:
    return q.share(q.total(q.gauge(CATALOG_ENTITIES, 'complete="yes"'), by), q.total(q.gauge(CATALOG_ENTITIES), by))


def _numbers() -> tuple[Card, ...]:
    return (
        stat(
            "Complete entries",
            _COMPLETE,
            _complete(),
            unit="percentunit",
            decimals=0,
            steps=_GOOD,
        ),
        stat("Coverage", _COVERED, q.gauge(CATALOG_COVERAGE), unit="percentunit", decimals=0, steps=_GOOD),
        stat(
            "Golden path, 28 d",
            _PATH,
            q.gauge(GOLDEN_PATH, 'window="28d"'),
            unit="percentunit",
            decimals=0,
        ),
        stat(
            "Still complete at day 90",
            _STAY,
            q.gauge(GOLDEN_PATH_STAY, 'window="91d"'),
            unit="percentunit",
            decimals=0,
        ),
        stat(
            "Active people, 28 d",
            f"Distinct people who did anything in the portal. {_TOLD}",
            q.gauge(PORTAL_ACTIVE_PEOPLE, 'window="28d"'),
            decimals=0,
        ),
        stat(
            "Template success",
            f"In the time range shown. {_ENDED}",
            q.share(_runs("success", q.RANGE), _tried(q.RANGE)),
            unit="percentunit",
            decimals=0,
            steps=_GOOD,
        ),
    )


def _course() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            lines(
                "Complete and covered",
                f"{_COMPLETE} Covered: {_COVERED[0].lower()}{_COVERED[1:]}",
                Query(expr=_complete(), legend="complete"),
                Query(expr=q.total(q.gauge(CATALOG_COVERAGE)), legend="covered"),
                unit="percentunit",
                least=0,
                most=1,
            ),
            lines(
                "Template runs by outcome",
                "Runs that ended in each step. They count when they are read.",
                Query(expr=q.total(q.increase(TEMPLATE_RUNS, q.STEP), "outcome"), legend="{{outcome}}"),
                unit="short",
                bars=True,
                stacked=True,
                step="1h",
            ),
        ),
        (
            lines(
                "Active people",
                f"Distinct people who did anything in the portal, by window. {_TOLD}",
                Query(expr=f"max by (window) ({q.gauge(PORTAL_ACTIVE_PEOPLE)})", legend="{{window}}"),
                unit="short",
            ),
            lines(
                "Searches",
                f"By whether they found anything, in each step. {_TOLD} What was searched for is kept nowhere.",
                Query(expr=q.total(q.increase(PORTAL_SEARCHES, q.STEP), "result"), legend="{{result}}"),
                unit="short",
                bars=True,
                stacked=True,
                step="1h",
            ),
        ),
    )


def _now() -> tuple[tuple[Card, ...], ...]:
    return (
        (
            table(
                "Entries by kind",
                _COMPLETE,
                Grid(words={"kind": "Kind"}),
                Column(name="All", expr=q.total(q.gauge(CATALOG_ENTITIES), "kind")),
                Column(name="Incomplete", expr=q.total(q.gauge(CATALOG_ENTITIES, 'complete="no"'), "kind")),
                Column(name="Complete", expr=_complete("kind"), unit="percentunit", decimals=0, steps=_GOOD),
            ),
            table(
                "Templates",
                f"In the time range shown. {_ENDED}",
                Grid(words={"template": "Template"}, sort="Runs", falling=True),
                Column(name="Runs", expr=q.total(q.increase(TEMPLATE_RUNS, q.RANGE), "template"), decimals=0),
                Column(
                    name="Success",
                    expr=q.share(_runs("success", q.RANGE, "template"), _tried(q.RANGE, "template")),
                    unit="percentunit",
                    decimals=0,
                    steps=_GOOD,
                ),
            ),
            table(
                "Docs",
                f"Views in the time range shown, and the share of votes of 28 days that say a page helped, from 5 votes "
                f"on. {_TOLD}",
                Grid(words={"area": "Docs of"}, sort="Views", falling=True),
                Column(name="Views", expr=q.total(q.increase(DOCS_VIEWS, q.RANGE), "area"), decimals=0),
                Column(name="Helped", expr=f"max by (area) ({q.gauge(DOCS_HELPFUL)})", unit="percentunit", decimals=0),
            ),
        ),
    )


DASHBOARD = Dashboard(board)
