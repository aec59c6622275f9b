"""The tickets and their cycles behind each number of support, in words: a folded ticket is many events."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.support.asking import users
from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Cycle, Ticket
from platform_meter.measures.support.looks import (
    Kept,
    Look,
    OfTicket,
    age_of,
    business_age,
    created,
    kept,
    look,
    of_queue,
    resolved,
)
from platform_meter.measures.support.queues import Queue
from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_BACKLOG_AGE,
    TICKET_DISAGREEMENTS,
    TICKET_EXPECTED_BREACHES,
    TICKET_REOPEN,
    TICKET_SLA_MET,
    TICKET_SLA_SECONDS,
    TICKETS_OPEN,
)
from platform_meter.model.measure import WINDOWS, Labels, Piece, Scene, window_label
from platform_meter.model.metric import Metric

_WINDOWS = {window_label(window): window for window in WINDOWS}


def behind(scene: Scene, metric: Metric, labels: Labels) -> Iterator[Piece]:
    """The tickets, or cycles, of one series of a queue."""
    queue = _queue(scene, labels)
    told = of_queue(scene, queue)
    if told is None:
        return
    seen = look(told)
    if metric in (TICKETS_OPEN, TICKET_BACKLOG_AGE, TICKET_REOPEN):
        yield from _tickets(queue, seen, metric, labels)
    else:
        yield from _cycles(kept(seen)[labels[1], labels[2]], metric, labels)


def behind_load(scene: Scene, _metric: Metric, labels: Labels) -> Iterator[Piece]:
    """Tickets created are the part, active teams the whole."""
    window, told = _WINDOWS[labels[1]], of_queue(scene, _queue(scene, labels))
    for ticket in created(told or (), window):
        yield Piece(what=_words(ticket), adds=0.0, part=1.0)
    for team in sorted(users(scene, window) or ()):
        yield Piece(what=f"team {team} delivered something or asked")


def _queue(scene: Scene, labels: Labels) -> Queue:
    return next(queue for queue in scene.kept.of(Book).queues(scene) if queue.id == labels[0])


def _tickets(queue: Queue, seen: Look, metric: Metric, labels: Labels) -> Iterator[Piece]:
    if metric is TICKETS_OPEN:
        for s in seen.waiting:
            if (s.ticket.priority, age_of(s)) == labels[1:]:
                yield Piece(what=_words(s.ticket))
    elif metric is TICKET_BACKLOG_AGE:
        for s in seen.waiting:
            yield Piece(what=_words(s.ticket), adds=business_age(queue, s))
    else:
        for s, again in resolved(seen, _WINDOWS[labels[1]]):
            yield Piece(what=_words(s.ticket) + (", reopened" if again else ""), part=float(again))


def _cycles(made: Kept, metric: Metric, labels: Labels) -> Iterator[Piece]:
    match metric.name:
        case TICKET_SLA_MET.name:
            for one in made.decided[_WINDOWS[labels[3]]]:
                yield Piece(what=_clock(one), part=float(one.cycle.met))
        case TICKET_SLA_SECONDS.name:
            for one in made.stopped:
                yield Piece(what=_clock(one), adds=one.cycle.elapsed)
        case TICKET_AT_RISK.name:
            for one in made.at_risk:
                yield Piece(what=_clock(one))
        case TICKET_EXPECTED_BREACHES.name:
            for one, probably in zip(made.waiting, made.breaches() or (), strict=False):
                yield Piece(what=_clock(one), adds=probably)
        case TICKET_DISAGREEMENTS.name:
            for one in made.disagreed:
                yield Piece(what=f"{_clock(one)}, {_verdict(one.cycle)}; the other clock: {_verdict(one.cycle.beside)}")


def _words(ticket: Ticket) -> str:
    return f"{ticket.name}, {ticket.priority}, created {ticket.created:%Y-%m-%d %H:%M} UTC"


def _clock(one: OfTicket) -> str:
    cycle: Cycle = one.cycle
    return (
        f"{one.ticket.name}, {cycle.priority}, {cycle.elapsed / 3600:,.1f} of {cycle.goal / 3600:,.1f} business hours"
    )


def _verdict(cycle: Cycle | None) -> str:
    if cycle is None or not (cycle.breached or cycle.met):
        return "not decided"
    return "in time" if cycle.met else "too late"
