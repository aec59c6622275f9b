"""What became of each period: what was committed to it, what was delivered, what slipped, what came in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from platform_meter.measures.roadmap.items import KEPT, Item, by_period, standing
from platform_meter.measures.roadmap.snapshots import committed
from platform_meter.model.facts.roadmap import ItemStatus, RoadmapItem
from platform_meter.model.measure import Scene
from platform_meter.model.months import midnight
from platform_meter.model.periods import CalendarPeriod


class Result(StrEnum):
    """What became of an item that was committed to a period, or came in between."""

    DELIVERED = "delivered"
    LATE = "late"
    """Done after the period was over."""
    OPEN = "open"
    MOVED = "moved"
    """Not done, and planned for something else now."""
    DROPPED = "dropped"
    ADDED = "added"
    """Done within the period that it is planned for, and not committed to it."""


COMMITTED = tuple(one for one in Result if one is not Result.ADDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One calendar period."""

    period: CalendarPeriod
    planned: Sequence[Item]
    """What is planned for it now, whatever its status."""
    results: Mapping[Result, Sequence[Item]]
    """Empty where nobody knows what was committed: it has not begun, or was not looked at when it did."""
    lost: int = 0
    """Committed items of which nothing is known any more."""

    @property
    def committed(self) -> int:
        return sum(len(self.results.get(one, ())) for one in COMMITTED) + self.lost

    @property
    def delivered(self) -> int:
        return len(self.results.get(Result.DELIVERED, ()))

    @property
    def linked(self) -> Sequence[tuple[Item, bool]]:
        """What is planned and not dropped, with whether feedback is behind it."""
        return [(item, item.asked) for item in self.planned if not item.dropped]


def judge(scene: Scene, everything: Sequence[Item]) -> Sequence[Judged]:
    """Every period in order, of all items with those that are gone. Of the past 400 days, as snapshots are."""
    planned = by_period(standing(everything))
    before = committed(scene)
    oldest = scene.now.astimezone(scene.zone).date() - KEPT
    periods = {period for period in (*planned, *before) if period is not None and period.end > oldest}
    units = {item.unit: item for item in everything}
    return [
        Judged(
            period=period,
            planned=planned.get(period, ()),
            results=_results(period, before[period], units, scene.zone) if period in before else {},
            lost=len(before.get(period, frozenset()) - units.keys()),
        )
        for period in sorted(periods)
    ]


def _results(
    period: CalendarPeriod, before: frozenset[str], units: Mapping[str, Item], zone: ZoneInfo
) -> Mapping[Result, Sequence[Item]]:
    found: dict[Result, list[Item]] = {one: [] for one in Result}
    start, end = midnight(period.start, zone), midnight(period.end, zone)
    for unit, item in units.items():
        if unit in before:
            found[_became(item, period, end)].append(item)
        elif item.done and item.period == period and item.told.ended and start <= item.told.ended < end:
            found[Result.ADDED].append(item)
    return found


def _became(item: Item, period: CalendarPeriod, end: datetime) -> Result:
    if item.dropped:
        return Result.DROPPED
    if item.done:
        # When it was done nobody recorded: that it was in time nobody can say.
        return Result.DELIVERED if item.told.ended and item.told.ended < end else Result.LATE
    return Result.OPEN if item.period == period else Result.MOVED


def slip(told: RoadmapItem, zone: ZoneInfo) -> timedelta | None:
    """Done - target in whole days, less than none where it was early; None where it is not done, or either is not known."""
    if told.target is None or told.ended is None or told.status is not ItemStatus.DONE:
        return None
    return told.ended.astimezone(zone).date() - told.target


def overdue(told: RoadmapItem, today: date) -> timedelta | None:
    """How long an item that is not over is past its target; None where it is not."""
    if told.ended is not None or told.target is None or told.target >= today:
        return None
    return today - told.target
