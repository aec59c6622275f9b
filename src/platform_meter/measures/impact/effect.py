"""What a comparison of before and after gives, of whatever kind (domain section 12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform_meter.measures.intervals import Interval

LEVEL = 0.05
"""A chance under it is no accident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How far after is from before."""

    change: float
    """Of durations and series a share of what was before: -0.4 is 40 % less. Of ratios a difference: 0.1 is 10 points more."""
    interval: Interval | None
    """Of 95 %; None where it has no end."""
    chance: float
    """How probably as much is seen where nothing changed."""
    before: float
    """The median in seconds, the share, or a week's mean."""
    after: float
    shift: float | None = None
    """Of durations the Hodges-Lehmann shift in seconds: half of all pairs of one before and one after differ by less."""


def holm(chances: Sequence[float]) -> list[float]:
    """The same chances held against how many there are (Holm 1979): each times how many are no lower, and none under one
    that was lower before.
    """
    found, least = [0.0] * len(chances), 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        least = max(least, min(1.0, (len(chances) - rank) * chances[place]))
        found[place] = least
    return found
