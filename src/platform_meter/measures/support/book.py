"""Every ticket of a store, folded once and again only when something about it is new: one book for all that ask for tickets."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Self

from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.folding import NO_NAMES, fold
from platform_meter.measures.support.names import Names
from platform_meter.measures.support.queues import BEGINNING, END, Queue, queue_keys, queues
from platform_meter.measures.support.steps import keys, pack, unpack
from platform_meter.measures.support.stored import Held, State, dump, fingerprint, load
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import GONE, TicketChange, TicketEvent
from platform_meter.model.history import History, Row, SourceState
from platform_meter.model.kept import Fold, Folding
from platform_meter.model.measure import Scene

_SAMPLE = 500
"""Stored tickets of a source that are folded again at least, to see whether this version folds them alike."""


class _Entry:
    """One ticket's events, packed, and what they fold to by the place of the queue."""

    __slots__ = ("count", "folded", "oldest", "packed", "queue")

    def __init__(self) -> None:
        self.packed, self.count = b"", 0
        self.oldest: datetime | None = None
        self.queue: str | None = None
        """The tool's queue it was created in; None when its creation is not among the events."""
        self.folded: tuple[Ticket | None, ...] = ()

    @classmethod
    def of(cls, held: Held) -> Self:
        entry = cls()
        entry.packed, entry.count, entry.oldest, entry.queue = held.packed, held.count, held.oldest, held.queue
        entry.folded = held.folded
        return entry

    def held(self, ticket: str) -> Held:
        return Held(ticket, self.packed, self.count, self.oldest, self.queue, self.folded)

    def events(self, ticket: str) -> list[TicketEvent]:
        return unpack(self.packed, self.count, ticket)

    def hold(self, events: Sequence[TicketEvent]) -> None:
        """These are all that there are of the ticket."""
        self.packed, self.count, self.folded = pack(events), len(events), ()
        self.oldest = min((e.at for e in events), default=None)
        creations = [e for e in events if e.change is TicketChange.CREATED]
        self.queue = min(creations, key=lambda e: (e.at, e.key)).queue if creations else None

    def add(self, event: TicketEvent) -> None:
        """One more that has a key of its own."""
        if event.change is TicketChange.CREATED and self.queue is not None:
            self.hold([*self.events(event.ticket), event])
            return
        if event.change is TicketChange.CREATED:
            self.queue = event.queue
        self.packed, self.count, self.folded = self.packed + pack([event]), self.count + 1, ()
        self.oldest = event.at if self.oldest is None else min(self.oldest, event.at)

    def told(self, ticket: str) -> list[TicketEvent]:
        """Its events; of its being gone only what is newer than all else: a ticket told since is there again."""
        events = self.events(ticket)
        newest = max(e.updated or e.at for e in events if e.resolution != GONE)
        return [e for e in events if e.resolution != GONE or e.at > newest]


