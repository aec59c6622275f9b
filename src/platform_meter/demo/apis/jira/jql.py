"""The part of JQL that a meter needs: `project in (A, B) AND (updated >= "2026-01-31 09:00" OR resolution is EMPTY)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from platform_meter.demo.apis.jira.bodies import CATEGORIES, STATUSES, ticket_id
from platform_meter.demo.company.records import Ticket

_ORDER = re.compile(r"\border\s+by\s+(.*)$", re.IGNORECASE)
_CLAUSE = re.compile(
    r"""\s*(?P<field>[\w"]+)\s*(?:(?P<op>>=|<=|!=|=|>|<)\s*(?P<value>"[^"]*"|'[^']*'|[^\s()]+)|"""
    r"""(?P<no>not\s+)?in\s*\((?P<values>[^)]*)\)|is\s+(?P<full>not\s+)?(?P<empty>empty)\b)""",
    re.IGNORECASE,
)
_AND, _OR = (re.compile(rf"\s*{word}\b", re.IGNORECASE) for word in ("and", "or"))
_OPENS, _CLOSES = re.compile(r"\s*\("), re.compile(r"\s*\)")
FIELDS = frozenset(
    {"project", "updated", "created", "id", "key", "status", "priority", "component", "issuetype"}
    | {"resolution", "statuscategory"}
)
TIMES = frozenset({"updated", "created"})

Test = Callable[[Ticket, datetime], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    meets: Test
    """(ticket, now)"""
    by: str
    """The time it is ordered by, updated or created."""
    down: bool


def _bare(text: str) -> str:
    return text.strip().strip("\"'")


def _instant(text: str, zone: ZoneInfo) -> datetime:
    """Jira takes minutes in the caller's own zone, and nothing finer.

    Raises:
        ValueError: another form.
    """
    for form in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
    raise ValueError(
        f"Date value '{text}' for field 'updated' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )


def _value(ticket: Ticket, field: str, now: datetime) -> str:
    match field:
        case "project":
            return ticket.project
        case "id":
            return str(ticket_id(ticket))
        case "key":
            return ticket.key
        case "status":
            return ticket.field_at("status", now, "Open")
        case "priority":
            return ticket.field_at("priority", now, ticket.priority)
        case "component":
            return ticket.component
        case "resolution":
            return ticket.field_at("resolution", now)
        case "statuscategory":
            return str(CATEGORIES[STATUSES[ticket.field_at("status", now, "Open")]]["name"])
        case _:
            return ticket.type


def _test(clause: re.Match[str], zone: ZoneInfo) -> Test:
    field = _bare(clause["field"]).lower()
    if field not in FIELDS:
        raise ValueError(f"Field '{_bare(clause['field'])}' does not exist or you do not have permission to view it.")
    if field in TIMES:
        if clause["op"] not in {">=", ">", "<=", "<"}:
            raise ValueError(f"The operator '{clause['op'] or 'in'}' is not supported by the '{field}' field.")
        at, sign = _instant(_bare(clause["value"]), zone), clause["op"]

        def in_time(ticket: Ticket, now: datetime) -> bool:
            mine = ticket.updated_at(now) if field == "updated" else ticket.created
            return {">=": mine >= at, ">": mine > at, "<=": mine <= at, "<": mine < at}[sign]

        return in_time
    if clause["empty"]:
        full = bool(clause["full"])
        return lambda ticket, now: bool(_value(ticket, field, now)) is full
    wanted = {_bare(v).lower() for v in (clause["values"] or clause["value"]).split(",")}
    negative = clause["op"] == "!=" or bool(clause["no"])
    return lambda ticket, now: (_value(ticket, field, now).lower() in wanted) is not negative


class _Reader:
    """Reads conditions from left to right: OR binds less than AND, and brackets bind most."""

    def __init__(self, text: str, zone: ZoneInfo) -> None:
        self._text, self._zone, self._at = text, zone, 0

    def whole(self) -> Test:
        """All of the text as one condition.

        Raises:
            ValueError: what Jira would say of it.
        """
        test = self._any()
        if self._text[self._at :].strip():
            raise self._unread()
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._takes(_OR):
            tests.append(self._all())
        return lambda ticket, now: any(test(ticket, now) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._takes(_AND):
            tests.append(self._one())
        return lambda ticket, now: all(test(ticket, now) for test in tests)

    def _one(self) -> Test:
        if self._takes(_OPENS):
            test = self._any()
            if not self._takes(_CLOSES):
                raise self._unread()
            return test
        clause = _CLAUSE.match(self._text, self._at)
        if clause is None:
            raise self._unread()
        self._at = clause.end()
        return _test(clause, self._zone)

    def _takes(self, token: re.Pattern[str]) -> bool:
        found = token.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found is not None

    def _unread(self) -> ValueError:
        rest = self._text[self._at :].strip()
        return ValueError(f"Error in the JQL Query: Unable to parse '{rest}'. (line 1, character {self._at + 1})")


def parse(text: str, zone: ZoneInfo) -> Query:
    """Read a query; times in it are wall time in `zone`.

    Raises:
        ValueError: what Jira would say of it.
    """
    order = _ORDER.search(text)
    by, down = "created", True
    if order:
        word, _, direction = order[1].strip().partition(" ")
        by, down = word.lower().strip(","), direction.strip().lower().startswith("desc")
        if by not in TIMES:
            by, down = "created", False
    where = (text[: order.start()] if order else text).strip()
    if not where:
        raise ValueError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    return Query(meets=_Reader(where, zone).whole(), by=by, down=down)


def projects(text: str) -> list[str]:
    """The projects that a query names."""
    found = re.findall(r"\bproject\s*(?:=\s*(\"[^\"]*\"|\w+)|in\s*\(([^)]*)\))", text, re.IGNORECASE)
    return [_bare(name) for one, several in found for name in (several or one).split(",")]
