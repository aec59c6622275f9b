"""Adoption: who could use each capability, who does, and how that changes (domain section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from platform_meter.measures.adoption import cohorts, goals, standards
from platform_meter.measures.adoption.behind import behind
from platform_meter.measures.adoption.book import Book
from platform_meter.measures.adoption.gauges import compute
from platform_meter.measures.adoption.seen import wanted
from platform_meter.measures.adoption.snapshots import STATES
from platform_meter.measures.adoption.standing import told_by
from platform_meter.model.catalogue.adoption import (
    ACTIVE_UNITS,
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_FORECAST,
    ADOPTION_GOAL,
    ADOPTION_GOAL_FORECAST,
    ADOPTION_GOAL_GAP,
    ADOPTION_GOAL_NEEDED,
    ADOPTION_GOAL_STATE,
    ADOPTION_RATIO,
    ADOPTION_UNITS,
    CHURN,
    COHORT_RETENTION,
    STANDARD_UNITS,
    STICKINESS,
    TEAM_BREADTH,
    TEAM_CAPABILITY_STATE,
    TEAM_DEPTH,
    TEAM_INDEX,
    TEAM_STANDARD_RATIO,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import Gauging, Measure, Measures, Scene
from platform_meter.model.metric import Sample


def declared(definitions: Definitions) -> tuple[Measure, ...]:
    """The gauges of these capabilities and of their goals, which keep the use that they have read."""
    books: dict[ZoneInfo, Book] = {}
    used = frozenset(kind for c in definitions.capabilities for by in (c.adopted, c.active) for kind in told_by(by))

    def kept(scene: Scene) -> Iterator[Sample]:
        book = books.get(scene.zone)
        if book is None:
            book = books[scene.zone] = wanted(definitions.capabilities, scene.zone)
        return compute(scene, book)

    return (
        Gauging(
            metrics=(
                ADOPTION_UNITS,
                ADOPTION_RATIO,
                ADOPTION_ACTIVE_RATIO,
                ADOPTION_DEPTH_RATIO,
                ACTIVE_UNITS,
                STICKINESS,
                CHURN,
                TEAM_CAPABILITY_STATE,
                TEAM_BREADTH,
                TEAM_DEPTH,
                TEAM_INDEX,
            ),
            reads=used,
            compute=kept,
            behind=behind,
            # A tick alone only turns days; sources that age out and new facts come by themselves.
            every=timedelta(minutes=1),
        ),
        Gauging(
            metrics=(STANDARD_UNITS, TEAM_STANDARD_RATIO),
            reads=frozenset(kind for c in standards.standards(definitions) for kind in told_by(c.adopted)),
            compute=standards.compute,
            behind=standards.behind,
            every=timedelta(minutes=1),
        ),
        Gauging(
            metrics=(
                ADOPTION_GOAL,
                ADOPTION_GOAL_GAP,
                ADOPTION_GOAL_STATE,
                ADOPTION_GOAL_NEEDED,
                ADOPTION_GOAL_FORECAST,
                ADOPTION_FORECAST,
            ),
            reads=used,
            compute=goals.compute,
            behind=goals.behind,
            stated=(ADOPTION_GOAL,),
            every=timedelta(minutes=5),
            # They rest on days that are over.
            at_once=False,
        ),
        Gauging(
            metrics=(COHORT_RETENTION,),
            reads=used,
            compute=cohorts.compute,
            behind=cohorts.behind,
            every=timedelta(minutes=5),
            at_once=False,
        ),
    )


MEASURES = Measures(standing=(STATES, standards.STATES), declared=declared)
