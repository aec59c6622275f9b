"""A Datadog in memory: counts by the minute, monitors, SLOs and incidents, in pages smaller than what is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from platform_meter.testing.outside import Call, Reply

Row = dict[str, Any]
MINUTE = 60
_HISTORY = re.compile(r"/api/v1/slo/(?P<id>\w+)/history")
_INCIDENT = re.compile(r"/api/v2/incidents/(?P<id>[\w-]+)")
_PATH = "/api/v2/incidents"


def epoch(clock: str) -> int:
    """Of a minute of the day that all is about."""
    return int(datetime.fromisoformat(f"2026-06-01T{clock}:00+00:00").timestamp())


def text(at: datetime) -> str:
    """As Datadog writes a moment."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def monitor(id_: int, state: str | None, *tags: str, **more: Any) -> Row:
    return {
        "id": id_,
        "org_id": 1,
        "type": "query alert",
        "name": "Ada's monitor",
        "message": "Wake @ada@acme.example",
        "query": "avg(last_5m):sum:errors{*} > 1",
        "tags": list(tags),
        "options": {"thresholds": {"critical": 1.0}},
        "created": "2026-05-01T10:00:00.123456+00:00",
        "modified": "2026-05-02T10:00:00.123456+00:00",
        "deleted": None,
        "overall_state": state,
        "creator": {"name": "Ada Lovelace", "handle": "ada@acme.example", "email": "ada@acme.example", "id": 7},
        **more,
    }


def incident(id_: str, number: int, created: datetime, modified: datetime, **more: Any) -> Row:
    """An incident; `services`, `teams` and `severity` stand among its fields."""
    chosen = {name: more.pop(name, None) for name in ("services", "teams")}
    attributes = {
        "public_id": number,
        "title": "Ada's pager rings",
        "created": text(created),
        "modified": text(modified),
        "detected": None,
        "resolved": None,
        "customer_impact_start": None,
        "customer_impact_scope": None,
        "severity": "UNKNOWN",
        "state": "active",
        "fields": {name: {"type": "autocomplete", "value": value} for name, value in chosen.items()},
        **more,
    }
    return {"type": "incidents", "id": id_, "attributes": attributes}


def reply(series: list[Row]) -> Row:
    return {
        "status": "ok",
        "res_type": "time_series",
        "resp_version": 1,
        "message": "",
        "group_by": [],
        "series": series,
    }


def series(points: list[list[float | None]], interval: int = MINUTE, scope: str = "*") -> Row:
    return {
        "metric": "hits",
        "display_name": "hits",
        "scope": scope,
        "aggr": "sum",
        "interval": interval,
        "length": len(points),
        "pointlist": points,
        "query_index": 0,
        "tag_set": [],
    }


@dataclass(slots=True)
class Datadog:
    """Answers as api.datadoghq.com does."""

    counted: dict[str, dict[int, float | None]]
    """By the query as it is asked, and the beginning of a minute."""
    monitors: list[Row] = field(default_factory=list)
    slos: dict[str, Any] = field(default_factory=dict)
    """By id the overall value and the budget that is left, in percent, or the whole answer."""
    incidents: list[Row] = field(default_factory=list)
    unlisted: list[Row] = field(default_factory=list)
    """Incidents that are in no list."""
    most: int = 1_500
    """Buckets of an answer; of a longer range they are five minutes long."""
    size: int = 2
    """Rows of a page, whatever is asked for."""
    date: str = "Mon, 01 Jun 2026 12:00:00 GMT"

    def __call__(self, call: Call) -> Reply:
        if call.path == "/api/v1/validate":
            return Reply(body={"valid": True}, headers={"date": self.date})
        if call.path == "/api/v1/query":
            return Reply(body=self._query(call))
        if call.path == "/api/v1/monitor":
            rows = [row for row in self.monitors if _number(row["id"]) > int(call.params["id_offset"])]
            return Reply(body=rows[: self.size])
        if found := _HISTORY.fullmatch(call.path):
            return self._history(found["id"], call)
        if call.path == _PATH:
            return self._incidents(int(call.params["page[offset]"]))
        if found := _INCIDENT.fullmatch(call.path):
            one = [row for row in (*self.incidents, *self.unlisted) if row["id"] == found["id"]]
            return Reply(body={"data": one[0]}) if one else Reply(status=404)
        return Reply(status=404)

    def _query(self, call: Call) -> Row:
        """Buckets that begin within the range; one that reaches out of it lacks half of what it counts."""
        start, end = int(call.params["from"]), int(call.params["to"])
        if call.params["query"] not in self.counted:
            return reply([])
        width = MINUTE if (end - start) // MINUTE <= self.most else 5 * MINUTE
        points: list[list[float | None]] = []
        for at, value in sorted(self.counted[call.params["query"]].items()):
            if start <= at <= end:
                cut = at + MINUTE > end or at < start + MINUTE
                points.append([at * 1000.0, value / 2 if cut and value is not None else value])
        return reply([series(points, width)] if points else [])

    def _history(self, id_: str, call: Call) -> Reply:
        told = self.slos.get(id_, Reply(status=404))
        if not isinstance(told, tuple):
            return told if isinstance(told, Reply) else Reply(body=told)
        sli, left = told
        overall = {"name": "Ada's SLO", "sli_value": sli, "span_precision": 2.0, "error_budget_remaining": {"7d": 1.0}}
        if left is not None:
            overall["error_budget_remaining"] = {"7d": 1.0, "custom": left}
        data = {
            "from_ts": int(call.params["from_ts"]),
            "to_ts": int(call.params["to_ts"]),
            "type": "metric",
            "type_id": 1,
            "thresholds": {"7d": {"target": 95.0, "timeframe": "7d"}},
            "overall": overall,
        }
        return Reply(body={"data": data, "errors": None})

    def _incidents(self, offset: int) -> Reply:
        rows = self.incidents[offset : offset + self.size]
        more = offset + self.size < len(self.incidents)
        pagination = {"offset": offset, "size": len(rows), **({"next_offset": offset + self.size} if more else {})}
        return Reply(body={"meta": {"pagination": pagination}, "data": rows})


def _number(id_: Any) -> int:
    return id_ if isinstance(id_, int) else int(str(id_).removeprefix("odd-"))


def moment(clock: str) -> datetime:
    return datetime.fromtimestamp(epoch(clock), UTC)
