"""Every ticket of a store, folded once and again only when something about it is new: one book for all that ask for tickets."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Self

from msgspec.structs import replace

from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.folding import NO_NAMES, fold
from platform_meter.measures.support.names import Names
from platform_meter.measures.support.queues import BEGINNING, END, Queue, queues
from platform_meter.measures.support.steps import keys, pack, unpack
from platform_meter.measures.support.stored import Held, State, dump, fingerprint, load
from platform_meter.measures.support.tool_clocks import add, judged, since
from platform_meter.measures.support.tool_clocks import unpack as unpack_clocks
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import GONE, TicketChange, TicketEvent, ToolClock
from platform_meter.model.history import History, Row, SourceState
from platform_meter.model.kept import Fold, Folding
from platform_meter.model.measure import Scene

_SAMPLE = 500
"""Stored tickets of a source that are folded again at least, to see whether this version folds them alike."""


class _Entry:
    """One ticket's events, packed, and what they fold to by the place of the queue."""

    __slots__ = ("count", "folded", "oldest", "packed", "queues")

    def __init__(self) -> None:
        self.packed, self.count = b"", 0
        self.oldest: datetime | None = None
        self.queues: tuple[str, ...] | None = None
        """The tool's queues that it was created in and moved to; None when its creation is not among the events."""
        self.folded: tuple[Ticket | None, ...] = ()

    @classmethod
    def of(cls, held: Held) -> Self:
        entry = cls()
        entry.packed, entry.count, entry.oldest = held.packed, held.count, held.oldest
        entry.queues, entry.folded = None if held.queues is None else _shared(held.queues), held.folded
        return entry

    def held(self, ticket: str) -> Held:
        return Held(ticket, self.packed, self.count, self.oldest, self.queues, self.folded)

    def events(self, ticket: str) -> list[TicketEvent]:
        return unpack(self.packed, self.count, ticket)

    def hold(self, events: Sequence[TicketEvent]) -> None:
        """These are all that there are of the ticket."""
        self.packed, self.count, self.folded = pack(events), len(events), ()
        self.oldest = min((e.at for e in events), default=None)
        creations = [e for e in events if e.change is TicketChange.CREATED]
        self.queues = None
        if creations:
            first = min(creations, key=lambda e: (e.at, e.key))
            later = sorted({e.queue for e in events if e.change is TicketChange.MOVED} - {first.queue})
            self.queues = _shared((first.queue, *later))

    def add(self, event: TicketEvent) -> None:
        """One more that has a key of its own."""
        created, moved = event.change is TicketChange.CREATED, event.change is TicketChange.MOVED
        if moved or (created and self.count):
            self.hold([*self.events(event.ticket), event])
            return
        if created:
            self.queues = _shared((event.queue,))
        self.packed, self.count, self.folded = self.packed + pack([event]), self.count + 1, ()
        self.oldest = event.at if self.oldest is None else min(self.oldest, event.at)

    def told(self, ticket: str) -> list[TicketEvent]:
        """Its events; of its being gone only what is newer than all else: a ticket told since is there again."""
        events = self.events(ticket)
        newest = max(e.updated or e.at for e in events if e.resolution != GONE)
        return [e for e in events if e.resolution != GONE or e.at > newest]


def _folded(
    events: Sequence[TicketEvent], clocks: bytes | None, queue: Queue, until: datetime, names: Names, *, tells: bool
) -> Ticket | None:
    """One ticket by its history, and by the tool's own clocks where the file asks for them.

    `tells`: the source has said of some ticket that it was acknowledged. What a tool never says is no lateness.
    """
    ticket = fold(events, queue.rules, until, names)
    if ticket is not None and queue.rules.acknowledged and not tells:
        told = tuple(c for c in ticket.cycles if c.sla not in queue.rules.acknowledged)
        ticket = replace(ticket, cycles=told)
    if ticket is None or not clocks or not queue.rules.tool_names:
        return ticket
    return judged(ticket, unpack_clocks(clocks), queue.rules, until)


@lru_cache(maxsize=1024)
def _shared(queues: tuple[str, ...]) -> tuple[str, ...]:
    """Most tickets are in one queue, and all of them stay in memory."""
    return queues


