"""What became of what was committed: worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from tests.support.history import NOBODY
from tests.support.roadmaps import day, item, kept, scene

from platform_meter.measures.roadmap.items import items
from platform_meter.measures.roadmap.judged import Judged, judge, overdue, slip
from platform_meter.model.facts.roadmap import ItemStatus, Planned
from platform_meter.model.measure import Scene

Q3, Q4 = "2026-Q3", "2026-Q4"
UTC = ZoneInfo("UTC")


def results(one: Judged) -> dict[str, list[str]]:
    return {str(result): [i.told.name for i in some] for result, some in one.results.items() if some}


def judged(seen: Scene) -> dict[str, Judged]:
    everything = items(seen, past=True)
    assert everything is not None
    return {one.period.label: one for one in judge(seen, everything)}


def test_each_committed_item_becomes_one_thing() -> None:
    """Of five committed to the third quarter one was done in it, one after it, one moved on, one dropped, one is open.

    Done on its last day is in time, at the midnight after it is late. What was added was done in it, is planned for it and was not committed.
    """
    moved = item("MOVED", Q4, periods=(Planned(day("2026-01-05"), Q3), Planned(day("2026-09-20"), Q4)))
    found = judged(
        kept(
            scene(
                day("2026-11-10"),
                [
                    item("IN-TIME", Q3, ended="2026-09-30"),
                    replace(item("LATE", Q3, ended="2026-10-01"), ended=day("2026-10-01")),
                    moved,
                    item("DROPPED", Q3, ended="2026-08-01", status=ItemStatus.DROPPED),
                    item("OPEN", Q3, status=ItemStatus.STARTED),
                    item("ADDED", Q3, made="2026-07-15", ended="2026-08-30"),
                    item("ADDED-LATE", Q3, made="2026-07-15", ended="2026-10-02"),
                    item("ADDED-OPEN", Q3, made="2026-07-15"),
                    item("EARLY", Q3, made="2026-05-15", ended="2026-06-20"),
                ],
            )
        )
    )
    assert results(found[Q3]) == {
        "delivered": ["IN-TIME"],
        "late": ["LATE"],
        "moved": ["MOVED"],
        "dropped": ["DROPPED"],
        "open": ["OPEN"],
        "added": ["ADDED"],
    }
    assert (found[Q3].committed, found[Q3].delivered) == (5, 1)
    assert results(found[Q4]) == {"open": ["MOVED"]}


def test_of_a_period_that_nobody_saw_begin_nothing_is_said() -> None:
    """Nor of one that has not begun; what is planned for it is told all the same."""
    found = judged(scene(day("2026-08-10"), [item("A", Q3), item("B", Q4)]))
    assert {label: (dict(one.results), [i.told.name for i in one.planned]) for label, one in found.items()} == {
        Q3: ({}, ["A"]),
        Q4: ({}, ["B"]),
    }


def test_what_left_the_roadmap_stays_committed() -> None:
    """Done before it was taken off it was delivered, else nobody will do it; of one without any trace that holds too."""
    done, undone = item("DONE", Q3, ended="2026-08-01"), item("UNDONE", Q3)
    was = [("jira", NOBODY, one, day("2026-01-05"), day("2026-09-01")) for one in (done, undone)]
    at_start = scene(day("2026-07-01", 1), [item("DONE", Q3), undone, item("LOST", Q3)])
    later = scene(
        day("2026-09-10"),
        [],
        held=was,
        taken=kept(at_start).history.states("roadmap/plan", date(2026, 6, 30), date(2026, 7, 1)),
    )
    (one,) = judged(later).values()
    assert results(one) == {"delivered": ["DONE"], "dropped": ["UNDONE"]}
    assert (one.lost, one.committed) == (1, 3)


def test_one_that_ended_when_nobody_knows_was_not_in_time() -> None:
    """No number is made of what nobody recorded."""
    found = judged(kept(scene(day("2026-07-01", 1), [item("A", Q3)])))
    later = scene(
        day("2026-08-01"),
        [item("A", Q3, status=ItemStatus.DONE)],
        taken=kept(scene(day("2026-07-01", 1), [item("A", Q3)])).history.states(
            "roadmap/plan", date(2026, 6, 30), date(2026, 7, 1)
        ),
    )
    assert results(found[Q3]) == {"open": ["A"]}
    assert results(judged(later)[Q3]) == {"late": ["A"]}


def test_years_and_quarters_are_judged_apart() -> None:
    """An item is committed to what it is planned for, not to all that this lies in."""
    found = judged(
        kept(scene(day("2026-08-10"), [item("Y", "2026", made="2025-12-01", ended="2026-07-20"), item("Q", Q3)]))
    )
    assert {label: results(one) for label, one in found.items()} == {"2026": {"delivered": ["Y"]}, Q3: {"open": ["Q"]}}


def test_slip_is_done_less_target_in_days() -> None:
    """Of the zone; early is less than none; without a target, or not done, there is none."""
    late = item("A", Q3, ended="2026-09-10", target=date(2026, 9, 1))
    assert slip(late, UTC) == timedelta(days=9)
    assert slip(item("B", Q3, ended="2026-08-30", target=date(2026, 9, 1)), UTC) == timedelta(days=-2)
    assert slip(replace(late, ended=day("2026-09-10", 20)), ZoneInfo("Pacific/Kiritimati")) == timedelta(days=10)
    assert slip(item("C", Q3, ended="2026-09-10"), UTC) is None
    assert slip(item("D", Q3, target=date(2026, 9, 1)), UTC) is None


def test_an_open_item_past_its_target_is_overdue() -> None:
    """From the day after on, until it ends."""
    told = item("A", Q3, target=date(2026, 9, 1))
    assert overdue(told, date(2026, 9, 1)) is None
    assert overdue(told, date(2026, 9, 4)) == timedelta(days=3)
    assert overdue(item("B", Q3, ended="2026-09-10", target=date(2026, 9, 1)), date(2026, 9, 4)) is None
