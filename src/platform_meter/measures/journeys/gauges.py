"""Funnels and times as samples, and who stands behind each."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.adoption.units import Roster, roster
from platform_meter.measures.journeys.help import helped
from platform_meter.measures.journeys.reading import journeys, read
from platform_meter.measures.journeys.walk import Funnel, Way
from platform_meter.measures.support.survival import Survival, kaplan_meier
from platform_meter.model.catalogue.adoption import ADOPTION_SELF_SERVICE
from platform_meter.model.catalogue.journeys import (
    FUNNEL_DROPOFF,
    FUNNEL_UNITS,
    TIME_TO_FIRST,
    TIME_TO_FIRST_REACHED,
)
from platform_meter.model.definitions import Capability
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Labels, Piece, Scene
from platform_meter.model.metric import Metric, Ratio, Sample

METRICS = (FUNNEL_UNITS, FUNNEL_DROPOFF, TIME_TO_FIRST, TIME_TO_FIRST_REACHED, ADOPTION_SELF_SERVICE)
ENTERED = "entered"
"""In the place of a stage: who began."""
QUANTILES = {"0.5": 0.5, "0.9": 0.9}


def what(capability: str) -> str:
    """What a unit's place on the journey is of."""
    return f"journey/{capability}"


def compute(scene: Scene) -> Iterator[Sample]:
    """Samples of all journeys that are known."""
    chosen = journeys(scene.definitions.capabilities)
    units = roster(scene) if chosen else None
    for capability in chosen:
        found = read(scene, capability, units)
        if found is not None and units is not None:
            yield from _funnel(capability.id, found)
            yield from _times(capability.id, found)
            yield from _self_service(scene, capability, found, units)


def _funnel(journey: str, of: Funnel) -> Iterator[Sample]:
    for state, ways in (("mature", of.mature), ("pending", of.pending)):
        for number, stage in enumerate((ENTERED, *of.stages)):
            yield Sample(metric=FUNNEL_UNITS, labels=(journey, stage, state), value=float(of.reached(ways, number)))
    for number, stage in enumerate(of.stages, 1):
        before, there = of.reached(of.mature, number - 1), of.reached(of.mature, number)
        yield Sample(metric=FUNNEL_DROPOFF, labels=(journey, stage), value=Ratio(part=before - there, whole=before))


def _times(journey: str, of: Funnel) -> Iterator[Sample]:
    for number, stage in enumerate(of.stages):
        there = sum(1 for one in of.entrants if one.late[number] is not None)
        ratio = Ratio(part=there, whole=len(of.entrants))
        yield Sample(metric=TIME_TO_FIRST_REACHED, labels=(journey, stage), value=ratio)
        curve = times(of, number)
        for word, q in QUANTILES.items():
            if (seconds := curve.quantile(q)) is not None:
                yield Sample(metric=TIME_TO_FIRST, labels=(journey, stage, word), value=seconds)


def _self_service(scene: Scene, capability: Capability, of: Funnel, units: Roster) -> Iterator[Sample]:
    seen = helped(scene, capability, of, units)
    if seen is not None:
        labels = (capability.id, capability.unit.value, str(capability.mandated).lower())
        alone = sum(not one.tickets for one in seen)
        yield Sample(metric=ADOPTION_SELF_SERVICE, labels=labels, value=Ratio(part=alone, whole=len(seen)))


def times(of: Funnel, number: int) -> Survival:
    """Seconds from entering to one stage; of who is not there yet, so far."""
    return kaplan_meier(
        (((one.late[number] or of.until) - one.entered).total_seconds(), one.late[number] is not None)
        for one in of.entrants
    )


def behind(scene: Scene, metric: Metric, wanted: Labels) -> Iterator[Piece]:
    """The entrants, each by how far it came."""
    capability = next(c for c in journeys(scene.definitions.capabilities) if c.id == wanted[0])
    of = read(scene, capability)
    if of is None:
        return
    if metric is ADOPTION_SELF_SERVICE:
        for done in helped(scene, capability, of, roster(scene)) or ():
            yield _piece(scene, capability.id, of, done.way, part=not done.tickets)
        return
    number = (ENTERED, *of.stages).index(wanted[1])
    if metric is FUNNEL_UNITS:
        for one in of.mature if wanted[2] == "mature" else of.pending:
            if one.stages() >= number:
                yield _piece(scene, capability.id, of, one)
    elif metric is FUNNEL_DROPOFF:
        for one in of.mature:
            if one.stages() >= number - 1:
                yield _piece(scene, capability.id, of, one, part=one.stages() < number)
    elif metric is TIME_TO_FIRST_REACHED:
        for one in of.entrants:
            yield _piece(scene, capability.id, of, one, part=one.late[number - 1] is not None)
    else:
        for one in of.entrants:
            yield _piece(scene, capability.id, of, one, adds=0.0)
        seconds = times(of, number - 1).quantile(QUANTILES[wanted[2]])
        yield Piece(what="by Kaplan-Meier, from entering to this stage, in seconds", adds=seconds or 0.0)


def _piece(scene: Scene, journey: str, of: Funnel, one: Way, *, adds: float = 1.0, part: bool = False) -> Piece:
    """A unit in the state of the last stage that it came to in time."""
    stage = (ENTERED, *of.stages)[one.stages()]
    day = one.entered.astimezone(scene.zone).date()
    return Piece(fact=UnitState(day=day, what=what(journey), unit=one.unit, state=stage), adds=adds, part=float(part))
