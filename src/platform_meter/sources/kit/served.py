"""What served where, and what is a rollback: a version that goes out again, behind others that served after it (domain section 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

SERVED_KEPT = 30
PLACES_KEPT = 20
"""Bounds of a checkpoint, per place and per object. A rollback further back counts as planned."""


class Version(Protocol):
    """One rollout of a version: a commit, under a number of its own."""

    id: int
    sha: str


V = TypeVar("V", bound=Version)
Order = Callable[[V], Any]
"""What tells which of two came first."""


def goes_back(before: Sequence[object], version: object) -> bool:
    """Whether a version brings back what served before the one that serves now did; to bring that one again is none.

    Args:
        before: versions that served in one place, oldest first; none is not known to have served.
        version: what goes out there next.
    """
    return version in before and before.index(version) < before.index(before[-1])


def brings_back(served: Sequence[V], one: V, order: Order[V]) -> bool:
    """Whether it goes back, among those that served in its place, oldest first; what served after it says nothing."""
    return goes_back([other.sha for other in served if order(other) < order(one)], one.sha)


def last_before(served: Sequence[V], one: V, order: Order[V]) -> V | None:
    """What served in its place when it came, of those that are known, oldest first; None for the first."""
    return next((other for other in reversed(served) if order(other) < order(one)), None)


def remember(served: dict[str, list[V]], place: str, one: V, order: Order[V]) -> None:
    """It served there. The last of a place are kept, and of places those that something served in last."""
    others = [other for other in served.pop(place, []) if other.id != one.id]
    served[place] = sorted([*others, one], key=order)[-SERVED_KEPT:]
    while len(served) > PLACES_KEPT:
        del served[next(iter(served))]
