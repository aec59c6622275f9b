"""Lead time, recovery and failures of changes (domain section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from platform_meter.measures.delivery.book import Merged, Record
from platform_meter.measures.delivery.judged import KINDS, Judged, Reach, judged
from platform_meter.measures.delivery.selection import stages
from platform_meter.measures.impact.yardstick import Kind, Seen, Told, Yardstick, always
from platform_meter.model.catalogue.delivery import DORA_FAILURE, DORA_LEAD_TIME, DORA_RECOVERY, DORA_REWORK
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.measure import Scene

Values = Callable[[Scene, Judged, Mapping[str, str]], Iterator[Seen]]


def _read(
    values: Values,
    needed: tuple[type[Event], ...],
    scene: Scene,
    labels: Mapping[str, str],
    start: datetime,
    end: datetime,
    *,
    settles: bool = False,
) -> Told | None:
    """Those of a team where one is named. What `settles` is known once an incident may be linked to it no more."""
    reach = Reach(scene)
    known = [reach.known(kind) for kind in needed if kind is Deployment or reach.is_told(kind)]
    there = [one for one in known if one is not None]
    if len(there) < len(known):
        return None
    until = min(one.until for one in there)
    until = until - scene.definitions.delivery.max_link_age if settles else until
    team = labels.get("team", "")
    seen = [
        one
        for one in values(scene, judged(scene), labels)
        if start <= one.at < min(end, until) and team in ("", one.team)
    ]
    return Told(since=max(one.since for one in there), until=until, seen=seen)


def _seen(record: Record[Any], at: datetime, value: float, whose: Record[Any] | None = None) -> Seen:
    owner = (whose or record).owner
    event = (Change if isinstance(record.part, Merged) else Deployment, record.part.key, record.part.at)
    return Seen(at, value, owner.team, owner.service, record.source, record.object, event=event)


def _lead_times(scene: Scene, found: Judged, labels: Mapping[str, str]) -> Iterator[Seen]:
    """Of each change when it came to production, with the owner of what it came to production with."""
    choice, stage = scene.definitions.delivery.lead_time, labels.get("stage", "total")
    for release in found.releases:
        for record in release.changes:
            seconds = stages(record.part, release.at, choice.start).get(stage, -1.0)
            if seconds >= 0 and (choice.bots or not record.part.bot):
                yield _seen(record, release.at, seconds, release.first)


def _recoveries(_scene: Scene, found: Judged, _labels: Mapping[str, str]) -> Iterator[Seen]:
    for release in found.releases:
        begin, end = release.failed_from, release.recovered
        if begin is not None and end is not None and begin <= end:
            yield _seen(release.first, end, (end - begin).total_seconds())


def _failures(_scene: Scene, found: Judged, _labels: Mapping[str, str]) -> Iterator[Seen]:
    for release in found.releases:
        yield _seen(release.first, release.at, float(bool(release.failures)))


def _rework(_scene: Scene, found: Judged, _labels: Mapping[str, str]) -> Iterator[Seen]:
    for release in found.releases:
        yield _seen(release.first, release.at, float(release.rework))


LEAD_TIME = Yardstick(
    metric=DORA_LEAD_TIME,
    means="lead time of a change, when it came to production",
    kind=Kind.DURATIONS,
    better="lower",
    allows=("team", "stage"),
    kinds=always(*KINDS),
    read=partial(_read, _lead_times, (Deployment, Change)),
)
RECOVERY = Yardstick(
    metric=DORA_RECOVERY,
    means="time to recover from a failed deployment, when it was over",
    kind=Kind.DURATIONS,
    better="lower",
    allows=("team",),
    kinds=always(*KINDS),
    read=partial(_read, _recoveries, (Deployment, Incident)),
)
FAILURE = Yardstick(
    metric=DORA_FAILURE,
    means="deployments that failed",
    kind=Kind.RATIO,
    better="lower",
    allows=("team",),
    kinds=always(*KINDS),
    read=partial(_read, _failures, (Deployment, Incident), settles=True),
)
REWORK = Yardstick(
    metric=DORA_REWORK,
    means="deployments that bring back or mend something",
    kind=Kind.RATIO,
    better="lower",
    allows=("team",),
    kinds=always(*KINDS),
    read=partial(_read, _rework, (Deployment,)),
)
