"""What is said of the objects that a list or a watch brings: readings as they change, and each pod's start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_meter.model.facts import Reading
from platform_meter.model.facts.kubernetes import PodStarted
from platform_meter.sources.kubernetes.rows import Pod, Thing, bound_late, waits_for_node

WAITING_PODS = 1_000
"""So many pods that waited are remembered; of more, the oldest are forgotten and known by their late binding alone."""


@dataclass(slots=True, kw_only=True)
class Inventory:
    """Says readings, and of a changed object only what differs from what it said last in this call."""

    row: Callable[[Any], Reading | None]
    complete: frozenset[type[Reading]]
    held: dict[str, Reading] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[str, ...]:
        return ()

    def listed(self, thing: Thing) -> Reading | None:
        return self.row(thing)

    def changed(self, thing: Thing) -> Reading | None:
        reading = self.row(thing)
        if reading is None or self.held.get(reading.key) == reading:
            return None
        self.held[reading.key] = reading
        return reading

    def deleted(self, thing: Thing) -> tuple[type[Reading], str] | None:
        reading = self.row(thing)
        if reading is None:
            return None
        self.held.pop(reading.key, None)
        return type(reading), reading.key


class PodStarts:
    """Says each pod's start, leaving out pods that had to wait for a node (domain section 8: they are apart) or a gate.

    While it watches it sees them wait. Of a listed pod the past is not told: one that was bound late counts as one
    that waited.
    """

    complete: frozenset[type[Reading]] = frozenset()

    def __init__(self, start: Callable[[Pod], PodStarted | None], waiting: tuple[str, ...], since: datetime) -> None:
        self._start, self._since = start, since
        self._waiting = dict.fromkeys(waiting)
        self._forgets = len(waiting) >= WAITING_PODS
        self._said: set[str] = set()

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(self._waiting)[-WAITING_PODS:]

    def listed(self, thing: Pod) -> PodStarted | None:
        if bound_late(thing):
            self._waiting[thing.metadata.uid] = None
        return self.changed(thing)

    def changed(self, thing: Pod) -> PodStarted | None:
        uid = thing.metadata.uid
        if uid in self._said:
            return None
        if waits_for_node(thing) or (self._forgets and bound_late(thing)):
            self._waiting[uid] = None
        started = self._start(thing)
        if started is None:
            return None
        if started.at < self._since:
            self._waiting.pop(uid, None)
            return None
        if uid in self._waiting:
            return None
        self._said.add(uid)
        return started

    def deleted(self, thing: Pod) -> None:
        self._waiting.pop(thing.metadata.uid, None)
        self._said.discard(thing.metadata.uid)
