"""Segmented regression: the vector of domain section 16, statsmodels, and a likelihood written down directly."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from statsmodels.regression.linear_model import OLS

from platform_meter.measures.impact.series import effect, segmented

Points = list[tuple[float, float]]


def noisy(seed: int, weeks: int = 28, *, step: float = 8, part: float = 0.5) -> Points:
    """Weeks that resemble each other around two lines; the two from week 13 on are left out."""
    draw, off, found = random.Random(seed), 0.0, []
    for t in range(weeks):
        off = part * off + draw.gauss(0, 3)
        if t not in (13, 14):
            found.append((float(t), 40 + 0.5 * t + off + (step + 0.3 * (t - 15) if t >= 15 else 0)))
    return found


def design(points: Points, start: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    t, y = (np.array(column) for column in zip(*points, strict=True))
    return np.column_stack([np.ones_like(t), t, t >= start, np.maximum(0, t - start)]), y, t


def test_the_vector_of_the_domain() -> None:
    """y = 10 + t - 5 D + 0.5 (t - 6) D: 10, 1, -5, 0.5; six weeks of 18.5 and on average 3.75 less than that."""
    points = [(t, 10 + t - 5 * (t >= 6) + 0.5 * max(0, t - 6)) for t in range(12)]
    assert segmented(points, 6).terms == pytest.approx((10, 1, -5, 0.5))
    found = effect(points, 6)
    assert found is not None
    assert (found.before, found.change) == pytest.approx((18.5, -3.75 / 18.5))


def test_few_weeks_are_taken_for_independent() -> None:
    """Under twelve: statsmodels' least squares, with their errors."""
    points = noisy(1)[7:18]
    x, y, _ = design(points, 15)
    theirs, found = OLS(y, x).fit(), segmented(points, 15)
    assert found.part == 0
    assert found.terms == pytest.approx(theirs.params)
    assert [found.covariance[i][i] ** 0.5 for i in range(4)] == pytest.approx(theirs.bse)


@pytest.mark.parametrize(("seed", "part"), [(1, 0.5), (2, 0.8), (3, -0.5)])
def test_the_part_is_that_of_the_restricted_likelihood(seed: int, part: float) -> None:
    """Written down with the whole covariance of the weeks, gaps counted, and maximized by scipy."""
    points = noisy(seed, part=part)
    x, y, t = design(points, 15)
    gaps = np.abs(np.subtract.outer(t, t))

    def solved(rho: float) -> tuple[float, NDArray[np.floating], NDArray[np.floating]]:
        inverse = np.linalg.inv(np.sign(rho) ** gaps * abs(rho) ** gaps)
        a = x.T @ inverse @ x
        terms = np.linalg.solve(a, x.T @ inverse @ y)
        left = float((y - x @ terms) @ inverse @ (y - x @ terms))
        df = len(y) - 4
        cost = df * np.log(left) - np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(a)[1]
        return float(cost), terms, np.linalg.inv(a) * left / df

    best = minimize_scalar(lambda rho: solved(rho)[0], bounds=(-0.97, 0.97), method="bounded", options={"xatol": 1e-9})
    found = segmented(points, 15)
    _, terms, covariance = solved(float(best.x))
    assert found.part == pytest.approx(best.x, abs=1e-4)
    assert found.terms == pytest.approx(terms, rel=1e-3)
    assert np.array(found.covariance) == pytest.approx(covariance, rel=1e-2, abs=1e-6)


def test_five_weeks_are_needed_on_each_side() -> None:
    """Of four there is no line."""
    with pytest.raises(ValueError, match="6 weeks before and 4 after; it takes 5 of each"):
        segmented([(float(t), 1.0) for t in range(10)], 6)


def test_of_a_line_that_is_not_above_0_nothing_is_a_share() -> None:
    """What falls to nothing before the change has no change."""
    assert effect([(float(t), 12.0 - 2 * t if t < 6 else 1.0) for t in range(12)], 6) is None


def test_a_flat_series_has_no_change() -> None:
    """Without any noise its interval is 0 wide, at 0."""
    found = effect([(float(t), 7.0) for t in range(26)], 13)
    assert found is not None
    assert (found.change, found.chance) == pytest.approx((0, 1))


def test_what_did_not_change_is_hardly_ever_called_a_change() -> None:
    """Weeks that resemble each other by half; too narrow by a little, as docs/correctness.md has it."""
    told = [found.chance for seed in range(60) if (found := effect(straight(seed), 15)) is not None]
    assert sum(chance <= 0.05 for chance in told) <= 9


def straight(seed: int) -> Points:
    draw, off, found = random.Random(1000 + seed), 0.0, []
    for t in range(28):
        off = 0.5 * off + draw.gauss(0, 3)
        found.append((float(t), 40 + 0.5 * t + off))
    return [one for one in found if one[0] not in (13, 14)]
