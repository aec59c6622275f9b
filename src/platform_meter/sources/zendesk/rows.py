"""Zendesk's answers, as far as they are read. Pure.

Subjects, bodies of comments and names of people are not declared, so they are dropped while decoding; ids and mail
addresses of people are compared or hashed, and then forgotten.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from platform_meter.sources.kit.rows import Row

SYSTEM = "zendesk"
RULE = ("rule", 8)
"""Channels, by name and number, of what triggers and automations do."""
MERGE = ("merge", 19)
"""Channels, by name and number, of what a merge does."""
SPEAKS = frozenset({"Comment", "VoiceComment", "FacebookComment"})
"""Audit events by which somebody says something."""


class Via(Struct):
    """How something came about. What `source` holds hangs on the channel."""

    channel: Any = None
    source: Any = None

    @property
    def by_rule(self) -> bool:
        return self.channel in RULE

    @property
    def by_merge(self) -> bool:
        return self.channel in MERGE or _in(self.source, "rel") == "merge"

    @property
    def tickets(self) -> tuple[str, ...]:
        """Tickets that it names, the one that something went to first."""
        named = (_in(_in(self.source, end), "ticket_id") for end in ("to", "from"))
        return tuple(str(id_) for id_ in named if id_)


def _in(held: Any, name: str) -> Any:
    return held.get(name) if isinstance(held, dict) else None


class Ticket(Row):
    becomes: ClassVar[str] = "TicketEvent"
    id: int
    created_at: datetime
    updated_at: datetime
    status: str = ""
    custom_status_id: int | None = None
    priority: str | None = None
    type: str | None = None
    tags: list[str] | None = None
    requester_id: int | None = None
    submitter_id: int | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    brand_id: int | None = None
    ticket_form_id: int | None = None
    organization_id: int | None = None

    @property
    def deleted(self) -> bool:
        return self.status == "deleted"


class Export(Struct):
    """A page of the export by cursor."""

    tickets: list[Ticket] = []
    after_cursor: str | None = None
    end_of_stream: bool = False


class Meta(Struct):
    has_more: bool = False
    after_cursor: str | None = None


class Paged(Struct):
    """A page of a list that goes on behind a cursor."""

    meta: Meta = msgspec.field(default_factory=Meta)

    @property
    def after(self) -> str | None:
        """Where the next page begins; None on the last one."""
        return self.meta.after_cursor or None if self.meta.has_more else None


class Found(Paged):
    """A page of the export of a search."""

    results: list[Ticket] = []


class User(Row):
    becomes: ClassVar[str] = "TicketEvent"
    id: int
    role: str | None = None
    """end-user, agent or admin."""
    email: str | None = None
    organization_id: int | None = None

    @property
    def licensed(self) -> bool:
        return self.role in {"agent", "admin"}

    @property
    def names_it(self) -> str:
        """The one name to know the person by elsewhere, in small letters: its mail address, else its id."""
        return (self.email or "").strip().lower() or str(self.id)


class Users(Struct):
    users: list[User] = []


class Myself(Struct):
    id: int | None = None
    """None of somebody who is not signed in."""


class Me(Struct):
    user: Myself


class Said(Struct):
    """One event of an audit. Which of its fields are there hangs on its type."""

    id: int = 0
    type: str = ""
    field_name: str | None = None
    value: Any = None
    previous_value: Any = None
    public: bool | None = None
    author_id: int | None = None
    comment_id: int | None = None
    """Of a CommentPrivacyChange."""
    via: Via | None = None


class Audit(Row):
    becomes: ClassVar[str] = "TicketEvent"
    id: int
    created_at: datetime
    author_id: int | None = None
    events: list[Said] = msgspec.field(default_factory=list)
    via: Via | None = None

    @property
    def creates(self) -> bool:
        return any(said.type == "Create" for said in self.events)


class Audits(Struct):
    """A page of a ticket's history, with the people in it."""

    audits: list[Audit] = []
    users: list[User] = []
    next_page: str | None = None


class Named(Struct):
    name: str = ""


class One(Struct):
    """A group, a brand or a form."""

    group: Named | None = None
    brand: Named | None = None
    ticket_form: Named | None = None

    @property
    def name(self) -> str:
        return next((one.name for one in (self.group, self.brand, self.ticket_form) if one), "")


class CustomStatus(Struct):
    id: int
    status_category: str = ""
    """new, open, pending, hold or solved."""
    agent_label: str = ""
    default: bool = False
    """It is the one that stands for its category."""


class CustomStatuses(Struct):
    custom_statuses: list[CustomStatus] = []


def utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
