"""How far each unit came on a journey, and when (domain section 11).

A unit enters with the first use that begins the journey. In a strict one a stage counts with the first use of it after the
stage before it; in a loose one a later stage implies the earlier ones. Whatever came after the journey's window is too late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

LOOK_BACK = timedelta(days=182)
"""Entrants are those of this time."""


class Used(NamedTuple):
    """One use of something, of such as a stage asks for."""

    at: datetime
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One entrant."""

    unit: str
    entered: datetime
    reached: tuple[datetime | None, ...]
    """When it reached each stage within the window; None where it did not, or not yet."""
    late: tuple[datetime | None, ...]
    """The same without an end to the window."""

    def stages(self) -> int:
        """How many stages in a row it reached."""
        return next((n for n, at in enumerate(self.reached) if at is None), len(self.reached))


def way(
    unit: str,
    starts: Sequence[Used],
    stages: Sequence[Sequence[Used]],
    least: Sequence[float],
    *,
    loose: bool,
    window: timedelta,
) -> Way | None:
    """The way of one unit; None where it never began, or did a stage before: who was there before is no newcomer.

    Args:
        unit: its name.
        starts: uses that begin the journey, in order of time.
        stages: uses of each stage, in order of time.
        least: amount that each stage asks for; it is reached with the use that makes it up.
        loose: whether a later stage implies the earlier ones.
        window: from entering to the end of the journey.
    """
    if not starts:
        return None
    entered = starts[0].at
    if any(uses and uses[0].at < entered for uses in stages):
        return None
    found: list[datetime | None] = []
    after: datetime | None = entered
    for uses, amount in zip(stages, least, strict=True):
        at = _when(uses, amount, after) if after is not None else None
        found.append(at)
        if not loose:
            after = at
    if loose:
        found = [min((at for at in found[n:] if at is not None), default=None) for n in range(len(found))]
    end = entered + window
    reached = tuple(at if at is not None and at < end else None for at in found)
    return Way(unit=unit, entered=entered, reached=reached, late=tuple(found))


def _when(uses: Sequence[Used], least: float, after: datetime) -> datetime | None:
    """When the uses after this moment came to so much."""
    so_far = 0.0
    for use in uses:
        if use.at >= after:
            so_far += use.amount
            if so_far >= least:
                return use.at
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Entrants of the last half year, and how far they came."""

    stages: tuple[str, ...]
    mature: Sequence[Way]
    """Whose window is over."""
    pending: Sequence[Way]
    until: datetime
    """Up to when it is known."""

    @property
    def entrants(self) -> Sequence[Way]:
        """All of them."""
        return [*self.mature, *self.pending]

    def reached(self, ways: Sequence[Way], stage: int) -> int:
        """How many came so far: 0 is entering, 1 the first stage."""
        return sum(1 for one in ways if one.stages() >= stage)


def funnel(ways: Mapping[str, Way], stages: Sequence[str], window: timedelta, until: datetime) -> Funnel:
    """The funnel as it is known up to a moment; who entered before the half year, or after that moment, is not in it."""
    entrants = [one for _, one in sorted(ways.items()) if until - LOOK_BACK <= one.entered < until]
    return Funnel(
        stages=tuple(stages),
        mature=[one for one in entrants if one.entered + window <= until],
        pending=[one for one in entrants if one.entered + window > until],
        until=until,
    )
