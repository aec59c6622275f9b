"""Tickets by the team that asked: open and late ones now, and how many of its cycles were met, beside the 28 days before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.measures.support.asking import Askers
from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.queues import sources
from platform_meter.web.view import View

WINDOW = timedelta(days=28)
_REACH = timedelta(days=91)
"""Older tickets that are closed have nothing to tell: who asked is known so far back."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """What one team asked for, up to where the sources of its queues were read."""

    open: int = 0
    late: int = 0
    """Open and past a goal that they still have to reach."""
    created: int = 0
    """In 28 days."""
    created_before: int = 0
    """In the 28 days before those."""
    met: int = 0
    decided: int = 0
    """SLA cycles of tickets that were decided in 28 days."""
    met_before: int = 0
    decided_before: int = 0


def by_team(view: View) -> Mapping[str, Asked] | None:
    """None where nothing is known: no queue has fresh sources, or of no ticket anybody tells which team asked. A queue with a
    stale source is left out; a person in several teams counts for each.
    """
    scene, found = view.scene, defaultdict[str, Asked](Asked)
    book, askers = scene.kept.of(Book), Askers(view.scene)
    for queue in book.queues(scene):
        given = sources(scene, queue)
        if not given or not all(one.fresh and one.watermark is not None for one in given):
            continue
        for until, source in ((one.watermark, one) for one in given):
            for ticket in book.tickets(queue, source):
                if until is not None and ticket.valid and (ticket.open or ticket.last >= until - _REACH):
                    for team in askers.teams(ticket, source.instance):
                        _add(found[team], ticket, until)
    return found or None


def _add(to: Asked, ticket: Ticket, until: datetime) -> None:
    age = until - ticket.created
    to.open += ticket.open
    to.late += ticket.open and any(cycle.open and cycle.breached for cycle in ticket.cycles)
    if ticket.born:
        to.created += age <= WINDOW
        to.created_before += WINDOW < age <= 2 * WINDOW
    for cycle in ticket.cycles:
        decided = cycle.decision
        if decided is None or decided.at < until - 2 * WINDOW:
            continue
        if decided.at >= until - WINDOW:
            to.decided += 1
            to.met += cycle.met
        else:
            to.decided_before += 1
            to.met_before += cycle.met
