"""How long pipelines run, and how long their jobs wait for a machine (domain section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from platform_meter.measures.impact.yardstick import Kind, Seen, Told, Yardstick, always
from platform_meter.model.catalogue.ci import PIPELINE_QUEUE_DURATION, PIPELINE_RUN_DURATION
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import UNKNOWN_POOL, Outcome, PipelineJob, PipelineRun
from platform_meter.model.history import known_between
from platform_meter.model.measure import Scene


class _Run(Struct, frozen=True, gc=False):
    """What is asked of a `PipelineRun`."""

    key: str
    at: datetime
    outcome: Outcome
    ran: timedelta
    pool: str = ""

    @property
    def took(self) -> timedelta | None:
        return None if self.outcome is Outcome.SKIPPED else self.ran


class _Job(Struct, frozen=True, gc=False):
    """What is asked of a `PipelineJob`."""

    key: str
    at: datetime
    pool: str = ""
    queued: timedelta | None = None

    @property
    def took(self) -> timedelta | None:
        return self.queued


def _read(
    kind: type[Event], shape: type[Any], scene: Scene, labels: Mapping[str, str], start: datetime, end: datetime
) -> Told | None:
    """Of a system, and of a pool, where these are named."""
    history, pool = scene.history, labels.get("pool", "")
    sources = [one for one in history.sources(kind) if labels.get("system", one.type) == one.type]
    known = known_between(history, sources)
    if known is None:
        return None
    found: list[Seen] = []
    for source in sources:
        for object_, told in history.parts(kind, shape, start, min(end, known.until), source=source.instance):
            if told.took is not None and pool in ("", told.pool or UNKNOWN_POOL):
                at = told.at.astimezone(UTC)
                owner = history.owner(object_, at)
                seconds = told.took.total_seconds()
                event = (kind, told.key, at)
                found.append(Seen(at, seconds, owner.team, owner.service, source.instance, object_, event=event))
    return Told(since=known.since, until=known.until, seen=found)


RUNS = Yardstick(
    metric=PIPELINE_RUN_DURATION,
    means="duration of a pipeline run, when it ended",
    kind=Kind.DURATIONS,
    better="lower",
    allows=("system", "pool"),
    kinds=always(PipelineRun),
    read=partial(_read, PipelineRun, _Run),
)
WAITS = Yardstick(
    metric=PIPELINE_QUEUE_DURATION,
    means="time that a job waited for a machine, when it ended",
    kind=Kind.DURATIONS,
    better="lower",
    allows=("system", "pool"),
    kinds=always(PipelineJob),
    read=partial(_read, PipelineJob, _Job),
)