class Book(Folding):
    """Every ticket of the store. For any number of threads and one store.

    Asked twice it gives what a fresh one would: a row that came or was corrected has a higher seq, a passed moment is
    seen by `Ticket.covers`, other definitions empty it, and what the store pruned leaves it too. Only the other names
    that a tool had told of a value, and that it has a word for an acknowledgement, are kept when what told them is pruned.
    """

    name = "tickets"

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._definitions: tuple[Ticketing, ...] = ()
        self._queues: tuple[Queue, ...] = ()
        self._clear()

    def _clear(self) -> None:
        self._seq = self._corrected = self._clocks_seq = 0
        self._stored = (0, 0)
        """How far it was read when it was stored last."""
        self._pruned: datetime | None = None
        self._tickets: defaultdict[str, dict[str, _Entry]] = defaultdict(dict)
        self._names: defaultdict[str, Names] = defaultdict(Names)
        self._clocks: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        """What the tools' own clocks tell, packed, by source and ticket."""
        self._acknowledging: set[str] = set()
        """Sources that ever told that a ticket was acknowledged."""
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
        wanted, place, names = queue.rules.queues, self._queues.index(queue), self._names[source]
        tells = source in self._acknowledging
        for id_, entry in self._tickets[source].items():
            if entry.queues is None or (wanted and wanted.isdisjoint(entry.queues)):
                continue
            ticket = entry.folded[place] if entry.folded else None
            if ticket is None or not ticket.covers(until):
                ticket = _folded(entry.told(id_), self._clocks[source].get(id_), queue, until, names, tells=tells)
                if ticket is None:  # created, or moved here, after the watermark
                    continue
                others = entry.folded or (None,) * len(self._queues)
                entry.folded = (*others[:place], ticket, *others[place + 1 :])
            yield ticket.at(until, queue.rules)

    def dump(self) -> Fold | None:
        """All of the book, unless it was read from, or dumped for, the store as it is."""
        with self._lock:
            if (self._seq, self._clocks_seq) == self._stored:
                return None
            self._stored = self._seq, self._clocks_seq
            state = State(
                seq=self._seq,
                corrected=self._corrected,
                acknowledging=tuple(sorted(self._acknowledging)),
                clocks_seq=self._clocks_seq,
                clocks=self._clocks,
                names={source: names.aliases() for source, names in self._names.items()},
                tickets={source: [e.held(t) for t, e in found.items()] for source, found in self._tickets.items()},
            )
            return Fold(made_under=fingerprint(self._definitions), body=dump(state))

    def _load(self, fold: Fold | None, latest: int, clocks: int) -> None:
        """Begin with what was stored, where it was made under the same definitions and by a code that folds alike."""
        if fold is None or fold.made_under != fingerprint(self._definitions):
            return
        state = load(fold.body)
        if state is None or state.seq > latest or state.clocks_seq > clocks:
            return
        names = {source: Names(aliases) for source, aliases in state.names.items()}
        if not all(
            self._folds_alike(
                one,
                state.clocks.get(source, {}).get(one.id),
                names.get(source, NO_NAMES),
                tells=source in state.acknowledging,
            )
            for source, tickets in state.tickets.items()
            for one in tickets[:: len(tickets) // _SAMPLE + 1]
        ):
            return
        self._seq, self._clocks_seq = self._stored = state.seq, state.clocks_seq
        self._corrected = state.corrected
        self._clocks.update(state.clocks)
        self._acknowledging.update(state.acknowledging)
        self._names.update(names)
        for source, tickets in state.tickets.items():
            self._tickets[source].update((one.id, _Entry.of(one)) for one in tickets)

    def _folds_alike(self, one: Held, clocks: bytes | None, names: Names, *, tells: bool) -> bool:
        events = _Entry.of(one).told(one.id) if one.queues is not None else ()
        return all(
            ticket is None or _folded(events, clocks, queue, ticket.next or END, names, tells=tells) == ticket
            for queue, ticket in zip(self._queues, one.folded, strict=False)
        )

    def _read(self, history: History) -> None:
        latest, corrected = history.latest(TicketEvent), history.corrected(TicketEvent)
        if self._seq == 0 < latest:
            self._load(history.fold(self.name), latest, history.latest(ToolClock))
        self._read_clocks(history)
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

    def _read_clocks(self, history: History) -> None:
        latest = history.latest(ToolClock)
        if latest <= self._clocks_seq:
            return
        self._answers.clear()
        by_ticket: defaultdict[tuple[str, str], list[ToolClock]] = defaultdict(list)
        for row in history.rows(ToolClock, BEGINNING, END, after=self._clocks_seq):
            by_ticket[row.source, row.event.ticket].append(row.event)
        for (source, ticket), events in by_ticket.items():
            self._put_clocks(source, ticket, add(self._clocks[source].get(ticket, b""), events))
        self._clocks_seq = latest

    def _put_clocks(self, source: str, ticket: str, packed: bytes) -> None:
        """These are all that there are of the ticket, which is folded anew."""
        if packed:
            self._clocks[source][ticket] = packed
        else:
            self._clocks[source].pop(ticket, None)
        if entry := self._tickets[source].get(ticket):
            entry.folded = ()

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
        for source, clocks in self._clocks.items():
            for ticket, packed in list(clocks.items()):
                left = since(packed, before)
                if left != packed:
                    self._put_clocks(source, ticket, left)

    def _learn(self, row: Row[TicketEvent]) -> None:
        new = bool(row.event.aliases) and self._names[row.source].learn(row.event.aliases)
        if row.event.change is TicketChange.ACKNOWLEDGED and row.source not in self._acknowledging:
            self._acknowledging.add(row.source)
            new = True
        if new:
            for other in self._tickets[row.source].values():
                other.folded = ()
