"""Adoption now: units by state, ratios, active units, stickiness, churn, depth, team x capability grid (domain section 11).

Computed at the moment: use counts up to the watermark (the least of all sources the capability reads), today so far
included; what a unit *was* comes from the last daily snapshot. A capability is absent while a source it reads is
stale, and where `adoption_view.refusal` refuses it. Counts and ratios are over eligible units; exempt ones leave them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.measures.adoption.seen import (
    CHURN_DAYS,
    OUTSIDE,
    Seen,
    State,
    active_at,
    look,
    refusal,
    states,
    watermark,
)
from platform_meter.measures.adoption.snapshots import last_states
from platform_meter.measures.adoption.units import Roster, eligible_services, roster
from platform_meter.measures.adoption.use import Reader, active_units, churn, stickiness, telling_use
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
from platform_meter.model.facts import reading_kinds
from platform_meter.model.measure import Gauging, Measure, Scene
from platform_meter.model.metric import UNOWNED, Metric, Ratio, Sample, Value

WINDOWS = {"7d": 7, "28d": 28}
CODES = {State.ELIGIBLE: 0, State.ADOPTED_IDLE: 1, State.ACTIVE: 2, State.DORMANT: 3, State.CHURNED: 4}
ORDER = (State.ACTIVE, State.DORMANT, State.ADOPTED_IDLE, State.CHURNED, State.ELIGIBLE)
"""Of a team's smaller units, the first state present is the team's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One capability now."""

    seen: Seen
    states: Mapping[str, State]


def standing(scene: Scene, capability: Capability, reader: Reader, known: Roster) -> Standing | None:
    """Where each unit of a capability stands now; None while a source it reads is stale or when it is refused.

    `reader` looks at now (`at=None`); it and the roster serve all capabilities of one moment.
    """
    known_to = watermark(scene, capability)
    if refusal(capability) or known_to is None:
        return None
    previous = last_states(scene, capability.id)
    end = known_to.astimezone(scene.zone).date() + timedelta(days=1)
    seen = look(capability, reader, known, moment=scene.now, end=end, previous=previous)
    return Standing(seen=seen, states=states(seen, previous))


def compute(scene: Scene) -> Iterator[Sample]:
    """Samples of all capabilities."""
    reader, known = Reader(scene.history, scene.zone, None), roster(scene)
    for capability in scene.definitions.capabilities:
        now = standing(scene, capability, reader, known)
        if now is not None:
            yield from _samples(now)
            yield from _depth(now.seen, known)
            yield from _grid(now, known)


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
    for label, days in WINDOWS.items():
        units = active_units(seen.use, seen.eligible, seen.days.last(days))
        yield sample(ACTIVE_UNITS, (*ids, label), float(units))
    # Today so far is no whole business day: stickiness looks at the 28 days before it.
    span = seen.days.last(28, before=1)
    yield sample(STICKINESS, (*ids, "28d"), stickiness(seen.use, seen.eligible, seen.days, span))
    then = active_at(capability, seen.use, seen.days, before=CHURN_DAYS)
    lost = churn(then, seen.active, seen.eligible)
    yield sample(CHURN, (*ids, "28d"), lost)


def _depth(seen: Seen, known: Roster) -> Iterator[Sample]:
    """Mean over eligible teams of deployables (services) for which the predicate holds / their eligible deployables.

    The same predicate, `min` included, is asked of each service. Absent for people, who have no deployables, and where
    teams adopted it and no service did.
    """
    capability = seen.capability
    if capability.unit is Unit.PERSON:
        return
    if capability.unit is Unit.SERVICE:
        services, adopted = seen.eligible, seen.adopted
        teams = frozenset(known.team_of(s) for s in services)
    else:
        services = eligible_services(capability, known, seen.days.end - timedelta(days=1))
        adopted, teams = seen.predicate.units(Unit.SERVICE), seen.eligible
    if seen.adopted and not adopted:
        return  # what it is used on belongs to teams alone, as tickets do: there is no deployable to count
    of_team: defaultdict[str, list[bool]] = defaultdict(list)
    for service in sorted(services):
        of_team[known.team_of(service)].append(service in adopted)
    depths = [sum(on) / len(on) for team, on in sorted(of_team.items()) if team in teams and team != UNOWNED]
    labels = (capability.id, capability.unit.value, str(capability.mandated).lower())
    yield Sample(metric=ADOPTION_DEPTH_RATIO, labels=labels, value=Ratio(part=sum(depths), whole=len(depths)))


def _grid(now: Standing, known: Roster) -> Iterator[Sample]:
    capability = now.seen.capability
    of_team: defaultdict[str, set[State]] = defaultdict(set)
    for unit, state in now.states.items():
        for team in _teams(capability.unit, unit, now.seen, known):
            of_team[team].add(state)
    for team, present in sorted(of_team.items()):
        first = next((state for state in ORDER if state in present), None)
        if first is not None and team != UNOWNED:
            labels = (team, capability.id)
            yield Sample(metric=TEAM_CAPABILITY_STATE, labels=labels, value=float(CODES[first]))


def _teams(unit: Unit, name: str, seen: Seen, known: Roster) -> frozenset[str]:
    match unit:
        case Unit.TEAM:
            return frozenset({name})
        case Unit.SERVICE:
            return frozenset({known.team_of(name)})
        case Unit.PERSON:
            return frozenset(team for _, team in seen.homes.get(name, frozenset()))


GAUGES: tuple[Measure, ...] = (
    Gauging(
        metrics=(
            ADOPTION_UNITS,
            ADOPTION_RATIO,
            ADOPTION_ACTIVE_RATIO,
            ADOPTION_DEPTH_RATIO,
            ACTIVE_UNITS,
            STICKINESS,
            CHURN,
            TEAM_CAPABILITY_STATE,
        ),
        reads=frozenset({*telling_use(), *reading_kinds().values()}),
        compute=compute,
        # A tick alone only turns days; sources that age out and new facts come by themselves.
        every=timedelta(minutes=1),
    ),
)
