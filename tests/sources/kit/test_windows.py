"""A range in windows: answers that break off, moments that hold too much, and windows that are refused."""

from __future__ import annotations

from collections import Counter

import pytest

from platform_meter.sources.kit.windows import Windows


def capped(counts: dict[int, int], cap: int) -> tuple[Counter[int], list[int], int]:
    """A read of a system that gives the newest so many: what came of each moment, what was skipped, how many calls."""
    windows, came, skipped, calls = Windows(range(max(counts), -1, -1)), Counter[int](), list[int](), 0
    for window in windows:
        calls += 1
        found = [at for at in window for _ in range(counts.get(at, 0))]
        came |= Counter(found[:cap])
        if len(found) < cap:
            windows.whole()
        elif not windows.goes_on(found[cap - 1]):
            skipped.append(window[0])
            windows.skip()
    return came, skipped, calls


def test_the_next_window_begins_where_the_answer_broke_off() -> None:
    """That moment comes again, since it may have been cut: nothing is missed."""
    counts = {9: 2, 8: 1, 7: 3, 5: 1, 2: 2, 0: 1}
    assert capped(counts, cap=4) == (Counter(counts), [], 4)


def test_a_moment_with_more_than_the_system_gives_is_passed_over() -> None:
    """It is known which, and all others are read."""
    came, skipped, _ = capped({9: 1, 7: 30, 6: 2}, cap=4)
    assert came == Counter({9: 1, 7: 4, 6: 2})
    assert skipped == [7]


def test_an_answer_from_outside_of_the_range_ends_within_it() -> None:
    """A system that ignores its filter moves no place forwards, and what is older than the range is its end."""
    windows = Windows(range(9, 2, -1))
    assert not windows.goes_on(12)
    assert windows.left == range(9, 2, -1)
    assert windows.goes_on(1)
    assert list(windows) == []


def limited(limit: int, most: int) -> list[int]:
    """Sizes of the windows asked for, of twenty slices, where the system takes so many at once."""
    windows, asked = Windows(range(60, 1260, 60), most), list[int]()
    for window in windows:
        asked.append(len(window))
        if len(window) <= limit:
            windows.whole()
        else:
            assert windows.halve()
    return asked


@pytest.mark.parametrize(
    ("limit", "most", "asked"),
    [(20, 0, [20]), (20, 8, [8, 8, 4]), (5, 20, [20, 1, 10, 1, 5, 5, 5, 3]), (1, 3, [3, 1] + [1] * 19)],
)
def test_a_window_that_is_refused_is_asked_for_by_halves(limit: int, most: int, asked: list[int]) -> None:
    """After a refusal one goes first, then half as many as were refused, to the end of the range."""
    assert limited(limit, most) == asked


def test_one_moment_that_is_refused_is_not_too_much() -> None:
    """Then the system is away, and the place stays."""
    windows = Windows(range(3), 1)
    assert not windows.halve()
    assert windows.left == range(3)
