"""Intervals that several families tell: the vectors of domain section 16, what scipy and statsmodels
answer, Newcombe's example.
"""

from __future__ import annotations

import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from platform_meter.measures.intervals import Interval, Score, beyond, difference, share, student, wilson


@pytest.mark.parametrize(
    ("good", "n", "low", "high"), [(7, 10, 0.3968, 0.8922), (0, 20, 0.0, 0.1611), (1, 20, 0.0089, 0.2361)]
)
def test_wilson(good: int, n: int, low: float, high: float) -> None:
    """The vectors of domain section 16, which scipy says too."""
    found = wilson(good, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    theirs = stats.binomtest(good, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-5)


@pytest.mark.parametrize("df", [1, 2, 3, 6, 7, 29, 1000])
def test_student(df: int) -> None:
    """Scipy's quantile and chance, of few degrees of freedom and of many."""
    assert student(df) == pytest.approx(stats.t.ppf(0.975, df), abs=1e-9)
    assert beyond(-1.3, df) == pytest.approx(2 * stats.t.sf(1.3, df), abs=1e-12)


def test_a_difference_is_newcombes() -> None:
    """56 of 70 against 48 of 80: the example of his paper of 1998, 0.20 with 0.0524 to 0.3339."""
    now = Score(n=70, point=0.8, interval=wilson(56, 70))
    before = Score(n=80, point=0.6, interval=wilson(48, 80))
    found = difference(now, before)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    assert found.excludes(0)
    assert not Interval(low=-0.1, high=0.3).excludes(0)


@pytest.mark.parametrize(("good", "n", "other", "m"), [(56, 70, 48, 80), (0, 9, 5, 12), (12, 12, 3, 40), (1, 5, 1, 5)])
def test_statsmodels_says_the_same(good: int, n: int, other: int, m: int) -> None:
    """Of each share, and of their difference, at the edges too."""
    alpha = 2 * stats.norm.sf(1.96)
    ours = wilson(good, n)
    assert (ours.low, ours.high) == pytest.approx(proportion_confint(good, n, alpha, "wilson"), abs=1e-12)
    found = difference(share(good, n), share(other, m))
    assert found is not None
    theirs = confint_proportions_2indep(good, n, other, m, method="newcomb", compare="diff", alpha=alpha)
    assert (found.low, found.high) == pytest.approx(theirs, abs=1e-12)


def test_a_share_has_wilsons_interval() -> None:
    """At the level that is asked for."""
    assert share(7, 10) == Score(n=10, point=0.7, interval=wilson(7, 10))
    assert share(7, 10, 1.0).interval == wilson(7, 10, 1.0)
