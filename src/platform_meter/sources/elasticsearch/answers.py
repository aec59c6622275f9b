"""Searches of Elasticsearch and OpenSearch, and answers held to what was asked.

Both count what some of their shards found where others failed, and say so beside the numbers
(elastic.co/docs/api/doc/elasticsearch/operation/operation-search, docs.opensearch.org/latest/api-reference/search-apis/search).
What is not whole would stand for fewer events than there were, so nothing of it is taken: it is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from msgspec import Meta, Struct, field

from platform_meter.model.source import Answer, Forbidden, Outside, Unexpected, Unreachable
from platform_meter.sources.elasticsearch.config import Query
from platform_meter.sources.kit.minutes import WIDTH
from platform_meter.sources.kit.rows import Row

MAY_READ = "grant it the index privilege `read` on"
_NOT_FOUND = 404
SECOND = 1_000
"""Milliseconds, which documents are dated in."""


Dated = Annotated[int, Meta(ge=0, le=200_000_000_000_000)]
"""In epoch milliseconds, as far as that can be reckoned with."""


class Shards(Struct):
    total: int
    successful: int
    """With those that were skipped, since they hold nothing that was asked for. A shard that has no node is none of them,
    and is not told as failed either."""


class Clusters(Struct):
    """Other clusters that a search went to."""

    skipped: int = 0
    partial: int = 0
    failed: int = 0
    running: int = 0


class Part(Struct):
    doc_count: int


class Minute(Row):
    becomes: ClassVar[str] = "SliCount"
    key: int
    """Its beginning, in epoch milliseconds."""
    doc_count: int
    part: Part

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.part.doc_count <= self.doc_count:
            raise ValueError("`part` holds more documents than there are")


class Minutes(Struct):
    buckets: list[Minute]


class Percentile(Struct):
    value: float | None


class Level(Struct):
    """What became of the values of a minute: one number, or percentiles; None where no document has the field."""

    value: float | None = None
    values: list[Percentile] = field(default_factory=list)


class LevelMinute(Row):
    becomes: ClassVar[str] = "SliCount"
    key: int
    """Its beginning, in epoch milliseconds."""
    level: Level


class LevelMinutes(Struct):
    buckets: list[LevelMinute]


class Aggregations(Struct):
    """By the name that the search gave each."""

    minutes: Minutes | None = None
    levels: LevelMinutes | None = None


class Hit(Row):
    becomes: ClassVar[str] = "LogIndex"
    sort: Annotated[list[Dated], Meta(min_length=1)]
    """What it was sorted by: its date."""


class Hits(Struct):
    hits: list[Hit] = field(default_factory=list)


class Found(Struct):
    shards: Shards = field(name="_shards")
    timed_out: bool
    hits: Hits
    clusters: Clusters | None = field(default=None, name="_clusters")
    terminated_early: bool = False
    aggregations: Aggregations | None = None


def clause(query: Query) -> Mapping[str, Any]:
    """In the query DSL."""
    return {"query_string": {"query": query}} if isinstance(query, str) else query


def within(time_field: str, **bounds: int) -> Mapping[str, Any]:
    """Documents that are dated so, in epoch milliseconds."""
    return {"range": {time_field: {**bounds, "format": "epoch_millis"}}}


def all_of(*clauses: Mapping[str, Any]) -> Mapping[str, Any]:
    """Documents that fit all of these."""
    return {"bool": {"filter": clauses}}


def by_minute(ends: range, time_field: str, query: Query, name: str, inner: Mapping[str, Any]) -> Mapping[str, Any]:
    """A search for what `inner` makes of the documents in each of the minutes that end at `ends`, in epoch seconds."""
    dated = within(time_field, gte=(ends[0] - WIDTH) * SECOND, lt=ends[-1] * SECOND)
    histogram = {"field": time_field, "fixed_interval": "1m", "min_doc_count": 1}
    return {
        "size": 0,
        "query": all_of(dated, clause(query)),
        "aggregations": {name: {"date_histogram": histogram, "aggregations": inner}},
    }


def ended(key: int, ends: range, index: str) -> int:
    """When a minute of the answer ended, in epoch seconds.

    Raises:
        Unexpected: it was not asked for.
    """
    end = key // SECOND + WIDTH
    if end not in ends:
        moment = datetime.fromtimestamp(end, UTC)
        raise Unexpected(f"the search of {index} counted a minute until {moment}, which was not asked for")
    return end


def path_of(index: str, what: str) -> str:
    """Where something is asked of the indices that a pattern names."""
    return f"/{quote(index, safe='*,:')}/{what}"


def search(outside: Outside, index: str, body: Mapping[str, Any]) -> Answer[Found]:
    """The answer of all indices that the pattern names.

    Raises:
        Unreachable: it is not whole.
        Forbidden: the indices may not be read; the text says what to grant.
        Unexpected: there are no such indices, or none that may be seen.
    """
    path = path_of(index, "_search")
    try:
        answer = outside.post(path, Found, body={"track_total_hits": False, **body})
    except Forbidden as error:
        raise Forbidden(f"{error}; {MAY_READ} {index}") from error
    except Unexpected as error:
        if error.status != _NOT_FOUND:
            raise
        raise Unexpected(f"{error}; there is no index {index}: correct the pattern", error.status) from error
    found = answer.body
    if found is None or found.shards.total == 0:
        # Of a pattern both leave out what the credential may not see, and then all of it is an answer of nothing.
        raise Unexpected(
            f"{path}: no index fits {index}; correct the pattern or, where there are some, {MAY_READ} {index}"
        )
    if lacks := _lacking(found):
        raise Unreachable(f"{path}: the answer is not whole: {lacks}")
    return answer


def _lacking(found: Found) -> str:
    """Why an answer is not whole; empty where it is."""
    shards, others = found.shards, found.clusters or Clusters()
    if shards.successful < shards.total:
        return f"{shards.total - shards.successful} of {shards.total} shards did not answer"
    if found.timed_out:
        return "the search timed out"
    if found.terminated_early:
        return "the search was terminated early"
    away = others.skipped + others.partial + others.failed + others.running
    return f"{away} remote clusters did not answer in full" if away else ""
