"""A Zendesk in memory: tickets with audits and metric events, exported by cursor, in pages smaller than what is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
SITE = "https://acme.zendesk.com"
TICKET = re.compile(r"/api/v2/tickets/(?P<id>\d+)(?P<rest>/audits)?")
NAMES = {"groups/7": "Platform", "groups/8": "Gateways", "brands/5": "Acme", "ticket_forms/6": "Access"}


def text(at: datetime) -> str:
    """As Zendesk writes a moment: whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(row: Row) -> int:
    """When a ticket was generated last: changes of the system that nobody sees count too."""
    found: int = row["generated_timestamp"]
    return found


def user(id_: int, name: str, role: str = "agent", organization: int | None = None) -> Row:
    return {
        "id": id_, "name": name, "email": f"{name.split(maxsplit=1)[0]}@Acme.example", "role": role, "organization_id": organization,
        "active": True,
    }  # fmt: skip


def ticket(id_: int, created: datetime, updated: datetime, status: str = "open", **more: Any) -> Row:
    """One of Mona's, in the group 7; `audits` and `metric_events` are apart."""
    return {
        "id": id_,
        "url": f"{SITE}/api/v2/tickets/{id_}.json",
        "created_at": text(created),
        "updated_at": text(updated),
        "generated_timestamp": int(updated.timestamp()),
        "subject": "Mona's pager rings",
        "status": status,
        "custom_status_id": None,
        "priority": "normal",
        "type": "question",
        "tags": [],
        "requester_id": 2,
        "submitter_id": 2,
        "assignee_id": None,
        "group_id": 7,
        "brand_id": 5,
        "ticket_form_id": 6,
        "organization_id": 42,
        "via": {"channel": "web"},
        "audits": [],
        "metric_events": {},
        **more,
    }


def audit(id_: int, at: datetime, author: int, *events: Row, **more: Any) -> Row:
    """One update; its events get ids of their own."""
    numbered = [{"id": id_ * 100 + n, **event} for n, event in enumerate(events)]
    return {
        "id": id_, "created_at": text(at), "author_id": author, "via": {"channel": "web", "source": {}},
        "metadata": {"system": {"location": "Monaco"}}, "events": numbered, **more,
    }  # fmt: skip


def create(name: str, value: Any) -> Row:
    return {"type": "Create", "field_name": name, "value": value}


def change(name: str, before: Any, after: Any, **more: Any) -> Row:
    return {"type": "Change", "field_name": name, "previous_value": before, "value": after, **more}


def comment(author: int, *, public: bool = True) -> Row:
    return {"type": "Comment", "author_id": author, "public": public, "body": "Mona's secret"}


def born(id_: int, at: datetime, *events: Row, author: int = 2, status: str = "new") -> Row:
    """The audit of a creation."""
    fields = [create("status", status), create("priority", "normal"), create("type", "question")]
    return audit(id_, at, author, comment(author), *fields, create("group_id", "7"), *events)


RULE = {"channel": "rule", "source": {"from": {"id": 9, "title": "Mona's trigger"}, "rel": "trigger"}}


def metric(id_: int, at: datetime, kind: str, name: str = "reply_time", instance: int = 1, **more: Any) -> Row:
    return {"id": id_, "time": text(at), "type": kind, "metric": name, "instance_id": instance, **more}


def rating(id_: int, made: datetime, changed: datetime, score: str, ticket_id: int) -> Row:
    return {
        "id": id_, "created_at": text(made), "updated_at": text(changed), "score": score, "ticket_id": ticket_id,
        "requester_id": 2, "group_id": 7, "assignee_id": 1, "comment": "Mona is angry", "reason": "Mona",
    }  # fmt: skip


