"""Every ticket of a store in a few words: as much as feedback asks for. A look reads what is new alone."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from platform_meter.measures.support.queues import BEGINNING, END
from platform_meter.model.facts.tickets import GONE, Role, TicketChange, TicketEvent, Today
from platform_meter.model.history import History

_ENDS = frozenset({TicketChange.RESOLVED, TicketChange.REOPENED})
_MANY = 20
"""Answers that a creation lists at most: of one that lists so many, later comments are taken as they are told."""


class Step(Struct, frozen=True, gc=False):
    """What is read of a step."""

    key: str
    at: datetime
    updated: datetime | None
    ticket: str
    change: TicketChange
    name: str
    role: Role
    public: bool
    status: str | None
    resolution: str | None
    labels: tuple[str, ...] | None
    answers: tuple[str, ...] | None
    today: Today | None

    @property
    def kept(self) -> bool:
        """Whether it tells of what is asked: most comments and all hand-overs don't."""
        if self.change is TicketChange.COMMENT:
            return self.public and self.role is Role.AGENT
        told = (self.status, self.resolution, self.labels)
        return self.change is TicketChange.CREATED or self.change in _ENDS or any(one is not None for one in told)


@dataclass(slots=True)
class Ticket:
    """One ticket, as its steps tell it."""

    object: int
    steps: dict[str, Step] = field(default_factory=dict)
    """By key, without comments."""
    said: dict[str, datetime] = field(default_factory=dict)
    """When agents commented in public, by the key of the comment."""

    @property
    def born(self) -> Step | None:
        """Its creation; None where that is not stored."""
        return next((step for step in self.steps.values() if step.change is TicketChange.CREATED), None)

    @property
    def labels(self) -> tuple[str, ...]:
        """Those that it has now."""
        return next((step.labels for step in reversed(self._in_order()) if step.labels is not None), ())

    @property
    def gone(self) -> bool:
        """Whether its tool shows it no more: one that was told of since is there again."""
        seen = (step.updated or step.at for step in self.steps.values() if step.resolution != GONE)
        newest = max((*seen, *self.said.values()), default=BEGINNING)
        return any(step.resolution == GONE and step.at > newest for step in self.steps.values())

    @property
    def answers(self) -> tuple[datetime, ...]:
        """When agents said something in public that still stands."""
        listed = self.born.answers if self.born else None
        stands = (at for key, at in self.said.items() if listed is None or key in listed or len(listed) >= _MANY)
        return tuple(sorted(stands))

    def closed(self, done: Collection[str]) -> bool:
        """Whether it is resolved, or in one of the statuses that are done."""
        steps = self._in_order()
        if self.born and (today := self.born.today):  # its history ends elsewhere than it stands
            return bool(today.resolution) or today.status in done
        born = TicketChange.RESOLVED if self.born and self.born.resolution else None
        ended = next((step.change for step in reversed(steps) if step.change in _ENDS), born)
        status = next((step.status for step in reversed(steps) if step.status is not None), "")
        return ended is TicketChange.RESOLVED or status in done

    def _in_order(self) -> Sequence[Step]:
        return sorted(self.steps.values(), key=lambda step: (step.at, step.key))

    def put(self, step: Step) -> bool:
        """Take a step in place of the one with its key; whether there was one."""
        had = self.take_out(step.key)
        if step.kept and step.change is TicketChange.COMMENT:
            self.said[step.key] = step.at
        elif step.kept:
            self.steps[step.key] = step
        return had

    def take_out(self, key: str) -> bool:
        return (self.steps.pop(key, None) or self.said.pop(key, None)) is not None


class Tickets:
    """The tickets of a store, by source and id. For any number of threads and one store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pruned: datetime | None = None
        self._seq = self._corrected = 0
        self._found: defaultdict[str, dict[str, Ticket]] = defaultdict(dict)

    def of(self, history: History, source: str) -> Sequence[Ticket]:
        """Those of a source whose creation is stored."""
        with self._lock:
            self._read(history)
            return [one for one in self._found[source].values() if one.born is not None]

    def _read(self, history: History) -> None:
        if history.pruned() != self._pruned:
            self._pruned, self._seq = history.pruned(), 0
            self._found.clear()
        latest, corrected = history.latest(TicketEvent), history.corrected(TicketEvent)
        if latest <= self._seq:  # an older view, such as a page's, tells nothing new
            return
        moved = self._seq > 0 and corrected != self._corrected
        for source in history.sources():
            told = history.parts(TicketEvent, Step, BEGINNING, END, source=source.instance, after=self._seq)
            homes = {key: ticket for key, ticket in self._put(self._found[source.instance], told) if moved}
            _take_out(self._found[source.instance], homes)
        self._seq, self._corrected = latest, corrected

    @staticmethod
    def _put(found: dict[str, Ticket], told: Iterable[tuple[int, Step]]) -> Iterator[tuple[str, str]]:
        """Keys that their ticket did not have, each with it."""
        for object_, step in told:
            ticket = found.setdefault(step.ticket, Ticket(object_))
            if step.change is TicketChange.CREATED:
                ticket.object = object_
            if not ticket.put(step):
                yield step.key, step.ticket


def _take_out(found: dict[str, Ticket], homes: dict[str, str]) -> None:
    """Steps that a correction moved to another ticket leave the one that they were in."""
    for name, ticket in found.items() if homes else ():
        for key in homes.keys() & (ticket.steps.keys() | ticket.said.keys()):
            if homes[key] != name:
                ticket.take_out(key)
