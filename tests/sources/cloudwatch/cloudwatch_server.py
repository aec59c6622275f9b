"""CloudWatch in memory, in the forms of its reference: metrics by namespace, name and dimensions; lists come in pages of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from platform_meter.testing.outside import Call, Reply

PAGE = 2
Named = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name and dimensions of a metric."""


def epoch(clock: str) -> int:
    """The end of a minute of the first of June, in epoch seconds."""
    return int(datetime.fromisoformat(f"2026-06-01T{clock}:00+00:00").timestamp())


def moment(clock: str) -> datetime:
    return datetime.fromtimestamp(epoch(clock), UTC)


@dataclass(kw_only=True)
class CloudWatch:
    """One account and region."""

    counted: dict[Named, dict[int, float]]
    """By metric, then by the end of a minute; the statistic that is asked for is this one."""
    forbidden: frozenset[str] = frozenset()
    """Names of metrics whose values may not be read."""
    odd: frozenset[str] = frozenset()
    """Names of metrics whose answer has fewer values than moments."""
    asked: list[Sequence[tuple[str, str]]] = field(default_factory=list)
    """Name and statistic of each metric of each call."""

    def __call__(self, call: Call) -> Reply:
        body = dict(call.body)
        assert call.path == "/"
        return Reply(body=self._data(body) if "MetricDataQueries" in body else self._metrics(body))

    def _metrics(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wanted = (body["Namespace"], body["MetricName"])
        rows = [
            {"Namespace": space, "MetricName": name, "Dimensions": [{"Name": k, "Value": v} for k, v in by]}
            for space, name, by in self.counted
            if (space, name) == wanted
        ]
        at = int(str(body.get("NextToken") or "at0")[2:])
        more = {"NextToken": f"at{at + PAGE}"} if at + PAGE < len(rows) else {}
        return {"Metrics": rows[at : at + PAGE], **more}

    def _data(self, body: Mapping[str, Any]) -> dict[str, Any]:
        stats = [query["MetricStat"] for query in body["MetricDataQueries"]]
        self.asked.append([(stat["Metric"]["MetricName"], stat["Stat"]) for stat in stats])
        return {
            "MetricDataResults": [
                self._result(query, body["StartTime"], body["EndTime"]) for query in body["MetricDataQueries"]
            ]
        }

    def _result(self, query: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
        stat = query["MetricStat"]
        assert stat["Period"] == 60
        metric = stat["Metric"]
        name = metric["MetricName"]
        by = tuple((one["Name"], one["Value"]) for one in metric["Dimensions"])
        minutes = self.counted.get((metric["Namespace"], name, by), {})
        values = {at - 60: value for at, value in minutes.items() if start <= at - 60 < end}
        numbers = list(values.values())
        return {
            "Id": query["Id"],
            "Label": "",
            "StatusCode": "Forbidden" if name in self.forbidden else "Complete",
            "Timestamps": list(values),
            "Values": numbers[1:] if name in self.odd else numbers,
        }
