"""How much of the platform each team uses: breadth, depth, and the index of both (domain section 11).

Pages read what the last tick made of it: `view.one(TEAM_BREADTH, team=..., mandated="false")`, `TEAM_INDEX` by the same
labels, `TEAM_DEPTH` by team and capability; `reach` counts how many capabilities a breadth is made of. What everybody has to
use is told apart: it never enters the breadth or the index of what teams chose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from platform_meter.measures.adoption.now import (
    CODES,
    Standing,
    first_state,
    standings,
    units_of_teams,
)
from platform_meter.measures.adoption.seen import State, active_now, refusal, what
from platform_meter.measures.adoption.units import eligible_services
from platform_meter.model.catalogue.adoption import TEAM_BREADTH, TEAM_DEPTH, TEAM_INDEX
from platform_meter.model.definitions import Capability, Unit
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Labels, Piece, Scene
from platform_meter.model.metric import UNOWNED, Metric, Ratio, Sample

METRICS = (TEAM_BREADTH, TEAM_DEPTH, TEAM_INDEX)
On = Mapping[str, bool]
"""Eligible deployables of one team, and whether each is on the capability."""
Found = Sequence[tuple[Standing, Mapping[str, On]]]
"""Capabilities as they stand, each with the deployables of every team."""


class Reach(NamedTuple):
    """What one team does with the capabilities that it could use."""

    active: int
    eligible: int


def reach(states: Mapping[str, float], among: Collection[str]) -> Reach:
    """Of one team.

    Args:
        states: the codes of `platform_team_capability_state` by capability; a team is eligible for each that has one.
        among: the capabilities that are asked about, such as all that nobody has to use.
    """
    codes = [code for capability, code in states.items() if capability in among]
    return Reach(active=codes.count(CODES[State.ACTIVE]), eligible=len(codes))


def deployables(now: Standing) -> Mapping[str, On]:
    """By eligible team, its eligible deployables (services), and whether the predicate holds for each.

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
    of_team: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for service in sorted(services):
        of_team[known.team_of(service)][service] = service in adopted
    return {team: on for team, on in sorted(of_team.items()) if team in teams and team != UNOWNED}


def compute(scene: Scene, found: Found) -> Iterator[Sample]:
    """Depth of every pair of team and capability, and of each team how many it is active in and the index.

    The index is the mean of depth over the team's pairs, each weighted by its deployables: that is, of all of them together.
    Breadth and index are absent while a capability is not known that was known before: they would move by that alone.
    """
    for now, teams in found:
        for team, on in teams.items():
            yield Sample(metric=TEAM_DEPTH, labels=(team, now.seen.capability.id), value=_share(on.values()))
    for mandated in (False, True):
        chosen = [(now, teams) for now, teams in found if now.seen.capability.mandated is mandated]
        if _whole(scene, chosen, mandated=mandated):
            word = str(mandated).lower()
            for team, states in _states(chosen).items():
                active = _share(state is State.ACTIVE for state in states.values())
                yield Sample(metric=TEAM_BREADTH, labels=(team, word), value=active)
            for team, pairs in _pairs(chosen).items():
                yield Sample(metric=TEAM_INDEX, labels=(team, word), value=_share(on for _, _, on in pairs))


def _share(true: Iterable[bool]) -> Ratio:
    said = list(true)
    return Ratio(part=sum(said), whole=len(said))


def _whole(scene: Scene, found: Found, *, mandated: bool) -> bool:
    """Whether all of these capabilities are known now that ever were."""
    known = {now.seen.capability.id for now, _ in found}
    return all(
        c.id in known or refusal(c) or scene.history.last_day(what(c.id)) is None
        for c in scene.definitions.capabilities
        if c.mandated is mandated
    )


def _states(found: Found) -> Mapping[str, Mapping[str, State]]:
    """By team, its state in each capability that it could use."""
    states: defaultdict[str, dict[str, State]] = defaultdict(dict)
    for now, _ in found:
        for team, units in units_of_teams(now).items():
            if (first := first_state(now, units)) is not None:
                states[team][now.seen.capability.id] = first
    return states


def _pairs(found: Found) -> Mapping[str, Sequence[tuple[str, str, bool]]]:
    """By team, (capability, deployable, whether it is on it)."""
    pairs: defaultdict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    for now, teams in found:
        for team, on in teams.items():
            pairs[team] += [(now.seen.capability.id, service, is_on) for service, is_on in on.items()]
    return pairs


def behind(scene: Scene, metric: Metric, labels: Labels) -> Iterator[Piece]:
    """The capabilities of one team, or its deployables in each of them."""

    def asked(capability: Capability) -> bool:
        return capability.id == labels[1] if metric is TEAM_DEPTH else str(capability.mandated).lower() == labels[1]

    chosen = [c for c in scene.definitions.capabilities if asked(c)]
    found = [(now, deployables(now)) for now in standings(scene, chosen)]
    if metric is TEAM_BREADTH:
        for capability, state in _states(found).get(labels[0], {}).items():
            day = scene.now.astimezone(scene.zone).date()
            fact = UnitState(day=day, what=what(capability), unit=labels[0], state=state)
            yield Piece(fact=fact, part=float(state is State.ACTIVE))
        return
    for capability, service, on in _pairs(found).get(labels[0], ()):
        yield Piece(what=f"{service} {'is' if on else 'is not'} on {capability}", part=float(on))
