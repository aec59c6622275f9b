"""Journeys of the store: whose uses are read, since when all of them are known, and the way of each unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from platform_meter.measures.adoption.book import MILLIONTHS, Asked, Taker, amount_of, shape, telling_use
from platform_meter.measures.adoption.units import OwnerKey, eligible_units, roster
from platform_meter.measures.journeys.walk import LOOK_BACK, Funnel, Used, Way, funnel, way
from platform_meter.model.definitions import Capability, JourneyStart, Stage, Unit
from platform_meter.model.facts import Event
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import History, Owner, SourceState, known_to
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """From when to when all use of a journey is known."""

    since: datetime
    until: datetime


def known(history: History, capability: Capability) -> Known | None:
    """None while a source that tells of it is stale, or was never read; or nothing tells."""
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
    begins = [state.read_from for state in found if state.read_from is not None]
    until, pruned = known_to(found), history.pruned()
    if until is None or len(begins) < len(found):
        return None
    return Known(since=max([*begins, pruned] if pruned is not None else begins), until=until)


def read(scene: Scene, capability: Capability) -> Funnel | None:
    """The funnel of one capability; None while it is not known."""
    span = known(scene.history, capability)
    if span is None or capability.journey is None:
        return None
    journey, wanted = capability.journey, _all(capability)
    # A unit that begins within the half year may have used the same before it: all that is known is read.
    uses = [_uses(scene.history, one, capability.unit, span) for one in wanted]
    homes = _homes(scene.history, wanted, capability.unit, span)
    known_units = eligible_units(capability, roster(scene), span.until.astimezone(scene.zone).date(), homes)
    ways: dict[str, Way] = {}
    for unit in uses[0].keys() & known_units:
        found = way(
            unit,
            uses[0][unit],
            [of.get(unit, ()) for of in uses[1:]],
            [least(stage) for stage in capability.stages],
            loose=journey.order == "loose",
            window=journey.window,
        )
        if found is not None and found.entered >= span.since + SETTLING:
            ways[unit] = found
    return funnel(ways, [stage.id for stage in capability.stages], journey.window, span.until)


def _uses(history: History, one: Asked, unit: Unit, span: Known) -> Mapping[str, Sequence[Used]]:
    """By unit, in order of time."""
    found: defaultdict[str, list[Used]] = defaultdict(list)
    for owner, at, amount, actor in _told(history, one, span):
        for name in _names(unit, owner, actor):
            found[name].append(Used(at, amount))
    for uses in found.values():
        uses.sort()
    return found


def _homes(history: History, wanted: Sequence[Asked], unit: Unit, span: Known) -> Mapping[str, frozenset[OwnerKey]]:
    """Of people the owners of what they used; of other units nothing has to be known."""
    if unit is not Unit.PERSON:
        return {}
    found: defaultdict[str, set[OwnerKey]] = defaultdict(set)
    for one in wanted:
        for owner, _, _, actor in _told(history, one, span):
            if actor:
                found[actor].add((owner.service, owner.team))
    return {person: frozenset(owners) for person, owners in found.items()}


def _names(unit: Unit, owner: Owner, actor: str) -> tuple[str, ...]:
    """The unit whose use it was; none of what is nobody's."""
    name = {Unit.TEAM: owner.team, Unit.SERVICE: owner.service, Unit.PERSON: actor}[unit]
    return (name,) if name and name != UNOWNED else ()


def _told(history: History, one: Asked, span: Known) -> Iterator[tuple[Owner, datetime, float, str]]:
    """(owner then, when, how much, by whom) of each use that is asked for."""
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
                    yield history.owner(object_, at), at, amount, told.actor if kind is Usage else ""
