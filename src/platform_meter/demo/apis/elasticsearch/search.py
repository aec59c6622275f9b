"""The little of Elasticsearch's searches that counts logged requests by the minute, and finds the newest one.

A query is a text over statuses, such as `status:>=500 OR status:<400`; what else there is in the query DSL is refused.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_meter.demo.company.gateways import Answered
from platform_meter.demo.company.logs import Logged

TIME, STATUS = "@timestamp", "http.response.status_code"
"""Fields of each document."""
STATUSES: Mapping[int, Callable[[Answered], int]] = {
    200: lambda answered: answered.good,
    404: lambda answered: answered.missing,
    500: lambda answered: answered.failed,
}
"""What was answered with each."""
MINUTE = timedelta(minutes=1)
MOST = 65_535
"""Buckets of one answer."""
_MILLISECONDS = 1_000
_TERM = re.compile(rf"{re.escape(STATUS)}:(>=|<=|>|<|)(\d+)")
_HOW: Mapping[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}
Wanted = frozenset[int]
"""Statuses that a query finds."""


class NotUnderstood(ValueError):
    """A search that nobody here asks for."""


def wanted(clause: Mapping[str, Any]) -> Wanted:
    """Statuses that a clause finds.

    Raises:
        NotUnderstood: it is no text over statuses.
    """
    if clause.keys() != {"query_string"}:
        raise NotUnderstood(f"unknown query [{', '.join(clause)}]")
    text = clause["query_string"]["query"]
    if text == "*":
        return frozenset(STATUSES)
    found = set[int]()
    for term in text.split(" OR "):
        said = _TERM.fullmatch(term)
        if said is None:
            raise NotUnderstood(f"Failed to parse query [{text}]")
        found |= {status for status in STATUSES if _HOW[said[1]](status, int(said[2]))}
    return frozenset(found)


def answer(streams: Sequence[Logged], asked: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """`hits` and `aggregations` of a search.

    Raises:
        NotUnderstood: it is none of those that are known here.
    """
    start, end, statuses = _filtered(asked, now)
    said: dict[str, Any] = {"hits": {"max_score": None, "hits": _newest(streams, asked, start, end)}}
    if "aggregations" in asked:
        said["aggregations"] = {
            name: _by_minute(streams, one, statuses, start, end) for name, one in asked["aggregations"].items()
        }
    return said


def _filtered(asked: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime, Wanted]:
    """From when until when documents are dated, and what their statuses are."""
    start, end, statuses = datetime.fromtimestamp(0, UTC), now, frozenset(STATUSES)
    for clause in asked["query"]["bool"]["filter"]:
        if "range" not in clause:
            statuses &= wanted(clause)
            continue
        bounds = clause["range"].get(TIME, {})
        if bounds.get("format") != "epoch_millis":
            raise NotUnderstood(f"a range has to be of {TIME}, in epoch_millis")
        if "gte" in bounds:
            start = _moment(bounds["gte"])
        end = min([end, *(_moment(bounds[word]) for word in ("lt", "lte") if word in bounds)])
    return start, end, statuses


def _newest(streams: Sequence[Logged], asked: Mapping[str, Any], start: datetime, end: datetime) -> Sequence[Any]:
    """One document of each data stream at most, the newest first."""
    dated = sorted(((one.newest(end), one.name) for one in streams), reverse=True)
    return [
        {"_index": f".ds-{name}-000001", "_id": f"{at:%H%M%S}", "_score": None, "sort": [_stamp(at)]}
        for at, name in dated[: asked.get("size", 10)]
        if at >= start
    ]


def _by_minute(
    streams: Sequence[Logged], asked: Mapping[str, Any], statuses: Wanted, start: datetime, end: datetime
) -> Mapping[str, Any]:
    """Documents of each minute that has any, and of them those that fit each filter below."""
    histogram = asked.get("date_histogram", {})
    if (histogram.get("field"), histogram.get("fixed_interval")) != (TIME, "1m"):
        raise NotUnderstood(f"documents are counted by the minute of {TIME} alone")
    parts = {name: statuses & wanted(one["filter"]) for name, one in asked.get("aggregations", {}).items()}
    at = start.replace(second=0, microsecond=0)
    if (end - at) / MINUTE > MOST:
        raise NotUnderstood(f"Trying to create too many buckets. Must be less than or equal to: [{MOST}]")
    buckets, before = [], [one.answered(start) for one in streams]
    while at < end:
        after = [one.answered(min(at + MINUTE, end)) for one in streams]

        def grown(of: Wanted, before: Sequence[Answered] = before, after: Sequence[Answered] = after) -> int:
            return sum(STATUSES[s](new) - STATUSES[s](old) for s in of for old, new in zip(before, after, strict=True))

        if count := grown(statuses):
            key = {"key_as_string": f"{at:%Y-%m-%dT%H:%M:%S.000Z}", "key": _stamp(at), "doc_count": count}
            buckets.append(key | {name: {"doc_count": grown(of)} for name, of in parts.items()})
        before, at = after, at + MINUTE
    return {"buckets": buckets}


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / _MILLISECONDS, UTC)


def _stamp(at: datetime) -> int:
    return int(at.timestamp()) * _MILLISECONDS
