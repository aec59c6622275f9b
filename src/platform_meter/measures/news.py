"""Whether there is anything new to look at: for what the tick derives now and then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from platform_meter.model.facts import Event
from platform_meter.model.measure import Scene

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Mark = tuple[tuple[int, ...], datetime]
"""Two looks with one mark would find the same."""


def floor(at: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` in UTC at or before a moment."""
    return at - (at - _EPOCH) % step


def mark(scene: Scene, kinds: Iterable[type[Event]], every: timedelta) -> Mark:
    """What changes with each fact of these kinds, and with time alone once in `every`."""
    return tuple(scene.history.latest(kind) for kind in kinds), floor(scene.now, every)
