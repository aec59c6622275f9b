"""Scores of surveys with their intervals of 95 % (domain section 10).

A bootstrap here is exact: instead of drawing samples it computes how the mean of all of them is distributed, by convolution.
So it needs no seed, and the same answers always have the same interval.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist, fmean, stdev

from platform_meter.measures.intervals import Interval, Score, Z, student, wilson

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
