"""Who was in which team, as directories tell it (domain section 3)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from platform_meter.model.facts.people import Membership
from platform_meter.model.history import Held
from platform_meter.model.measure import Scene


class Memberships:
    """Teams of people by time. Of one look, and read when it is first asked.

    Args:
        scene: the store's seen.
        reach: how far back anybody asks.
    """

    def __init__(self, scene: Scene, reach: timedelta) -> None:
        self._scene, self._reach = scene, reach
        self._people: dict[str, list[Held[Membership]]] | None = None

    def teams(self, person: str, at: datetime) -> frozenset[str]:
        """Where all directories had the person then; before the first look, where that found them."""
        if self._people is None:
            self._people = self._read()
        held = self._people.get(person, [])
        known = max(at, min((one.start for one in held), default=at))
        return frozenset(
            team
            for one in held
            if one.start <= known and (one.until is None or known < one.until)
            for team in one.reading.teams
        )

    def _read(self) -> dict[str, list[Held[Membership]]]:
        found: defaultdict[str, list[Held[Membership]]] = defaultdict(list)
        for held in self._scene.history.stood(Membership, self._scene.now - self._reach, self._scene.now):
            for person in held.reading.people:
                found[person].append(held)
        return found
