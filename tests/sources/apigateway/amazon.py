"""API Gateway and CloudWatch in memory, in the forms of their references; lists come in pages of two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from platform_meter.testing.outside import Call, Reply

PAGE = 2


def epoch(clock: str, day: int = 1) -> int:
    """The end of a minute on the first of June, in epoch seconds."""
    hour, minute = map(int, clock.split(":"))
    return int(datetime(2026, 6, day, hour, minute, tzinfo=UTC).timestamp())


@dataclass(kw_only=True)
class Minute:
    """What one stage counted in one minute."""

    count: int = 0
    client: int = 0
    bad: int = 0
    took: Sequence[int] = ()
    """Milliseconds."""


@dataclass(kw_only=True)
class Amazon:
    """One account and region."""

    rest: list[dict[str, Any]] = field(default_factory=list)
    http: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    plans: list[dict[str, Any]] = field(default_factory=list)
    used: dict[str, Any] = field(default_factory=dict)
    """By plan, then by the id of a key: how many requests by day, or what stands in the place of its logs."""
    routes: dict[str, Any] = field(default_factory=dict)
    """Rows or a reply, by the path of the list."""
    counted: dict[tuple[str, str, str], dict[int, Minute]] = field(default_factory=dict)
    """By dimension, API and stage, then by the end of the minute."""
    odd: Callable[[dict[str, Any]], None] = lambda _: None
    """What is done to each result of CloudWatch."""
    asked: list[int] = field(default_factory=list)
    """How many metrics each call of GetMetricData had."""

    def __call__(self, call: Call) -> Reply:
        if call.beside:
            body = dict(call.body)
            return Reply(body=self._data(body) if "MetricDataQueries" in body else self._metrics(body))
        if call.path.startswith("/v2/"):
            rows = self.http if call.path == "/v2/apis" else self.routes.get(call.path)
            return _paged(rows, "items", "nextToken", call.params)
        if call.path.endswith("/usage"):
            return self._used(call.path.split("/")[2], call.params)
        lists = {"/restapis": self.rest, "/apikeys": self.keys, "/usageplans": self.plans}
        rows = lists.get(call.path, self.routes.get(call.path))
        return _paged(rows, "item", "position", call.params)

    def _used(self, plan: str, params: Mapping[str, Any]) -> Reply:
        """Days that were asked for, the last one with them; a quota of 100 a day."""
        if plan not in self.used:
            return Reply(status=404)
        first, last = (date.fromisoformat(params[name]) for name in ("startDate", "endDate"))
        assert (last - first).days < 90
        days = [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]
        rows = [
            (key, [[used.get(day, 0), 100 - used.get(day, 0)] for day in days] if isinstance(used, dict) else used)
            for key, used in self.used[plan].items()
        ]
        page = _page(rows, "values", "position", params.get("position"))
        return Reply(body={**page, "values": dict(page["values"])})

    def _metrics(self, body: Mapping[str, Any]) -> dict[str, Any]:
        rows = [
            {"Namespace": body["Namespace"], "MetricName": body["MetricName"], "Dimensions": _dimensions(*by)}
            for by in self.counted
        ]
        # API Gateway counts by API alone too, and by method where detailed metrics are on.
        rows += [{**row, "Dimensions": row["Dimensions"][:1]} for row in rows[:1]]
        return _page(rows, "Metrics", "NextToken", body.get("NextToken"))

    def _data(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if not body.get("NextToken"):
            self.asked.append(len(body["MetricDataQueries"]))
        results = [self._result(query, body["StartTime"], body["EndTime"]) for query in body["MetricDataQueries"]]
        for result in results:
            self.odd(result)
        return _page(results, "MetricDataResults", "NextToken", body.get("NextToken"), size=20)

    def _result(self, query: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
        stat = query["MetricStat"]
        assert stat["Period"] == 60
        by = {d["Name"]: d["Value"] for d in stat["Metric"]["Dimensions"]}
        stage = by.pop("Stage", "")
        minutes = next((self.counted.get((kind, api, stage), {}) for kind, api in by.items()), {})
        values = {
            at - 60: value
            for at, minute in minutes.items()
            if start <= at - 60 < end
            and (value := _value(stat["Metric"]["MetricName"], stat["Stat"], minute)) is not None
        }
        return {
            "Id": query["Id"],
            "Label": "",
            "StatusCode": "Complete",
            "Timestamps": list(values),
            "Values": list(values.values()),
        }


def _value(metric: str, stat: str, minute: Minute) -> float | None:
    if metric == "Latency":
        if stat.startswith("PR(:"):
            bound = float(stat[4:-1])
            share = 100.0 * sum(ms <= bound for ms in minute.took) / max(len(minute.took), 1)
            return share if minute.took else None
        return {"SampleCount": len(minute.took), "Sum": sum(minute.took)}[stat] if minute.took else None
    if (metric, stat) == ("Count", "SampleCount"):
        return minute.count
    assert stat == "Sum"
    return {"4XXError": minute.client, "4xx": minute.client, "5XXError": minute.bad, "5xx": minute.bad}[metric]


def _dimensions(kind: str, api: str, stage: str) -> list[dict[str, str]]:
    return [{"Name": kind, "Value": api}, {"Name": "Stage", "Value": stage}]


def _paged(rows: Any, name: str, token: str, params: Mapping[str, Any]) -> Reply:
    if isinstance(rows, Reply):
        return rows
    return Reply(status=404) if rows is None else Reply(body=_page(rows, name, token, params.get(token)))


def _page(rows: Sequence[Any], name: str, token: str, place: Any, size: int = PAGE) -> dict[str, Any]:
    at = int(str(place or "at0")[2:])
    more = at + size < len(rows)
    return {name: rows[at : at + size], **({token: f"at{at + size}"} if more else {})}
