"""Records of incidents: how bad one is in every tool's words, and tickets whose type or label says that they are one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field, model_validator

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import MOST_MENTIONS, Incident, IncidentWay, Severity, named_in
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.scalars import Definition
from platform_meter.model.ticketing import INVALID

SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("p0", "p1", "sev0", "sev1", "s0", "s1", "critical", "highest", "blocker"), Severity.CRITICAL),
    **dict.fromkeys(("p2", "sev2", "s2", "major", "high"), Severity.MAJOR),
    **dict.fromkeys(("p3", "p4", "p5", "sev3", "sev4", "sev5", "s3", "s4", "s5"), Severity.MINOR),
    **dict.fromkeys(("minor", "medium", "moderate", "low", "lowest", "trivial"), Severity.MINOR),
}
"""What priorities, severities and urgencies are called, in small letters and without what stands between them."""
_PREFIX = re.compile(r"\s*(?:severity|sev|priority|prio|urgency)\s*[:/=]\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s_.-]+")
_ORDER = tuple(Severity)

NO_INCIDENT = (*INVALID, "Invalid", "Won't Do", "Won't Fix", "Not a Bug", "False Alarm")
"""Resolutions that say that it was none: those of tickets that are no valid ones, and what is said of incidents alone."""


def severity_of(words: Iterable[str], own: Mapping[str, Severity]) -> Severity:
    """The worst that one of these words stands for: as people's `own` table has it, else as `SEVERITIES`.

    A word may carry what it is about: `severity: critical`, `SEV-1`.
    """
    mine = {_bare(word): severity for word, severity in own.items()}
    found = {severity for word in words if (severity := mine.get(_bare(word)) or SEVERITIES.get(_bare(word)))}
    return min(found, key=_ORDER.index, default=Severity.UNKNOWN)


def _bare(word: str) -> str:
    return _BETWEEN.sub("", _PREFIX.sub("", word, count=1)).lower()


class Incidents(Definition):
    """Which tickets are incidents, and what their words mean."""

    types: tuple[str, ...] = Field(default=(), examples=[["Incident"]])
    """Types of ticket that are incidents, in capitals or not."""
    labels: tuple[str, ...] = Field(default=(), examples=[["incident"]])
    """Labels that make a ticket one."""
    severities: dict[str, Severity] = Field(default_factory=dict, examples=["{Showstopper: critical}"])
    """Priorities and labels of one's own, before `SEVERITIES`."""
    invalid: tuple[str, ...] = NO_INCIDENT
    """Resolutions that say that it was no incident."""

    @model_validator(mode="after")
    def _names_something(self) -> Incidents:
        if not self.types and not self.labels:
            raise ValueError(
                "it takes no ticket for an incident; add `types: [Incident]`, `labels: [incident]` or both"
            )
        return self

    def takes(self, type_: str, labels: Iterable[str]) -> bool:
        """Whether a ticket of this type and with these labels is an incident."""
        wanted = {label.lower() for label in self.labels}
        return type_.lower() in {t.lower() for t in self.types} or any(label.lower() in wanted for label in labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """How a ticket stands, in no tool's words. Its texts are looked through, and not kept."""

    key: str
    created: datetime
    updated: datetime | None
    about: Ref
    type: str
    labels: Sequence[str]
    closed: bool
    """Whether nobody has to do anything any more."""
    resolved: datetime | None
    """When it came to be so, of one that is closed; None where nobody recorded it."""
    resolution: str
    words: Sequence[str]
    """What says how bad it is: priorities, labels."""
    name: str
    url: str
    texts: Sequence[str | None]
    links: Sequence[str] = ()
    """Names of tickets that it is linked to."""


def incident_of(ticket: Ticket, rules: Incidents, steps: Iterable[TicketEvent]) -> Incident | None:
    """The incident that a ticket is; None where it never was one.

    One that was taken for an incident and is called so no more was none, which its `steps` tell. Nor is one counted that
    is closed at a time that nobody recorded: any moment would be made up.
    """
    is_one = rules.takes(ticket.type, ticket.labels)
    if not is_one and not any(rules.takes(step.issue_type or "", step.labels or ()) for step in steps):
        return None
    invalid = {resolution.lower() for resolution in rules.invalid}
    none = ticket.closed and (ticket.resolved is None or ticket.resolution.lower() in invalid)
    own = (ticket.name, *((ticket.url,) if ticket.url else ()))
    named = sorted({*ticket.links, *named_in(*ticket.texts)} - {*own})
    return Incident(
        key=ticket.key,
        at=ticket.created,
        about=ticket.about,
        updated=ticket.updated,
        severity=severity_of(ticket.words, rules.severities),
        way=IncidentWay.TICKET,
        resolved=ticket.resolved if ticket.closed else None,
        name=ticket.name,
        url=ticket.url,
        ids=own,
        mentions=tuple(named[:MOST_MENTIONS]),
        valid=is_one and not none,
    )


def gone_incident(key: str, about: Ref, created: datetime, at: datetime) -> Incident:
    """What takes back an incident whose ticket its tool no longer shows: nobody will ever say that it has ended."""
    return Incident(key=key, at=created, about=about, updated=at, way=IncidentWay.TICKET, valid=False)
