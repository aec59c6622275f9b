"""ServiceNow's rows, as far as they are read. Pure.

Asked for with `sysparm_display_value=all`, so each field has its value (ids, times in UTC) beside what people see. A field
that a table does not have, or that the account may not see, is left out or empty. Texts of comments are not asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.sources.kit.rows import Row, sound

SYSTEM = "servicenow"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Value(Struct, frozen=True):
    """One field: as it is stored, and as the account sees it in its language."""

    value: str | None = None
    display_value: str | None = None

    @property
    def raw(self) -> str:
        return (self.value or "").strip()

    @property
    def shown(self) -> str:
        """What people see; what is stored where that is empty."""
        return (self.display_value or "").strip() or self.raw


NOTHING = Value()


class Record(Row):
    """What every row has."""

    sys_id: Value = NOTHING
    sys_updated_on: Value = NOTHING
    sys_created_on: Value = NOTHING

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.sys_id.raw:
            raise ValueError("it has no `sys_id`")
        for value in self.times():
            moment(value)

    def times(self) -> tuple[Value, ...]:
        """Fields that hold a moment."""
        return (self.sys_updated_on, self.sys_created_on)

    @property
    def id(self) -> str:
        return self.sys_id.raw

    @property
    def updated(self) -> datetime | None:
        return moment(self.sys_updated_on)

    @property
    def made(self) -> datetime | None:
        return moment(self.sys_created_on)


class Task(Record):
    """A ticket of any table that extends `task`."""

    becomes: ClassVar[str] = "TicketEvent"
    number: Value = NOTHING
    sys_class_name: Value = NOTHING
    sys_created_by: Value = NOTHING
    sys_mod_count: Value = NOTHING
    state: Value = NOTHING
    active: Value = NOTHING
    priority: Value = NOTHING
    severity: Value = NOTHING
    category: Value = NOTHING
    subcategory: Value = NOTHING
    cat_item: Value = NOTHING
    cmdb_ci: Value = NOTHING
    assignment_group: Value = NOTHING
    assigned_to: Value = NOTHING
    opened_at: Value = NOTHING
    resolved_at: Value = NOTHING
    closed_at: Value = NOTHING
    close_code: Value = NOTHING
    resolution_code: Value = NOTHING
    company: Value = NOTHING
    caller_id: Value = NOTHING
    requested_for: Value = NOTHING
    contact: Value = NOTHING
    opened_by: Value = NOTHING
    caller_login: Value = msgspec.field(name="caller_id.user_name", default=NOTHING)
    caller_mail: Value = msgspec.field(name="caller_id.email", default=NOTHING)
    caller_department: Value = msgspec.field(name="caller_id.department", default=NOTHING)
    for_login: Value = msgspec.field(name="requested_for.user_name", default=NOTHING)
    for_mail: Value = msgspec.field(name="requested_for.email", default=NOTHING)
    for_department: Value = msgspec.field(name="requested_for.department", default=NOTHING)
    contact_login: Value = msgspec.field(name="contact.user_name", default=NOTHING)
    contact_mail: Value = msgspec.field(name="contact.email", default=NOTHING)
    opener_login: Value = msgspec.field(name="opened_by.user_name", default=NOTHING)
    opener_mail: Value = msgspec.field(name="opened_by.email", default=NOTHING)
    opener_department: Value = msgspec.field(name="opened_by.department", default=NOTHING)
    major_incident_state: Value = NOTHING
    caused_by: Value = NOTHING
    problem_id: Value = NOTHING
    short_description: Value = NOTHING
    description: Value = NOTHING

    def times(self) -> tuple[Value, ...]:
        return (*super().times(), self.opened_at, self.resolved_at, self.closed_at)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.updated is None or self.made is None:
            raise ValueError("it does not say when it was made and changed")

    @property
    def created(self) -> datetime:
        """When it was opened: what is imported was opened before its row was made."""
        known = [at for at in (moment(self.opened_at), self.made) if at is not None]
        return min(known)

    @property
    def ended(self) -> datetime | None:
        """When it was resolved, as it says itself; a date before it was opened tells nothing."""
        ended = moment(self.resolved_at) or moment(self.closed_at)
        return ended if ended is not None and ended >= self.created else None

    @property
    def open(self) -> bool:
        return self.active.raw != "false"

    @property
    def code(self) -> str:
        """How it was solved, in the tool's word."""
        return self.close_code.shown or self.resolution_code.shown


