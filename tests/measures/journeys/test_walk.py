"""One unit's way, and funnels of several, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.measures.journeys.walk import Used, Way, funnel, way

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = 10 * DAY


def uses(*days: float) -> list[Used]:
    """One unit of use on each of these days after the first of June."""
    return [Used(NOON + day * DAY, 1.0) for day in days]


def days(of: Way | None, *, late: bool = False) -> list[float | None]:
    assert of is not None
    return [None if at is None else (at - NOON) / DAY for at in (of.late if late else of.reached)]


def go(*stages: list[Used], loose: bool = False, least: tuple[float, ...] = (1, 1, 1)) -> Way | None:
    return way("pay", uses(0), stages, least[: len(stages)], loose=loose, window=WINDOW)


def test_a_strict_stage_comes_after_the_one_before() -> None:
    """The second stage was used on the first day, before the first one: its use after that one counts."""
    assert days(go(uses(3), uses(1, 5), uses(6))) == [3, 5, 6]
    assert days(go(uses(3), uses(1), uses(6))) == [3, None, None]


def test_in_a_loose_journey_a_later_stage_implies_the_earlier_ones() -> None:
    """Each is reached no later than those behind it."""
    assert days(go([], uses(1), uses(6), loose=True)) == [1, 1, 6]
    assert days(go(uses(3), uses(1), [], loose=True)) == [1, 1, None]
    assert days(go([], [], [], loose=True)) == [None, None, None]


def test_what_comes_after_the_window_is_too_late() -> None:
    """The window ends with its last moment; the time to a stage has no window."""
    found = go(uses(9.9), uses(10))
    assert days(found) == [9.9, None]
    assert days(found, late=True) == [9.9, 10]


def test_a_stage_may_ask_for_an_amount() -> None:
    """It is reached with the use that makes it up; what was used before the stage before it is not counted."""
    assert days(go(uses(2), uses(1, 3, 4, 5), least=(1, 3))) == [2, 5]
    assert days(go(uses(2), uses(1, 3, 4), least=(1, 3))) == [2, None]


def test_who_was_there_before_is_no_newcomer() -> None:
    """Nor is who never began."""
    assert way("pay", uses(2), [uses(1, 5)], [1], loose=False, window=WINDOW) is None
    assert way("pay", [], [uses(1)], [1], loose=False, window=WINDOW) is None
    assert days(way("pay", uses(0, 4), [uses(5)], [1], loose=False, window=WINDOW)) == [5]


def entrant(unit: str, entered: float, *reached: float | None) -> Way:
    at = tuple(None if day is None else NOON + day * DAY for day in reached)
    return Way(unit=unit, entered=NOON + entered * DAY, reached=at, late=at)


def test_a_funnel_parts_who_still_has_time() -> None:
    """On the twelfth day who entered on the second has had ten days; older than half a year is nobody."""
    ways = {
        w.unit: w
        for w in (
            entrant("a", 0, 1, 2),
            entrant("b", 2, 3, None),
            entrant("c", 2.1, 3, None),
            entrant("old", -200, 1, 2),
        )
    }
    found = funnel(ways, ["x", "y"], WINDOW, NOON + 12 * DAY)
    assert [w.unit for w in found.mature] == ["a", "b"]
    assert [w.unit for w in found.pending] == ["c"]
    assert [found.reached(found.mature, n) for n in range(3)] == [2, 2, 1]
    assert funnel(ways, ["x", "y"], WINDOW, NOON).mature == []


@pytest.mark.parametrize(("reached", "stages"), [((1.0, 2.0), 2), ((1.0, None), 1), ((None, 2.0), 0)])
def test_how_far_is_in_a_row(reached: tuple[float | None, ...], stages: int) -> None:
    """A stage behind a hole is none."""
    assert entrant("a", 0, *reached).stages() == stages
