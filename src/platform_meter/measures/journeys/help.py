"""Self-service: which of those who went a journey to its end asked for help on the way (domain section 13).

A ticket counts that was created, by anybody but a bot, in the queue and category that the capability's file names, from
entering to the last stage, by the unit: by the team, by the team of the service, or by the person. A journey that began before
the tickets are known or ended after is left out. So is one without a ticket of its own where somebody asked on its way of whom
nobody knows who it was; there may be few of these, since long journeys and those that needed help meet most tickets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from platform_meter.measures.adoption.units import Roster
from platform_meter.measures.journeys.walk import Funnel, Way
from platform_meter.measures.support.asking import Askers
from platform_meter.measures.support.queues import Queue, category_of, queues, sources
from platform_meter.measures.support.tickets import belongs
from platform_meter.model.definitions import Capability, Unit
from platform_meter.model.facts import Event, Reading
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.model.history import known_between, known_to
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED

ASKED: frozenset[type[Event | Reading]] = frozenset({TicketEvent, Membership})
"""What tells who asked."""
_UNTOLD = 0.1
"""Of how many nobody may know whether they asked."""
_MOMENT = timedelta(milliseconds=1)
"""The store's: a ticket at the very end is on the way too."""


class Done(NamedTuple):
    """One mature journey that came to its end."""

    way: Way
    tickets: Sequence[str]
    """Those on its way, as people call them."""


class _Asked(NamedTuple):
    name: str
    at: datetime
    by: Collection[str]
    """Teams, or the person; empty where nobody knows."""


def helped(scene: Scene, capability: Capability, of: Funnel, units: Roster) -> Sequence[Done] | None:
    """Of the mature entrants who came to the last stage within the window.

    None where the file names no tickets, while a source of them is stale or was never read whole, and where of more than a
    tenth nobody knows whether they asked.
    """
    asks = capability.tickets
    queue = next((q for q in queues(scene.definitions) if asks is not None and q.id == asks.queue), None)
    states = [] if queue is None else sources(scene, queue)
    known = known_between(scene.history, states)
    if asks is None or queue is None or known is None:
        return None
    done = [
        (one, last) for one in of.mature if one.stages() == len(of.stages) and (last := one.reached[-1]) is not None
    ]
    told = [(one, last) for one, last in done if known.since <= one.entered and last < known.until]
    tickets = list(_tickets(scene, queue, asks.category, told, capability.unit)) if told else []
    found: list[Done] = []
    for one, last in told:
        name = units.team_of(one.unit) if capability.unit is Unit.SERVICE else one.unit
        on_the_way = [ticket for ticket in tickets if one.entered <= ticket.at <= last]
        own = [ticket.name for ticket in on_the_way if name in ticket.by]
        if name != UNOWNED and (own or all(ticket.by for ticket in on_the_way)):
            found.append(Done(one, own))
    return found if len(told) - len(found) <= _UNTOLD * len(told) else None


def asked_lately(scene: Scene, capability: Capability, back: timedelta) -> int | None:
    """How many tickets of its category were created so lately, whoever asked; None as of `helped`."""
    asks = capability.tickets
    queue = next((q for q in queues(scene.definitions) if asks is not None and q.id == asks.queue), None)
    if asks is None or queue is None or known_to(sources(scene, queue)) is None:
        return None
    return sum(1 for _ in _created(scene, queue, asks.category, scene.now - back, scene.now))


def _tickets(
    scene: Scene, queue: Queue, category: str, ways: Sequence[tuple[Way, datetime]], unit: Unit
) -> Iterator[_Asked]:
    """Those of the category that were created while one of these was on its way."""
    start, end = min(way.entered for way, _ in ways), max(last for _, last in ways)
    askers = Askers(scene, scene.now - start)
    for source, event in _created(scene, queue, category, start, end + _MOMENT):
        person = frozenset({event.requester} - {""})
        by = person if unit is Unit.PERSON else askers.of(event.asking, event.requester, source, event.at)
        yield _Asked(event.name or event.ticket, event.at, by)


def _created(
    scene: Scene, queue: Queue, category: str, start: datetime, end: datetime
) -> Iterator[tuple[str, TicketEvent]]:
    """(source instance, creation) of each ticket of the category that no bot opened."""
    for source in sources(scene, queue):
        for row in scene.history.rows(TicketEvent, start, end, source=source.instance):
            event = row.event
            if (
                event.change is TicketChange.CREATED
                and event.role is not Role.BOT
                and belongs(queue.definition, source, event)
                and category_of(queue.definition, event) == category
            ):
                yield source.instance, event
