"""The time from entering a journey to one of its stages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from platform_meter.measures.impact.yardstick import Kind, Seen, Told, Yardstick
from platform_meter.measures.journeys.reading import journeys, kinds, ways
from platform_meter.model.catalogue.journeys import TIME_TO_FIRST
from platform_meter.model.definitions import Capability, Definitions, Unit
from platform_meter.model.facts import Fact
from platform_meter.model.measure import Scene


def _capability(definitions: Definitions, labels: Mapping[str, str]) -> Capability | None:
    found = (c for c in journeys(definitions.capabilities) if c.id == labels.get("journey"))
    return next((c for c in found if any(stage.id == labels.get("milestone") for stage in c.stages)), None)


def _kinds(definitions: Definitions, labels: Mapping[str, str]) -> frozenset[type[Fact]]:
    capability = _capability(definitions, labels)
    return frozenset() if capability is None else kinds(capability)


def _read(scene: Scene, labels: Mapping[str, str], start: datetime, end: datetime) -> Told | None:
    """Entrants whose time is over, by when they entered: who is slow has to have the time to come in, on both sides."""
    capability = _capability(scene.definitions, labels)
    found = None if capability is None else ways(scene, capability)
    if found is None or capability is None or capability.journey is None:
        return None
    number = [stage.id for stage in capability.stages].index(labels["milestone"])
    window: timedelta = capability.journey.window
    seen = [
        Seen(
            at=one.entered,
            value=(reached - one.entered).total_seconds(),
            team=one.unit if capability.unit is Unit.TEAM else "",
            service="" if capability.unit is Unit.TEAM else one.unit,
            what="somebody" if capability.unit is Unit.PERSON else one.unit,
        )
        for one in found.by_unit.values()
        if start <= one.entered < min(end, found.until - window) and (reached := one.reached[number]) is not None
    ]
    return Told(since=found.since, until=found.until - window, seen=seen)


TIME_TO_STAGE = Yardstick(
    metric=TIME_TO_FIRST,
    means="time from entering to the stage, of those who came to it in time, by when they entered",
    kind=Kind.DURATIONS,
    better="lower",
    needs=("journey", "milestone"),
    kinds=_kinds,
    read=_read,
)
