"""How long things took, told by the bounds under which they were counted: exact at each bound, and nothing between two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

ENOUGH = 5
"""Fewer give no share and no quantile (domain section 1)."""
_SAME = 1e-9
"""What sums of counts may be off, of their whole."""


@dataclass(slots=True)
class Took:
    """How many took how long, each under the smallest bound that holds it."""

    amounts: dict[str, float] = field(default_factory=dict)
    """By bound in seconds as `le` writes it; `+Inf` past the last one."""

    def add(self, bucket: str, amount: float) -> None:
        self.amounts[bucket] = self.amounts.get(bucket, 0.0) + amount

    @property
    def total(self) -> float:
        return sum(self.amounts.values())

    def within(self, seconds: float) -> float | None:
        """The share that took so many seconds at most, which is a bound; None where there are too few."""
        total = self.total
        if total < ENOUGH:
            return None
        return sum(amount for bucket, amount in self.amounts.items() if float(bucket) <= seconds) / total

    def most(self, share: float, bounds: Iterable[float]) -> str:
        """The smallest bound that holds this share of all in words, a dash where there are too few: `10 s`, `over 10 min`."""
        ordered = tuple(bounds)
        if self.total < ENOUGH:
            return "–"
        for bound in ordered:
            if (self.within(bound) or 0.0) >= share - _SAME:
                return bound_words(bound)
        return f"over {bound_words(ordered[-1])}"


def failed_words(share: float | None) -> str:
    """A share that is near 0 while all is well, with digits enough to tell it from another: `0.061 %`, `2.4 %`."""
    if share is None:
        return "–"
    return f"{share * 100:.3f} %" if 0 < share < 0.01 else f"{share * 100:.1f} %"


def bound_words(seconds: float) -> str:
    """A bound with all of its digits: `5 ms`, `2.5 s`, `10 min`."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"
