"""An incident of PagerDuty, read or pushed, to the fact. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import MOST_MENTIONS, Incident, Severity, named_in
from platform_meter.sources.kit.incidents import severity_of
from platform_meter.sources.pagerduty.rows import ACKNOWLEDGED, MERGED, RESOLVED, IncidentRow, LogEntry, second

SYSTEM = "pagerduty"
ACKNOWLEDGING = "incident.acknowledged"
DETAILS, LONGEST = 200, 5_000
"""Texts of an alert that are looked through, and how much of each."""
_RANKS = {ACKNOWLEDGED: 1, RESOLVED: 2}
_END_OF_SECOND = timedelta(milliseconds=990)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """Which incidents are wanted, and what their priorities mean."""

    severities: Mapping[str, Severity] = field(default_factory=dict)
    services: Collection[str] = ()
    teams: Collection[str] = ()

    def wants(self, row: IncidentRow) -> bool:
        """Whether a list with these filters would have it."""
        of = {team.id for team in row.teams or ()}
        return (not self.services or row.service.id in self.services) and (not self.teams or bool(of & {*self.teams}))


def incident(
    row: IncidentRow,
    conventions: Conventions,
    *,
    updated: datetime,
    acknowledged: datetime | None = None,
    resolved: datetime | None = None,
    texts: Iterable[str] = (),
) -> Incident:
    """The incident as it stood at `updated`. `resolved` is its end, of one that stands resolved; `texts` are of its alerts.

    It starts when it was made, which is when it was triggered first. What was merged into another is none of its own,
    and names that one: the two are one incident.
    """
    ids = tuple(name for name in (row.id, row.html_url) if name)
    mentions = {*named_in(row.title, *texts)}
    reason = row.resolve_reason
    merged = row.ended and reason is not None and reason.type == MERGED
    if merged and reason is not None and reason.incident is not None:
        mentions |= {name for name in (reason.incident.id, reason.incident.html_url) if name}
    number = row.number if row.incident_number is None else row.incident_number
    return Incident(
        key=f"incident/{row.id}",
        at=second(row.created_at),
        about=Ref(
            system=SYSTEM,
            kind="service",
            id=row.service.id,
            labels=(("name", row.service.summary),) if row.service.summary else (),
        ),
        updated=updated,
        severity=_severity(row, conventions),
        acknowledged=acknowledged,
        resolved=second(resolved) if row.ended and resolved else None,
        name="" if number is None else f"#{number}",
        url=row.html_url or "",
        ids=ids,
        mentions=tuple(sorted(mentions - {*ids})[:MOST_MENTIONS]),
        valid=not merged,
    )


def read_incident(
    row: IncidentRow, conventions: Conventions, log: Iterable[LogEntry], texts: Iterable[str] = ()
) -> Incident:
    """What was read, with the steps of its log: it was acknowledged when somebody did so first."""
    took_on = [entry.created_at for entry in log if entry.acknowledges and entry.created_at is not None]
    return incident(
        row,
        conventions,
        updated=read_at(row),
        acknowledged=second(min(took_on)) if took_on else None,
        resolved=row.resolved_at or row.last_status_change_at or row.changed,
        texts=texts,
    )


def read_at(row: IncidentRow) -> datetime:
    """When what was read changed last, so that it can be compared with when something that is pushed occurred.

    The lists know seconds, deliveries know milliseconds: of one second what was read has seen all that was delivered, so
    it is the end of that second. Of two readings of one second the later one has come further.
    """
    return row.changed + _END_OF_SECOND + timedelta(milliseconds=_RANKS.get(row.status, 0))


def pushed_incidents(
    row: IncidentRow, conventions: Conventions, event: str, occurred: datetime
) -> tuple[Incident, ...]:
    """What a delivery tells: how the incident stood when `event` occurred, and of an acknowledgement when that was.

    An incident may be acknowledged several times, and the first time holds. As of several tellings the newest holds, that
    one is told as the older the later it was, before all else: in whatever order they come, the first stays.
    """
    resolved = row.resolved_at or row.last_status_change_at or occurred
    told = incident(row, conventions, updated=occurred, resolved=resolved)
    if event != ACKNOWLEDGING:
        return (told,)
    at = second(occurred)
    return told, replace(told, acknowledged=at, updated=told.at - (at - told.at))


def _severity(row: IncidentRow, conventions: Conventions) -> Severity:
    """By its priority, else by its urgency."""
    priority = severity_of([row.priority.called] if row.priority else (), conventions.severities)
    if priority is not Severity.UNKNOWN:
        return priority
    return severity_of([row.urgency] if row.urgency else (), conventions.severities)


def texts_in(value: Any) -> Iterator[str]:
    """The first texts in a value of any shape, each of bounded length."""
    left, found = [value], 0
    while left and found < DETAILS:
        part = left.pop()
        if isinstance(part, str):
            found += 1
            yield part[:LONGEST]
        elif isinstance(part, dict):
            left += reversed(part.values())
        elif isinstance(part, list):
            left += reversed(part)
