"""A Jira in memory: issues with changelog and comments, searched by time of change in the account's zone.

Cloud (v3) pages by token and inlines the newest changes and the first comments only; Data Center (v2) pages by offset
and inlines everything. Either gives fewer issues a page than it is asked for, as the real ones may, and refuses a query
that names an issue which is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
BOUND = re.compile(r'updated (>=|<=) "(\d{4}-\d\d-\d\d \d\d:\d\d)"')
MADE = re.compile(r'cf\[(\d+)\] >= "(\d{4}-\d\d-\d\d \d\d:\d\d)"')
PROJECT = re.compile(r"project (?:in \(|= )([^)]*?)(?:\)| AND|$)")
IDS = re.compile(r"\bid in \(([\d, ]+)\)")
ISSUE = re.compile(r"/rest/api/[23]/issue/(?P<id>\d+)(?P<rest>/changelog|/comment)?")

REQUEST = re.compile(r"/rest/servicedeskapi/request/(?P<id>\d+)/sla")


def sla(id_: str, name: str, *cycles: Row) -> Row:
    """A clock of a request; a cycle without an end is the one that runs."""
    over, runs = [c for c in cycles if "stopTime" in c], [c for c in cycles if "stopTime" not in c]
    return {"id": id_, "name": name, "completedCycles": over, **({"ongoingCycle": runs[0]} if runs else {})}


def cycle(
    start: datetime, hours: float, *, stop: datetime | None = None, breach: datetime | None = None, **more: Any
) -> Row:
    """Of a goal of 8 h, with so many hours elapsed."""

    def moment(at: datetime) -> Row:
        return {"iso8601": at.isoformat(), "epochMillis": int(at.timestamp() * 1000)}

    times = {"startTime": start, "stopTime": stop, "breachTime": breach}
    return {
        **{name: moment(at) for name, at in times.items() if at},
        "goalDuration": {"millis": 28_800_000, "friendly": "8h"},
        "elapsedTime": {"millis": int(hours * 3_600_000)},
        "breached": False,
        **more,
    }


def text(moment: datetime) -> str:
    """As Jira writes a time, here in UTC+8."""
    return moment.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M:%S.000%z")


def person(id_: str, kind: str = "atlassian") -> Row:
    return {"accountId": id_, "accountType": kind, "displayName": "Mona Lisa", "emailAddress": "m@example.test"}


def item(field_: str, before: str | None, after: str | None) -> Row:
    id_ = {"Component": "components"}.get(field_, field_)
    return {"field": field_, "fieldId": id_, "fieldtype": "jira", "fromString": before, "toString": after}


RATED = {"schema": {"custom": "com.atlassian.servicedesk:sd-request-feedback", "type": "sd-feedback"}}
RATED_AT = {"schema": {"custom": "com.atlassian.servicedesk:sd-request-feedback-date", "type": "datetime"}}
REQUESTED = {"schema": {"custom": "com.atlassian.servicedesk:vp-origin", "type": "sd-customerrequesttype"}}
SERVICE_FIELDS: list[Row] = [
    {"id": "customfield_10", "name": "Anfragetyp", **REQUESTED},
    {"id": "customfield_11", "name": "Zufriedenheit", **RATED},
    {"id": "customfield_12", "name": "Zufriedenheitsdatum", **RATED_AT},
]
"""What Service Management makes, in the language of its site."""


def rated(at: datetime, stars: object) -> Row:
    return {"customfield_11": {"rating": stars}, "customfield_12": text(at)}


def requested(name: str) -> Row:
    kind = {"id": "44", "name": name, "description": "For all", "issueTypeId": "10100"}
    return {"customfield_10": {"requestType": kind, "currentStatus": {"status": "Open"}}}


def history(id_: int, at: datetime, who: Row, *items: Row) -> Row:
    return {"id": str(id_), "created": text(at), "author": who, "items": list(items)}


def comment(id_: int, at: datetime, who: Row, **more: Any) -> Row:
    return {"id": str(id_), "created": text(at), "author": who, "body": "Dear Mona, ...", **more}


def issue(number: int, created: datetime, updated: datetime, **more: Any) -> Row:
    """An open task of project PLAT; `more` are fields, with `histories` and `comments` apart."""
    histories, comments = more.pop("histories", []), more.pop("comments", [])
    fields = {
        "summary": "Mona can't log in",
        "status": {"name": "Open"},
        "priority": {"name": "Medium"},
        "resolution": None,
        "created": text(created),
        "updated": text(updated),
        "creator": person("mona"),
        "reporter": person("mona"),
        "components": [],
        "issuetype": {"name": "Task"},
        "project": {"key": "PLAT"},
        **more,
    }
    return {
        "id": str(10_000 + number),
        "key": f"PLAT-{number}",
        "fields": fields,
        "histories": histories,
        "comments": comments,
        "updated": updated,
    }


def _open(row: Row) -> bool:
    fields = row["fields"]
    return bool(fields["status"].get("statusCategory") != {"key": "done"})


@dataclass(slots=True)
class Jira:
    issues: list[Row] = field(default_factory=list)
    zone: str = "America/New_York"
    version: str = "3"
    page: int = 2
    """Issues it gives at most."""
    inlined: int = 2
    """Changes and comments that a Cloud search inlines."""
    changes_page: int = 2
    comments_page: int = 3
    comments_limit: int = 100
    """Comments of an issue that can be read, however many it counts."""
    listed: dict[str, list[Row]] = field(default_factory=dict)
    """All statuses, priorities, resolutions and types, by field."""
    groups: dict[str, list[Row]] = field(default_factory=dict)
    roles: dict[str, list[Row]] = field(default_factory=dict)
    """Actors by role, the same in each project."""
    forbidden: str = ""
    """Id of an issue of which only what a search inlines can be read."""
    slas: dict[str, list[Row]] = field(default_factory=dict)
    """Of requests, by id of the issue; other issues are none."""
    no_agent: bool = False
    """The account may not see them."""
    strict: bool = True
    """Refuse ids of issues that are not there, instead of leaving them out."""

    def __call__(self, call: Call) -> Reply:
        if request := REQUEST.fullmatch(call.path):
            return self._slas(request["id"], int(call.params["start"]))
        if f"/rest/api/{self.version}/" not in call.path:
            return Reply(status=404)
        if call.path.endswith("/myself"):
            return Reply(body={"accountId": "meter", "timeZone": self.zone, "displayName": "Meter"})
        if call.path in {"/rest/api/3/search/jql", "/rest/api/2/search"}:
            return self._search(call)
        what = call.path.removeprefix(f"/rest/api/{self.version}/")
        if what in self.listed:
            return Reply(body=self.listed[what])
        if what == "group/member" or what.startswith("project/"):
            return self._people(what, call)
        match = ISSUE.fullmatch(call.path)
        found = next((row for row in self.issues if match and row["id"] == match["id"]), None)
        if match is None or found is None or found["id"] == self.forbidden:
            return Reply(status=404)
        if match["rest"] == "/comment":
            start = int(call.params["startAt"])
            part = found["comments"][: self.comments_limit][start : start + self.comments_page]
            return Reply(body={"comments": part, "startAt": start, "total": len(found["comments"])})
        return self._changelog(found, call) if match["rest"] else Reply(body=self._shown(found, 0))

    def _slas(self, id_: str, start: int) -> Reply:
        """One at a time."""
        if self.no_agent:
            return Reply(status=403)
        if id_ not in self.slas:
            return Reply(status=404)
        last = start + 1 >= len(self.slas[id_])
        return Reply(body={"values": self.slas[id_][start : start + 1], "start": start, "isLastPage": last})

    def _people(self, what: str, call: Call) -> Reply:
        """Members of a group, two at a time; the roles of a project, and who holds one."""
        if what == "group/member":
            members, start = self.groups.get(call.params["groupname"]), int(call.params["startAt"])
            if members is None:
                return Reply(status=404)
            last = start + 2 >= len(members)
            return Reply(body={"values": members[start : start + 2], "total": len(members), "isLast": last})
        names = list(self.roles)
        if what.endswith("/role"):
            at = f"https://acme.atlassian.net/rest/api/{self.version}/{what}"
            return Reply(body={name: f"{at}/{n}" for n, name in enumerate(names)})
        return Reply(body={"actors": self.roles[names[int(what.rpartition("/")[2])]]})

    def _search(self, call: Call) -> Reply:
        asked = call.body or call.params
        jql = asked["jql"]
        projects = PROJECT.search(jql)
        there = {"PLAT", *(row["fields"]["project"]["key"] for row in self.issues)}
        if projects and not any(f'"{key}"' in projects[1] for key in there):
            return Reply(status=400)
        rows = sorted(self.issues, key=lambda row: row["updated"], reverse=True)
        if named := IDS.search(jql):
            ids = named[1].split(", ")
            if self.strict and not set(ids) <= {row["id"] for row in rows}:
                return Reply(status=400)
            rows = [row for row in rows if row["id"] in ids]
        if projects:
            rows = [row for row in rows if f'"{row["fields"]["project"]["key"]}"' in projects[1]]
        for sign, at in BOUND.findall(jql):
            bound = datetime.strptime(at, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(self.zone))
            either = sign == ">=" and f'{at}" OR statusCategory != Done)' in jql
            rows = [
                row
                for row in rows
                if (row["updated"] >= bound if sign == ">=" else row["updated"] <= bound) or (either and _open(row))
            ]
        if made := MADE.search(jql):
            bound = datetime.strptime(made[2], "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(self.zone))
            name = f"customfield_{made[1]}"
            rows = [row for row in rows if (at := row["fields"].get(name)) and datetime.fromisoformat(at) >= bound]
            rows.sort(key=lambda row: datetime.fromisoformat(row["fields"]["created"]), reverse=True)
        size = min(self.page, int(asked["maxResults"]))
        start = int(asked.get("nextPageToken") or asked.get("startAt") or 0)
        limit = self.inlined if self.version == "3" else 1_000_000
        body: Row = {"issues": [self._shown(row, limit, changelog=True) for row in rows[start : start + size]]}
        if self.version == "2":
            return Reply(body={**body, "startAt": start, "maxResults": size, "total": len(rows)})
        last = start + size >= len(rows)
        return Reply(body={**body, "isLast": last, **({} if last else {"nextPageToken": str(start + size)})})

    @staticmethod
    def _shown(row: Row, limit: int, *, changelog: bool = False) -> Row:
        comments, histories = row["comments"], row["histories"]
        page = {"comments": comments[:limit], "total": len(comments), "startAt": 0, "maxResults": limit}
        shown = {"id": row["id"], "key": row["key"], "fields": {**row["fields"], "comment": page}}
        if changelog:
            newest = histories[::-1][:limit]
            shown["changelog"] = {"histories": newest, "total": len(histories), "startAt": 0, "maxResults": limit}
        return shown

    def _changelog(self, row: Row, call: Call) -> Reply:
        start, total = int(call.params["startAt"]), len(row["histories"])
        part = row["histories"][start : start + self.changes_page]
        last = start + self.changes_page >= total
        return Reply(body={"values": part, "startAt": start, "total": total, "isLast": last})
