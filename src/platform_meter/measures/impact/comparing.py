"""Durations and ratios before and after: the test, the shift, and the change with its interval (domain section 12)."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from statistics import NormalDist

from platform_meter.measures.impact.effect import Effect
from platform_meter.measures.intervals import Interval, Z, difference, share
from platform_meter.model.metric import quantile

DRAWS = 10_000
"""Of the bootstrap."""
EXACT = 400
"""Pairs up to which the test counts all orders."""
_FEW = 40_000
"""Pairs up to which all differences are written down."""
_HALVINGS = 100
_NORMAL = NormalDist()


def durations(before: Sequence[float], after: Sequence[float], *, seed: str) -> Effect | None:
    """The change of the medians with its bootstrap interval, and the chance by Mann and Whitney; None where the median
    before is 0, of which nothing is a share.

    Raises:
        ValueError: nothing before, or nothing after.
    """
    then, now = sorted(before), sorted(after)
    middle = quantile(then, 0.5)
    if middle <= 0:
        return None
    return Effect(
        change=quantile(now, 0.5) / middle - 1,
        interval=percentiles(list(_changes(then, now, random.Random(seed)))),
        chance=mann_whitney(then, now)[1],
        before=middle,
        after=quantile(now, 0.5),
        shift=hodges_lehmann(then, now),
    )


def ratios(good_before: int, before: int, good_after: int, after: int) -> Effect:
    """The difference of two shares with Newcombe's interval; the chance is that at which the interval just reaches 0.

    Raises:
        ValueError: nothing before, or nothing after.
    """

    def at(z: float) -> Interval | None:
        return difference(share(good_after, after, z), share(good_before, before, z))

    low, high = 0.0, 40.0
    for _ in range(_HALVINGS):
        z = (low + high) / 2
        found = at(z)
        low, high = (z, high) if found is not None and found.excludes(0) else (low, z)
    then, now = good_before / before, good_after / after
    chance = math.erfc(low / math.sqrt(2))
    return Effect(change=now - then, interval=at(Z), chance=chance, before=then, after=now)


def percentiles(found: Sequence[float]) -> Interval | None:
    """The middle 95 of 100 of a bootstrap's draws; None where an end is beyond all numbers."""
    low, high = quantile(found, 0.025), quantile(found, 0.975)
    return Interval(low=low, high=high) if math.isfinite(low) and math.isfinite(high) else None


def mann_whitney(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """U of `before` (pairs in which it is the larger one, a tie counts half) and the two-sided chance of one as far off.

    Exact up to `EXACT` pairs without ties; else normal, with the correction for ties and for continuity.
    """
    n, m = len(before), len(after)
    counts = Counter([*before, *after])
    ranks, seen = {}, 0
    for value in sorted(counts):
        ranks[value] = seen + (counts[value] + 1) / 2
        seen += counts[value]
    u = math.fsum(ranks[value] for value in before) - n * (n + 1) / 2
    ties = sum(count**3 - count for count in counts.values())
    if not ties and n * m <= EXACT:
        return u, _exact(int(u), n, m)
    size = n + m
    spread = math.sqrt(n * m / 12 * (size + 1 - ties / (size * (size - 1))))
    off = max(0.0, abs(u - n * m / 2) - 0.5)
    return u, math.erfc(off / spread / math.sqrt(2)) if spread else 1.0


def _exact(u: int, n: int, m: int) -> float:
    """Of all orders of n and m values, twice the share of those whose U is as low, or as high."""
    ways = [1, *[0] * (n * m)]
    # The number of orders by U is a Gaussian binomial coefficient: times (1 - x^(m+i)), over (1 - x^i), for each i.
    for i in range(1, n + 1):
        for k in range(n * m, m + i - 1, -1):
            ways[k] -= ways[k - m - i]
        for k in range(i, n * m + 1):
            ways[k] += ways[k - i]
    tail = min(u, n * m - u)
    return min(1.0, 2 * sum(ways[: tail + 1]) / sum(ways))


def hodges_lehmann(before: Sequence[float], after: Sequence[float]) -> float:
    """The median of all differences of one after less one before; both in order."""
    pairs = len(before) * len(after)
    if pairs <= _FEW:
        return quantile([b - a for a in before for b in after], 0.5)
    return (_smallest(before, after, (pairs - 1) // 2) + _smallest(before, after, pairs // 2)) / 2


def _smallest(before: Sequence[float], after: Sequence[float], place: int) -> float:
    """The difference at this place of all in order, by halving: what is not written down has no end in memory."""
    low, high = after[0] - before[-1], after[-1] - before[0]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        under = sum(len(before) - bisect_left(before, b - middle) for b in after)
        low, high = (low, middle) if under > place else (middle, high)
    return high


def _changes(before: Sequence[float], after: Sequence[float], draw: random.Random) -> Iterator[float]:
    """The bootstrap's changes of medians. Of n draws with replacement only the middle ones are drawn: the k-th smallest of n
    uniform numbers has a beta distribution, and tells which value stands there.
    """
    for _ in range(DRAWS):
        then, now = _median(before, draw), _median(after, draw)
        yield now / then - 1 if then > 0 else math.inf


def _median(values: Sequence[float], draw: random.Random) -> float:
    n = len(values)
    k = (n + 1) // 2
    at = draw.betavariate(k, n - k + 1)
    low = values[min(n - 1, int(n * at))]
    if n % 2:
        return low
    above = at + (1 - at) * draw.betavariate(1, n - k)
    return (low + values[min(n - 1, int(n * above))]) / 2


class Pool:
    """Values by unit, of which medians are asked for again and again, each unit taken so many times."""

    def __init__(self, by_unit: Sequence[Sequence[float]]) -> None:
        told = sorted((value, unit) for unit, values in enumerate(by_unit) for value in values)
        self.values, self._units = [value for value, _ in told], [unit for _, unit in told]

    def median(self, times: Sequence[int]) -> float | None:
        """None where none of those taken has any."""
        reached = list(accumulate(map(times.__getitem__, self._units)))
        if not reached or not reached[-1]:
            return None
        low, high = (reached[-1] - 1) // 2, reached[-1] // 2
        return (self.values[bisect_right(reached, low)] + self.values[bisect_right(reached, high)]) / 2