@dataclass(slots=True)
class Zendesk:
    tickets: list[Row] = field(default_factory=list)
    users: list[Row] = field(default_factory=list)
    ratings: list[Row] = field(default_factory=list)
    statuses: list[Row] = field(default_factory=list)
    page: int = 2
    """Rows of a page at most."""
    refused: set[str] = field(default_factory=set)
    """Paths that may not be read."""
    signed_in: bool = True
    lost: set[str] = field(default_factory=set)
    """Cursors that are not known any more."""

    def __call__(self, call: Call) -> Reply:
        if call.path in self.refused:
            return Reply(status=403)
        match call.path.removeprefix("/api/v2/"):
            case "incremental/tickets/cursor":
                return self._export(call)
            case "incremental/ticket_metric_events":
                return self._feed(call)
            case "search/export":
                return self._search(call)
            case "satisfaction_ratings":
                since = call.params.get("start_time", 0)
                rows = [row for row in self.ratings if _epoch(row["created_at"]) >= since]
                return self._after(call, "satisfaction_ratings", rows)
            case "users/show_many":
                ids = {int(id_) for id_ in str(call.params["ids"]).split(",")}
                return Reply(body={"users": [row for row in self.users if row["id"] in ids]})
            case "users/me":
                return Reply(body={"user": {"id": 1 if self.signed_in else None, "role": "admin"}})
            case "custom_statuses":
                return Reply(body={"custom_statuses": self.statuses})
            case "groups" | "brands" | "ticket_forms" as name:
                return Reply(body={name: []})
            case name if name in NAMES:
                word = name.partition("/")[0].removesuffix("s")
                return Reply(body={word: {"id": int(name.rpartition("/")[2]), "name": NAMES[name]}})
            case _:
                return self._one(call)

    def _one(self, call: Call) -> Reply:
        match = TICKET.fullmatch(call.path)
        row = next((row for row in self.tickets if match and row["id"] == int(match["id"])), None)
        if match is None or row is None or row["status"] == "deleted":
            return Reply(status=404)
        if match["rest"]:
            authors = {one["author_id"] for one in row["audits"]}
            return self._paged(call, "audits", row["audits"], users=[one for one in self.users if one["id"] in authors])
        more = {"metric_events": row["metric_events"]} if call.params.get("include") == "metric_events" else {}
        return Reply(body={"ticket": {**_shown(row), **more}})

    def _export(self, call: Call) -> Reply:
        asked = call.params.get("cursor")
        if asked in self.lost:
            return Reply(status=422)
        place = tuple(map(int, asked.split("."))) if asked else (int(call.params["start_time"]), 0)
        rows = sorted(
            (row for row in self.tickets if (stamp(row), row["id"]) > place), key=lambda r: (stamp(r), r["id"])
        )
        part = rows[: self.page]
        cursor = f"{stamp(part[-1])}.{part[-1]['id']}" if part else asked
        return Reply(
            body={
                "tickets": [_shown(row) for row in part],
                "after_cursor": cursor,
                "after_url": f"{SITE}{call.path}.json?cursor={cursor}" if cursor else None,
                "before_cursor": None,
                "before_url": None,
                "end_of_stream": len(rows) <= self.page,
            }
        )

    def _feed(self, call: Call) -> Reply:
        start = int(call.params["start_time"])
        events = [
            {**event, "ticket_id": row["id"]}
            for row in self.tickets
            for of in row["metric_events"].values()
            for event in of
            if _epoch(event["time"]) >= start
        ]
        events.sort(key=lambda event: (event["time"], event["id"]))
        part = events[: 2 * self.page]
        end = _epoch(part[-1]["time"]) if part else start
        return Reply(
            body={
                "ticket_metric_events": part,
                "count": len(part),
                "end_time": end,
                "next_page": f"{SITE}{call.path}.json?start_time={end}",
                "end_of_stream": len(part) == len(events),
            }
        )

    def _search(self, call: Call) -> Reply:
        before = call.params["query"].partition("updated<=")[2]
        rows = [
            {**_shown(row), "result_type": "ticket"}
            for row in self.tickets
            if row["status"] in {"new", "open", "pending", "hold"} and row["updated_at"] <= before
        ]
        return self._after(call, "results", rows)

    def _after(self, call: Call, name: str, rows: list[Row]) -> Reply:
        first = int(call.params.get("page[after]", 0))
        part = rows[first : first + self.page]
        more = first + self.page < len(rows)
        return Reply(
            body={name: part, "meta": {"has_more": more, "after_cursor": str(first + self.page) if more else None}}
        )

    def _paged(self, call: Call, name: str, rows: list[Row], **beside: Any) -> Reply:
        number, size = int(call.params.get("page", 1)), min(int(call.params["per_page"]), self.page)
        part = rows[(number - 1) * size : number * size]
        more = number * size < len(rows)
        following = f"{SITE}{call.path}.json?page={number + 1}" if more else None
        return Reply(body={name: part, "count": len(rows), "next_page": following, "previous_page": None, **beside})


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"audits", "metric_events"}}


def _epoch(at: str) -> int:
    return int(datetime.fromisoformat(at).astimezone(UTC).timestamp())
