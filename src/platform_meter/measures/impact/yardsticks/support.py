"""How long an SLA's clock of a queue ran, and whether it was in time (domain section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from platform_meter.measures.impact.yardstick import Kind, Seen, Told, Yardstick, always
from platform_meter.measures.support.asking import Askers
from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Cycle
from platform_meter.measures.support.queues import sources
from platform_meter.model.catalogue.support import TICKET_SLA_MET, TICKET_SLA_SECONDS
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.history import known_between
from platform_meter.model.measure import Scene

Value = Callable[[Cycle], tuple[datetime, float, str] | None]
"""When, how much, and under which priority; None where it tells nothing."""


def _took(cycle: Cycle) -> tuple[datetime, float, str] | None:
    return (cycle.known, cycle.elapsed, cycle.priority) if cycle.whole and not cycle.open else None


def _met(cycle: Cycle) -> tuple[datetime, float, str] | None:
    decision = cycle.decision
    return None if decision is None else (decision.at, float(cycle.met), decision.priority)


def _read(value: Value, scene: Scene, labels: Mapping[str, str], start: datetime, end: datetime) -> Told | None:
    """Of a priority where one is named. A ticket is of the team that asks; of one that several may have asked, of the first."""
    book = scene.kept.of(Book)
    queue = next((one for one in book.queues(scene) if one.id == labels.get("queue")), None)
    found = [] if queue is None else sources(scene, queue)
    known = known_between(scene.history, found)
    if queue is None or known is None:
        return None
    askers = Askers(scene, scene.now - start)

    def seen() -> Iterator[Seen]:
        for source in found:
            for ticket in book.tickets(queue, source):
                for cycle in ticket.cycles if ticket.valid else ():
                    told = value(cycle) if cycle.sla == labels.get("sla") else None
                    if told is None or not start <= told[0] < min(end, known.until):
                        continue
                    if labels.get("priority", told[2]) == told[2]:
                        team = min(askers.teams(ticket, source.instance), default="")
                        yield Seen(told[0], told[1], team, source=source.instance, what=ticket.name)

    return Told(since=known.since, until=known.until, seen=list(seen()))


TIMES = Yardstick(
    metric=TICKET_SLA_SECONDS,
    means="business time until an SLA's clock stopped, when it did",
    kind=Kind.DURATIONS,
    better="lower",
    needs=("queue", "sla"),
    allows=("priority",),
    kinds=always(TicketEvent),
    read=partial(_read, _took),
)
MET = Yardstick(
    metric=TICKET_SLA_MET,
    means="SLA clocks that were in time, when that was decided",
    kind=Kind.RATIO,
    better="higher",
    needs=("queue", "sla"),
    allows=("priority",),
    kinds=always(TicketEvent),
    read=partial(_read, _met),
)
