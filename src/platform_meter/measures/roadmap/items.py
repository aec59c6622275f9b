"""The items of all roadmaps: those that sources tell, those that stand in files, and those that are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from platform_meter.model.definitions import RoadmapSource
from platform_meter.model.facts import Ref
from platform_meter.model.facts.roadmap import KIND, ItemStatus, Planned, RoadmapItem, title
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.months import midnight
from platform_meter.model.periods import CalendarPeriod, calendar_period

FILE = "roadmap"
"""System of items that stand in files."""
KEPT = timedelta(days=400)
"""How far the past of a roadmap is looked at (domain section 2)."""


class Item(NamedTuple):
    """One item of a roadmap as it stands."""

    source: str
    """Empty of one that stands in a file."""
    object: int | None
    told: RoadmapItem
    gone: bool = False
    """It stands there no more: this is how it stood last."""

    @property
    def unit(self) -> str:
        """What its daily states are kept by."""
        return f"{self.source}:{self.told.key}"

    @property
    def period(self) -> CalendarPeriod | None:
        return calendar_period(self.told.period)

    @property
    def dropped(self) -> bool:
        """Whether nobody will do it: one that left the roadmap undone will be done by nobody either."""
        return self.told.status is ItemStatus.DROPPED or (self.gone and not self.done)

    @property
    def done(self) -> bool:
        return self.told.status is ItemStatus.DONE

    @property
    def asked(self) -> bool:
        """Whether it says of any feedback that it answers that."""
        return bool(self.told.feedback or self.told.themes)


def tellers(scene: Scene, roadmap: RoadmapSource) -> Sequence[SourceState]:
    """The sources that may tell items of a roadmap; none where its file has them."""
    wanted = roadmap.source
    return [
        s
        for s in scene.history.sources(RoadmapItem)
        if wanted.system == s.type and wanted.instance in (None, s.instance)
    ]


def known_to(scene: Scene, roadmap: RoadmapSource) -> datetime | None:
    """Up to when all of the roadmap is known; None where it is stale, or was never read."""
    if not roadmap.source.system:
        return scene.now
    marks = [s.watermark if s.fresh else None for s in tellers(scene, roadmap)]
    return min((m for m in marks if m is not None), default=None) if None not in marks else None


def items(scene: Scene, *, past: bool = False) -> Sequence[Item] | None:
    """Every item, in order of roadmap and name; None while one of the roadmaps is not known.

    Args:
        scene: the store's seen.
        past: those too that are gone, as they stood last.
    """
    declared = {one.id: one for one in scene.definitions.roadmaps}
    if any(known_to(scene, one) is None for one in declared.values()):
        return None
    found: dict[str, Item] = {}
    if any(one.source.system for one in declared.values()):
        found = {item.unit: item for item in _told(scene, past=past) if item.told.roadmap in declared}
    for one in declared.values():
        found |= {item.unit: item for item in written(one, scene.zone)}
    return sorted(found.values(), key=lambda item: (item.told.roadmap, item.told.name, item.unit))


def _told(scene: Scene, *, past: bool) -> Iterator[Item]:
    """What configured sources tell; of one item the last telling comes last."""
    there = {s.instance for s in scene.history.sources(RoadmapItem)}
    if past:
        held = sorted(scene.history.stood(RoadmapItem, scene.now - KEPT, scene.now), key=lambda one: one.start)
        yield from (Item(one.source, one.object, one.reading, gone=True) for one in held if one.source in there)
    standing = scene.history.readings(RoadmapItem)
    yield from (Item(one.source, one.object, one.reading) for one in standing if one.source in there)


def written(roadmap: RoadmapSource, zone: ZoneInfo) -> Iterator[Item]:
    """The items that stand in the roadmap's file."""
    for one in roadmap.source.items:
        told = RoadmapItem(
            about=Ref(system=FILE, kind=KIND, id=one.id),
            roadmap=roadmap.id,
            name=one.id,
            title=title(one.title),
            status=ItemStatus(one.status),
            period=one.period,
            periods=(Planned(midnight(one.since, zone), one.period),) if one.since else (),
            target=one.target,
            ended=midnight(one.done, zone) if one.done else None,
            feedback=tuple(sorted(set(one.feedback))),
            themes=tuple(sorted(set(one.themes))),
            url=one.url or "",
        )
        yield Item("", None, told)


def standing(everything: Sequence[Item]) -> Sequence[Item]:
    """Those that are not gone."""
    return [item for item in everything if not item.gone]


def by_period(found: Sequence[Item]) -> Mapping[CalendarPeriod | None, Sequence[Item]]:
    """Items by what they are planned for now; under None those without a calendar period."""
    periods: dict[CalendarPeriod | None, list[Item]] = {}
    for item in found:
        periods.setdefault(item.period, []).append(item)
    return periods
