"""What was committed: how each roadmap stood when a month began, kept once and never changed (domain section 12).

Every calendar period begins with a month, so that the last day of the month before holds what was committed to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from platform_meter.measures.roadmap.items import KEPT, Item, known_to, tellers, written
from platform_meter.model.definitions import RoadmapSource
from platform_meter.model.facts.roadmap import ItemStatus, RoadmapItem
from platform_meter.model.history import UnitState
from platform_meter.model.measure import Scene, StateDay, Stating
from platform_meter.model.months import midnight
from platform_meter.model.periods import CalendarPeriod, calendar_period

ENDED, UNPLANNED = "ended", "unplanned"
"""States of items that are done or dropped, and of those without a calendar period; of all others it is their period."""
_ENDS = frozenset({ItemStatus.DONE, ItemStatus.DROPPED})
_DAY = timedelta(days=1)
_LATE = timedelta(days=1)
"""A file tells how things stand, not how they stood: later than this after a month began nothing of that is known."""


def what(roadmap: str) -> str:
    """Under what the states of a roadmap are kept."""
    return f"roadmap/{roadmap}"


def committed(scene: Scene) -> dict[CalendarPeriod, frozenset[str]]:
    """Units that were committed to each period that began, as kept; of a period without a snapshot nothing is known."""
    today = scene.now.astimezone(scene.zone).date()
    found: dict[CalendarPeriod, set[str]] = {}
    for roadmap in scene.definitions.roadmaps:
        for one in scene.history.states(what(roadmap.id), today - KEPT, today + _DAY):
            period = calendar_period(one.state)
            if period is not None and period.start == one.day + _DAY:
                found.setdefault(period, set()).add(one.unit)
    return {period: frozenset(units) for period, units in found.items()}


def next_days(scene: Scene) -> Sequence[StateDay]:
    """The last days of months that are over and not kept yet, oldest first."""
    return [day for roadmap in scene.definitions.roadmaps for day in _days(scene, roadmap)]


def _days(scene: Scene, roadmap: RoadmapSource) -> Iterator[StateDay]:
    known = known_to(scene, roadmap)
    if known is None:
        return
    last = scene.history.last_day(what(roadmap.id))
    since = known.astimezone(scene.zone).date() - KEPT if last is None else last + _DAY
    for day in _month_ends(since, known.astimezone(scene.zone).date()):
        states = _states(scene, roadmap, day)
        if states:
            yield StateDay(what=what(roadmap.id), day=day, states=tuple(states))


def _month_ends(since: date, until: date) -> Iterator[date]:
    """Last days of months from one day on, and before another."""
    first = CalendarPeriod(since.replace(day=1), 1)
    while (day := first.end - _DAY) < until:
        if day >= since:
            yield day
        first = CalendarPeriod(first.end, 1)


def _states(scene: Scene, roadmap: RoadmapSource, day: date) -> list[UnitState] | None:
    """How each item stood at the end of the day; None where that is not known of one of them."""
    moment = midnight(day + _DAY, scene.zone)
    found: list[UnitState] = []
    for item, stood, seen in _then(scene, roadmap, moment):
        state = _state(item.told, stood, moment, seen=seen)
        if state is None:
            return None
        if state:
            found.append(UnitState(day=day, what=what(roadmap.id), unit=item.unit, state=state))
    return found


def _then(scene: Scene, roadmap: RoadmapSource, moment: datetime) -> Iterator[tuple[Item, RoadmapItem | None, bool]]:
    """Every item that stands, or stood at the moment; how it stood then; and whether anybody looked."""
    if not roadmap.source.system:
        seen = scene.now - moment <= _LATE
        for item in written(roadmap, scene.zone):
            yield item, item.told if seen else None, seen
        return
    since = {s.instance: s.since for s in tellers(scene, roadmap)}
    now = {one.unit: one for one in _items(scene, roadmap, None) if one.source in since}
    then = {one.unit: one for one in _items(scene, roadmap, moment) if one.source in since}
    for unit, item in sorted((then | now).items()):
        begun = since.get(item.source)
        seen = begun is not None and begun <= moment
        yield item, then[unit].told if seen and unit in then else None, seen


def _items(scene: Scene, roadmap: RoadmapSource, at: datetime | None) -> Iterator[Item]:
    for held in scene.history.readings(RoadmapItem, at=at):
        if held.reading.roadmap == roadmap.id:
            yield Item(held.source, held.object, held.reading)


def _state(told: RoadmapItem, stood: RoadmapItem | None, moment: datetime, *, seen: bool) -> str | None:
    """Its state at the moment; empty where it was not there, None where nobody knows."""
    if told.since is not None and told.since > moment:
        return ""
    over = _over(told, moment) if stood is None else stood.status in _ENDS
    period = told.period_at(moment)
    if period is None and stood is not None:
        period = stood.period
    if over is None or (period is None and not over):
        return "" if seen else None
    named = calendar_period(period or "")
    return ENDED if over else named.label if named else UNPLANNED


def _over(told: RoadmapItem, moment: datetime) -> bool | None:
    """Whether it was done or dropped by then, as it tells now; None where it does not tell."""
    if told.status not in _ENDS:
        return False
    return None if told.ended is None else told.ended <= moment


STATES = Stating(name="roadmaps", metrics=(), take=next_days)
