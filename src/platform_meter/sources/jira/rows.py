"""Jira's REST answers, as far as they are read. Pure.

Reads what Cloud (API v3) and Data Center (v2) answer; almost nothing is required there. Comments' bodies and display
names are not declared, so they are dropped while decoding; accounts are compared and then forgotten. Summaries and
descriptions are asked for where tickets may be incidents, and looked through for the names of other records.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.sources.kit.rows import Row, sound

SYSTEM = "jira"


class Person(Struct, rename="camel"):
    account_id: str = ""
    account_type: str = ""
    """atlassian, app or customer; Cloud only."""
    key: str = ""
    name: str = ""
    email_address: str = ""
    """Where the account may see it."""

    @property
    def names_it(self) -> str:
        """The one name to know the person by elsewhere, in small letters: its mail address, else its login, else its
        account's id.
        """
        return (self.email_address.strip() or self.name or self.account_id or self.key).lower()

    @property
    def ids(self) -> frozenset[str]:
        """What the account is known by: its id in Cloud, its key and name in Data Center; nothing of one that is gone."""
        return frozenset({self.account_id, self.key, self.name}) - {""}


class Named(Struct):
    """A status, priority, resolution or type. Its name is today's, in the language of the account that asks."""

    id: str = ""
    name: str = ""


class Category(Struct):
    key: str = ""
    """new, indeterminate or done, whatever people call their statuses."""


class Status(Named, rename="camel"):
    status_category: Category | None = None


class Project(Struct):
    key: str = ""


class Item(Struct, rename="camel"):
    """One field's change; `None` is an empty field. Several components make several items; labels make one of all."""

    field: str = ""
    field_id: str | None = None
    """Cloud only; empty for what is no field of the issue, such as links and its key."""
    before: str | None = msgspec.field(name="from", default=None)
    after: str | None = msgspec.field(name="to", default=None)
    """The ids of the values, which stay when people rename them."""
    from_string: str | None = None
    to_string: str | None = None
    """Their names when it was changed, in the language of the Jira."""

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
    updated: str = ""
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


class Linked(Struct):
    key: str = ""


class Link(Struct, rename="camel"):
    """To another issue, whichever way it goes."""

    inward_issue: Linked | None = None
    outward_issue: Linked | None = None


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
    """Nobody where the account is gone or the field is hidden."""
    assignee: Person | None = None
    components: list[Named] | None = None
    labels: list[str] | None = None
    issuetype: Named | None = None
    project: Project | None = None
    comment: Comments | list[Comment] | None = None
    summary: str | None = None
    description: Any = None
    """A document in API v3, a text in v2."""
    issuelinks: list[Link] | None = None


NAMING = ("summary", "description", "issuelinks")
"""Fields that name other records."""
FIELDS: tuple[str, ...] = tuple(
    info.encode_name for info in msgspec.structs.fields(Fields) if info.encode_name not in NAMING
)
"""Asked for by name, so that nothing else is sent."""


class Found(Row):
    """What a search finds, however its fields are read."""

    id: str = ""
    key: str = ""
    changelog: Histories | None = None

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """When it was created and last changed."""
        raise NotImplementedError


class Issue(Found):
    becomes: ClassVar[str] = "TicketEvent"
    fields: Fields = msgspec.field(default_factory=Fields)

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        return moment(self.fields.created), moment(self.fields.updated)

    @property
    def project(self) -> str:
        return (self.fields.project.key if self.fields.project else "") or project_of(self.key)

    @property
    def open(self) -> bool:
        """Whether somebody may still have to do something: a resolution stays with many a ticket that is open again."""
        return not self.done if self.category else self.fields.resolution is None

    @property
    def category(self) -> Category | None:
        return self.fields.status.status_category if self.fields.status else None

    @property
    def done(self) -> bool:
        return self.category is not None and self.category.key == "done"

    @property
    def inlined(self) -> Comments:
        held = self.fields.comment
        return Comments(comments=held, total=len(held)) if isinstance(held, list) else held or Comments(total=0)


class FieldSchema(Struct):
    custom: str = ""
    """Which kind of made field it is, whatever it is called in the account's language; empty of the Jira's own."""


class Field(Struct):
    """A field that the Jira has, its own or one that people made."""

    id: str = ""
    name: str = ""
    schema: FieldSchema | None = None

    @property
    def kind(self) -> str:
        return self.schema.custom if self.schema else ""


class Planned(Found):
    """An issue that is an item of a roadmap: fields that people made are read too, whatever is in them."""

    becomes: ClassVar[str] = "RoadmapItem"
    fields: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        return moment(self.fields.get("created")), moment(self.fields.get("updated"))


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
