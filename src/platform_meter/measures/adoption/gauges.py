"""Adoption now: units by state, ratios, active units, stickiness, churn, depth, team x capability grid (domain section 11).

Computed at the moment: use counts up to the watermark (the least of all sources the capability reads), today so far
included; what a unit *was* comes from the last daily snapshot. A capability is absent while a source it reads is
stale, and where `adoption_view.refusal` refuses it. Counts and ratios are over eligible units; exempt ones leave them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from platform_meter.measures.adoption.book import Book
from platform_meter.measures.adoption.seen import (
    CHURN_DAYS,
    OUTSIDE,
    Seen,
    State,
    active_at,
    active_now,
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
from platform_meter.measures.adoption.units import Roster, eligible_services, roster
from platform_meter.measures.adoption.use import Reader, active_units, churn, stickiness, whole_days
from platform_meter.model.catalogue.adoption import (
    ACTIVE_UNITS,
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_RATIO,
    ADOPTION_UNITS,
    CHURN,
    STICKINESS,
    TEAM_CAPABILITY_STATE,
)
from platform_meter.model.definitions import Capability, Unit
from platform_meter.model.measure import Scene
from platform_meter.model.metric import UNOWNED, Metric, Ratio, Sample, Value

WINDOWS = {"7d": 7, "28d": 28}
SPAN = 28
"""Days that stickiness looks at."""
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


def compute(scene: Scene, book: Book | None = None) -> Iterator[Sample]:
    """Samples of all capabilities.

    Args:
        scene: the store's seen.
        book: use that was read already, kept from one moment to the next.
    """
    for now in standings(scene, scene.definitions.capabilities, book):
        yield from _samples(now)
        yield from _depth(now)
        yield from _grid(now)


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


def _samples(now: Standing) -> Iterator[Sample]:
    seen, capability = now.seen, now.seen.capability
    ids = (capability.id, capability.unit.value)
    mandated = (*ids, str(capability.mandated).lower())

    def sample(metric: Metric, labels: tuple[str, ...], value: Value) -> Sample:
        return Sample(metric=metric, labels=labels, value=value)

    counts = Counter(now.states.values())
    for state in State:
        yield sample(ADOPTION_UNITS, (*ids, state), float(counts[state]))
    whole = sum(n for state, n in counts.items() if state not in OUTSIDE)
    adopted = len(seen.adopted & seen.eligible)
    yield sample(ADOPTION_RATIO, mandated, Ratio(part=adopted, whole=whole))
    yield sample(ADOPTION_ACTIVE_RATIO, mandated, Ratio(part=counts[State.ACTIVE], whole=whole))
    read = (seen.days.end - now.since).days
    for label, days in WINDOWS.items():
        if days <= read:
            units = active_units(seen.use, seen.eligible, seen.days.last(days))
            yield sample(ACTIVE_UNITS, (*ids, label), float(len(units)))
    # Today so far is no whole business day: stickiness looks at the 28 days before it.
    if read > SPAN:
        span = seen.days.last(SPAN, before=1)
        yield sample(STICKINESS, (*ids, "28d"), stickiness(seen.use, seen.eligible, seen.days, span))
    if read >= CHURN_DAYS + whole_days(capability.active.window):
        then = active_at(capability, seen.use, seen.days, before=CHURN_DAYS)
        yield sample(CHURN, (*ids, "28d"), churn(then, seen.active, seen.eligible))


def depths(now: Standing) -> Mapping[str, float]:
    """By eligible team, its deployables (services) for which the predicate holds / its eligible deployables.

    The same is asked of each service as of its team, `min` included. Nothing for people, who have no deployables, and where
    teams adopted it and no service did.
    """
    seen, capability, known = now.seen, now.seen.capability, now.known
    if capability.unit is Unit.PERSON:
        return {}
    if capability.unit is Unit.SERVICE:
        services, adopted = seen.eligible, seen.adopted
        teams = frozenset(known.team_of(s) for s in services)
    else:
        services = eligible_services(capability, known, seen.days.end - timedelta(days=1))
        adopted, teams = seen.predicate.units(Unit.SERVICE), seen.eligible
        if not capability.parted:
            adopted |= active_now(capability, now.reader, Unit.SERVICE, seen.days, seen.moment)
    if seen.adopted and not adopted:
        return {}  # what it is used on belongs to teams alone, as tickets do: there is no deployable to count
    of_team: defaultdict[str, list[bool]] = defaultdict(list)
    for service in sorted(services):
        of_team[known.team_of(service)].append(service in adopted)
    return {team: sum(on) / len(on) for team, on in sorted(of_team.items()) if team in teams and team != UNOWNED}


def _depth(now: Standing) -> Iterator[Sample]:
    """The mean over teams; absent where none has a depth."""
    capability, found = now.seen.capability, depths(now)
    labels = (capability.id, capability.unit.value, str(capability.mandated).lower())
    if found:
        yield Sample(
            metric=ADOPTION_DEPTH_RATIO, labels=labels, value=Ratio(part=sum(found.values()), whole=len(found))
        )


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


def _grid(now: Standing) -> Iterator[Sample]:
    for team, units in units_of_teams(now).items():
        first = first_state(now, units)
        if first is not None:
            labels = (team, now.seen.capability.id)
            yield Sample(metric=TEAM_CAPABILITY_STATE, labels=labels, value=float(CODES[first]))


def _teams(unit: Unit, name: str, seen: Seen, known: Roster) -> frozenset[str]:
    match unit:
        case Unit.TEAM:
            return frozenset({name})
        case Unit.SERVICE:
            return frozenset({known.team_of(name)})
        case Unit.PERSON:
            return frozenset(team for _, team in seen.homes.get(name, frozenset()))
