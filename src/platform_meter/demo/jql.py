"""The part of JQL that a meter needs: `project in (A, B) AND updated >= "2026-01-31 09:00" ORDER BY updated ASC`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from platform_meter.demo.jira_bodies import ticket_id
from platform_meter.demo.records import Ticket

_ORDER = re.compile(r"\border\s+by\s+(.*)$", re.IGNORECASE)
_CLAUSE = re.compile(
    r"""\s*(?P<field>[\w"]+)\s*(?:(?P<op>>=|<=|!=|=|>|<)\s*(?P<value>"[^"]*"|'[^']*'|[^\s()]+)|"""
    r"""(?P<no>not\s+)?in\s*\((?P<values>[^)]*)\))\s*(?:and\b|$)""",
    re.IGNORECASE,
)
FIELDS = frozenset({"project", "updated", "created", "id", "key", "status", "priority", "component", "issuetype"})
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
    wanted = {_bare(v).lower() for v in (clause["values"] or clause["value"]).split(",")}
    negative = clause["op"] == "!=" or bool(clause["no"])
    return lambda ticket, now: (_value(ticket, field, now).lower() in wanted) is not negative


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
    tests: list[Test] = []
    at = 0
    while at < len(where):
        clause = _CLAUSE.match(where, at)
        if not clause:
            raise ValueError(
                f"Error in the JQL Query: Unable to parse '{where[at:].strip()}'. (line 1, character {at + 1})"
            )
        tests.append(_test(clause, zone))
        at = clause.end()
    return Query(meets=lambda ticket, now: all(test(ticket, now) for test in tests), by=by, down=down)


def projects(text: str) -> list[str]:
    """The projects that a query names."""
    found = re.findall(r"\bproject\s*(?:=\s*(\"[^\"]*\"|\w+)|in\s*\(([^)]*)\))", text, re.IGNORECASE)
    return [_bare(name) for one, several in found for name in (several or one).split(",")]
