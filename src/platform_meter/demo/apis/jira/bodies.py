"""Jira Cloud's JSON: tickets with fields and changelog, and what names their parts."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from zlib import crc32

from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.layout import Company, mail
from platform_meter.demo.company.records import Step, Ticket, sha_of
from platform_meter.demo.company.tickets import (
    BOT,
    CLOSED,
    OPEN,
    PRIORITIES,
    PROGRESS,
    PROJECTS,
    RESOLUTIONS,
    RESOLVED,
    WAITING,
    Project,
    components,
)

CHANGES_SHOWN = 100
"""Entries of a changelog that a search shows at most, the newest; all of them are at /changelog."""
CATEGORIES = {
    "new": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "indeterminate": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    "done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
STATUSES = {OPEN: "new", PROGRESS: "indeterminate", WAITING: "indeterminate", RESOLVED: "done", CLOSED: "done"}
_STATUS_IDS = {name: str(10_000 + n) for n, name in enumerate(STATUSES)}
_TYPES = {"Service Request": "10100", "Bug": "10101", "Incident": "10102"}
NAMED = {"priority": PRIORITIES, "resolution": RESOLUTIONS, "issuetype": tuple(_TYPES)}
FIELDS = {
    "summary": "Summary",
    "status": "Status",
    "priority": "Priority",
    "issuetype": "Issue Type",
    "project": "Project",
    "components": "Components",
    "labels": "Labels",
    "reporter": "Reporter",
    "creator": "Creator",
    "assignee": "Assignee",
    "created": "Created",
    "updated": "Updated",
    "resolution": "Resolution",
    "resolutiondate": "Resolved",
    "comment": "Comment",
}


def stamp(at: datetime) -> str:
    """As Jira writes it: the user's zone, milliseconds, no colon in the offset."""
    return at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S.000%z")


