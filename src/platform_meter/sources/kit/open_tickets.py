"""Open tickets that a source has told of, so that one which its tool no longer shows is found out. Pure.

A tool says nothing of a ticket that was deleted or moved to where the source doesn't look, and the ticket would wait
for ever. So each open one is looked for once a day, and is gone when it was missed on two days: a permission that was
taken away for an hour, or an index that is built anew, ends no ticket.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import GONE, Role, TicketChange, TicketEvent
from platform_meter.sources.kit.open_things import due, put

Labels = tuple[tuple[str, str], ...]


class Sight(Struct, array_like=True, frozen=True):
    """When and where an open ticket was seen, or looked for, last."""

    day: date
    place: str
    """Where to look for it, in the source's words."""
    labels: Labels = ()
    """Of the object that it is about."""
    missed: bool = False


class OpenTickets(Struct, omit_defaults=True):
    """Kept in the source's checkpoint, by the tool's id; the one seen longest ago comes first.

    Some 40 bytes each; of more than `open_things.MOST`, those seen longest ago are not looked for.
    """

    sights: dict[str, Sight] = field(default_factory=dict)
    incidents: dict[str, datetime] = field(default_factory=dict)
    """When each was made that is an incident too, or was."""

    def saw(self, id_: str, day: date, place: str, labels: Labels = (), incident: datetime | None = None) -> None:
        """It is there. `incident` says when it was made, where it is one; that it was one once is remembered."""
        self._put(id_, Sight(day=day, place=place, labels=labels))
        if incident is not None:
            self.incidents[id_] = incident

    def closed(self, id_: str) -> None:
        self.sights.pop(id_, None)
        self.incidents.pop(id_, None)

    def due(self, day: date, most: int) -> dict[str, Sight]:
        """Those to look for now: neither seen nor looked for on this day yet, at most so many."""
        return due(self.sights, lambda _, sight: sight.day < day, most)

    def gone(self, id_: str, day: date) -> bool:
        """It was not found. True when that is so for the second day: then it is forgotten."""
        sight = self.sights[id_]
        if sight.missed:
            self.closed(id_)
        else:
            self._put(id_, replace(sight, day=day, missed=True))
        return sight.missed

    def _put(self, id_: str, sight: Sight) -> None:
        put(self.sights, id_, sight)


class Sightings:
    """What one visit saw of tickets since its last step: it is written down when that is told, not before."""

    def __init__(self, tickets: OpenTickets) -> None:
        self._tickets = tickets
        self._seen: list[Callable[[], None]] = []

    def saw(self, id_: str, day: date, place: str, labels: Labels = (), incident: datetime | None = None) -> None:
        self._seen.append(partial(self._tickets.saw, id_, day, place, labels, incident))

    def closed(self, id_: str) -> None:
        self._seen.append(partial(self._tickets.closed, id_))

    def take(self) -> Callable[[], None]:
        """What writes down all of it."""
        seen, self._seen = self._seen, []

        def write() -> None:
            for each in seen:
                each()

        return write


def gone_event(key: str, ticket: str, queue: str, about: Ref, at: datetime) -> TicketEvent:
    """What makes a ticket leave its queue: a closing that is not valid (domain section 9). Told again, the last holds."""
    return TicketEvent(
        key=key,
        at=at,
        updated=at,
        about=about,
        queue=queue,
        ticket=ticket,
        change=TicketChange.RESOLVED,
        role=Role.BOT,
        resolution=GONE,
    )
