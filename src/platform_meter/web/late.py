"""Open tickets that are past a goal, or nearly so: tickets, where `/metrics` counts clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.queues import reads
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.measure import Scene

Goal = tuple[str, str]
"""SLA and priority: of these a ticket has one open clock at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """Open tickets of one queue, as of the watermark of its source."""

    late: int
    """Past a goal that they still have to reach."""
    soon: int
    """Not late, with a running clock that has a fifth of its goal left at most."""
    late_by_goal: Counter[Goal]
    soon_by_goal: Counter[Goal]


def lateness(scene: Scene) -> Mapping[str, Lateness]:
    """By queue; one without a source, or with one that is not fresh, is not among them."""
    found: dict[str, Lateness] = {}
    book = scene.kept.of(Book)
    for queue in book.queues(scene):
        sources = [s for s in scene.history.sources(TicketEvent) if reads(queue.definition, s)]
        if sources and all(s.fresh for s in sources):
            found[queue.id] = _late(t for s in sources for t in book.tickets(queue, s))
    return found


def _late(tickets: Iterable[Ticket]) -> Lateness:
    late = soon = 0
    late_by_goal, soon_by_goal = Counter[Goal](), Counter[Goal]()
    for ticket in tickets:
        if not (ticket.open and ticket.valid):
            continue
        passed = {(c.sla, c.priority) for c in ticket.cycles if c.open and c.breached}
        nearly = {(c.sla, c.priority) for c in ticket.cycles if c.at_risk and not c.breached}
        late_by_goal.update(passed)
        soon_by_goal.update(nearly)
        late += bool(passed)
        soon += bool(nearly and not passed)
    return Lateness(late=late, soon=soon, late_by_goal=late_by_goal, soon_by_goal=soon_by_goal)
