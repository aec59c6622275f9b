"""Movers: who came, came back, fell silent or left between two snapshots, by name (domain section 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import comb

from platform_meter.measures.adoption.seen import what
from platform_meter.measures.adoption.snapshots import TransitionKind, changes
from platform_meter.model.history import History

_CHANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Between the ends of two days."""

    first: date
    last: date
    units: Mapping[TransitionKind, Sequence[str]]
    """By what they did; in order of name."""

    def count(self, *kinds: TransitionKind) -> int:
        return sum(len(self.units.get(kind, ())) for kind in kinds)

    @property
    def beyond_noise(self) -> bool:
        """Whether so lopsided a number came or fell silent as would happen by chance at most once in twenty times.

        The exact sign test (McNemar's, 1947): if nothing drives either, each unit that moved is as likely to have come as to
        have fallen silent. Who left eligibility did not choose, and is no part of it.
        """
        came = self.count(TransitionKind.NEW, TransitionKind.RESURRECTED)
        silent = self.count(TransitionKind.DORMANT)
        moved, fewer = came + silent, min(came, silent)
        return 2 * sum(comb(moved, n) for n in range(fewer + 1)) <= _CHANCE * (1 << moved)


def moves(history: History, capability: str, days: int) -> Moves | None:
    """Up to the last snapshot, since the last one that is at least so many days older; None without two such.

    A unit that churned straight from being active is dormant too, as the counter of transitions has it.
    """
    kind = what(capability)
    last = history.last_day(kind)
    if last is None:
        return None
    then = last - timedelta(days=days)
    # Sources may have been stale for a while: a week without any snapshot is compared with what was before it.
    first = max(history.states_by_day(kind, then - timedelta(days=days), then + timedelta(days=1)), default=None)
    if first is None:
        return None
    before, after = history.moved(kind, first, last)
    found: dict[TransitionKind, list[str]] = {}
    for unit, change in changes({one.unit: one for one in before}, after):
        found.setdefault(change, []).append(unit)
    return Moves(first=first, last=last, units={change: sorted(units) for change, units in found.items()})
