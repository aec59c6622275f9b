"""Capabilities as they stand at one moment, by unit and by team (domain section 11).

Use counts up to the watermark (the least of all sources the capability reads), today so far included; what a unit *was*
comes from the last daily snapshot. Nothing stands while a source is stale, nor where `seen.refusal` refuses it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from platform_meter.measures.adoption.book import Book
from platform_meter.measures.adoption.seen import (
    Seen,
    State,
    begins,
    days_back,
    look,
    refusal,
    states,
    use_known,
    wanted,
    watermark,
)
from platform_meter.measures.adoption.snapshots import last_states
from platform_meter.measures.adoption.units import Roster, roster
from platform_meter.measures.adoption.use import Reader
from platform_meter.model.definitions import Capability, Unit
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED

CODES = {State.ELIGIBLE: 0, State.ADOPTED_IDLE: 1, State.ACTIVE: 2, State.DORMANT: 3, State.CHURNED: 4}
ORDER = (State.ACTIVE, State.DORMANT, State.ADOPTED_IDLE, State.CHURNED, State.ELIGIBLE)
"""Of a team's smaller units, the first state present is the team's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One capability now."""

    seen: Seen
    states: Mapping[str, State]
    since: date
    """The first day whose use is known whole: what looks further back is absent."""
    reader: Reader
    known: Roster


def standings(scene: Scene, capabilities: Iterable[Capability], book: Book | None = None) -> Iterator[Standing]:
    """How those of the capabilities stand whose current numbers are known; `book` as of `compute`."""
    ends = {c.id: end for c in capabilities if (end := _end(scene, c)) is not None}
    known_now = [c for c in capabilities if c.id in ends]
    if not known_now:
        return
    book = book or wanted(known_now, scene.zone)
    start = min(ends[c.id] - timedelta(days=days_back(c)) for c in known_now)
    book.read(scene.history, start, max(ends.values()))
    reader, known = Reader(scene.history, book, None), roster(scene)
    for capability in known_now:
        previous, end = last_states(scene, capability.id), ends[capability.id]
        seen = look(capability, reader, known, moment=scene.now, end=end, previous=previous)
        yield Standing(
            seen=seen,
            states=states(seen, previous),
            since=use_known(scene.history, capability, scene.zone) or end,
            reader=reader,
            known=known,
        )


def _end(scene: Scene, capability: Capability) -> date | None:
    """The day after the last one that is known, of a capability whose current numbers are known; else None.

    Not while a source it reads is stale, before a whole window of its use was read, or when it is refused.
    """
    known_to = watermark(scene, capability)
    if refusal(capability) or known_to is None:
        return None
    first, last = begins(scene.history, capability, scene.zone), known_to.astimezone(scene.zone).date()
    return last + timedelta(days=1) if first is not None and first <= last else None


def units_of_teams(now: Standing) -> Mapping[str, Sequence[str]]:
    """The units of each team, whose states make that of the team."""
    of_team: defaultdict[str, list[str]] = defaultdict(list)
    for unit in now.states:
        for team in _teams(now.seen.capability.unit, unit, now.seen, now.known):
            of_team[team].append(unit)
    return {team: units for team, units in sorted(of_team.items()) if team != UNOWNED}


def first_state(now: Standing, units: Iterable[str]) -> State | None:
    """The state of a team with these units; None where all of them are outside."""
    present = {now.states[unit] for unit in units}
    return next((state for state in ORDER if state in present), None)


def _teams(unit: Unit, name: str, seen: Seen, known: Roster) -> frozenset[str]:
    match unit:
        case Unit.TEAM:
            return frozenset({name})
        case Unit.SERVICE:
            return frozenset({known.team_of(name)})
        case Unit.PERSON:
            return frozenset(team for _, team in seen.homes.get(name, frozenset()))
