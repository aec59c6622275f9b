"""Kaplan-Meier: what share of durations is longer than t, when some have not ended yet (domain sections 9 and 11).

By hand, since it is the core of two published numbers, short, and scipy would double the memory of an idle process;
the tests hold it to `scipy.stats.ecdf` and lifelines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_ROUNDING = 1e-12
"""A product of shares that is 0.5 on paper may come out a rounding error above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """The curve S(t) = share of durations longer than t: a step down at each time at which one ended."""

    times: tuple[float, ...]
    shares: tuple[float, ...]
    """S at and after each time."""

    def at(self, t: float) -> float:
        """S(t): 1 before the first end, flat after the last."""
        index = bisect_right(self.times, t)
        return self.shares[index - 1] if index else 1.0

    def beyond(self, t: float, *, reached: float) -> float:
        """The chance that what has lasted `reached` lasts longer than `t`: S(t)/S(reached), 1 where S(reached) is 0."""
        left = self.at(reached)
        return self.at(t) / left if left > 0 else 1.0

    def quantile(self, q: float) -> float | None:
        """The first t with S(t) <= 1-q; None when the curve stays above it."""
        bound = 1 - q + _ROUNDING
        return next((t for t, share in zip(self.times, self.shares, strict=True) if share <= bound), None)


def kaplan_meier(durations: Iterable[tuple[float, bool]]) -> Survival:
    """The product-limit curve over (duration, ended) pairs; what has not ended is censored at its duration.

    At a time at which some end and others are censored, the censored ones count as still at risk.
    """
    ended: Counter[float] = Counter()
    leaving: Counter[float] = Counter()
    for duration, over in durations:
        leaving[duration] += 1
        if over:
            ended[duration] += 1
    times, shares = [], []
    at_risk, share = leaving.total(), 1.0
    for t in sorted(leaving):
        if ended[t]:
            share *= 1 - ended[t] / at_risk
            times.append(t)
            shares.append(share)
        at_risk -= leaving[t]
    return Survival(times=tuple(times), shares=tuple(shares))
