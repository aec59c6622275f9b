"""A weekly series that a change interrupts: y = b0 + b1 t + b2 D + b3 (t - T0) D (domain section 12; Turner et al. 2021).

Ordinary least squares under 12 weeks in all; from there on weeks resemble the ones before them: an autoregression of the
first order, its part by restricted likelihood, and least squares with it. Weeks that are left out count as time that passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from platform_meter.measures.impact.effect import Effect
from platform_meter.measures.intervals import Interval, beyond, student

LEAST = 5
"""Weeks on each side."""
OLS_UNDER = 12
"""Weeks in all under which they are taken for independent."""
_STICKIEST = 0.98
_GRID = 40
_GOLDEN = (math.sqrt(5) - 1) / 2
_NARROWINGS = 40
_NOTHING = 1e-12
"""A share of the spread under it is a rounding error."""
_ROUNDING = 1e-9
TERMS = 4

Vector = Sequence[float]
Matrix = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """The two lines: where the first begins, its slope a week, the step at T0, and what the slope is more from there on."""

    terms: tuple[float, float, float, float]
    covariance: Matrix
    part: float
    """Of what a week lies off its line, how much the next one does; 0 by ordinary least squares."""
    df: int


def segmented(points: Sequence[tuple[float, float]], start: float) -> Segmented:
    """Fit (week, value) in order of time; `start` is T0.

    Raises:
        ValueError: under five points on one side.
    """
    after = sum(t >= start for t, _ in points)
    if min(after, len(points) - after) < LEAST:
        raise ValueError(f"{len(points) - after} weeks before and {after} after; it takes {LEAST} of each")
    rows = [(1.0, t, float(t >= start), max(0.0, t - start)) for t, _ in points]
    values, gaps = [y for _, y in points], [b[0] - a[0] for a, b in pairwise(points)]
    first = _fit(rows, values, gaps, 0.0)
    part = 0.0
    if len(points) >= OLS_UNDER and first.left > _NOTHING * sum(y * y for y in values):
        part = _highest(lambda rho: _fit(rows, values, gaps, rho).likelihood, -_STICKIEST, _STICKIEST)
    fit = _fit(rows, values, gaps, part)
    df = len(points) - TERMS
    scale = fit.left / df if fit.left > _NOTHING * sum(y * y for y in values) else 0.0
    b = fit.terms
    return Segmented(
        terms=(b[0], b[1], b[2], b[3]),
        covariance=[[scale * value for value in row] for row in fit.inverse],
        part=part,
        df=df,
    )


def effect(points: Sequence[tuple[float, float]], start: float) -> Effect | None:
    """What the weeks from T0 on were above or below where the line before would have had them, on average, as a share of
    that; None where that line is not above 0 there.

    Raises:
        ValueError: under five points on one side.
    """
    fit = segmented(points, start)
    later = [t for t, _ in points if t >= start]
    middle = sum(later) / len(later)
    more, expected = (0.0, 0.0, 1.0, middle - start), (1.0, middle, 0.0, 0.0)
    above, line = _times(more, fit.terms), _times(expected, fit.terms)
    if line <= 0:
        return None
    above = above if abs(above) > _ROUNDING * line else 0.0
    change, spread = above / line, math.sqrt(max(0.0, _form(more, fit.covariance)))
    # Both lines are estimated: the share is as uncertain as what it is a share of (delta method).
    slope = [(a - change * b) / line for a, b in zip(more, expected, strict=True)]
    half = student(fit.df) * math.sqrt(max(0.0, _form(slope, fit.covariance)))
    chance = beyond(above / spread, fit.df) if spread > 0 else float(above == 0)
    return Effect(
        change=change,
        interval=Interval(low=change - half, high=change + half),
        chance=chance,
        before=line,
        after=line + above,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    terms: Vector
    inverse: Matrix
    """Of X' V^-1 X."""
    left: float
    """What is left of the whitened values, squared and summed."""
    likelihood: float
    """Restricted, but for a constant."""


def _fit(rows: Sequence[Vector], values: Vector, gaps: Vector, rho: float) -> _Fit:
    """Least squares of what is left of each week once the week before is taken off."""
    white, told, volume = [rows[0]], [values[0]], 0.0
    for i, gap in enumerate(gaps, 1):
        # A part below 0 of half a week has no meaning: only whole weeks alternate.
        kept = rho**gap if rho >= 0 else -(abs(rho) ** gap) if round(gap) % 2 else abs(rho) ** gap
        new = math.sqrt(1 - kept * kept)
        white.append([(a - kept * b) / new for a, b in zip(rows[i], rows[i - 1], strict=True)])
        told.append((values[i] - kept * values[i - 1]) / new)
        volume += math.log(new)
    square = [[sum(row[i] * row[j] for row in white) for j in range(TERMS)] for i in range(TERMS)]
    right = [sum(row[i] * y for row, y in zip(white, told, strict=True)) for i in range(TERMS)]
    inverse, logarithm = _inverted(square)
    terms = [_times(line, right) for line in inverse]
    left = sum((y - _times(row, terms)) ** 2 for row, y in zip(white, told, strict=True))
    df = len(values) - TERMS
    likelihood = -0.5 * df * math.log(max(left, 1e-300)) - volume - 0.5 * logarithm
    return _Fit(terms=terms, inverse=inverse, left=left, likelihood=likelihood)


def _inverted(square: Matrix) -> tuple[Matrix, float]:
    """The inverse, and the logarithm of the determinant, by elimination; rows are scaled by their own size first."""
    sizes = [math.sqrt(square[i][i]) for i in range(TERMS)]
    rows = [
        [square[i][j] / sizes[i] / sizes[j] for j in range(TERMS)] + [float(i == j) for j in range(TERMS)]
        for i in range(TERMS)
    ]
    logarithm = 2 * sum(map(math.log, sizes))
    for i in range(TERMS):
        pivot = rows[i][i]
        logarithm += math.log(pivot)
        rows[i] = [value / pivot for value in rows[i]]
        for k in range(TERMS):
            if k != i:
                factor = rows[k][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [[rows[i][TERMS + j] / sizes[i] / sizes[j] for j in range(TERMS)] for i in range(TERMS)], logarithm


def _highest(of: Callable[[float], float], low: float, high: float) -> float:
    """Where a function of one number is highest: the best place of a grid, and golden sections around it."""
    step = (high - low) / _GRID
    best = max((low + step * n for n in range(_GRID + 1)), key=of)
    low, high = max(low, best - step), min(high, best + step)
    for _ in range(_NARROWINGS):
        width = _GOLDEN * (high - low)
        low, high = (low, low + width) if of(high - width) > of(low + width) else (high - width, high)
    return (low + high) / 2


def _times(a: Vector, b: Vector) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def _form(vector: Vector, square: Matrix) -> float:
    return _times(vector, [_times(row, vector) for row in square])
