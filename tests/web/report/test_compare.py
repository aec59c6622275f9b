"""What is called a change, and what is not."""

from __future__ import annotations

import random

import pytest

from platform_meter.measures.intervals import Interval
from platform_meter.web.report.compare import Change, around_median, counts, medians, shares


@pytest.mark.parametrize(("now", "before"), [((4, 4), (400, 400)), ((90, 100), (3, 4)), ((0, 0), (0, 0))])
def test_of_fewer_than_five_nothing_is_said(now: tuple[float, float], before: tuple[float, float]) -> None:
    """On either side."""
    assert shares("x", "runs", now, before) == Change(what="x", said="")
    assert medians("x", "runs", [[1.0]] * 4, [[1.0]] * 9).said == ""
    assert counts("x", "runs", 1, 3).said == ""


def test_counts_are_held_against_a_fifth_of_five_weeks() -> None:
    """Of 100 a week 110 are no change and 150 are; none at all after 20 a week is one too."""
    assert counts("x", "tickets", 110, 400) == Change(what="x", said="110 tickets, 100.0 a week in the 4 before")
    assert counts("x", "tickets", 150, 400) == Change(
        what="x", said="more: 150 tickets, 100.0 a week in the 4 before", clear=True
    )
    assert counts("x", "tickets", 0, 80).clear


def test_the_interval_of_a_median_is_two_of_its_values() -> None:
    """Of 100 values the 41st and the 60th (Conover 1999); of those that all hang together all of them."""
    values = [float(n) for n in range(1, 101)]
    assert around_median(values, 100) == Interval(low=41.0, high=60.0)
    assert around_median(values, 3) == Interval(low=1.0, high=100.0)
    assert around_median([7.0] * 9, 9) is None


def test_the_interval_of_a_median_holds_it_in_95_of_100_samples() -> None:
    """Counted over 2,000 samples of 40 values of a skewed distribution whose median is known."""
    dice = random.Random(1)
    intervals = [around_median([dice.expovariate(1.0) for _ in range(40)], 40) for _ in range(2000)]
    hits = sum(one is not None and one.low <= 0.6931 <= one.high for one in intervals)
    assert 0.93 <= hits / 2000 <= 0.985


def test_values_of_one_group_hang_together() -> None:
    """Forty changes of five deployments are five that say something: they make no change of what forty would."""
    fast, slow = [[100.0 + n for n in range(8)]] * 5, [[90.0 + 5 * n for n in range(8)]] * 20
    together = medians("x", "changes", fast, slow)
    apart = medians("x", "changes", [[v] for g in fast for v in g], [[v] for g in slow for v in g])
    assert (together.clear, together.said) == (False, "104 s of 40 changes; the 4 weeks before 108 s of 160")
    assert apart.clear
    assert apart.said.endswith(f": {together.said}")
