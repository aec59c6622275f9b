"""Where a count is going: held to scipy's fit, to a line by hand, and to how often its band holds."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from scipy.optimize import curve_fit

from platform_meter.measures.adoption.forecast import Band, Curve, Forecast, Line, forecast, line, logistic


def noisy(curve: Curve, weeks: int, seed: int, *, by: float, sticks: float = 0.0) -> list[float]:
    """Counts around a curve, each as far off as `by`, and by a part of what the last one was."""
    draw, off, found = random.Random(seed), 0.0, []
    for t in range(weeks):
        off = sticks * off + draw.gauss(0, by)
        found.append(min(max(float(round(curve.at(t) + off)), 0.0), 200.0))
    return found


def left(points: Sequence[float], curve: Curve) -> float:
    return sum((y - curve.at(t)) ** 2 for t, y in enumerate(points))


def test_a_curve_without_noise_is_found() -> None:
    """K, r and t0 that the points were made with."""
    found = logistic([Curve(120, 0.3, 8).at(t) for t in range(20)], 200)
    assert found is not None
    assert found == pytest.approx((120, 0.3, 8), rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_no_fit_of_scipy_is_closer(seed: int) -> None:
    """With the same bound on K: what is left is the same to a millionth."""
    points = noisy(Curve(90 + 20 * seed, 0.25, 9), 22, seed, by=3)
    found = logistic(points, 200)
    theirs, _ = curve_fit(
        lambda t, k, r, m: [k / (1 + math.exp(-r * (at - m))) for at in t],
        range(22),
        points,
        p0=(max(points), 0.2, 10),
        bounds=((0, -5, -100), (200, 5, 200)),
    )
    assert found is not None
    assert left(points, found) <= left(points, Curve(*map(float, theirs))) * (1 + 1e-6)


def test_there_are_no_more_than_all() -> None:
    """Points that would go to 300 are fitted with K at the 150 that there are."""
    found = logistic([Curve(300, 0.3, 12).at(t) for t in range(12)], 150)
    assert found is not None
    assert found.most == 150


def test_of_few_points_there_is_a_line_and_of_fewer_nothing() -> None:
    """Twelve points make a curve, six a line, by hand: 1, 2, 3, 5, 6, 7 rise by 44/35 around their mean 4."""
    grown = [Curve(120, 0.5, 5).at(t) for t in range(12)]
    assert isinstance(fit(grown), Curve)
    assert isinstance(fit(grown[:11]), Line)
    assert line([1, 2, 3, 5, 6, 7]) == pytest.approx((4 - 2.5 * 44 / 35, 44 / 35))
    assert forecast([1, 2, 3, 5, 6], 10, seed="") is None
    assert forecast([0.0] * 20, 0, seed="") is None


def fit(points: Sequence[float]) -> Curve | Line:
    found = forecast(points, 200, seed="x")
    assert found is not None
    return found.fitted


def test_what_grows_evenly_is_a_line() -> None:
    """No curve is closer to points on a line than the line."""
    assert logistic([20 + 3 * t for t in range(15)], 200) is None
    assert fit([20.0 + 3 * t for t in range(15)]) == pytest.approx((20, 3))


def test_it_begins_where_the_last_point_is() -> None:
    """Of weeks that resemble each other: one that is far off its line is not back on it a week later."""
    points = [50.0 + 8 * math.sin(t / 4) for t in range(12)]
    found = forecast(points[:11], 200, seed="x")
    assert found is not None
    first = found.weeks[0].point
    assert abs(first - points[11]) < abs(line(points[:11]).at(11) - points[11])


def test_a_band_stays_between_none_and_all() -> None:
    """And holds its point; a constant has no width."""
    found = forecast(noisy(Curve(199, 0.4, 8), 16, 3, by=6), 200, seed="x")
    assert found is not None
    assert len(found.weeks) == 13
    for band in found.weeks:
        assert 0 <= band.low <= band.point <= band.high <= 200
    still = forecast([7.0] * 8, 200, seed="x")
    assert still is not None
    assert still.weeks[-1] == Band(low=7, point=7, high=7)


def test_equal_points_have_one_forecast() -> None:
    """However often it is made; another seed draws another band around the same curve."""
    points = noisy(Curve(120, 0.3, 8), 16, 1, by=3)
    one, same, other = (forecast(points, 200, seed=seed) for seed in "aab")
    assert one == same
    assert one is not None
    assert other is not None
    assert one != other
    assert one.fitted == other.fitted


@pytest.mark.parametrize(("ahead", "shown"), [(0.5, 10), (1, 10), (1.5, 15), (2.0, 20), (99, 20)])
def test_a_moment_between_two_weeks(ahead: float, shown: float) -> None:
    """Lies between them; before the first and past the last it is as on these."""
    bands = tuple(Band(low=n - 1, point=n, high=n + 1) for n in (10, 20))
    found = Forecast(fitted=Line(0, 10), weeks=bands).after(ahead)
    assert (found.low, found.point, found.high) == (shown - 1, shown, shown + 1)


def test_what_is_past_is_no_forecast() -> None:
    """The last point is known."""
    with pytest.raises(ValueError, match="0 weeks ahead is no future"):
        Forecast(fitted=Line(0, 1), weeks=(Band(low=0, point=1, high=2),)).after(0)


@pytest.mark.parametrize(("weeks", "sticks", "by"), [(13, 0.0, 3.0), (26, 0.8, 2.0)])
def test_the_band_holds_as_often_as_it_says(weeks: int, sticks: float, by: float) -> None:
    """Four times in five, of futures a quarter ahead, also where weeks resemble each other (docs/correctness.md)."""
    held = 0
    for seed in range(40):
        draw = random.Random(1000 + seed)
        true = Curve(draw.uniform(80, 160), draw.uniform(0.05, 0.2), draw.uniform(0.4, 1.1) * weeks)
        points = noisy(true, weeks + 13, seed, by=by, sticks=sticks)
        found = forecast(points[:weeks], 200, seed=str(seed))
        assert found is not None
        held += found.weeks[12].low - 0.5 <= points[-1] <= found.weeks[12].high + 0.5
    assert 26 <= held <= 38
