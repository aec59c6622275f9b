"""Sums over windows of a line, and how answers become one."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from platform_meter.slo.backtest.line import Line, line_of

START, MINUTE = datetime(2026, 3, 1, tzinfo=UTC), timedelta(minutes=1)


def line(valid: list[float], bad: list[float] | None = None) -> Line:
    """Minutes with so many events, all of them known."""
    size = len(valid)
    return Line(
        start=START,
        step=MINUTE,
        valid=array("d", valid),
        bad=array("d", bad or [0.0] * size),
        known=array("d", [1.0] * size),
    )


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 60))
def test_a_window_is_the_sum_of_its_steps(counts: list[int], minutes: int) -> None:
    """Of what there is, where the line is younger than the window."""
    one = line([float(c) for c in counts])
    expected = [sum(counts[max(0, end - minutes) : end]) for end in range(1, len(counts) + 1)]
    assert list(one.summed("valid", minutes * MINUTE)) == expected
    assert [one.total("valid", index, minutes * MINUTE) for index in range(len(counts))] == expected


def test_a_step_has_the_moment_of_its_end() -> None:
    """As Prometheus has it."""
    one = line([1.0, 2.0])
    assert (one.at(0), one.end, len(one)) == (START + MINUTE, START + 2 * MINUTE, 2)


def test_answers_stand_where_their_step_ended() -> None:
    """What is unknown is 0 and known as unknown; what is no number, too, and what is outside is left."""
    at = START.timestamp()
    valid = [(at, 7.0), (at + 60, 10.0), (at + 120, math.nan), (at + 180, 5.0), (at + 240, 3.0)]
    one = line_of(START, MINUTE, 3, valid=valid, bad=[(at + 60, 4.0), (at + 120, 1.0)])
    assert (list(one.valid), list(one.bad), list(one.known)) == ([10, 0, 5], [4, 0, 0], [1, 0, 1])


def test_good_events_leave_the_rest_bad() -> None:
    """All of it where none is good, and never more than there is, or less than nothing."""
    at = START.timestamp()
    valid = [(at + 60 * n, 10.0) for n in (1, 2, 3)]
    one = line_of(START, MINUTE, 3, valid=valid, good=[(at + 60, 8.0), (at + 120, 10.4)])
    assert list(one.bad) == [2, 0, 10]
