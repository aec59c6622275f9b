"""Difference in differences: what changed where the change was made, less what changed elsewhere in the same time.

The bootstrap takes whole units with all that they have before and after, since what one team does resembles the rest of
what it does (domain section 12).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from statistics import fmean
from typing import Protocol

from platform_meter.measures.impact.comparing import DRAWS, Pool, percentiles
from platform_meter.measures.impact.effect import Effect

_WORK = 20_000_000
"""Values that all draws together look at, about."""
_LEAST = 1_000
"""Draws that are made however many values there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What one unit has on both sides."""

    before: Sequence[float]
    after: Sequence[float]


class Group(Protocol):
    """Units of which the change is asked, each taken so many times; None where it has none."""

    def level(self, times: Sequence[int], *, after: bool) -> float | None: ...

    def change(self, times: Sequence[int]) -> float | None: ...


class Medians:
    """Of durations: the change of the median as a share of it."""

    def __init__(self, units: Sequence[Sides]) -> None:
        self._before, self._after = Pool([u.before for u in units]), Pool([u.after for u in units])

    def level(self, times: Sequence[int], *, after: bool) -> float | None:
        return (self._after if after else self._before).median(times)

    def change(self, times: Sequence[int]) -> float | None:
        then, now = self._before.median(times), self._after.median(times)
        return now / then - 1 if then and now is not None else None


class Shares:
    """Of ratios: the difference of the shares."""

    def __init__(self, units: Sequence[Sides]) -> None:
        self._good = [(math.fsum(u.before), math.fsum(u.after)) for u in units]
        self._all = [(len(u.before), len(u.after)) for u in units]

    def level(self, times: Sequence[int], *, after: bool) -> float | None:
        good = math.fsum(n * one[after] for n, one in zip(times, self._good, strict=True))
        whole = sum(n * one[after] for n, one in zip(times, self._all, strict=True))
        return good / whole if whole else None

    def change(self, times: Sequence[int]) -> float | None:
        then, now = self.level(times, after=False), self.level(times, after=True)
        return None if then is None or now is None else now - then


class Means:
    """Of weekly series: the change of how much a unit has in a week on average, as a share of that."""

    def __init__(self, units: Sequence[Sides]) -> None:
        self._means = [(fmean(u.before), fmean(u.after)) for u in units]

    def level(self, times: Sequence[int], *, after: bool) -> float | None:
        return math.fsum(n * one[after] for n, one in zip(times, self._means, strict=True))

    def change(self, times: Sequence[int]) -> float | None:
        then, now = self.level(times, after=False), self.level(times, after=True)
        return now / then - 1 if then and now is not None else None


def against(
    treated: Sequence[Sides], control: Sequence[Sides], kind: type[Medians | Shares | Means], *, seed: str
) -> Effect | None:
    """The change of the treated units less that of the control units, with its bootstrap by unit; None where one of both
    has no change.

    The chance is twice that of a draw on the other side of 0.
    """
    groups = (kind(treated), kind(control))
    ones = [list(repeat(1, len(units))) for units in (treated, control)]
    moved = [group.change(times) for group, times in zip(groups, ones, strict=True)]
    if moved[0] is None or moved[1] is None:
        return None
    size = sum(len(u.before) + len(u.after) for u in (*treated, *control))
    draws = DRAWS if kind is not Medians else max(_LEAST, min(DRAWS, _WORK // max(1, size)))
    rng, found = random.Random(seed), list[float]()
    for _ in range(draws):
        one, other = (
            group.change(_drawn(rng, len(units))) for group, units in zip(groups, (treated, control), strict=True)
        )
        if one is not None and other is not None:
            found.append(one - other)
    then, now = (groups[0].level(ones[0], after=after) for after in (False, True))
    if then is None or now is None or len(found) < draws / 2:
        return None
    over = sum(change >= 0 for change in found)
    under = sum(change <= 0 for change in found)
    return Effect(
        change=moved[0] - moved[1],
        interval=percentiles(found),
        chance=min(1.0, 2 * (min(over, under) + 1) / (len(found) + 1)),
        before=then,
        after=now,
    )


def _drawn(rng: random.Random, size: int) -> list[int]:
    """How many times each of so many units is among as many draws."""
    times = [0] * size
    for place in rng.choices(range(size), k=size):
        times[place] += 1
    return times
