"""SLA cycles as events: what the tick writes of decided ones, each once and again where it is decided anew (domain section 9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import compress
from operator import is_not

from msgspec import Struct

from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Cycle, Decision, Ticket
from platform_meter.measures.support.queues import BEGINNING, END, Queue, sources
from platform_meter.model.facts.tickets import SlaCycle, SlaResult, TicketEvent
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Derived, Scene
from platform_meter.model.objective import StoredSli


class Written:
    """The SLA cycles that the store already holds, and the tickets that were held against them, read on from the last look."""

    def __init__(self) -> None:
        self._seq = 0
        self._day: date | None = None
        self._cycles: defaultdict[str, dict[int, int]] = defaultdict(dict)
        """Marks by source and hash of the key: there are as many as tickets had goals."""
        self._seen: dict[tuple[str, str], Sequence[Ticket]] = {}
        """The last answer of the book, by queue and source."""
        self._lacking: dict[tuple[str, str], frozenset[str]] = {}
        """Tickets of it of which something was not written then."""

    def read(self, scene: Scene) -> None:
        latest = scene.history.latest(SlaCycle)
        if latest < self._seq or scene.now.date() != self._day:
            self._seq, self._day = 0, scene.now.date()
            self._cycles.clear()
            self._seen.clear()
            self._lacking.clear()
        if latest > self._seq:
            for source in scene.history.sources(TicketEvent):
                told = scene.history.parts(SlaCycle, _Stored, BEGINNING, END, source=source.instance, after=self._seq)
                self._cycles[source.instance].update((hash(c.key), _mark(c.updated or c.at, c)) for _, c in told)
            self._seq = latest

    def news(self, at: tuple[str, str], tickets: Sequence[Ticket]) -> list[Ticket]:
        """Those that were folded anew since the last look, or lacked something then."""
        seen, lacking = self._seen.get(at, ()), self._lacking.get(at, frozenset())
        found = [*compress(tickets, map(is_not, tickets, seen)), *tickets[len(seen) :]]
        if lacking:
            found += [ticket for ticket in tickets if ticket.id in lacking]
        return list({ticket.id: ticket for ticket in found}.values())

    def looked(self, at: tuple[str, str], tickets: Sequence[Ticket], lacking: Iterable[str]) -> None:
        """All of this answer was held against what is written; of these tickets something is not."""
        self._seen[at], self._lacking[at] = tickets, frozenset(lacking)

    def lacks(self, source: str, key: str, mark: int) -> bool:
        """Whether the cycle is new, or decided anew since it was written."""
        known = self._cycles[source].get(hash(key))
        return known is None or ((known ^ mark) & _HASH != 0 and known >> _BITS < mark >> _BITS)


class _Stored(Struct, frozen=True, gc=False):
    """What is asked of a written `SlaCycle`."""

    key: str
    at: datetime
    priority: str
    result: SlaResult
    elapsed: float
    goal: float
    updated: datetime | None = None


_BITS = 64
_HASH = (1 << _BITS) - 1
_MICROSECOND = timedelta(microseconds=1)


def _mark(version: datetime, told: _Stored | Decision) -> int:
    """When a cycle was last decided, and a hash of how."""
    content = hash((told.at, told.result, told.elapsed, told.goal, told.priority))
    return ((version - BEGINNING) // _MICROSECOND << _BITS) | (content & _HASH)


def derive(scene: Scene, written: Written) -> Iterator[Derived]:
    """Decided cycles that the store does not hold as they are: new ones, and those decided anew after a reopening.

    The key of a cycle stays the same then, so the store corrects its event and no counter moves.
    """
    written.read(scene)
    book = scene.kept.of(Book)
    for queue in book.queues(scene):
        for source in sources(scene, queue):
            at = (queue.id, source.instance)
            tickets, unsettled = book.tickets(queue, source), set[str]()
            for ticket in written.news(at, tickets):
                lacking = [
                    Derived(source=source.instance, event=_event(queue, ticket, cycle, decision))
                    for cycle in (ticket.cycles if ticket.valid else ())
                    if (decision := cycle.decision) is not None
                    and written.lacks(
                        source.instance, _key(queue, ticket, cycle), _mark(_version(ticket, decision), decision)
                    )
                ]
                yield from lacking
                if lacking:
                    unsettled.add(ticket.id)
            written.looked(at, tickets, unsettled)


def _key(queue: Queue, ticket: Ticket, cycle: Cycle) -> str:
    return f"{queue.id}/{cycle.sla}/{ticket.id}/{cycle.n}"


def _version(ticket: Ticket, decision: Decision) -> datetime:
    return max(decision.at, ticket.changed)


def decided(scene: Scene, sli: StoredSli, source: SourceState, start: datetime, end: datetime) -> Iterator[SlaCycle]:
    """Cycles of the SLI's queue and SLA that were decided in [start, end), as they stand now: of a reopened ticket what
    was met before is none any more (domain section 9).
    """
    book = scene.kept.of(Book)
    queue = next((q for q in book.queues(scene) if q.id == sli.where.get("queue")), None)
    if queue is None:
        return
    for ticket in book.tickets(queue, source):
        for cycle in ticket.cycles if ticket.valid else ():
            decision = cycle.decision
            if cycle.sla == sli.where.get("sla") and decision is not None and start <= decision.at < end:
                yield _event(queue, ticket, cycle, decision)


def _event(queue: Queue, ticket: Ticket, cycle: Cycle, decision: Decision) -> SlaCycle:
    return SlaCycle(
        key=_key(queue, ticket, cycle),
        at=decision.at,
        about=ticket.about,
        updated=_version(ticket, decision),
        queue=queue.id,
        sla=cycle.sla,
        ticket=ticket.name,
        priority=decision.priority,
        result=decision.result,
        elapsed=decision.elapsed,
        goal=decision.goal,
    )
