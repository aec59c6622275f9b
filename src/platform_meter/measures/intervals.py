"""Intervals of 95 % that several families tell: of a share, of a difference, and by Student's t.

By hand, since they are short and scipy would double the memory of an idle process; the tests hold them to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

Z = 1.96
"""Of a two-sided interval of 95 %, as domain section 10 writes it."""
_HALVINGS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a number lies in 95 of 100 such samples."""

    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside."""
        return value < self.low or value > self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What so many answers say: of an NPS -100 to 100, of all else 0 to 1."""

    n: int
    point: float
    interval: Interval | None
    """None where there is none: of answers that are all the same, by bootstrap."""


def share(good: float, n: int, z: float = Z) -> Score:
    """The share of the good ones with Wilson's interval.

    Raises:
        ValueError: of nothing.
    """
    return Score(n=n, point=good / n, interval=wilson(good, n, z))


def wilson(good: float, n: float, z: float = Z) -> Interval:
    """Wilson's score interval of a share.

    Raises:
        ValueError: no answers.
    """
    if n <= 0:
        raise ValueError("a share of nothing has no interval")
    p, z2 = good / n, z * z / n
    middle = (p + z2 / 2) / (1 + z2)
    half = z / (1 + z2) * math.sqrt(p * (1 - p) / n + z2 / (4 * n))
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))


def difference(now: Score, before: Score) -> Interval | None:
    """Of `now` less `before`: Newcombe's square-and-add of their two intervals; None where one has none."""
    a, b = now.interval, before.interval
    if a is None or b is None:
        return None
    moved = now.point - before.point
    return Interval(
        low=moved - math.hypot(max(0.0, now.point - a.low), max(0.0, b.high - before.point)),
        high=moved + math.hypot(max(0.0, a.high - now.point), max(0.0, before.point - b.low)),
    )


def beyond(t: float, df: int) -> float:
    """How probably Student's t with so many degrees of freedom, 1 or more, is as far from 0 on either side: the finite sums
    of Abramowitz and Stegun 26.7.3 and 26.7.4.
    """
    angle = math.atan(abs(t) / math.sqrt(df))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = df % 2
    total = term = cosine if odd else 1.0
    for n in range(2 + odd, df - 1, 2):
        term *= cosine * cosine * (n - 1) / n
        total += term
    within = (angle + (sine * total if df > 1 else 0.0)) * 2 / math.pi if odd else sine * total
    return min(1.0, max(0.0, 1 - within))


@lru_cache(4096)
def student(df: int) -> float:
    """The 97.5 % quantile of Student's t with so many degrees of freedom, 1 or more."""
    low, high = 1.9, 13.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle, df) > 0.05 else (low, middle)
    return (low + high) / 2
