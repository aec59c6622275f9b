"""Monitors, and how each stands now (GET /api/v1/monitor)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from platform_meter.model.facts import Ref
from platform_meter.model.facts.observability import AlertMonitor, MonitorState
from platform_meter.model.source import Answer, Page
from platform_meter.sources.datadog.config import SYSTEM
from platform_meter.sources.datadog.rows import MonitorRow
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.tags import owning
from platform_meter.sources.kit.walk import Walk

PATH = "/api/v1/monitor"
PER_PAGE = 1_000
"""The most that Datadog gives at once."""
_DRAFT = "draft"
_STATES: Mapping[str, MonitorState] = {
    "OK": MonitorState.OK,
    "Alert": MonitorState.ALERT,
    "Warn": MonitorState.WARN,
    "No Data": MonitorState.NO_DATA,
    "Ignored": MonitorState.IGNORED,
    "Skipped": MonitorState.SKIPPED,
}


def read(
    tags: Sequence[str], outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    """All of them but drafts, which watch nothing yet.

    A page begins behind the last number of the one before it, so that one that is deleted meanwhile moves no other; an empty
    page is the end.
    """
    del checkpoint, since, now
    walk, last = Walk(PATH), 0
    found: dict[str, AlertMonitor] = {}
    while True:
        params = {"id_offset": last, "page_size": PER_PAGE}
        answer = walk.page(_ids, partial(outside.get, PATH, list[MonitorRow], params=params))
        rows = answer.body or []
        if not rows:
            break
        last = max(row.id for row in rows)
        monitors = (monitor(row, tags) for row in rows if row.deleted is None and row.draft_status != _DRAFT)
        found.update({one.about.id: one for one in monitors})
    yield Page(facts=tuple(found.values()), complete=frozenset({AlertMonitor}))


def _ids(answer: Answer[list[MonitorRow]]) -> tuple[int, ...]:
    return tuple(row.id for row in answer.body or ())


def monitor(row: MonitorRow, tags: Sequence[str]) -> AlertMonitor:
    """How it stands, with what says whose it is."""
    return AlertMonitor(
        about=Ref(system=SYSTEM, kind="monitor", id=str(row.id), labels=labels(row.tags or (), tags)),
        since=None if row.created is None else row.created.astimezone(UTC),
        state=_STATES.get(row.overall_state or "", MonitorState.UNKNOWN),
    )


def labels(found: Sequence[str], wanted: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The wanted tags and that of the service; one with several values says nothing."""
    return tuple(sorted(owning((tag.partition(":")[::2] for tag in found), wanted).items()))
