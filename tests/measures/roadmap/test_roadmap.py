"""The gauges of roadmaps and feedback: worked out by hand, and made of what stands behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.measures.roadmap.test_voices import surveyed, ticket, told
from tests.support.history import source
from tests.support.roadmaps import day, item, kept, read, scene
from tests.support.tickets import comment

from platform_meter.measures import roadmap
from platform_meter.model.catalogue.roadmap import PAIN_POINT_REPORTS, ROADMAP_ITEMS
from platform_meter.model.facts.roadmap import ItemStatus
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

NOW = day("2026-11-10")
Q3 = "2026-Q3"
GAUGES = [one for one in roadmap.MEASURES.standing if isinstance(one, Gauging)]
FACTS = [
    ("jira", ticket("1", "feedback:builds", at=day("2026-10-30"))),
    ("jira", ticket("2", "feedback:builds", at=day("2026-09-01"))),
    ("jira", comment(day("2026-09-10"), ticket="2")),
    ("jira", ticket("3", "ci-slow", at=day("2026-03-01"))),
    ("jira", ticket("4", "feedback:builds", at=day("2026-08-01"))),
    ("documents", told("docs", at=day("2026-11-09"), closed=True)),
]


def world(**more: object) -> Scene:
    items = [
        item("A", Q3, ended="2026-09-01", themes=("builds",), made="2026-06-05"),
        item("B", Q3, status=ItemStatus.STARTED, made="2026-06-05"),
        item("C", Q3, made="2026-06-05", status=ItemStatus.DROPPED, ended="2026-08-01"),
        item("D", Q3, made="2026-08-05", ended="2026-09-30", feedback=("jira:OLD-1",)),
        item("E", "2026-Q4", made="2026-10-05", feedback=("jira:HELP-3",)),
        item("F", "Later", made="2026-10-05"),
    ]
    return kept(scene(NOW, items, facts=FACTS, **more))  # type: ignore[arg-type]  # only sources are given


def values(seen: Scene) -> dict[str, dict[tuple[str, ...], float]]:
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for gauge in GAUGES:
        for sample in gauge.compute(seen):
            value = resolve(sample.value)
            if value is not None:
                found.setdefault(sample.metric.name.removeprefix("platform_"), {})[sample.labels] = value
    return found


def test_a_quarter_by_hand() -> None:
    """Three were committed and one of them was delivered; of the three that were not dropped two have feedback."""
    found = values(world())
    assert found["roadmap_items"] == {
        (Q3, "done"): 2, (Q3, "started"): 1, (Q3, "dropped"): 1, ("2026-Q4", "planned"): 1, ("_none", "planned"): 1,
    }  # fmt: skip
    assert found["roadmap_commitments"] == {
        (Q3, "delivered"): 1, (Q3, "late"): 0, (Q3, "open"): 1, (Q3, "moved"): 0, (Q3, "dropped"): 1, (Q3, "added"): 1,
    }  # fmt: skip
    assert found["roadmap_delivery_ratio"] == {(Q3,): pytest.approx(1 / 3)}
    assert found["roadmap_linked_ratio"] == {(Q3,): pytest.approx(2 / 3), ("2026-Q4",): 1.0}


def test_feedback_by_hand() -> None:
    """Of two about builds before their item shipped on 1 September one was told so on the 10th; one came in October."""
    found = values(world())
    assert found["feedback_open"] == {("builds", "developer"): 2, ("_none", "developer"): 1, ("docs", "_none"): 0}
    assert found["feedback_closed_loop_ratio"] == {("builds",): 0.5}
    assert found["pain_point_reports"] == {("developer", "slow-ci", "28d"): 1, ("developer", "slow-ci", "91d"): 2}


def test_a_window_ends_where_its_source_was_read() -> None:
    """Twenty-eight days before that, not before now; its start is in it."""
    last = day("2026-10-30") + timedelta(days=28)
    for now, reports in ((last, 1.0), (last + timedelta(seconds=1), 0.0)):
        known = [read(now, since=NOW), source("documents", watermark=NOW)]
        seen = replace(world(sources=known), now=day("2026-12-20"))
        assert values(seen)["pain_point_reports"]["developer", "slow-ci", "28d"] == reports


@pytest.mark.parametrize("gauge", GAUGES, ids=["items", "feedback"])
def test_what_is_behind_each_sample_adds_up_to_it(gauge: Gauging) -> None:
    """Every one of them."""
    seen = world()
    assert [*gauge.compute(seen)]
    adds_up(gauge, seen)


def test_what_a_survey_asked_for_counts_and_shows_nobody() -> None:
    """Six developers: an item that answers them is done, and no loop of theirs counts; behind it stands no answer."""
    chosen = [("dev", "build time", 6, "2026-08-02")]
    waiting = surveyed(*chosen)
    found = values(waiting)
    assert found["feedback_open"] == {("build time", "developer"): 6}
    assert found["pain_point_reports"] == {("developer", "slow-ci", "28d"): 6, ("developer", "slow-ci", "91d"): 6}
    _, feedback = GAUGES
    adds_up(feedback, waiting)
    assert feedback.behind
    behind = list(feedback.behind(waiting, PAIN_POINT_REPORTS, ("developer", "slow-ci", "91d")))
    assert {(one.fact, one.object, one.what) for one in behind} == {
        (None, None, "an answer of Q3 2026 that chose build time")
    }
    done = values(surveyed(*chosen, plan=(item("A", Q3, themes=("build time",), ended="2026-08-10"),)))
    assert done["feedback_open"] == {("build time", "developer"): 0}
    assert "feedback_closed_loop_ratio" not in done


def test_behind_feedback_stand_the_events_that_began_it() -> None:
    """The creation of a ticket, the row of an interview; of an item its reading."""
    seen = world()
    items, feedback = GAUGES
    assert items.behind
    assert feedback.behind
    reports = feedback.behind(seen, PAIN_POINT_REPORTS, ("developer", "slow-ci", "91d"))
    assert [getattr(piece.fact, "name", "") for piece in reports] == ["HELP-2", "HELP-1"]
    planned = items.behind(seen, ROADMAP_ITEMS, ("2026-Q4", "planned"))
    assert [getattr(piece.fact, "name", "") for piece in planned] == ["E"]


def test_what_is_not_known_is_absent() -> None:
    """A stale Jira has neither items nor tickets; no number of either is said."""
    stale = world(sources=[read(NOW, fresh=False), source("documents", watermark=NOW)])
    assert values(stale) == {}


def test_with_nothing_declared_nothing_is_said() -> None:
    """No roadmap, no persona: no series."""
    bare = scene(NOW, [], facts=FACTS, plans=(), personas=())
    assert values(bare) == {}
