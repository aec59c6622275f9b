"""A cluster in memory: it counts and sorts documents as the searches of the source ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from platform_meter.testing.outside import Call, Reply

Document = tuple[datetime, int]
"""Its date, and the status of the request that it tells of."""
QUERIES = {"*": range(1_000), "status:>=500": range(500, 1_000), "status:<500": range(500)}
"""Statuses that a query finds, by its text."""
SHARDS = {"total": 2, "successful": 2, "skipped": 0, "failed": 0}


@dataclass
class Elasticsearch:
    """Documents by the pattern that finds them; what it says beside them is changed by tests."""

    documents: Mapping[str, Sequence[Document]]
    status: str = "green"
    refused: frozenset[str] = frozenset()
    said: Mapping[str, Any] = field(default_factory=dict)
    """In place of what a search says of itself: `{"timed_out": True}`."""
    odd: Mapping[datetime, Any] = field(default_factory=dict)
    """By the beginning of a minute, what its count is said to be."""
    types: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"@timestamp": ["date"]})
    most: int = 10_000
    """More minutes than so many are too much for one search."""

    def __call__(self, call: Call) -> Reply:
        if call.path == "/_cluster/health":
            return Reply(body=f'{{"cluster_name": "eu", "status": "{self.status}"}}')
        _, index, what = call.path.split("/")
        if index in self.refused:
            return Reply(status=403)
        if index not in self.documents:
            return Reply(status=404)
        if what == "_field_caps":
            asked = call.params["fields"]
            types = {type_: {"type": type_, "searchable": True} for type_ in self.types.get(asked, [])}
            return Reply(body={"indices": ["logs-1"], "fields": {asked: types} if types else {}})
        return self._found(self.documents[index], call.body)

    def _found(self, documents: Sequence[Document], body: Mapping[str, Any]) -> Reply:
        dated = [(int(at.timestamp() * 1000), status) for at, status in documents]
        for clause in body["query"]["bool"]["filter"]:
            if "range" in clause:
                ((_, bounds),) = clause["range"].items()
                low, high = bounds.get("gte", 0), bounds.get("lt", bounds.get("lte", 0) + 1)
                if high - low > self.most * 60_000 and "gte" in bounds:
                    return Reply(status=400)
                dated = [one for one in dated if low <= one[0] < high]
            else:
                dated = [one for one in dated if one[1] in _statuses(clause)]
        found: dict[str, Any] = {"took": 3, "timed_out": False, "_shards": SHARDS, "hits": {"hits": []}}
        if "levels" in body.get("aggregations", {}):
            inner = body["aggregations"]["levels"]["aggregations"]["level"]
            found["aggregations"] = {"levels": {"buckets": self._levels(dated, inner)}}
        elif "aggregations" in body:
            part = _statuses(body["aggregations"]["minutes"]["aggregations"]["part"]["filter"])
            found["aggregations"] = {"minutes": {"buckets": self._buckets(dated, part)}}
        if "sort" in body:
            newest = sorted((at for at, _ in dated), reverse=True)[: body["size"]]
            found["hits"]["hits"] = [{"_index": "logs-1", "_id": "1", "_score": None, "sort": [at]} for at in newest]
        return Reply(body={**found, **self.said})

    def _levels(self, dated: Sequence[tuple[int, int]], inner: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Of the statuses of each minute the largest, or a percentile of which nobody knows anything."""
        minutes: dict[int, int] = {}
        for at, status in sorted(dated):
            minutes[at // 60_000 * 60_000] = max(minutes.get(at // 60_000 * 60_000, 0), status)
        odd = {int(at.timestamp() * 1000): level for at, level in self.odd.items()}
        if inner.get("percentiles", {}).get("keyed") is False:
            nothing = [{"key": inner["percentiles"]["percents"][0], "value": None}]
            return [{"key": key, "doc_count": 1, "level": {"values": nothing}} for key in minutes]
        return [
            {"key": key, "doc_count": 1, "level": {"value": odd.get(key, most)}}
            for key, most in minutes.items()
            if inner["max"]["field"] == "status"
        ]

    def _buckets(self, dated: Sequence[tuple[int, int]], part: range) -> list[Mapping[str, Any]]:
        minutes: dict[int, list[int]] = {}
        for at, status in sorted(dated):
            minutes.setdefault(at // 60_000 * 60_000, []).append(status)
        odd = {int(at.timestamp() * 1000): count for at, count in self.odd.items()}
        return [
            {
                "key": key,
                "doc_count": odd.get(key, len(statuses)),
                "part": {"doc_count": sum(status in part for status in statuses)},
            }
            for key, statuses in minutes.items()
        ]


def _statuses(clause: Mapping[str, Any]) -> range:
    """Those that a clause finds."""
    if "query_string" in clause:
        return QUERIES[clause["query_string"]["query"]]
    return range(clause["term"]["status"], clause["term"]["status"] + 1)


def a(noon: datetime, minutes: int, second: float, status: int = 200) -> Document:
    """A document, dated so long after noon."""
    return noon + timedelta(minutes=minutes, seconds=second), status
