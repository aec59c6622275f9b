"""The roadmap in the simulated Jira, read by the source that reads real ones: what comes out is what was planned."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.demo.worlds import START, Caller, Clock, jira, small_world
from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.roadmap import PLANS
from platform_meter.demo.company.tickets import FEEDBACK
from platform_meter.demo.world import World
from platform_meter.measures.roadmap import heard
from platform_meter.measures.roadmap.asks import by_theme, not_asked, not_planned
from platform_meter.measures.roadmap.items import by_period, items
from platform_meter.measures.roadmap.judged import judge
from platform_meter.measures.roadmap.snapshots import STATES
from platform_meter.measures.roadmap.voices import asked_for
from platform_meter.model.definitions import Definitions, RoadmapSource
from platform_meter.model.facts import Fact
from platform_meter.model.measure import Scene
from platform_meter.sources.jira import SOURCE, Config
from platform_meter.testing.outside import FakeOutside

PLAN: dict[str, Any] = {
    "kind": "RoadmapSource", "id": "platform", "source": {"type": "jira", "project": "ROAD"},
    "period_field": "Quarter", "feedback": {"label": "feedback:*"},
}  # fmt: skip


def read(world: World, caller: Caller) -> Scene:
    """One poll of all that the Jira has, and the daily states that are due then."""
    settings = {"url": "http://jira.test", "email": "m@example.test", "token": {"env": "T"}, "roadmaps": [PLAN]}
    facts: list[Fact] = []
    for stream in SOURCE.connect(Config.model_validate(settings), FakeOutside(caller.answer), "jira"):
        for page in stream.read(None, START - timedelta(days=90), START):
            facts += page.facts
    history = MemoryHistory(
        [("jira", NOBODY, fact) for fact in facts],
        sources=[source("jira", watermark=START, since=START)],
        zone=ZONE.key,
    )
    plan = RoadmapSource.model_validate(PLAN)
    scene = Scene(history=history, definitions=Definitions(roadmaps=(plan,)), now=START, zone=ZONE)
    for day in STATES.take(scene):
        history.taken += day.states
    return scene


@pytest.fixture(scope="module", params=[1, 2, 3])
def told(request: pytest.FixtureRequest) -> tuple[World, Scene]:
    world = small_world(Clock(), seed=request.param)
    return world, read(world, jira(world))


def test_what_became_of_each_quarter(told: tuple[World, Scene]) -> None:
    """Of four committed to the first one was delivered in it, of five committed to the second three are by now."""
    periods = {one.period.label: one for one in judge(told[1], items(told[1], past=True) or ())}
    found = {
        label: {str(result): [item.told.name for item in some] for result, some in one.results.items() if some}
        for label, one in periods.items()
    }
    assert found == {
        "2026-Q1": {"delivered": ["ROAD-1"], "late": ["ROAD-2", "ROAD-3"], "dropped": ["ROAD-4"], "added": ["ROAD-5"]},
        "2026-Q2": {"delivered": ["ROAD-3", "ROAD-6", "ROAD-8"], "open": ["ROAD-7"], "moved": ["ROAD-9"]},
        "2026-Q3": {},
    }  # fmt: skip
    assert [item.told.name for item in by_period(items(told[1]) or ())[None]] == ["ROAD-11"]


def test_all_wishes_are_heard_and_answered_by_what_was_not_done_before(told: tuple[World, Scene]) -> None:
    """By theme, as the story has them; the items that answer a theme are those of its topic."""
    world, scene = told
    known = heard(scene, items(scene)) or ()
    wishes = Counter(
        label.removeprefix(FEEDBACK)
        for ticket in world.history.tickets
        if ticket.created < START
        for label in ticket.labels
        if label.startswith(FEEDBACK)
    )
    asks = by_theme(known)
    assert {theme: len(ask.heard) for theme, ask in asks.items()} == dict(wishes)
    topics = {plan.key: plan.topic for plan in PLANS}
    assert all(topics[item.told.name] == theme for theme, ask in asks.items() for item in ask.items)
    waiting = set(not_planned(asks))
    assert waiting <= {"kubernetes", "observability", "tooling", "ci", "onboarding", "docs", "gateway"}
    planned = items(scene) or ()
    unasked = {item.told.name for item in not_asked(planned, asked_for(known, planned))}
    assert {"ROAD-10"} <= unasked <= {"ROAD-7", "ROAD-9", "ROAD-10"}
