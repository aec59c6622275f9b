"""A ServiceNow in memory: tables that answer encoded queries, cut pages first and leave out hidden rows then."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
PATH = re.compile(r"/api/now/table/(?P<table>\w+)")
CONDITION = re.compile(r"(?P<field>[a-z_.]+)(?P<op>>=|<=|!=|=|>|IN)(?P<value>.*)")
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "!=": lambda a, b: a != b,
    "=": lambda a, b: a == b,
    ">": lambda a, b: a > b,
    "IN": lambda a, b: a in b.split(","),
}
STATES = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}
PRIORITIES = {"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate"}
GROUPS = {"g1": "Service Desk", "g2": "Network"}


def text(at: datetime) -> str:
    """As it is stored: UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def both(value: str, shown: str | None = None) -> Row:
    return {"value": value, "display_value": value if shown is None else shown}


def task(number: int, created: datetime, updated: datetime, **more: Any) -> Row:
    """An incident of Mona's that Ada's desk works on."""
    said = {"state": "1", "priority": "3", "group": "g1", "login": "mona", "active": "true", "mod": "3", **more}
    row = {
        "sys_id": both(f"t{number}"),
        "sys_created_on": both(text(created), "20/05/2026 14:00"),
        "sys_updated_on": both(text(updated)),
        "sys_created_by": both(said.pop("by", "mona")),
        "sys_mod_count": both(said.pop("mod")),
        "sys_class_name": both("incident", "Incident"),
        "number": both(f"INC{number}"),
        "opened_at": both(text(created)),
        "state": both(said["state"], STATES[said.pop("state")]),
        "priority": both(said["priority"], PRIORITIES[said.pop("priority")]),
        "severity": both("3", "3 - Low"),
        "active": both(said.pop("active")),
        "category": both("network", "Network"),
        "assignment_group": both(said["group"], GROUPS.get(said.pop("group"), "")),
        "assigned_to": both(""),
        "caller_id": both("u1", "Mona Lisa"),
        "caller_id.user_name": both(said["login"]),
        "caller_id.email": both(f"{said.pop('login')}@example.test"),
        "caller_id.department": both("d1", "Payments"),
        "resolved_at": both(""),
        "closed_at": both(""),
        "close_code": both(""),
        "short_description": both("Mona's printer says PLAT-7 and 1.2.3"),
    }
    return row | {name: value if isinstance(value, dict) else both(value) for name, value in said.items()}


def audit(number: int, ticket: int, at: datetime, name: str, old: str, new: str, user: str = "ada") -> Row:
    return {
        "sys_id": both(f"a{number:03}"),
        "sys_created_on": both(text(at)),
        "documentkey": both(f"t{ticket}"),
        "fieldname": both(name),
        "oldvalue": both(old),
        "newvalue": both(new),
        "user": both(user),
        "record_checkpoint": both(str(number)),
    }


def entry(number: int, ticket: int, at: datetime, user: str, element: str = "comments") -> Row:
    return {
        "sys_id": both(f"j{number:03}"),
        "sys_created_on": both(text(at)),
        "element_id": both(f"t{ticket}"),
        "element": both(element),
        "sys_created_by": both(user),
        "value": both("Dear Mona, ..."),
    }


def clock(number: int, ticket: int, start: datetime, updated: datetime, **more: str) -> Row:
    row = {
        "sys_id": both(f"c{number}"),
        "sys_updated_on": both(text(updated)),
        "task": both(f"t{ticket}", f"INC{ticket}"),
        "task.sys_class_name": both("incident", "Incident"),
        "task.assignment_group": both("g1", "Service Desk"),
        "sla": both("s1", "Priority 1 response"),
        "sla.duration": both("1970-01-01 08:00:00", "8 Hours"),
        "stage": both("in_progress"),
        "has_breached": both("false"),
        "active": both("true"),
        "start_time": both(text(start)),
        "end_time": both(""),
        "planned_end_time": both(""),
        "business_duration": both("1970-01-01 01:30:00", "1 Hour 30 Minutes"),
    }
    return row | {name: both(value) for name, value in more.items()}


def choice(number: int, table: str, name: str, value: str, label: str, language: str = "en") -> Row:
    said = {"name": table, "element": name, "value": value, "label": label, "language": language, "inactive": "false"}
    return {"sys_id": both(f"x{number}"), **{key: both(text_) for key, text_ in said.items()}}


@dataclass(slots=True)
class ServiceNow:
    tables: dict[str, list[Row]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Tables that the account may not read."""
    hidden: set[str] = field(default_factory=set)
    """Ids of rows that an access rule hides."""
    unseen: set[str] = field(default_factory=set)
    """Fields that it may not see: a query leaves out what it says of them."""
    between: Callable[[ServiceNow], None] = lambda _: None
    """What happens after each answer."""

    def __call__(self, call: Call) -> Reply:
        match = PATH.fullmatch(call.path)
        if match is None:
            return Reply(status=404)
        table = match["table"]
        if table in self.refused:
            return Reply(status=403)
        if table not in self.tables:
            return Reply(status=400)
        rows = self._found(self.tables[table], call.params.get("sysparm_query", ""))
        offset, limit = call.params["sysparm_offset"], call.params["sysparm_limit"]
        wanted = call.params["sysparm_fields"].split(",")
        page = [row for row in rows[offset : offset + limit] if row["sys_id"]["value"] not in self.hidden]
        shown = [{name: row[name] for name in wanted if name in row and name not in self.unseen} for row in page]
        self.between(self)
        return Reply(body={"result": shown}, headers={"X-Total-Count": str(len(rows))})

    def _found(self, rows: list[Row], query: str) -> list[Row]:
        order: list[tuple[str, bool]] = []
        conditions: list[list[str]] = []
        for part in query.split("^"):
            if part.startswith("ORDERBYDESC"):
                order.append((part.removeprefix("ORDERBYDESC"), True))
            elif part.startswith("ORDERBY"):
                order.append((part.removeprefix("ORDERBY"), False))
            elif part.startswith("OR"):
                conditions[-1].append(part.removeprefix("OR"))
            elif part:
                conditions.append([part])
        found = [row for row in rows if all(any(self._meets(row, one) for one in many) for many in conditions)]
        for name, down in reversed(order):
            found.sort(key=lambda row, name=name: row.get(name, both(""))["value"], reverse=down)  # type: ignore[misc]
        return found

    def _meets(self, row: Row, condition: str) -> bool:
        match = CONDITION.fullmatch(condition)
        if match is None:
            raise AssertionError(f"no condition of an encoded query: {condition}")
        held = row.get(match["field"], both(""))["value"]
        return match["field"] in self.unseen or OPERATORS[match["op"]](held, match["value"])
