"""Which tickets belong to a Ticketing definition, and every ticket folded once and again only when it changed."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.folding import NONE, fold
from platform_meter.measures.support.names import Names
from platform_meter.measures.support.rules import Rules
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import GONE, TicketChange, TicketEvent
from platform_meter.model.history import Row, SourceState
from platform_meter.model.measure import Scene

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)
"""Past every event, so that one with a date in the future is read when it comes, and not missed when its time does."""

_KEY = r"""(?:"([^"]+)"|'([^']+)'|([^\s=(),"']+))"""
_ONE = re.compile(rf"(?:project\s*=\s*)?{_KEY}", re.IGNORECASE)
_MANY = re.compile(rf"project\s+in\s*\(\s*({_KEY}(?:\s*,\s*{_KEY})*)\s*\)", re.IGNORECASE)


@lru_cache(maxsize=256)
def queue_keys(select: str) -> frozenset[str]:
    """The tool's queues that `source.select` names: `project = PLAT`, `project in (PLAT, OPS)` or a bare key.

    Empty for an empty text: every queue of the source.

    Raises:
        ValueError: any other query.
    """
    text = select.strip()
    if not text:
        return frozenset()
    if one := _ONE.fullmatch(text):
        return frozenset(_found(one.groups()))
    if many := _MANY.fullmatch(text):
        return frozenset(key for groups in re.findall(_KEY, many.group(1)) for key in _found(groups))
    raise ValueError(
        f"{select!r} says more than which queues; write project = PLAT, project in (PLAT, OPS), "
        "one queue's key, or leave select out for every queue of the source"
    )


def _found(groups: Sequence[str | None]) -> list[str]:
    return [g for g in groups if g]


def reads(definition: Ticketing, source: SourceState) -> bool:
    """Whether tickets of this source instance may belong to the definition's queue."""
    wanted = definition.source
    return wanted.type == source.type and wanted.instance in (None, source.instance)


def priority_of(definition: Ticketing, created: TicketEvent) -> str:
    """The `priority` label of a ticket by the one it was born with, in the file's word for it; `none` without one."""
    return Names(created.aliases).of("priority", created.priority or "", definition.priorities) or NONE


def category_of(definition: Ticketing, created: TicketEvent) -> str:
    """The `category` label of a ticket by the values it was born with; `none` where it has none.

    Of several labels that the definition chooses among it is the first by name.
    """
    chosen = definition.category
    if chosen is None or chosen.from_ == "component":
        found = created.category
    elif chosen.from_ == "issue_type":
        found = created.issue_type
    else:
        found = min((label for label in created.labels or () if label in chosen.among), default=None)
    return found or NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A Ticketing definition ready for use; its id is the `queue` label."""

    definition: Ticketing
    rules: Rules

    @property
    def id(self) -> str:
        return self.definition.id


def queues(definitions: Definitions) -> tuple[Queue, ...]:
    """The queues declared.

    Raises:
        ValueError: a goal in `bd` where open days differ in length.
    """
    return tuple(Queue(definition=t, rules=Rules.of(t)) for t in definitions.ticketing)


class _Entry:
    """One ticket's events, and what they fold to by Ticketing id."""

    def __init__(self) -> None:
        self.events: dict[str, TicketEvent] = {}
        self.folded: dict[str, Ticket] = {}
        self.queue: str | None = None
        """The tool's queue it was created in; None when its creation is not among the events."""

    def changed(self) -> None:
        creations = [e for e in self.events.values() if e.change is TicketChange.CREATED]
        self.queue = min(creations, key=lambda e: (e.at, e.key)).queue if creations else None
        self.folded.clear()

    def told(self) -> list[TicketEvent]:
        """Its events; of its being gone only what is newer than all else: a ticket told since is there again."""
        newest = max(e.updated or e.at for e in self.events.values() if e.resolution != GONE)
        return [e for e in self.events.values() if e.resolution != GONE or e.at > newest]


class Book:
    """Every ticket of the store, refolded only when something about it is new.

    Asked twice it gives what a fresh one would: a row that came or was corrected has a higher seq, a passed moment is
    seen by `Ticket.covers`, other definitions empty it, and it starts anew each day, so that what the store pruned
    leaves it too. Not for two threads at once.
    """

    def __init__(self) -> None:
        self._definitions: tuple[Ticketing, ...] = ()
        self._queues: tuple[Queue, ...] = ()
        self._clear(None)

    def _clear(self, day: date | None) -> None:
        self._day = day
        self._seq = 0
        self._tickets: dict[str, dict[str, _Entry]] = {}
        self._homes: dict[str, dict[str, _Entry]] = {}
        self._refs: dict[Ref, Ref] = {}
        self._names: defaultdict[str, Names] = defaultdict(Names)

    def queues(self, scene: Scene) -> tuple[Queue, ...]:
        """The queues declared, with the book brought up to the scene."""
        if scene.definitions.ticketing != self._definitions:
            self._queues = queues(scene.definitions)
            self._definitions = scene.definitions.ticketing
            self._clear(None)
        latest = scene.history.latest(TicketEvent)
        if scene.now.date() != self._day or latest < self._seq:
            self._clear(scene.now.date())
        if latest > self._seq:
            for row in scene.history.rows(TicketEvent, BEGINNING, END, after=self._seq):
                self._take(row)
            self._seq = latest
        return self._queues

    def tickets(self, queue: Queue, source: SourceState) -> Iterator[Ticket]:
        """The queue's tickets in one source instance, as they stood at its watermark; call `queues` before."""
        until, keys = source.watermark, queue_keys(queue.definition.source.select)
        if until is None:
            return
        names = self._names[source.instance]
        for entry in self._tickets.get(source.instance, {}).values():
            if entry.queue is None or (keys and entry.queue not in keys):
                continue
            ticket = entry.folded.get(queue.id)
            if ticket is None or not ticket.covers(until):
                ticket = fold(entry.told(), queue.rules, until, names)
                if ticket is None:  # created after the watermark
                    continue
                entry.folded[queue.id] = ticket
            yield ticket.at(until, queue.rules)

    def _take(self, row: Row[TicketEvent]) -> None:
        homes = self._homes.setdefault(row.source, {})
        old = homes.get(row.event.key)
        entry = self._tickets.setdefault(row.source, {}).setdefault(row.event.ticket, _Entry())
        if old is not None and old is not entry:  # a correction moved the event to another ticket
            old.events.pop(row.event.key, None)
            old.changed()
        if row.event.aliases and self._names[row.source].learn(row.event.aliases):
            for other in self._tickets[row.source].values():
                other.folded.clear()
        homes[row.event.key] = entry
        entry.events[row.event.key] = self._shared(row.event)
        entry.changed()

    def _shared(self, event: TicketEvent) -> TicketEvent:
        """The same event on shared texts: some words repeat over all tickets, and this stays in memory."""
        return replace(
            event,
            about=self._refs.setdefault(event.about, event.about),
            queue=sys.intern(event.queue),
            ticket=sys.intern(event.ticket),
            status=_interned(event.status),
            priority=_interned(event.priority),
            category=_interned(event.category),
            resolution=_interned(event.resolution),
            # No clock asks for these.
            issue_type=None,
            labels=None,
            aliases=(),
        )


def _interned(text: str | None) -> str | None:
    return None if text is None else sys.intern(text)
