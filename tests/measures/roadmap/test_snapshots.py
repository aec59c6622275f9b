"""What was committed is kept when a month begins, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.history import NOBODY
from tests.support.roadmaps import PLAN, day, item, kept, read, scene

from platform_meter.measures.roadmap.snapshots import STATES, committed
from platform_meter.model.definitions import RoadmapSource
from platform_meter.model.facts.roadmap import ItemStatus, Planned
from platform_meter.model.measure import Scene


def days(seen: Scene) -> dict[str, dict[str, str]]:
    return {one.day.isoformat(): {s.unit: s.state for s in one.states} for one in STATES.take(seen)}


def test_the_last_day_of_each_month_is_kept_as_its_tool_tells_it() -> None:
    """Items that were not made yet are not there; an end that came later is none yet; a word that is no period is none."""
    found = scene(
        day("2026-05-04", 12),
        [
            item("A", "Q2 2026", made="2026-02-10"),
            item("B", "Next", made="2026-03-10"),
            item("C", "2026-Q2", made="2026-02-10", ended="2026-04-20"),
            item("D", "2026-Q2", made="2026-02-10", ended="2026-03-20", status=ItemStatus.DROPPED),
        ],
    )
    assert days(found) == {
        "2026-02-28": {"jira:plan/A": "2026-Q2", "jira:plan/C": "2026-Q2", "jira:plan/D": "2026-Q2"},
        "2026-03-31": {
            "jira:plan/A": "2026-Q2",
            "jira:plan/B": "unplanned",
            "jira:plan/C": "2026-Q2",
            "jira:plan/D": "ended",
        },
        "2026-04-30": {
            "jira:plan/A": "2026-Q2",
            "jira:plan/B": "unplanned",
            "jira:plan/C": "ended",
            "jira:plan/D": "ended",
        },
    }


def test_a_kept_day_is_not_told_again() -> None:
    """Once its month began, moving an item changes nothing of it."""
    now = day("2026-07-01", 1)
    first = kept(scene(now, [item("A", "2026-Q3"), item("B", "2026-Q4")]))
    q3, q4 = (f"2026-Q{n}" for n in (3, 4))
    assert {p.label: sorted(u) for p, u in committed(first).items()} == {q3: ["jira:plan/A"]}
    history: Any = first.history
    moved = scene(
        day("2026-07-02"),
        [item("A", q4, periods=(Planned(day("2026-01-05"), q3), Planned(day("2026-07-01", 8), q4))), item("B", q3)],
        taken=history.taken,
    )
    assert days(moved) == {}
    assert {p.label: sorted(u) for p, u in committed(moved).items()} == {q3: ["jira:plan/A"]}


def test_a_month_begins_at_midnight_of_the_zone() -> None:
    """In Berlin the third quarter began at 22:00 UTC; what was planned for it an hour later came too late."""
    late = item(
        "B", "2026-Q3", made="2026-06-01", since="2026-06-30", periods=(Planned(day("2026-06-30", 23), "2026-Q3"),)
    )
    early = item("A", "2026-Q3", made="2026-06-01", periods=(Planned(day("2026-06-30", 21), "2026-Q3"),))
    fill = {"made": "2026-06-01"}
    known = [early, late]
    berlin = kept(
        scene(
            day("2026-07-01", 1),
            [replace(one, periods=(Planned(day(fill["made"]), ""), *one.periods)) for one in known],
            zone="Europe/Berlin",
        )
    )
    assert [sorted(units) for units in committed(berlin).values()] == [["jira:plan/A"]]


def test_before_it_was_looked_at_nobody_knows_what_its_tool_does_not_tell() -> None:
    """One item of which the period then is not known leaves the whole day out; from the first look on each one is known."""
    untold = replace(item("A", "2026-Q3"), periods=())
    sure = item("B", "2026-Q3")
    now = day("2026-08-02")
    assert days(scene(now, [untold, sure], sources=[read(now, since=day("2026-07-10"))])) == {
        "2026-07-31": {"jira:plan/A": "2026-Q3", "jira:plan/B": "2026-Q3"}
    }


def test_how_an_item_stood_is_told_by_what_was_seen_then() -> None:
    """One that was taken off the roadmap since was committed; one that came since was not there."""
    now = day("2026-07-05")
    off = replace(item("A", "2026-Q3"), periods=())
    came = replace(item("B", "2026-Q3", made="2026-02-01"), periods=())
    was = [("jira", NOBODY, off, day("2026-06-20"), day("2026-07-03")), ("jira", NOBODY, came, day("2026-07-02"), None)]
    sure = scene(now, [], held=was, sources=[read(now, since=day("2026-06-20"))])
    assert days(sure) == {"2026-06-30": {"jira:plan/A": "2026-Q3"}}


def test_a_stale_source_keeps_nothing() -> None:
    """Nor does one that was not read past the end of the month."""
    asked = [item("A", "2026-Q3", made="2026-06-02")]
    now = day("2026-07-01", 1)
    assert days(scene(now, asked, sources=[read(now, fresh=False)])) == {}
    assert days(scene(now, asked, sources=[read(day("2026-06-30", 23))])) == {}
    assert list(days(scene(now, asked, sources=[read(now)]))) == ["2026-06-30"]


def test_a_file_tells_how_things_stand_and_not_how_they_stood() -> None:
    """Within a day of the month's begin it does; later only what says since when it is planned so."""
    text = {"type": "yaml", "items": [{"id": "a", "period": "2026-Q3"}]}
    file = RoadmapSource.model_validate({"kind": "RoadmapSource", "id": "file", "source": text})
    assert days(scene(day("2026-07-01", 20), [], plans=(file,))) == {"2026-06-30": {":file/a": "2026-Q3"}}
    assert days(scene(day("2026-07-02", 1), [], plans=(file,))) == {}
    text = {"type": "yaml", "items": [{"id": "a", "period": "2026-Q3", "since": "2026-05-20"}]}
    said = RoadmapSource.model_validate({"kind": "RoadmapSource", "id": "file", "source": text})
    assert days(scene(day("2026-07-02", 1), [], plans=(said,))) == {
        "2026-05-31": {":file/a": "2026-Q3"},
        "2026-06-30": {":file/a": "2026-Q3"},
    }
    assert PLAN.source.items == ()
