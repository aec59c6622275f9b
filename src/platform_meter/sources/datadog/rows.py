"""Datadog's answers, as far as they are read. Pure.

Messages, texts of queries and who made something are not declared, so they are dropped while decoding; of an incident's title
and scope the names of other records are taken.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct, field

from platform_meter.sources.kit.rows import Row


class Series(Struct):
    """One series of a metric query."""

    pointlist: list[tuple[float | None, float | None]] = []
    """(epoch milliseconds of a bucket's beginning, number), null where it has none."""
    interval: int | None = None
    """Seconds of a bucket."""
    scope: str = ""


class QueryReply(Struct):
    """Answer of `/api/v1/query`."""

    status: str = ""
    error: str = ""
    series: list[Series] = []


class MonitorRow(Row):
    becomes: ClassVar[str] = "AlertMonitor"
    id: int
    overall_state: str | None = None
    tags: list[str] | None = None
    created: datetime | None = None
    deleted: datetime | None = None
    draft_status: str = ""


class Budget(Struct):
    """What Datadog says of an SLO over a range of time."""

    sli_value: float | None = None
    """Percent; null where nothing was counted."""
    error_budget_remaining: dict[str, float] = {}
    """Percent of the budget by timeframe; `custom` is that of the target that was asked with."""


class SloHistory(Struct):
    overall: Budget | None = None


class SloReply(Struct):
    """Answer of `/api/v1/slo/ID/history`."""

    data: SloHistory | None = None
    errors: Any = None
    """Why it is not whole, where it is not."""


class Field(Struct):
    """A field of an incident: a text, several, or nothing."""

    value: Any = None

    @property
    def values(self) -> tuple[str, ...]:
        found = self.value if isinstance(self.value, list) else [self.value]
        return tuple(text for text in found if isinstance(text, str) and text)


class IncidentAttributes(Row):
    created: datetime
    modified: datetime
    public_id: int | None = None
    title: str | None = None
    customer_impact_scope: str | None = None
    customer_impact_start: datetime | None = None
    detected: datetime | None = None
    resolved: datetime | None = None
    severity: str | None = None
    state: str | None = None
    is_test: bool = False
    fields: dict[str, Field] | None = None


class IncidentRow(Row):
    becomes: ClassVar[str] = "Incident"
    id: str
    attributes: IncidentAttributes


class Pagination(Struct):
    next_offset: int | None = None


class Meta(Struct):
    pagination: Pagination | None = None


class Incidents(Struct):
    """Answer of `/api/v2/incidents`."""

    data: list[IncidentRow] = field(default_factory=list)
    meta: Meta | None = None

    @property
    def next_offset(self) -> int | None:
        return self.meta.pagination.next_offset if self.meta and self.meta.pagination else None