NAMING = ("major_incident_state", "caused_by", "problem_id", "short_description", "description")
"""What tells of incidents."""
FIELDS = tuple(info.encode_name for info in msgspec.structs.fields(Task) if info.encode_name not in NAMING)
"""Asked for by name, so that nothing else is sent."""


class Audit(Record):
    """One change of one field. References are ids, choices their values."""

    becomes: ClassVar[str] = "TicketEvent"
    documentkey: Value = NOTHING
    fieldname: Value = NOTHING
    oldvalue: Value = NOTHING
    newvalue: Value = NOTHING
    user: Value = NOTHING
    record_checkpoint: Value = NOTHING


class Entry(Record):
    """One comment or work note, without its text."""

    becomes: ClassVar[str] = "TicketEvent"
    element_id: Value = NOTHING
    element: Value = NOTHING
    sys_created_by: Value = NOTHING

    @property
    def public(self) -> bool:
        return self.element.raw == "comments"


class Clock(Record):
    """One run of one SLA of one ticket."""

    becomes: ClassVar[str] = "ToolClock"
    task: Value = NOTHING
    sla: Value = NOTHING
    stage: Value = NOTHING
    has_breached: Value = NOTHING
    start_time: Value = NOTHING
    end_time: Value = NOTHING
    planned_end_time: Value = NOTHING
    business_duration: Value = NOTHING
    table: Value = msgspec.field(name="task.sys_class_name", default=NOTHING)
    group: Value = msgspec.field(name="task.assignment_group", default=NOTHING)
    goal: Value = msgspec.field(name="sla.duration", default=NOTHING)

    def times(self) -> tuple[Value, ...]:
        return (*super().times(), self.start_time, self.end_time, self.planned_end_time)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.updated is None or moment(self.start_time) is None or not self.task.raw:
            raise ValueError("it does not say of what it is, when it began and when it changed")
        for value in (self.business_duration, self.goal):
            length(value)


class Choice(Record):
    """What a value of a field is called."""

    becomes: ClassVar[str] = "TicketEvent"
    name: Value = NOTHING
    element: Value = NOTHING
    value: Value = NOTHING
    label: Value = NOTHING
    language: Value = NOTHING

    @property
    def place(self) -> tuple[str, str]:
        """Field and value."""
        return self.element.raw, self.value.raw


class Named(Record):
    """A group of people."""

    becomes: ClassVar[str] = "TicketEvent"
    name: Value = NOTHING


class Member(Record):
    becomes: ClassVar[str] = "TicketEvent"
    login: Value = msgspec.field(name="user.user_name", default=NOTHING)


def names_of(type_: type[Record]) -> tuple[str, ...]:
    return tuple(info.encode_name for info in msgspec.structs.fields(type_))


def about(table: str, group: str) -> Ref:
    """A ticket as ownership knows it: by its table, and by the group that works on it."""
    links = (f"{SYSTEM}:group/{group}",) if group else ()
    return Ref(system=SYSTEM, kind="table", id=table, links=links)


def moment(value: Value) -> datetime | None:
    """`2026-05-20 11:00:00` is UTC; None for an empty field.

    Raises:
        ValueError: it is no time that can be reckoned with.
    """
    if not value.raw:
        return None
    at = datetime.fromisoformat(value.raw)
    return sound(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC), "time")


def stamp(at: datetime) -> str:
    """A moment as queries have it: whole seconds in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def length(value: Value) -> timedelta | None:
    """A duration, which is stored as so long after 1970 began; None for an empty field.

    Raises:
        ValueError: it is no time.
    """
    if not value.raw:
        return None
    at = datetime.fromisoformat(value.raw)
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at) - _EPOCH
