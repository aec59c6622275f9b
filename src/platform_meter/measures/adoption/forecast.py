"""Where a count of units is going: a logistic curve where it can be fitted, else a line, with a band (domain section 11).

By hand, since it is short and numpy and scipy would double the memory of an idle process; the tests hold the curve to
`scipy.optimize.curve_fit`, and docs/correctness.md has how often the band held in simulation.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from platform_meter.model.metric import quantile

LOGISTIC_POINTS, LINE_POINTS = 12, 6
"""Weekly points from which on each is fitted."""
WEEKS = 13
"""So far ahead anything is said."""
SAMPLES = 200
"""Of the bootstrap."""
BAND = 0.8
"""Share of the futures that lie between low and high."""
_STEPS = 200
_ENOUGH = 1e-10
"""A step that takes off less than this share of the error is the last one."""
_TOPS = (1.005, 1.05, 1.15, 1.35, 1.7, 2.3, 3.5, 1e9)
"""K that are tried, as multiples of the largest point; the last is all there are."""
_STICKIEST = 0.95
_STEEPEST = 50.0
"""Past it a curve is 0 or 1 in floats."""


class Curve(NamedTuple):
    """K / (1 + exp(-r (t - t0))), t in weeks."""

    most: float
    rate: float
    middle: float

    def at(self, t: float) -> float:
        return self.most * _share(self.rate * (t - self.middle))


class Line(NamedTuple):
    """a + b t, t in weeks."""

    start: float
    slope: float

    def at(self, t: float) -> float:
        return self.start + self.slope * t


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What is expected at one moment, in units: between 0 and all there are."""

    low: float
    point: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The weeks to come; the first one is a week after the last point."""

    fitted: Curve | Line
    weeks: tuple[Band, ...]

    def after(self, weeks: float) -> Band:
        """At a moment between two weeks, straight from one to the next; past the last one as on that.

        Raises:
            ValueError: no time later than the last point.
        """
        if weeks <= 0:
            raise ValueError(f"{weeks:g} weeks ahead is no future")
        at = min(max(weeks, 1.0), len(self.weeks))
        first = min(int(at), len(self.weeks) - 1) - 1
        one, other, part = self.weeks[first], self.weeks[min(first + 1, len(self.weeks) - 1)], at - first - 1
        return Band(
            low=one.low + (other.low - one.low) * part,
            point=one.point + (other.point - one.point) * part,
            high=one.high + (other.high - one.high) * part,
        )


def forecast(points: Sequence[float], most: float, *, seed: str) -> Forecast | None:
    """What comes after weekly points, each a count of units of which there are `most` in all; None of too few points.

    Weeks resemble each other: what one lies off the curve is, in part, what the next one will. So residuals are an
    autoregression of the first order, and what is expected begins at the last point. The band is of futures: a curve that
    fits about as well as the best one does, drawn by how likely it is; what it looks like after another past like ours;
    and the noise to come. Of two equal calls it is the same.
    """
    if len(points) < LINE_POINTS or most <= 0:
        return None
    curve = logistic(points, most) if len(points) >= LOGISTIC_POINTS else None
    fitted: Curve | Line = curve or line(points)
    noise = _Noise.of([y - fitted.at(t) for t, y in enumerate(points)], parameters=len(fitted))
    draw = random.Random(seed)
    n, last = len(points), points[-1]
    likely: Sequence[Curve | Line] = [fitted] if curve is None else [*_curves(points, most), line(points)]
    weights = _weights(points, likely, noise)
    futures: list[list[float]] = [[] for _ in range(WEEKS)]
    for true in draw.choices(likely, weights, k=SAMPLES):
        past = [true.at(t) + off for t, off in enumerate(noise.drawn(draw, n))]
        again: Curve | Line = line(past) if curve is None else _closest(past, _curves(past, most))
        off = last - again.at(n - 1)
        for ahead, new in enumerate(noise.drawn(draw, WEEKS, first=off)):
            futures[ahead].append(again.at(n + ahead) + new)
    off, tail = last - fitted.at(n - 1), (1 - BAND) / 2
    weeks = []
    for ahead, found in enumerate(futures):
        point = _cut(fitted.at(n + ahead) + off * noise.next ** (ahead + 1), most)
        low, high = (_cut(quantile(found, p), most) for p in (tail, 1 - tail))
        weeks.append(Band(low=min(low, point), point=point, high=max(high, point)))
    return Forecast(fitted=fitted, weeks=tuple(weeks))


def _curves(points: Sequence[float], most: float) -> list[Curve]:
    """One for each K that is tried, by the line through the points' log odds."""
    top = max(*points, 1e-9)
    return [_first(points, k) for k in sorted({min(most, top * factor) for factor in _TOPS})]


def _closest(points: Sequence[float], fits: Sequence[Curve]) -> Curve:
    """The one that leaves least."""
    return min(fits, key=lambda fit: _error(points, fit))


