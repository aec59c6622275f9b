"""The units behind each number of adoption, with the state that each is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from platform_meter.measures.adoption import breadth
from platform_meter.measures.adoption.gauges import SPAN, WINDOWS, depths
from platform_meter.measures.adoption.now import CODES, Standing, first_state, standings, units_of_teams
from platform_meter.measures.adoption.seen import CHURN_DAYS, OUTSIDE, State, active_at, what
from platform_meter.measures.adoption.use import active_units, business_days
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
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Labels, Piece, Scene
from platform_meter.model.metric import Metric


def behind(scene: Scene, metric: Metric, labels: Labels) -> Iterator[Piece]:
    """The units of one series, of the capability that its labels name; of a team's breadth its capabilities."""
    if metric in breadth.METRICS:
        yield from breadth.behind(scene, metric, labels)
        return
    wanted = labels[metric.labels.index("capability")]
    chosen = [c for c in scene.definitions.capabilities if c.id == wanted]
    for now in standings(scene, chosen):
        yield from _units(now, metric, labels)


def _units(now: Standing, metric: Metric, labels: Labels) -> Iterable[Piece]:
    seen, inside = now.seen, [unit for unit, state in now.states.items() if state not in OUTSIDE]
    match metric.name:
        case ADOPTION_UNITS.name:
            return [_piece(now, unit) for unit, state in now.states.items() if state == labels[2]]
        case ADOPTION_RATIO.name:
            return [_piece(now, unit, part=unit in seen.adopted) for unit in inside]
        case ADOPTION_ACTIVE_RATIO.name:
            return [_piece(now, unit, part=now.states[unit] is State.ACTIVE) for unit in inside]
        case ACTIVE_UNITS.name:
            used = active_units(seen.use, seen.eligible, seen.days.last(WINDOWS[labels[2]]))
            return [_piece(now, unit) for unit in used]
        case STICKINESS.name:
            return _sticking(now)
        case CHURN.name:
            then = active_at(seen.capability, seen.use, seen.days, before=CHURN_DAYS)
            return [_piece(now, unit, part=unit not in seen.active) for unit in then & seen.eligible]
        case ADOPTION_DEPTH_RATIO.name:
            return [_piece(now, team, part=depth) for team, depth in depths(breadth.deployables(now)).items()]
        case TEAM_CAPABILITY_STATE.name:
            return _of_team(now, labels[0])
    raise ValueError(f"{metric.name} is no number of adoption")


def _sticking(now: Standing) -> Iterator[Piece]:
    """Each unit with use adds the share of business days on which it had some."""
    seen = now.seen
    span = seen.days.last(SPAN, before=1)
    business = business_days(seen.days, span)
    for unit in active_units(seen.use, seen.eligible, span):
        days = sum(1 for day in business if seen.use[unit][day])
        yield _piece(now, unit, part=days / max(1, len(business)))


def _of_team(now: Standing, team: str) -> Iterator[Piece]:
    """All of its units; the first of those in the state that decides adds that state's number."""
    units = units_of_teams(now).get(team, ())
    decides = first_state(now, units)
    first = next((unit for unit in units if now.states[unit] is decides), None)
    for unit in units:
        yield _piece(now, unit, adds=CODES[decides] if decides and unit == first else 0)


def _piece(now: Standing, unit: str, *, adds: float = 1.0, part: float = 0.0) -> Piece:
    seen = now.seen
    state = UnitState(
        day=seen.days.end - timedelta(days=1),
        what=what(seen.capability.id),
        unit=unit,
        state=now.states.get(unit, ""),
    )
    return Piece(fact=state, adds=adds, part=float(part))
