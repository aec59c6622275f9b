"""What is said of pods as they come, change and go: each one's start, once, or that it never had one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from platform_meter.model.facts import Reading
from platform_meter.model.facts.kubernetes import PodNeverReady, PodStarted
from platform_meter.sources.kubernetes.rows import Pod, bound_late, waits_for_node

WAITING_PODS = 1_000
"""So many pods that waited are remembered; of more, the oldest are forgotten and known by their late binding alone."""


class PodStarts:
    """Says each pod's start, leaving out pods that had to wait for a node (domain section 8: they are apart) or a gate.

    While it watches it sees them wait. Of a listed pod the past is not told: one that was bound late counts as one
    that waited.
    """

    complete: frozenset[type[Reading]] = frozenset()

    def __init__(
        self,
        start: Callable[[Pod], PodStarted | None],
        never: Callable[[Pod], PodNeverReady | None],
        waiting: tuple[str, ...],
        since: datetime,
    ) -> None:
        self._start, self._never, self._since = start, never, since
        self._waiting = dict.fromkeys(waiting)
        self._forgets = len(waiting) >= WAITING_PODS
        self._said: set[str] = set()

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(self._waiting)[-WAITING_PODS:]

    def listed(self, thing: Pod) -> Sequence[PodStarted]:
        if bound_late(thing):
            self._waiting[thing.metadata.uid] = None
        return self.changed(thing)

    def changed(self, thing: Pod) -> Sequence[PodStarted]:
        uid = thing.metadata.uid
        if uid in self._said:
            return ()
        if waits_for_node(thing) or (self._forgets and bound_late(thing)):
            self._waiting[uid] = None
        started = self._start(thing)
        if started is None:
            return ()
        if started.at < self._since:
            self._waiting.pop(uid, None)
            return ()
        if uid in self._waiting:
            return ()
        self._said.add(uid)
        return (started,)

    def deleted(self, thing: Pod) -> Sequence[PodNeverReady]:
        self._waiting.pop(thing.metadata.uid, None)
        if thing.metadata.uid in self._said:
            self._said.discard(thing.metadata.uid)
            return ()
        never = self._never(thing)
        return () if never is None or never.at < self._since else (never,)
