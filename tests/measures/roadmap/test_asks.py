"""What is asked for most, beside what is planned."""

from __future__ import annotations

from tests.measures.roadmap.test_voices import loop, ticket, told, world
from tests.support.roadmaps import DEVELOPER, day, item
from tests.support.tickets import resolved

from platform_meter.measures.roadmap.asks import Ask, by_pain, by_theme, not_asked, not_planned
from platform_meter.measures.roadmap.items import items
from platform_meter.measures.roadmap.voices import Pain, asked_for
from platform_meter.model.facts.roadmap import ItemStatus, RoadmapItem


def asks(*plan: RoadmapItem) -> dict[str, Ask]:
    seen = world(
        ticket("1", "feedback:builds"),
        ticket("2", "feedback:builds"),
        ticket("3", "feedback:docs", at=day("2026-05-04")),
        ticket("4", "feedback:docs"),
        ticket("5", "feedback:docs", at=day("2026-04-01")),
        resolved(day("2026-06-05"), ticket="5"),
        told("apis"),
        plan=plan,
    )
    return dict(by_theme(loop(seen)))


def test_the_theme_of_which_most_is_open_comes_first() -> None:
    """Then by name; what is closed counts among all and waits no more."""
    found = asks()
    assert [(theme, ask.open, len(ask.heard)) for theme, ask in found.items()] == [
        ("builds", 2, 2),
        ("docs", 2, 3),
        ("apis", 1, 1),
    ]
    assert found["docs"].oldest == day("2026-05-04")
    assert asks(item("A", themes=("builds",), status=ItemStatus.DROPPED))["builds"].items == []


def test_a_theme_is_planned_by_an_item_that_has_its_period_or_is_done() -> None:
    """One that is on the roadmap without a period is a wish; one that was done before somebody asked answers nothing."""
    plan = (item("A", "2026-Q4", themes=("builds",)), item("B", "Later", themes=("docs",)))
    assert list(not_planned(asks(*plan))) == ["docs", "apis"]
    done = item("C", themes=("docs",), ended="2026-08-01")
    assert list(not_planned(asks(*plan, done))) == ["apis"]
    early = item("C", themes=("docs",), ended="2026-05-20")
    assert [(theme, len(ask.heard)) for theme, ask in not_planned(asks(*plan, early)).items()] == [
        ("apis", 1),
        ("docs", 1),
    ]
    assert list(not_planned(asks(item("A", "2026-Q4", themes=("builds",), status=ItemStatus.DROPPED)))) == [
        "builds",
        "docs",
        "apis",
    ]


def test_what_nobody_asked_for_is_planned_and_has_nothing_behind_it() -> None:
    """What is over, or has no period, is no plan any more or none yet."""
    plan = (
        item("A", "2026-Q4"),
        item("B", "2026-Q4", themes=("builds",)),
        item("C", "Later"),
        item("D", "2026-Q3", ended="2026-08-01"),
        item("E", "2026-Q3", status=ItemStatus.DROPPED),
    )
    seen = world(ticket("1", "feedback:builds"), plan=plan)
    planned = items(seen) or ()
    assert [one.told.name for one in not_asked(planned, asked_for(loop(seen), planned))] == ["A"]


def test_each_pain_point_is_there_and_the_worst_first() -> None:
    """One of which nobody told too."""
    more = DEVELOPER.model_validate(
        {
            "kind": "Persona",
            "id": "developer",
            "pain_points": [{"id": "a", "match": {"ticket_label": ["none"]}}, *DEVELOPER.model_dump()["pain_points"]],
        }
    )
    seen = world(ticket("1", "ci-slow"), told("builds"), personas=(more,))
    found = by_pain(loop(seen), (more,))
    assert [(pain, ask.open) for pain, ask in found.items()] == [
        (Pain("developer", "slow-ci"), 2),
        (Pain("developer", "a"), 0),
    ]
