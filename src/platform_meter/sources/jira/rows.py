"""Jira's REST answers, as far as they are read, and an issue with its changelog to the steps of a ticket. Pure.

Reads what Cloud (API v3) and Data Center (v2) answer; almost nothing is required there. Summaries, bodies and display
names are not declared, so they are dropped while decoding; accounts are compared and then forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent, ticket_labels
from platform_meter.sources.kit.rows import Row, sound

SYSTEM = "jira"


class Person(Struct, rename="camel"):
    account_id: str = ""
    account_type: str = ""
    """atlassian, app or customer; Cloud only."""
    key: str = ""
    name: str = ""

    @property
    def id(self) -> str:
        """The account: its id in Cloud, its key in Data Center."""
        return self.account_id or self.key or self.name


class Named(Struct):
    name: str = ""


class Category(Struct):
    key: str = ""
    """new, indeterminate or done, whatever people call their statuses."""


class Status(Struct, rename="camel"):
    name: str = ""
    status_category: Category | None = None


class Project(Struct):
    key: str = ""


class Item(Struct, rename="camel"):
    """One field's change; `None` is an empty field. Several components make several items; labels make one of all."""

    field: str = ""
    field_id: str | None = None
    """Cloud only; empty for what is no field of the issue, such as links and its key."""
    from_string: str | None = None
    to_string: str | None = None

    @property
    def what(self) -> str:
        word = (self.field_id or self.field).lower()
        return "components" if word == "component" else word


class History(Row):
    becomes: ClassVar[str] = "TicketEvent"
    id: str = ""
    created: str = ""
    author: Person | None = None
    items: list[Item] | None = None


class Histories(Struct):
    """The changelog as a search inlines it."""

    histories: list[History] = []
    total: int | None = None


class Comment(Row, rename="camel"):
    becomes: ClassVar[str] = "TicketEvent"
    id: str = ""
    created: str = ""
    author: Person | None = None
    jsd_public: bool | None = None
    """Service Management: whether the customer sees it."""
    visibility: dict[str, Any] | None = None
    """The group or role that alone may see it."""

    @property
    def public(self) -> bool:
        return self.jsd_public is not False and self.visibility is None


class Comments(Struct):
    comments: list[Comment] = []
    total: int | None = None


class Fields(Struct):
    status: Status | None = None
    priority: Named | None = None
    resolution: Named | None = None
    resolutiondate: str | None = None
    created: str | None = None
    updated: str | int | None = None
    """The published example says 1; real answers hold a time."""
    creator: Person | None = None
    reporter: Person | None = None
    components: list[Named] | None = None
    labels: list[str] | None = None
    issuetype: Named | None = None
    project: Project | None = None
    comment: Comments | list[Comment] | None = None


FIELDS: tuple[str, ...] = tuple(info.encode_name for info in msgspec.structs.fields(Fields))
"""Asked for by name, so that nothing else is sent."""


class Issue(Row):
    becomes: ClassVar[str] = "TicketEvent"
    id: str = ""
    key: str = ""
    fields: Fields = msgspec.field(default_factory=Fields)
    changelog: Histories | None = None

    @property
    def project(self) -> str:
        return (self.fields.project.key if self.fields.project else "") or project_of(self.key)

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something, as far as Jira can tell."""
        category = self.fields.status.status_category if self.fields.status else None
        return self.fields.resolution is None and (category is None or category.key != "done")

    @property
    def inlined(self) -> Comments:
        held = self.fields.comment
        return Comments(comments=held, total=len(held)) if isinstance(held, list) else held or Comments(total=0)


def project_of(key: str) -> str:
    return key.rpartition("-")[0]


def project_ref(id_: str) -> Ref:
    """A project, or a component of one (`PLAT/Gateway`)."""
    return Ref(system=SYSTEM, kind="project", id=id_)


def moment(value: str | int | None) -> datetime | None:
    """`2026-01-25T11:09:27.985+0800` in UTC; None for what is no time, or none that can be reckoned with."""
    try:
        return sound(datetime.fromisoformat(value), "time").astimezone(UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def odd(*values: str | int | None) -> int:
    """How many of these are there and are no time."""
    return sum(isinstance(value, str) and bool(value) and moment(value) is None for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """How an issue is read: the tool's priorities in our words, and who is no person."""

    priorities: Mapping[str, str] = field(default_factory=dict)
    bots: frozenset[str] = frozenset()
    public_comments_only: bool = False

    def priority(self, name: str | None) -> str:
        return self.priorities.get(name or "", name or "")

    def role(self, who: Person | None, reporter: Person | None) -> Role:
        if who is None:
            return Role.AGENT
        if who.account_type == "app" or who.id in self.bots:
            return Role.BOT
        # A customer who takes part in another's request is no agent either.
        mine = reporter is not None and who.id == reporter.id
        return Role.REPORTER if mine or who.account_type == "customer" else Role.AGENT


