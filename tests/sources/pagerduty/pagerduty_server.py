"""A PagerDuty in memory: incidents with their logs and alerts, in pages smaller than what is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
PATH = re.compile(r"/incidents/(?P<id>\w+)(?P<rest>/log_entries|/alerts)?")
SITE, API = "https://acme.pagerduty.com", "https://api.pagerduty.com"


def text(at: datetime) -> str:
    """As PagerDuty writes a moment: whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def reference(kind: str, id_: str, summary: str, folder: str) -> Row:
    return {
        "id": id_,
        "type": f"{kind}_reference",
        "summary": summary,
        "self": f"{API}/{folder}/{id_}",
        "html_url": f"{SITE}/{folder}/{id_}",
    }


def step(id_: int, at: datetime, word: str) -> Row:
    """One entry of a log: `acknowledge`, `notify`, ..."""
    return {
        "id": f"R{id_}",
        "type": f"{word}_log_entry",
        "summary": "Acknowledged by Ada Lovelace",
        "self": f"{API}/log_entries/R{id_}",
        "html_url": None,
        "created_at": text(at),
        "agent": reference("user", "PADA", "Ada Lovelace", "users"),
    }


def incident(id_: str, number: int, created: datetime, changed: datetime, status: str = "resolved", **more: Any) -> Row:
    """An incident of the checkout's service as the list has it; `log` and `alerts` are apart."""
    priority = more.pop("priority", None)
    return {
        "id": id_,
        "type": "incident",
        "summary": f"[#{number}] Ada's pager rings",
        "self": f"{API}/incidents/{id_}",
        "html_url": f"{SITE}/incidents/{id_}",
        "incident_number": number,
        "title": more.pop("title", "Ada's pager rings"),
        "created_at": text(created),
        "updated_at": text(changed),
        "status": status,
        "service": reference("service", more.pop("service", "PCHECK"), "Checkout", "services"),
        "teams": [reference("team", "PTEAM", "Payments", "teams")],
        "assignments": [{"at": text(created), "assignee": reference("user", "PADA", "Ada Lovelace", "users")}],
        "last_status_change_at": text(changed),
        "last_status_change_by": reference("user", "PADA", "Ada Lovelace", "users"),
        "resolved_at": text(changed) if status == "resolved" else None,
        "priority": {**reference("priority", "PPRIO", priority, "priorities"), "name": priority} if priority else None,
        "urgency": "high",
        "resolve_reason": None,
        "log": more.pop("log", []),
        "alerts": more.pop("alerts", []),
        **more,
    }


def merged_into(id_: str) -> Row:
    into = reference("incident", id_, "Ada's pager rings", "incidents")
    return {"type": "merge_resolve_reason", "incident": into}


@dataclass(slots=True)
class PagerDuty:
    incidents: list[Row] = field(default_factory=list)
    page: int = 2
    """Rows of a page at most."""
    refused: set[str] = field(default_factory=set)
    """Ids of incidents that may not be read one by one."""
    silent: set[str] = field(default_factory=set)
    """Ids of those whose log and alerts may not be read."""
    services: set[str] = field(default_factory=lambda: {"PCHECK"})

    def __call__(self, call: Call) -> Reply:
        if call.path == "/incidents":
            return self._page(call, "incidents", self._listed(call))
        kind, _, id_ = call.path.strip("/").partition("/")
        if kind in {"services", "teams"}:
            return Reply(body={}) if id_ in self.services | {"PTEAM"} else Reply(status=404)
        match = PATH.fullmatch(call.path)
        found = next((row for row in self.incidents if match and row["id"] == match["id"]), None)
        if match is None or found is None:
            return Reply(status=404)
        if match["rest"]:
            what = match["rest"].strip("/")
            if found["id"] in self.silent:
                return Reply(status=403)
            rows = sorted(found["log"], key=lambda row: row["created_at"], reverse=True)
            return self._page(call, what, rows if what == "log_entries" else found["alerts"])
        return Reply(status=403) if found["id"] in self.refused else Reply(body={"incident": _shown(found)})

    def _listed(self, call: Call) -> list[Row]:
        asked = call.params
        rows = sorted(self.incidents, key=lambda row: row["created_at"])
        if asked.get("date_range") != "all":
            rows = [row for row in rows if asked["since"] <= row["created_at"] < asked["until"]]
        if "statuses[]" in asked:
            rows = [row for row in rows if row["status"] in asked["statuses[]"]]
        if "service_ids[]" in asked:
            rows = [row for row in rows if row["service"]["id"] in asked["service_ids[]"]]
        if "team_ids[]" in asked:
            rows = [row for row in rows if {team["id"] for team in row["teams"]} & {*asked["team_ids[]"]}]
        return [_shown(row) for row in rows]

    def _page(self, call: Call, name: str, rows: list[Row]) -> Reply:
        offset, limit = int(call.params.get("offset", 0)), int(call.params.get("limit", 25))
        if offset + limit > 10_000:
            return Reply(status=400)
        size = min(limit, self.page)
        part = rows[offset : offset + size]
        more = offset + size < len(rows)
        return Reply(body={name: part, "limit": limit, "offset": offset, "total": None, "more": more})


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"log", "alerts"}}


def delivery(event: str, occurred: datetime, row: Row, id_: str = "01") -> Row:
    """What a V3 webhook sends when this happened to an incident, which stands as `row` then."""
    names = ("id", "type", "self", "html_url", "status", "created_at", "title", "service", "teams", "urgency")
    at = occurred.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    priority = row["priority"] and {name: value for name, value in row["priority"].items() if name != "name"}
    return {
        "event": {
            "id": id_,
            "event_type": event,
            "resource_type": "incident",
            "occurred_at": at,
            "agent": reference("user", "PADA", "Ada Lovelace", "users"),
            "client": None,
            "data": {
                **{name: row[name] for name in names},
                "number": row["incident_number"],
                "priority": priority,
                "assignees": [reference("user", "PADA", "Ada Lovelace", "users")],
                "conference_bridge": None,
                "resolve_reason": row["resolve_reason"],
            },
        }
    }