def _weights(points: Sequence[float], curves: Sequence[Curve | Line], noise: _Noise) -> list[float]:
    """The likelihood of each, of the one that leaves least 1. Weeks that resemble each other tell less than as many others."""
    errors = [max(_error(points, one), 1e-9) for one in curves]
    told = len(points) * (1 - noise.next) / (1 + noise.next)
    return [(min(errors) / error) ** (told / 2) for error in errors]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noise:
    """What points lie off their curve: a part of what the last one did, and something new."""

    next: float
    """That part, from 0 on."""
    news: Sequence[float]
    """Seen ones, which have no mean."""

    @classmethod
    def of(cls, residuals: Sequence[float], parameters: int) -> _Noise:
        """As these residuals have it. A fit takes away of both, the more the fewer points it has: it is given back."""
        n = len(residuals)
        square = sum(u * u for u in residuals)
        seen = sum(u * v for u, v in pairwise(residuals)) / square if square > 0 else 0.0
        part = min(max(seen + (1 + parameters * (1 + seen)) / n, 0.0), _STICKIEST) if square > 0 else 0.0
        news = [v - part * u for u, v in pairwise(residuals)]
        mean, widened = sum(news) / len(news), math.sqrt(n / (n - parameters))
        return cls(next=part, news=[(one - mean) * widened for one in news])

    def drawn(self, draw: random.Random, count: int, first: float | None = None) -> list[float]:
        """As many, one after the other: after one that is off by `first`, or by as much as any."""
        off = draw.choice(self.news) / math.sqrt(1 - self.next**2) if first is None else first
        found = []
        for one in draw.choices(self.news, k=count):
            off = self.next * off + one
            found.append(off)
        return found


def line(points: Sequence[float]) -> Line:
    """Least squares over t = 0, 1, 2, ...; at least two points."""
    n = len(points)
    middle, mean = (n - 1) / 2, sum(points) / n
    slope = sum((t - middle) * y for t, y in enumerate(points)) / sum((t - middle) ** 2 for t in range(n))
    return Line(start=mean - slope * middle, slope=slope)


def logistic(points: Sequence[float], most: float) -> Curve | None:
    """Least squares with 0 < K <= `most`; None where no curve is closer to the points than their line, or none was found."""
    top = max(points)
    starts = sorted({min(most, max(k, 1e-9)) for k in (1.02 * top, (top + most) / 2, most)})
    found = [fit for k in starts if (fit := _descend(points, most, _first(points, k))) is not None]
    if not found:
        return None
    best = _closest(points, found)
    return best if _error(points, best) < _error(points, line(points)) else None


def _first(points: Sequence[float], most: float) -> Curve:
    """By the line through the points' log odds, each weighed by how much of its odds the count tells."""
    weights = odds = ts = square = mixed = 0.0
    for t, y in enumerate(points):
        share = min(max(y / most, 0.01), 0.99)
        odd, weight = math.log(share / (1 - share)), (share * (1 - share)) ** 2
        weights += weight
        odds += weight * odd
        ts += weight * t
        square += weight * t * t
        mixed += weight * t * odd
    spread = weights * square - ts * ts
    slope = (weights * mixed - ts * odds) / spread if spread > 0 else 0.0
    rate = slope if abs(slope) > 1e-6 else 1e-6
    return Curve(most=most, rate=rate, middle=(ts - odds / rate) / weights)


def _descend(points: Sequence[float], most: float, at: Curve) -> Curve | None:
    """Levenberg and Marquardt's way down from a curve; None where it does not come to an end."""
    damping, error = 1e-3, _error(points, at)
    for _ in range(_STEPS):
        square, right = _normal(points, at)
        if at.most >= most and right[0] > 0:  # more than all would be closer: K stays, and the others move
            square[0], right[0] = [1.0, 0.0, 0.0], 0.0
            square[1][0] = square[2][0] = 0.0
        step = _solve(square, right, damping)
        new = None if step is None else _bounded(at, step, most)
        below = math.inf if new is None else _error(points, new)
        if new is not None and below <= error:
            done = error - below <= _ENOUGH * max(error, 1e-12)
            at, error, damping = new, below, damping / 3
            if done:
                return at
        else:
            damping *= 4
            if damping > 1e12:
                return at  # nowhere near is lower
    return None


def _bounded(at: Curve, step: Sequence[float], most: float) -> Curve | None:
    top, rate, middle = (a + b for a, b in zip(at, step, strict=True))
    if not all(map(math.isfinite, (top, rate, middle))) or top <= 0:
        return None
    return Curve(most=min(top, most), rate=rate, middle=middle)


def _normal(points: Sequence[float], at: Curve) -> tuple[list[list[float]], list[float]]:
    """J'J and J'r of the curve's residuals."""
    square, right = [[0.0] * 3 for _ in range(3)], [0.0] * 3
    for t, y in enumerate(points):
        share = _share(at.rate * (t - at.middle))
        bend = at.most * share * (1 - share)
        row = (share, bend * (t - at.middle), -bend * at.rate)
        rest = y - at.most * share
        for i in range(3):
            right[i] += row[i] * rest
            for j in range(3):
                square[i][j] += row[i] * row[j]
    return square, right


def _solve(square: Sequence[Sequence[float]], right: Sequence[float], damping: float) -> list[float] | None:
    """(J'J + damping diag J'J) x = J'r, by elimination; None where it has no one answer."""
    rows = [
        [*(value + (damping * value + 1e-15 if i == j else 0.0) for j, value in enumerate(row)), right[i]]
        for i, row in enumerate(square)
    ]
    for i in range(3):
        pivot = max(range(i, 3), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        if abs(rows[i][i]) < 1e-300:
            return None
        for k in range(i + 1, 3):
            factor = rows[k][i] / rows[i][i]
            for j in range(i, 4):
                rows[k][j] -= factor * rows[i][j]
    found = [0.0] * 3
    for i in (2, 1, 0):
        found[i] = (rows[i][3] - sum(rows[i][j] * found[j] for j in range(i + 1, 3))) / rows[i][i]
    return found


def _error(points: Sequence[float], of: Curve | Line) -> float:
    return sum((y - of.at(t)) ** 2 for t, y in enumerate(points))


def _share(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -_STEEPEST), _STEEPEST)))


def _cut(value: float, most: float) -> float:
    return min(max(value, 0.0), most)