class Bodies:
    """Bodies under one base address."""

    def __init__(self, base: str, company: Company) -> None:
        self.base = base
        self._components = {project.key: components(company, project) for project in PROJECTS}
        self.user = cache(self._user)
        self.at = f"{base}/rest/api/3"

    def _user(self, handle: str) -> dict[str, Any]:
        account = f"712020:{sha_of('account', handle)[:32]}"
        picture = f"{self.base}/avatar/{handle}"
        return {
            "self": f"{self.at}/user?accountId={account}",
            "accountId": account,
            "avatarUrls": {f"{n}x{n}": f"{picture}?size={n}" for n in (48, 24, 16, 32)},
            "emailAddress": mail(handle),
            "displayName": handle,
            "active": True,
            "timeZone": ZONE.key,
            "accountType": "app" if handle == BOT else "atlassian",
        }

    def status(self, name: str) -> dict[str, Any]:
        return {
            "self": f"{self.at}/status/{_STATUS_IDS[name]}",
            "description": "",
            "iconUrl": f"{self.base}/images/status.png",
            "name": name,
            "id": _STATUS_IDS[name],
            "statusCategory": self.category(STATUSES[name]),
        }

    def category(self, key: str) -> dict[str, Any]:
        return {"self": f"{self.at}/statuscategory/{CATEGORIES[key]['id']}", **CATEGORIES[key]}

    def project(self, project: Project) -> dict[str, Any]:
        return {
            "self": f"{self.at}/project/{project.id}",
            "id": str(project.id),
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "service_desk",
            "simplified": False,
            "style": "classic",
            "isPrivate": False,
            "avatarUrls": {"48x48": f"{self.base}/avatar/{project.key}"},
        }

    def component(self, project: Project, name: str) -> dict[str, Any]:
        number = str(20_000 + self._components[project.key].index(name) + project.id % 100 * 100)
        return {"self": f"{self.at}/component/{number}", "id": number, "name": name}

    def components(self, project: Project) -> list[dict[str, Any]]:
        return [self.component(project, name) for name in self._components[project.key]]

    def field(self, key: str) -> dict[str, Any]:
        kind = {"created": "datetime", "updated": "datetime", "resolutiondate": "datetime"}.get(key, "string")
        return {
            "id": key,
            "key": key,
            "name": FIELDS[key],
            "custom": False,
            "orderable": True,
            "navigable": True,
            "searchable": True,
            "clauseNames": [key],
            "schema": {"type": kind, "system": key},
        }

    def named(self, kind: str, name: str) -> dict[str, str]:
        """A priority, resolution or issue type."""
        number = _TYPES.get(name) or str(crc32(name.encode()) % 10_000)
        return {"self": f"{self.at}/{kind}/{number}", "name": name, "id": number}

    def comment(self, ticket: Ticket, index: int, step: Step) -> dict[str, Any]:
        number = str(ticket_id(ticket) * 100 + index)
        text = {"type": "paragraph", "content": [{"type": "text", "text": step.comment}]}
        return {
            "self": f"{self.at}/issue/{ticket_id(ticket)}/comment/{number}",
            "id": number,
            "author": self.user(step.actor),
            "updateAuthor": self.user(step.actor),
            "body": {"type": "doc", "version": 1, "content": [text]},
            "created": stamp(step.at),
            "updated": stamp(step.at),
            "jsdPublic": step.public,
        }

    def comments(self, ticket: Ticket, now: datetime) -> list[dict[str, Any]]:
        """Oldest first."""
        return [self.comment(ticket, n, step) for n, step in enumerate(ticket.steps_at(now)) if step.comment]

    def fields(self, ticket: Ticket, now: datetime) -> dict[str, Any]:
        project = next(p for p in PROJECTS if p.key == ticket.project)
        past = ticket.steps_at(now)
        comments = self.comments(ticket, now)
        resolution = ticket.field_at("resolution", now)
        resolved = [step.at for step in past for field, _, to in step.changes if field == "resolution" and to]
        assignee = ticket.field_at("assignee", now)
        flag = ticket.field_at("labels", now)
        return {
            "summary": ticket.summary,
            "status": self.status(ticket.field_at("status", now, OPEN)),
            "priority": self.named("priority", ticket.field_at("priority", now, ticket.priority)),
            "issuetype": {**self.named("issuetype", ticket.type), "subtask": False},
            "project": self.project(project),
            "components": [self.component(project, ticket.component)],
            "labels": [*ticket.labels, *([flag] if flag else [])],
            "reporter": self.user(ticket.reporter),
            "creator": self.user(ticket.reporter),
            "assignee": self.user(assignee) if assignee else None,
            "created": stamp(ticket.created),
            "updated": stamp(ticket.updated_at(now)),
            "resolution": self.named("resolution", resolution) if resolution else None,
            "resolutiondate": stamp(resolved[-1]) if resolution else None,
            "comment": {
                "comments": comments,
                "self": f"{self.at}/issue/{ticket_id(ticket)}/comment",
                "maxResults": len(comments),
                "total": len(comments),
                "startAt": 0,
            },
        }

    def history(self, ticket: Ticket, index: int, step: Step) -> dict[str, Any]:
        return {
            "id": str(ticket_id(ticket) * 1000 + index),
            "author": self.user(step.actor),
            "created": stamp(step.at),
            "items": [self._item(ticket, *change) for change in step.changes],
        }

    def _item(self, ticket: Ticket, field: str, before: str, after: str) -> dict[str, Any]:
        """One changed field. Ids stand in from and to; null, as Jira has it, where there is or was nothing.

        Of labels, an item tells all there were and are, not only those that come and go.
        """
        if field == "labels":
            before, after = (" ".join((*ticket.labels, *flag.split())) for flag in (before, after))

        def identity(value: str) -> str | None:
            if not value:
                return None
            match field:
                case "status":
                    return _STATUS_IDS[value]
                case "assignee":
                    return str(self.user(value)["accountId"])
                case "labels":
                    return None
                case _:
                    return self.named(field, value)["id"]

        return {
            "field": field,
            "fieldtype": "jira",
            "fieldId": field,
            "from": identity(before),
            "fromString": before or (None if field != "labels" else ""),
            "to": identity(after),
            "toString": after or (None if field != "labels" else ""),
        }

    def histories(self, ticket: Ticket, now: datetime) -> list[dict[str, Any]]:
        """Oldest first."""
        return [self.history(ticket, n, step) for n, step in enumerate(ticket.steps_at(now)) if step.changes]

    def issue(self, ticket: Ticket, now: datetime, fields: frozenset[str], *, changelog: bool) -> dict[str, Any]:
        """`fields` empty: all of them."""
        body: dict[str, Any] = {
            "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
            "id": str(ticket_id(ticket)),
            "self": f"{self.at}/issue/{ticket_id(ticket)}",
            "key": ticket.key,
        }
        found = self.fields(ticket, now)
        body["fields"] = {key: value for key, value in found.items() if not fields or key in fields}
        if changelog:
            entries = self.histories(ticket, now)[::-1]
            shown = entries[:CHANGES_SHOWN]
            body["changelog"] = {
                "startAt": 0,
                "maxResults": len(shown),
                "total": len(entries),
                "histories": shown,
            }
        return body


def ticket_id(ticket: Ticket) -> int:
    """The number by which Jira knows it, whatever its key."""
    project = next(p for p in PROJECTS if p.key == ticket.project)
    return project.id * 100_000 + ticket.number
