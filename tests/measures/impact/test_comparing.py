"""Before against after: the vectors of domain section 16, and scipy's answers."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

from platform_meter.measures.impact.comparing import Pool, durations, hodges_lehmann, mann_whitney, percentiles, ratios

BEFORE = [50.0, 55, 61, 48, 70, 66, 58]
AFTER = [30.0, 41, 35, 28, 52, 33, 39]


def test_the_vector_of_the_domain() -> None:
    """U=47, p=0.00233, shift -22, medians 58 and 35: -39.7 %, which the interval holds."""
    assert mann_whitney(BEFORE, AFTER) == pytest.approx((47, 0.00233), abs=5e-6)
    found = durations(BEFORE, AFTER, seed="x")
    assert found is not None
    assert (round(found.change, 3), found.before, found.after, found.shift) == (-0.397, 58, 35, -22)
    assert found.interval is not None
    assert found.interval.low < found.change < found.interval.high < 0


@pytest.mark.parametrize(("n", "m", "digits"), [(5, 9, 9), (20, 20, 9), (20, 21, 9), (30, 40, 0)])
def test_the_test_is_scipys(n: int, m: int, digits: int) -> None:
    """Exact up to 400 pairs without ties, normal past it and with ties."""
    draw = random.Random(n)
    one, other = (
        [round(draw.lognormvariate(2 + k / 3, 1), digits) for _ in range(size)] for k, size in ((0, n), (1, m))
    )
    method = "exact" if digits and n * m <= 400 else "asymptotic"
    theirs = stats.mannwhitneyu(one, other, method=method)
    assert mann_whitney(one, other) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)


def test_values_that_are_all_the_same_are_no_change() -> None:
    """Nothing is rarer than what always is."""
    assert mann_whitney([3.0] * 30, [3.0] * 30)[1] == 1.0


@pytest.mark.parametrize(("n", "m"), [(7, 8), (220, 210)])
def test_the_shift_is_the_median_of_all_differences(n: int, m: int) -> None:
    """Written down of few pairs, halved to of many."""
    draw = random.Random(m)
    one, other = (sorted(draw.gauss(9, 3) for _ in range(size)) for size in (n, m))
    assert hodges_lehmann(one, other) == pytest.approx(np.median(np.subtract.outer(other, one)), abs=1e-9)


def test_the_bootstrap_draws_as_one_that_draws_every_value() -> None:
    """Of 10,000 samples drawn value by value the ends are the same, but for what two seeds differ by."""
    draw = random.Random(4)
    one, other = ([draw.lognormvariate(3, 0.5) for _ in range(40)] for _ in range(2))
    found, rng = durations(one, other, seed="x"), np.random.default_rng(1)
    then, now = (np.median(rng.choice(v, (10_000, len(v))), axis=1) for v in (one, other))
    low, high = np.quantile(now / then - 1, (0.025, 0.975))
    assert found is not None
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=0.02)
    assert durations(one, other, seed="x") == found


def test_of_nothing_before_nothing_is_a_share() -> None:
    """A median of 0 before has no change, and a draw with one has no end."""
    assert durations([0.0] * 9, AFTER, seed="x") is None
    assert percentiles([0.1] * 9 + [float("inf")]) is None


def test_ratios_are_newcombes() -> None:
    """His example: 56 of 70 after 48 of 80; the chance is the level at which the interval just holds 0."""
    found = ratios(48, 80, 56, 70)
    assert found.interval is not None
    assert (round(found.change, 4), round(found.interval.low, 4), round(found.interval.high, 4)) == (
        0.2,
        0.0524,
        0.3339,
    )
    assert 0.005 < found.chance < 0.01
    assert ratios(5, 10, 5, 10).chance == 1.0
    assert ratios(5, 10, 6, 10).chance > 0.5


def test_medians_of_units_taken_several_times() -> None:
    """Values 1, 2, 9 of one unit twice and 4 of the other once: 1, 1, 2, 2, 4, 9, 9."""
    pool = Pool([[1, 9, 2], [4]])
    assert pool.median([2, 1]) == 2
    assert pool.median([1, 1]) == 3
    assert pool.median([0, 0]) is None
