"""An issue that is an incident: how it stands, and what it names. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.sources.github.rows import Issue, utc
from platform_meter.sources.kit.incidents import Incidents, Ticket, incident_of

RESOLUTIONS = {"completed": "Done", "not_planned": "Won't Do", "duplicate": "Duplicate"}
"""GitHub's reasons in the words that Ticketing files and rules for incidents know as invalid or not."""


def incident(ref: Ref, issue: Issue, steps: Iterable[TicketEvent], rules: Incidents) -> Incident | None:
    """The incident that an issue is, was or is said to be no more; None where it never was one.

    Its labels say how bad it is.
    """
    reason = issue.state_reason or "completed"
    ticket = Ticket(
        key=incident_key(issue.id),
        created=utc(issue.created_at),
        updated=utc(issue.updated_at),
        about=ref,
        type=issue.type.name if issue.type else "",
        labels=sorted(issue.label_names()),
        closed=issue.state == "closed",
        resolved=utc(issue.closed_at) if issue.closed_at else None,
        resolution=RESOLUTIONS.get(reason, reason),
        words=sorted(issue.label_names()),
        name=f"{ref.id}#{issue.number}",
        url=issue.html_url or "",
        texts=(issue.title, issue.body),
    )
    return incident_of(ticket, rules, steps)


def incident_key(id_: object) -> str:
    return f"issue/{id_}"