@dataclass(slots=True, kw_only=True)
class _Standing:
    """An issue's values at one moment of its history."""

    project: str
    status: str
    priority: str
    resolution: str
    kind: str
    components: set[str]
    labels: tuple[str, ...]

    @property
    def category(self) -> str:
        return min(self.components, default=self.kind)

    @property
    def about(self) -> Ref:
        component = min(self.components, default="")
        return project_ref(f"{self.project}/{component}" if component else self.project)

    def move(self, item: Item, *, back: bool = False) -> None:
        gone, come = (item.to_string, item.from_string) if back else (item.from_string, item.to_string)
        match item.what:
            case "status" | "priority" | "resolution":
                setattr(self, item.what, come or "")
            case "issuetype":
                self.kind = come or ""
            case "key" | "issuekey":
                # Moved to another project; the item `project` tells that one's name only.
                self.project = project_of(come or "") or self.project
            case "components":
                self.components -= {gone or ""}
                self.components |= {come} if come else set()
            case "labels":
                # One text with all of them: Jira allows no blanks in a label.
                self.labels = ticket_labels((come or "").split())
            case _:
                pass


def _today(issue: Issue) -> _Standing:
    def name(value: Named | Status | None) -> str:
        return value.name if value else ""

    fields = issue.fields
    return _Standing(
        project=issue.project,
        status=name(fields.status),
        priority=name(fields.priority),
        resolution=name(fields.resolution),
        kind=name(fields.issuetype),
        components={component.name for component in fields.components or ()},
        labels=ticket_labels(fields.labels or ()),
    )


def ticket_events(
    issue: Issue, histories: Iterable[History], comments: Sequence[Comment], conventions: Conventions
) -> list[TicketEvent]:
    """Every step of an issue, oldest first; none when the account may not see when it was created.

    Its values at creation are today's with the whole changelog undone, newest change first.
    """
    fields, created = issue.fields, moment(issue.fields.created)
    if created is None:
        return []
    changes = sorted(
        ((at, history) for history in histories if (at := moment(history.created))),
        key=lambda change: (change[0], len(change[1].id), change[1].id),
    )
    standing = _today(issue)
    for _, history in reversed(changes):
        for item in reversed(history.items or ()):
            standing.move(item, back=True)
    first = TicketEvent(
        key=f"{issue.id}/created",
        at=created,
        about=standing.about,
        updated=moment(fields.updated),
        queue=standing.project,
        ticket=issue.id,
        name=issue.key,
        change=TicketChange.CREATED,
        role=conventions.role(fields.creator or fields.reporter, fields.reporter),
        status=standing.status,
        priority=conventions.priority(standing.priority),
        category=standing.category,
        issue_type=standing.kind,
        labels=standing.labels,
    )
    blank = replace(
        first, updated=None, name="", status=None, priority=None, category=None, issue_type=None, labels=None
    )
    events = [first, *_changes(blank, issue, standing, changes, conventions)]
    resolved = moment(fields.resolutiondate)
    never = not any(item.what == "resolution" for _, history in changes for item in history.items or ())
    if standing.resolution and resolved and never:
        # Resolved as it was created or imported: no change tells it.
        events.append(
            replace(
                blank,
                key=f"{issue.id}/resolved",
                at=resolved,
                change=TicketChange.RESOLVED,
                role=Role.AGENT,
                resolution=standing.resolution,
            )
        )
    events += [
        replace(
            blank,
            key=f"{issue.id}/comment/{comment.id}",
            at=at,
            change=TicketChange.COMMENT,
            role=conventions.role(comment.author, fields.reporter),
            public=comment.public,
            about=standing.about,
        )
        for comment in comments
        if (at := moment(comment.created)) and (comment.public or not conventions.public_comments_only)
    ]
    return sorted(events, key=lambda event: event.at)


def _changes(
    blank: TicketEvent,
    issue: Issue,
    standing: _Standing,
    changes: Iterable[tuple[datetime, History]],
    conventions: Conventions,
) -> Iterator[TicketEvent]:
    """The changelog forwards. `standing` starts as the values at creation and ends as today's."""
    for at, history in changes:
        items, category = history.items or (), standing.category
        # Another component is one removed and one added: only what holds after both is told.
        handed = max((n for n, item in enumerate(items) if item.what in {"components", "issuetype"}), default=0)
        for number, item in enumerate(items):
            standing.move(item)
            step = replace(
                blank,
                key=f"{issue.id}/{history.id}/{number}",
                at=at,
                about=standing.about,
                role=conventions.role(history.author, issue.fields.reporter),
            )
            match item.what:
                case "status":
                    yield replace(step, change=TicketChange.STATUS, status=standing.status)
                case "priority":
                    yield replace(step, change=TicketChange.PRIORITY, priority=conventions.priority(standing.priority))
                case "assignee":
                    yield replace(step, change=TicketChange.ASSIGNED)
                case "components" | "issuetype" if number == handed and standing.category != category:
                    # Handed to another component: the ticket is assigned anew, if not to a person.
                    kind = standing.kind if item.what == "issuetype" else None
                    yield replace(step, change=TicketChange.ASSIGNED, category=standing.category, issue_type=kind)
                case "issuetype":
                    yield replace(step, change=TicketChange.LABELED, issue_type=standing.kind)
                case "labels":
                    yield replace(step, change=TicketChange.LABELED, labels=standing.labels)
                case "resolution" if standing.resolution:
                    yield replace(step, change=TicketChange.RESOLVED, resolution=standing.resolution)
                case "resolution":
                    yield replace(step, change=TicketChange.REOPENED)
                case _:
                    pass