class Book(Folding):
    """Every ticket of the store. For any number of threads and one store.

    Asked twice it gives what a fresh one would: a row that came or was corrected has a higher seq, a passed moment is
    seen by `Ticket.covers`, other definitions empty it, and what the store pruned leaves it too. Only the other names
    that a tool had told of a value are kept when what told them is pruned.
    """

    name = "tickets"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._definitions: tuple[Ticketing, ...] = ()
        self._queues: tuple[Queue, ...] = ()
        self._clear()

    def _clear(self) -> None:
        self._seq = self._corrected = self._stored = 0
        self._pruned: datetime | None = None
        self._tickets: defaultdict[str, dict[str, _Entry]] = defaultdict(dict)
        self._names: defaultdict[str, Names] = defaultdict(Names)
        self._answers: dict[tuple[str, str], tuple[datetime, Sequence[Ticket]]] = {}
        """What was asked for last, by queue and source."""

    def queues(self, scene: Scene) -> tuple[Queue, ...]:
        """The queues declared, with the book brought up to the scene."""
        with self._lock:
            if scene.definitions.ticketing != self._definitions:
                self._queues = queues(scene.definitions)
                self._definitions = scene.definitions.ticketing
                self._clear()
            self._read(scene.history)
            return self._queues

    def tickets(self, queue: Queue, source: SourceState) -> Sequence[Ticket]:
        """The queue's tickets in one source instance, as they stood at its watermark; call `queues` before.

        The very same answer as long as nothing came and the watermark stands.
        """
        until = source.watermark
        if until is None:
            return ()
        with self._lock:
            then, found = self._answers.get((queue.id, source.instance), (None, ()))
            if then != until:
                found = tuple(self._at(until, queue, source.instance))
                self._answers[queue.id, source.instance] = (until, found)
            return found

    def _at(self, until: datetime, queue: Queue, source: str) -> Iterator[Ticket]:
        wanted, place, names = (
            queue_keys(queue.definition.source.select),
            self._queues.index(queue),
            self._names[source],
        )
        for id_, entry in self._tickets[source].items():
            if entry.queue is None or (wanted and entry.queue not in wanted):
                continue
            ticket = entry.folded[place] if entry.folded else None
            if ticket is None or not ticket.covers(until):
                ticket = fold(entry.told(id_), queue.rules, until, names)
                if ticket is None:  # created after the watermark
                    continue
                others = entry.folded or (None,) * len(self._queues)
                entry.folded = (*others[:place], ticket, *others[place + 1 :])
            yield ticket.at(until, queue.rules)

    def dump(self) -> Fold | None:
        """All of the book, unless it was read from, or dumped for, the store as it is."""
        with self._lock:
            if self._seq == self._stored:
                return None
            self._stored = self._seq
            state = State(
                seq=self._seq,
                corrected=self._corrected,
                names={source: names.aliases() for source, names in self._names.items()},
                tickets={source: [e.held(t) for t, e in found.items()] for source, found in self._tickets.items()},
            )
            return Fold(made_under=fingerprint(self._definitions), body=dump(state))

    def _load(self, fold: Fold | None, latest: int) -> None:
        """Begin with what was stored, where it was made under the same definitions and by a code that folds alike."""
        if fold is None or fold.made_under != fingerprint(self._definitions):
            return
        state = load(fold.body)
        if state is None or state.seq > latest:
            return
        names = {source: Names(aliases) for source, aliases in state.names.items()}
        if not all(
            self._folds_alike(one, names.get(source, NO_NAMES))
            for source, tickets in state.tickets.items()
            for one in tickets[:: len(tickets) // _SAMPLE + 1]
        ):
            return
        self._seq = self._stored = state.seq
        self._corrected = state.corrected
        self._names.update(names)
        for source, tickets in state.tickets.items():
            self._tickets[source].update((one.id, _Entry.of(one)) for one in tickets)

    def _folds_alike(self, one: Held, names: Names) -> bool:
        events = _Entry.of(one).told(one.id) if one.queue is not None else ()
        return all(
            ticket is None or fold(events, queue.rules, ticket.next or END, names) == ticket
            for queue, ticket in zip(self._queues, one.folded, strict=False)
        )

    def _read(self, history: History) -> None:
        latest, corrected = history.latest(TicketEvent), history.corrected(TicketEvent)
        if self._seq == 0 < latest:
            self._load(history.fold(self.name), latest)
        if latest <= self._seq:  # an older view, such as a page's, tells nothing new
            return
        rows = history.rows(TicketEvent, BEGINNING, END, after=self._seq)
        self._answers.clear()
        if self._seq == 0:
            self._pruned = history.pruned()
            for row in rows:
                self._tickets[row.source].setdefault(row.event.ticket, _Entry()).add(row.event)
                self._learn(row)
        else:
            self._put(list(rows), moved=corrected != self._corrected)
            self._prune(history.pruned())
        self._seq, self._corrected = latest, corrected

    def _put(self, rows: Iterable[Row[TicketEvent]], *, moved: bool) -> None:
        """Each of these takes the place of the event with its key, in whatever ticket that was."""
        newest = {(row.source, row.event.key): row.event for row in rows}
        by_ticket: defaultdict[tuple[str, str], dict[str, TicketEvent]] = defaultdict(dict)
        for (source, key), event in newest.items():
            by_ticket[source, event.ticket][key] = event
        strays: defaultdict[str, set[str]] = defaultdict(set)
        for (source, ticket), events in by_ticket.items():
            entry = self._tickets[source].setdefault(ticket, _Entry())
            held = {e.key: e for e in entry.events(ticket)}
            strays[source] |= events.keys() - held.keys()
            entry.hold(list((held | events).values()))
        for source, found in strays.items() if moved else ():
            self._take_out(source, {key: newest[source, key].ticket for key in found})
        for row in rows:
            self._learn(row)

    def _take_out(self, source: str, homes: dict[str, str]) -> None:
        """Events that a correction moved to another ticket leave the one that they were in."""
        for ticket, entry in self._tickets[source].items():
            gone = {key for key in keys(entry.packed, entry.count) if homes.get(key, ticket) != ticket}
            if gone:
                entry.hold([e for e in entry.events(ticket) if e.key not in gone])

    def _prune(self, before: datetime | None) -> None:
        if before is None or before == self._pruned:
            return
        self._pruned = before
        for tickets in self._tickets.values():
            for ticket, entry in list(tickets.items()):
                if entry.oldest is not None and entry.oldest < before:
                    entry.hold([e for e in entry.events(ticket) if e.at >= before])
                if not entry.count:
                    del tickets[ticket]

    def _learn(self, row: Row[TicketEvent]) -> None:
        if row.event.aliases and self._names[row.source].learn(row.event.aliases):
            for other in self._tickets[row.source].values():
                other.folded = ()
