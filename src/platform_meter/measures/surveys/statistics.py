"""Scores of surveys with their intervals of 95 %, and the interval of a difference (domain section 10).

A bootstrap here is exact: instead of drawing samples it computes how the mean of all of them is distributed, by convolution.
So it needs no seed, and the same answers always have the same interval.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist, fmean, stdev

Z = 1.96
"""Of a two-sided interval of 95 %, as domain section 10 writes it."""
_NORMAL = NormalDist()
_LEVELS = (0.025, 0.975)
_LARGE = 30
"""Answers from which on the mean of a SUS has a t interval."""
_NEGLIGIBLE = 1e-18
"""Probabilities below it are left out at both ends of a distribution."""
_REMEMBERED = 4096
"""Intervals by bootstrap: those of two years' waves, with their groups and questions."""
MADE_UP = 3.0
"""Answers that the adjusted interval of an NPS adds: a quarter promoters, a quarter detractors, half passives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Of a score: where it lies in 95 of 100 such surveys."""

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


def nps(answers: Sequence[float]) -> Score:
    """100 times the share of promoters (9, 10) less that of detractors (0 to 6); the interval is that of 0.75 promoters,
    1.5 passives and 0.75 detractors more, the point is not adjusted.

    Raises:
        ValueError: no answers.
    """
    n, up, down = _some(answers), sum(a >= 9 for a in answers), sum(a <= 6 for a in answers)
    more = n + MADE_UP
    p, d = (up + MADE_UP / 4) / more, (down + MADE_UP / 4) / more
    half = Z * math.sqrt((p + d - (p - d) ** 2) / more)
    interval = Interval(low=max(-100.0, 100 * (p - d - half)), high=min(100.0, 100 * (p - d + half)))
    return Score(n=n, point=100 * (up - down) / n, interval=interval)


def csat(answers: Sequence[float], scale: int) -> Score:
    """The share of the two best answers, of a scale of 0 and 1 that of 1, with Wilson's interval.

    Raises:
        ValueError: no answers.
    """
    n, good = _some(answers), sum(satisfied(a, scale) for a in answers)
    return Score(n=n, point=good / n, interval=wilson(good, n))


def satisfied(answer: float, scale: int) -> bool:
    """Whether it is one of the two best, of a scale of 0 and 1 the better one."""
    return answer >= max(1, scale - 1)


def wilson(good: float, n: float) -> Interval:
    """Wilson's score interval of a share.

    Raises:
        ValueError: no answers.
    """
    if n <= 0:
        raise ValueError("a share of nothing has no interval")
    p, z2 = good / n, Z * Z / n
    middle = (p + z2 / 2) / (1 + z2)
    half = Z / (1 + z2) * math.sqrt(p * (1 - p) / n + z2 / (4 * n))
    return Interval(low=max(0.0, middle - half), high=min(1.0, middle + half))


def sus(answers: Sequence[Sequence[float]]) -> Score:
    """The mean of System Usability Scales, / 100. Of each person ten answers of 1 to 5: those to odd questions count from 1
    up, those to even ones from 5 down. A t interval from 30 people on, under that BCa by bootstrap (Clark et al. 2021).

    Raises:
        ValueError: no answers.
    """
    n = _some(answers)
    steps = [sum(a - 1 for a in one[::2]) + sum(5 - a for a in one[1::2]) for one in answers]
    if n < _LARGE:
        return _bootstrapped(steps, 40)
    mean = fmean(steps) / 40
    half = student(n - 1) * stdev(steps) / 40 / math.sqrt(n)
    return Score(n=n, point=mean, interval=Interval(low=max(0.0, mean - half), high=min(1.0, mean + half)))


def likert(answers: Sequence[float], scale: int) -> Score:
    """The mean of answers of 1 to `scale`, as a share of the way from the worst to the best; BCa by bootstrap.

    Raises:
        ValueError: no answers.
    """
    _some(answers)
    return _bootstrapped([a - 1 for a in answers], scale - 1)


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


def student(df: int) -> float:
    """The 97.5 % quantile of Student's t with so many degrees of freedom, 10 or more: the expansion of Abramowitz and
    Stegun 26.7.5, right to 5 digits there and to 8 from 29 on.
    """
    z = _NORMAL.inv_cdf(_LEVELS[1])
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / float(df**power) for power, term in enumerate(terms))


def _bootstrapped(steps: Sequence[float], most: int) -> Score:
    """The mean of whole steps, / `most`, with the BCa interval (Efron 1987) of the exact bootstrap."""
    counts = Counter(int(step) for step in steps)
    return Score(n=len(steps), point=fmean(steps) / most, interval=_bca(tuple(sorted(counts.items())), most))


@lru_cache(_REMEMBERED)
def _bca(answers: tuple[tuple[int, int], ...], most: int) -> Interval | None:
    """Of so many answers of each value; the waves that are over have the same at every look."""
    counts = dict(answers)
    if len(counts) == 1:
        return None
    n, total = sum(counts.values()), sum(value * count for value, count in answers)
    first, chances = _sums(counts, n)
    below = math.fsum(chances[: total - first])
    bias = _NORMAL.inv_cdf(below + chances[total - first] / 2)
    mean = total / n
    away = [(mean - value, count) for value, count in answers]
    squares = sum(count * one**2 for one, count in away)
    skew = -sum(count * one**3 for one, count in away) / (6 * squares**1.5)
    reached = list(accumulate(chances))
    ends = []
    for level in _LEVELS:
        z = bias + _NORMAL.inv_cdf(level)
        wanted = _NORMAL.cdf(bias + z / (1 - skew * z))
        place = next((i for i, chance in enumerate(reached) if chance >= wanted), len(reached) - 1)
        ends.append((first + place) / n / most)
    return Interval(low=ends[0], high=ends[1])


def _sums(counts: Mapping[int, int], n: int) -> tuple[int, list[float]]:
    """How the sum of n draws with replacement is distributed: the lowest sum, and the chance of it and of each next one."""
    low, high = min(counts), max(counts)
    one = (low, [counts.get(value, 0) / n for value in range(low, high + 1)])
    result = (0, [1.0])
    for bit in format(n, "b"):
        result = _added(result, result)
        if bit == "1":
            result = _added(result, one)
    return result


def _added(a: tuple[int, list[float]], b: tuple[int, list[float]]) -> tuple[int, list[float]]:
    """The distribution of the sum of two independent numbers, without its negligible ends."""
    out = [0.0] * (len(a[1]) + len(b[1]) - 1)
    for i, x in enumerate(a[1]):
        if x:
            for j, y in enumerate(b[1], i):
                out[j] += x * y
    start, end = 0, len(out)
    while out[start] < _NEGLIGIBLE:
        start += 1
    while out[end - 1] < _NEGLIGIBLE:
        end -= 1
    return a[0] + b[0] + start, out[start:end]


def _some(answers: Sequence[object]) -> int:
    if not answers:
        raise ValueError("a score needs answers; none were given")
    return len(answers)
