"""Which items there are, and whether all of them are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tests.support.history import NOBODY
from tests.support.roadmaps import PLAN, day, item, read, scene

from platform_meter.measures.roadmap.items import by_period, items, known_to
from platform_meter.model.definitions import RoadmapSource
from platform_meter.model.facts.roadmap import ItemStatus

FILE = RoadmapSource.model_validate(
    {
        "kind": "RoadmapSource",
        "id": "file",
        "source": {
            "type": "yaml",
            "items": [
                {"id": "b", "title": " Two\nlines ", "period": "Q3 2026", "status": "done", "done": "2026-08-14",
                 "feedback": ["jira:HELP-7", "jira:HELP-7"], "themes": ["builds"], "url": "https://example.org/b"},
                {"id": "a", "status": "dropped"},
            ],
        },
    }
)  # fmt: skip


def test_items_of_sources_and_of_files_stand_side_by_side() -> None:
    """Those of a roadmap that no file declares are none; a day on which one was done begins at midnight of the zone."""
    stray = replace(item("Z"), roadmap="other")
    found = items(scene(day("2026-08-20"), [item("A"), stray], plans=(PLAN, FILE), zone="Europe/Berlin")) or ()
    assert [(one.unit, one.told.roadmap, one.told.status) for one in found] == [
        (":file/a", "file", ItemStatus.DROPPED),
        (":file/b", "file", ItemStatus.DONE),
        ("jira:plan/A", "plan", ItemStatus.PLANNED),
    ]
    told = found[1].told
    assert (told.title, told.ended, told.feedback, told.url) == (
        "Two lines", datetime(2026, 8, 13, 22, tzinfo=UTC), ("jira:HELP-7",), "https://example.org/b",
    )  # fmt: skip
    assert [(p.label if p else "", len(some)) for p, some in by_period(found).items()] == [("", 2), ("2026-Q3", 1)]


def test_what_has_no_calendar_period_is_unscheduled() -> None:
    """It stands in no period, whatever its word is."""
    seen = scene(day("2026-08-10"), [item("A", "Later"), item("B"), item("C", "2026-Q3")])
    assert [one.told.name for one in by_period(items(seen) or ())[None]] == ["A", "B"]


def test_while_a_roadmap_is_not_known_there_are_no_items() -> None:
    """Not those of the others either: what a period holds is told of all of them or not at all."""
    now = day("2026-08-20")
    for source in (read(now, fresh=False), replace(read(now), watermark=None)):
        assert items(scene(now, [item("A")], plans=(PLAN, FILE), sources=[source])) is None
    assert items(scene(now, [item("A")], sources=[replace(read(now), type="github")])) is None
    other = replace(read(now, fresh=False), instance="asia")
    assert known_to(scene(now, [], sources=[read(now), other]), PLAN) is None
    early = day("2026-08-19")
    assert known_to(scene(now, [], sources=[read(early), read(now)]), PLAN) == early


def test_what_a_source_told_that_is_configured_no_more_is_no_item() -> None:
    """Nor does it stand for what was; one issue may be an item of two roadmaps."""
    now = day("2026-08-20")
    other = PLAN.model_copy(update={"id": "other"})
    old = ("old", NOBODY, item("A"), day("2026-02-01"), None)
    seen = scene(now, [item("A"), replace(item("A"), roadmap="other")], held=[old], plans=(PLAN, other))
    assert [one.unit for one in items(seen, past=True) or ()] == ["jira:other/A", "jira:plan/A"]


def test_of_what_is_gone_the_last_telling_stands() -> None:
    """One that stands is told as it stands."""
    now = day("2026-08-20")
    was = [
        ("jira", NOBODY, item("A", "Q2 2026"), day("2026-02-01"), day("2026-03-01")),
        ("jira", NOBODY, item("A", "Q3 2026"), day("2026-03-01"), day("2026-04-01")),
        ("jira", NOBODY, item("B", "Q2 2026"), day("2026-02-01"), day("2026-03-01")),
        ("jira", NOBODY, item("B", "Q4 2026"), day("2026-03-01"), None),
    ]
    seen = scene(now, [], held=was)
    assert [(one.unit, one.told.period, one.gone) for one in items(seen, past=True) or ()] == [
        ("jira:plan/A", "Q3 2026", True),
        ("jira:plan/B", "Q4 2026", False),
    ]
    assert [one.unit for one in items(seen) or ()] == ["jira:plan/B"]
