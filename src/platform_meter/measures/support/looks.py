"""Tickets of a queue at one look, and which of them each number is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Cycle, Ticket
from platform_meter.measures.support.queues import Queue, sources
from platform_meter.measures.support.survival import kaplan_meier
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Tallied
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.measure import WINDOWS, Scene
from platform_meter.model.metric import UNOWNED

DAY = timedelta(days=1)
AGES = (("1d", DAY), ("3d", 3 * DAY), ("7d", 7 * DAY), ("30d", 30 * DAY))
"""Age classes by calendar days: under the bound and not under the one before."""
OLDER = "older"
STOPPED_WINDOW, SURVIVAL_WINDOW = WINDOWS
CURVE_MINIMUM = 30
"""Cycles behind a Kaplan-Meier curve below which only at-risk is published."""
DELIVERY: tuple[type[Tallied[Dim]], ...] = (PipelineRun, Deployment, Change)
"""What a team that uses the platform leaves: any of these makes it active."""
Told = Sequence[tuple[datetime, Sequence[Ticket]]]
"""Tickets with the watermark of their source."""


class Seen(NamedTuple):
    """A ticket and the moment it is seen at: its source's watermark."""

    until: datetime
    ticket: Ticket

    def within(self, at: datetime, window: timedelta) -> bool:
        return self.until - window <= at < self.until


class OfTicket(NamedTuple):
    """A cycle with its ticket."""

    ticket: Ticket
    cycle: Cycle


def of_queue(scene: Scene, queue: Queue) -> Told | None:
    """The queue's tickets; None when no source gives them or one of those is stale. The book must have its queues."""
    found, book = sources(scene, queue), scene.kept.of(Book)
    if not found or not all(s.fresh for s in found):
        return None
    return [(s.watermark, book.tickets(queue, s)) for s in found if s.watermark is not None]


@dataclass(slots=True)
class Look:
    """Valid tickets of a queue."""

    recent: list[Seen] = field(default_factory=list)
    """Those that a window may reach."""
    waiting: list[Seen] = field(default_factory=list)
    """Those that are open."""
    priorities: set[str] = field(default_factory=set)
    """All that the queue has had."""
    pairs: set[tuple[str, str]] = field(default_factory=set)
    """SLAs with priorities that it has had."""


def look(told: Told) -> Look:
    """One look at each of all tickets, of which there are many more than recent ones."""
    found = Look()
    for until, tickets in told:
        start = until - SURVIVAL_WINDOW
        for ticket in tickets:
            if not ticket.valid:
                continue
            found.priorities.add(ticket.priority)
            found.pairs.update([(c.sla, c.priority) for c in ticket.cycles])
            # No window reaches further back than to what a ticket last did.
            if ticket.open or ticket.last >= start:
                found.recent.append(Seen(until, ticket))
    found.waiting = [s for s in found.recent if s.ticket.open]
    return found


def age_of(seen: Seen) -> str:
    """The age class of an open ticket."""
    age = seen.until - seen.ticket.created
    return next((name for name, bound in AGES if age < bound), OLDER)


def business_age(queue: Queue, seen: Seen) -> float:
    """Business seconds since it was created."""
    return queue.rules.clock.elapsed(seen.ticket.created, seen.until).total_seconds()


def resolved(seen: Look, window: timedelta) -> Sequence[tuple[Seen, bool]]:
    """Tickets resolved in the window, and whether each was reopened since."""
    found: list[tuple[Seen, bool]] = []
    for s in seen.recent:
        first = next((at for at in s.ticket.closings if s.within(at, window)), None)
        if first is not None:
            found.append((s, any(at >= first for at in s.ticket.reopenings)))
    return found


class Kept:
    """What the SLA gauges of one (SLA, priority) are made of."""

    def __init__(self) -> None:
        self.decided: defaultdict[timedelta, list[OfTicket]] = defaultdict(list)
        """By window."""
        self.stopped: list[OfTicket] = []
        self.lived: list[tuple[float, bool]] = []
        self.waiting: list[OfTicket] = []
        """Open and not breached."""
        self.at_risk: list[OfTicket] = []
        self.compared: list[OfTicket] = []
        """Told by both clocks, and open or decided of late."""

    @property
    def disagreed(self) -> list[OfTicket]:
        """Those of which the clocks say otherwise."""
        return [one for one in self.compared if one.cycle.differs]

    def breaches(self) -> list[float] | None:
        """How probably each waiting cycle passes its goal; None where too few lived to tell."""
        if len(self.lived) < CURVE_MINIMUM:
            return None
        curve = kaplan_meier(self.lived)
        return [curve.beyond(c.goal, reached=c.elapsed) for _, c in self.waiting]


def kept(seen: Look) -> Mapping[tuple[str, str], Kept]:
    """For every (SLA, priority) that the queue has had."""
    found = defaultdict(Kept, {pair: Kept() for pair in seen.pairs})
    for s in seen.recent:
        for cycle in s.ticket.cycles:
            _keep(found[cycle.sla, cycle.priority], s, cycle)
            _judge(found, s, cycle)
    return found


def _judge(found: Mapping[tuple[str, str], Kept], seen: Seen, cycle: Cycle) -> None:
    """A decided cycle counts at the moment and under the priority of its decision."""
    decision = cycle.decision
    if decision is None:
        return
    then = found[cycle.sla, decision.priority]
    for window in WINDOWS:
        if seen.within(decision.at, window):
            then.decided[window].append(OfTicket(seen.ticket, cycle))


def _keep(now: Kept, seen: Seen, cycle: Cycle) -> None:
    one = OfTicket(seen.ticket, cycle)
    if cycle.whole and not cycle.open and seen.within(cycle.known, STOPPED_WINDOW):
        now.stopped.append(one)
    if cycle.whole and seen.within(cycle.started, SURVIVAL_WINDOW):
        now.lived.append((cycle.elapsed, not cycle.open))
    if cycle.open and not cycle.breached:
        now.waiting.append(one)
    if cycle.beside is not None and (cycle.open or _of_late(seen, cycle) or _of_late(seen, cycle.beside)):
        now.compared.append(one)
    # A breached one that still runs stays, else the alert would end as things get worse.
    if cycle.at_risk:
        now.at_risk.append(one)


def _of_late(seen: Seen, cycle: Cycle) -> bool:
    return cycle.decision is not None and seen.within(cycle.decision.at, STOPPED_WINDOW)


def created(told: Told, window: timedelta) -> Iterator[Ticket]:
    """Tickets created in the window."""
    for until, tickets in told:
        yield from (ticket for ticket in tickets if ticket.born and until - window <= ticket.created < until)


def active_teams(scene: Scene, window: timedelta) -> frozenset[str] | None:
    """Owners now of what was delivered in the window; None when a source of deliveries is stale."""
    objects: set[int] = set()
    for kind in DELIVERY:
        for source in scene.history.sources(kind):
            if not source.fresh or source.watermark is None:
                return None
            counts = scene.history.counts(kind, source.instance, source.watermark - window, source.watermark)
            objects.update(object_ for object_, _ in counts)
    return frozenset(scene.history.owner(o).team for o in objects) - {UNOWNED}
