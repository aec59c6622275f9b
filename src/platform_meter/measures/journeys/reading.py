"""Journeys of the store: whose uses are read, since when all of them are known, and the way of each unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from platform_meter.measures.adoption.book import MILLIONTHS, Asked, Taker, amount_of, shape, telling_use
from platform_meter.measures.adoption.units import OwnerKey, Roster, eligible_units, roster
from platform_meter.measures.journeys.walk import LOOK_BACK, Funnel, Used, Way, funnel, way
from platform_meter.model.definitions import Capability, JourneyStart, Stage, Unit
from platform_meter.model.facts import Event
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import History, Known, Owner, SourceState, known_between
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED

SETTLING = timedelta(days=28)
"""So long after the first day that is known nobody enters: who used something then may have used it long before."""


def asked_of(start: JourneyStart) -> Asked:
    """The use that begins a journey."""
    select = {**start.select, **({"subject": (start.subject,)} if start.subject else {})}
    return Asked(start.source, (start.verb,), tuple(sorted(select.items())))


def asked_for(stage: Stage) -> Asked:
    """The use that reaches a stage."""
    select = tuple(sorted((key, (str(value),)) for key, value in stage.when.items() if key not in Stage.own))
    return Asked(str(stage.when["source"]), (str(stage.when["verb"]),), select)


def least(stage: Stage) -> float:
    """Amount of use that reaches it."""
    return float(stage.when.get("min_amount", 1))


def journeys(capabilities: Iterable[Capability]) -> list[Capability]:
    """Those that have one."""
    return [c for c in capabilities if c.journey is not None and c.stages]


def kinds(capability: Capability) -> frozenset[type[Event]]:
    """Kinds of event that tell of its journey."""
    return frozenset(kind for one in _all(capability) for kind in telling_use(*one.verbs))


def _all(capability: Capability) -> Sequence[Asked]:
    """The use that begins the journey, and that of each stage; nothing without a journey."""
    if capability.journey is None:
        return ()
    return (asked_of(capability.journey.start), *(asked_for(stage) for stage in capability.stages))


def known(history: History, capability: Capability) -> Known | None:
    """From when to when all use of a journey is known; None while a source that tells of it is stale, or was never read; or nothing tells."""
    found: list[SourceState] = []
    for one in _all(capability):
        telling = {
            state.instance: state
            for kind in telling_use(*one.verbs)
            for state in history.sources(kind)
            if state.type == one.source
        }
        if not telling:
            return None
        found += telling.values()
    told = known_between(history, found)
    named = history.people_since() if capability.unit is Unit.PERSON else None
    return told if told is None or named is None else told._replace(since=max(told.since, named))


def read(scene: Scene, capability: Capability, units: Roster | None = None) -> Funnel | None:
    """The funnel of one capability; None while it is not known.

    Args:
        scene: the store's seen.
        capability: one that has a journey.
        units: the roster, where it was made already.
    """
    found = ways(scene, capability, units)
    if found is None or capability.journey is None:
        return None
    stages = [stage.id for stage in capability.stages]
    return funnel(found.by_unit, stages, capability.journey.window, found.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """All who entered a journey, whenever that was, and from when to when who enters is known."""

    by_unit: Mapping[str, Way]
    since: datetime
    until: datetime


def ways(scene: Scene, capability: Capability, units: Roster | None = None) -> Ways | None:
    """The ways of all entrants; None while they are not known. The arguments are those of `read`."""
    span = known(scene.history, capability)
    if span is None or capability.journey is None:
        return None
    journey = capability.journey
    # A unit that begins within the half year may have used the same before it: all that is known is read. What two stages
    # ask for is read once.
    wanted = _all(capability)
    told = {one: list(_told(scene.history, one, span)) for one in dict.fromkeys(wanted)}
    uses = [_uses(told[one], capability.unit) for one in wanted]
    homes = _homes(told.values()) if capability.unit is Unit.PERSON else {}
    day = span.until.astimezone(scene.zone).date()
    could = eligible_units(capability, units or roster(scene), day, homes)
    entered: dict[str, Way] = {}
    for unit in uses[0].keys() & could:
        found = way(
            unit,
            uses[0][unit],
            [of.get(unit, ()) for of in uses[1:]],
            [least(stage) for stage in capability.stages],
            loose=journey.order == "loose",
            window=journey.window,
        )
        if found is not None and found.entered >= span.since + SETTLING:
            entered[unit] = found
    return Ways(by_unit=entered, since=span.since + SETTLING, until=span.until)


class _Told(NamedTuple):
    """One use that was asked for."""

    owner: Owner
    """Whose it was then."""
    used: Used
    actor: str


def _uses(told: Iterable[_Told], unit: Unit) -> Mapping[str, Sequence[Used]]:
    """By unit, in order of time."""
    found: defaultdict[str, list[Used]] = defaultdict(list)
    for one in told:
        for name in _names(unit, one.owner, one.actor):
            found[name].append(one.used)
    for uses in found.values():
        uses.sort()
    return found


def _homes(told: Iterable[Iterable[_Told]]) -> Mapping[str, frozenset[OwnerKey]]:
    """Of people the owners of what they used."""
    found: defaultdict[str, set[OwnerKey]] = defaultdict(set)
    for use in told:
        for one in use:
            if one.actor:
                found[one.actor].add((one.owner.service, one.owner.team))
    return {person: frozenset(owners) for person, owners in found.items()}


def _names(unit: Unit, owner: Owner, actor: str) -> tuple[str, ...]:
    """The unit whose use it was; none of what is nobody's."""
    name = {Unit.TEAM: owner.team, Unit.SERVICE: owner.service, Unit.PERSON: actor}[unit]
    return (name,) if name and name != UNOWNED else ()


def _told(history: History, one: Asked, span: Known) -> Iterator[_Told]:
    """Each use that is asked for."""
    start = max(span.since, span.until - 2 * LOOK_BACK)
    for kind in sorted(telling_use(*one.verbs), key=lambda kind: kind.__name__):
        taker = Taker(one, kind)
        if not taker.verbs:
            continue
        for source in history.sources(kind):
            if source.type != one.source:
                continue
            for object_, told in history.parts(kind, shape(kind.__name__), start, span.until, source=source.instance):
                if taker.takes(told, kind.verb or told.action):
                    at, amount = told.at.astimezone(UTC), amount_of(kind, told) / MILLIONTHS
                    yield _Told(history.owner(object_, at), Used(at, amount), told.actor if kind is Usage else "")
