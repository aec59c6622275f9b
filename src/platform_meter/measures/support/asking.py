"""Which team asked for help: the owner of the group that a ticket names, else the teams of who asked (domain sections 3, 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from platform_meter.measures.memberships import Memberships
from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.looks import active_teams, created
from platform_meter.measures.support.queues import sources
from platform_meter.model.facts import Ref
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.history import Owner
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED
from platform_meter.model.ownership import Directory

_Terms = Sequence[tuple[datetime | None, Owner]]
"""Owners with the moment from which each holds; the first holds ever since."""

REACH = timedelta(days=91)
"""How far back it is looked who was in which team."""


class Askers:
    """Teams by what tickets say of who asks, as of the moment they were created. Of one look.

    Args:
        scene: the store's seen.
        reach: how far back anybody asks.
    """

    def __init__(self, scene: Scene, reach: timedelta = REACH) -> None:
        self._scene = scene
        self._directory: Directory | None = None
        self._groups: dict[tuple[str, str], _Terms] = {}
        self._members = Memberships(scene, reach)

    def teams(self, ticket: Ticket, instance: str) -> frozenset[str]:
        """Of a ticket of this source instance; none where nobody knows. A person may be in several."""
        return self.of(ticket.asking, ticket.requester, instance, ticket.created)

    def of(self, group: str, person: str, instance: str, at: datetime) -> frozenset[str]:
        """As `teams`, by the group and the person that ask; each empty where the tool does not say."""
        team = self._owner(group, instance, at) if group else UNOWNED
        if team != UNOWNED:
            return frozenset({team})
        return self._members.teams(person, at) if person else frozenset()

    def _owner(self, group: str, instance: str, at: datetime) -> str:
        terms = self._groups.get((group, instance))
        if terms is None:
            terms = self._groups[group, instance] = self._intervals(group, instance)
        return next(owner.team for start, owner in reversed(terms) if start is None or start <= at)

    def _intervals(self, group: str, instance: str) -> _Terms:
        if self._directory is None:
            catalog = [held.reading for held in self._scene.history.readings(CatalogEntity)]
            self._directory = Directory.build(self._scene.definitions, catalog=catalog)
        system, _, id_ = group.partition(":")
        return self._directory.intervals(Ref(system=system, kind="group", id=id_), instance, {})


def asked(
    scene: Scene, window: timedelta, queue: str = "", *, askers: Askers | None = None
) -> tuple[Counter[str], int]:
    """Tickets created in the window by team that asked, of one queue or of all, and how many there are in all.

    A person in several teams counts once for each, and once in all. A queue with a stale source has none. Who looks at
    several windows of one scene gives its `askers`.
    """
    askers, by_team, whole = askers or Askers(scene), Counter[str](), 0
    book = scene.kept.of(Book)
    for one in book.queues(scene):
        found = sources(scene, one) if queue in {"", one.id} else []
        for source in found if all(s.fresh for s in found) else ():
            if source.watermark is None:
                continue
            for ticket in created([(source.watermark, book.tickets(one, source))], window):
                whole += 1
                by_team.update(askers.teams(ticket, source.instance))
    return by_team, whole


def users(scene: Scene, window: timedelta, *, askers: Askers | None = None) -> frozenset[str] | None:
    """Teams that use the platform: those that delivered anything in the window, and those that asked, since asking is use;
    None when a source of deliveries is stale. `askers` as in `asked`.
    """
    delivered = active_teams(scene, window)
    return None if delivered is None else delivered | asked(scene, window, askers=askers)[0].keys()
