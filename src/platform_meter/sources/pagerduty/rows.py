"""PagerDuty's answers and what it pushes, as far as they are read. Pure.

Names, texts of people and who is on call are not declared, so they are dropped while decoding; of titles and details the
names of other records are taken.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from platform_meter.sources.kit.rows import Row

RESOLVED, ACKNOWLEDGED = "resolved", "acknowledged"
MERGED = "merge_resolve_reason"


class Reference(Struct):
    """Something of PagerDuty's by its id; `summary` is what people call it."""

    id: str = ""
    summary: str | None = None
    name: str | None = None
    """Of a priority, where it is told in full."""
    html_url: str | None = None

    @property
    def called(self) -> str:
        return self.name or self.summary or ""


class Reason(Struct):
    """Why an incident is resolved, beside that somebody says so."""

    type: str = ""
    incident: Reference | None = None
    """Into which it was merged."""


class Service(Struct):
    """Whose incident it is. Without an id nobody knows."""

    id: str
    summary: str | None = None


class IncidentRow(Row):
    """An incident as it stands, read or pushed."""

    becomes: ClassVar[str] = "Incident"
    id: str
    created_at: datetime
    status: str
    service: Service
    title: str | None = None
    html_url: str | None = None
    incident_number: int | None = None
    number: int | None = None
    """The same where it is pushed."""
    urgency: str | None = None
    priority: Reference | None = None
    teams: list[Reference] | None = None
    last_status_change_at: datetime | None = None
    resolved_at: datetime | None = None
    updated_at: datetime | None = None
    resolve_reason: Reason | None = None

    @property
    def ended(self) -> bool:
        """Whether it stands resolved. Who has acknowledged it has resolved nothing."""
        return self.status == RESOLVED

    @property
    def changed(self) -> datetime:
        """When it changed last, as far as it tells."""
        told = (self.created_at, self.last_status_change_at, self.updated_at)
        return max(second(at) for at in told if at is not None)


class Incidents(Struct):
    incidents: list[IncidentRow] = []
    more: bool | None = None


class One(Struct):
    """One incident, asked for by its id."""

    incident: IncidentRow


class LogEntry(Row):
    """A step of an incident."""

    becomes: ClassVar[str] = "Incident"
    id: str = ""
    type: str = ""
    created_at: datetime | None = None

    @property
    def acknowledges(self) -> bool:
        # The entry is called `acknowledge_log_entry`, and one of its descriptions calls it `acknowledgement_log_entry`.
        return self.type.startswith("acknowledge")


class LogEntries(Struct):
    log_entries: list[LogEntry] = []
    more: bool | None = None


class Body(Struct):
    details: Any = None
    """Whatever the sender of the alert put there."""
    contexts: Any = None


class Alert(Struct):
    body: Body | None = None


class Alerts(Struct):
    alerts: list[Alert] = []


class Happening(Row):
    """What is pushed: an event and the incident as it stands then."""

    event_type: str
    occurred_at: datetime | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class Delivery(Struct):
    event: Happening


def second(at: datetime) -> datetime:
    """The whole second in UTC, since PagerDuty's answers know no parts of one and what it pushes does."""
    return at.astimezone(UTC).replace(microsecond=0)


SECOND = timedelta(seconds=1)
