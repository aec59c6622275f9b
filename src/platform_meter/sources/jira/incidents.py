"""An issue that is an incident: how it stands, and what it names. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.tickets import TicketChange, TicketEvent, ticket_labels
from platform_meter.sources.jira.names import Names
from platform_meter.sources.jira.rows import Issue, Named, moment, project_ref
from platform_meter.sources.kit.incidents import Incidents, Ticket, incident_of

SCOPED_HOST = "api.atlassian.com"
"""Where scoped tokens are taken. It has no pages for people, and does not say where these are."""
_TEXTS = frozenset({"text", "url", "href"})


def incident(
    issue: Issue, steps: Sequence[TicketEvent], rules: Incidents, names: Names, address: str
) -> Incident | None:
    """The incident that an issue is, was or is said to be no more; None where it never was one. `address` is the site's."""
    fields, created = issue.fields, moment(issue.fields.created)
    if created is None:
        return None
    components = [component.name for component in fields.components or ()]
    priority = _name(fields.priority)
    ticket = Ticket(
        key=incident_key(issue.id),
        created=created,
        updated=moment(fields.updated),
        about=project_ref(f"{issue.project}/{min(components)}" if components else issue.project),
        type=_name(fields.issuetype),
        labels=ticket_labels(fields.labels or ()),
        closed=not issue.open,
        resolved=_resolved(issue, steps),
        resolution=_name(fields.resolution),
        words=[priority, *(alias.other for alias in names.aliases("priority", priority))],
        name=issue.key,
        url="" if urlsplit(address).hostname == SCOPED_HOST else f"{address.rstrip('/')}/browse/{issue.key}",
        texts=[fields.summary, *texts(fields.description)],
        links=[*_linked(issue)],
    )
    return incident_of(ticket, rules, steps)


def incident_key(id_: str) -> str:
    return f"{id_}/incident"


def _name(value: Named | None) -> str:
    return value.name if value else ""


def _resolved(issue: Issue, steps: Sequence[TicketEvent]) -> datetime | None:
    """When it came to stand as it does: by its resolution, else by the last change of its status, where that led there."""
    if at := moment(issue.fields.resolutiondate):
        return at
    changed = [step for step in steps if step.change is TicketChange.STATUS]
    return changed[-1].at if changed and changed[-1].status == _name(issue.fields.status) else None


def _linked(issue: Issue) -> Iterator[str]:
    for link in issue.fields.issuelinks or ():
        yield from (other.key for other in (link.inward_issue, link.outward_issue) if other and other.key)


def texts(document: Any) -> Iterator[str]:
    """All texts and addresses of a description: of the Atlassian document format, or a text as it is."""
    left = [document]
    while left:
        node = left.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, list):
            left += reversed(node)
        elif isinstance(node, dict):
            left += (value for value in reversed(node.values()) if isinstance(value, dict | list))
            yield from (value for name, value in node.items() if name in _TEXTS and isinstance(value, str))
