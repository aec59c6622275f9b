"""Elasticsearch and OpenSearch: good and bad events counted out of logged documents by the minute, the age of the newest
document, and the cluster's health. Data streams and aliases are read as the indices that they stand for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.source import Area, Asking, Forbidden, Outside, Page, Source, Stream, Unexpected
from platform_meter.sources.elasticsearch import counts, levels, standing
from platform_meter.sources.elasticsearch.answers import all_of, clause, path_of, search
from platform_meter.sources.elasticsearch.config import (
    SYSTEM,
    AskedLevel,
    AskedQuery,
    Config,
    IndexPattern,
    LevelQuery,
    Query,
    SliQuery,
    with_asked,
)
from platform_meter.sources.elasticsearch.standing import HEALTH, MAY_ASK
from platform_meter.sources.kit.health import REFUSALS
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import stream_of
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.slis import stream_name

_DATES = frozenset({"date", "date_nanos"})
_NUMBERS = frozenset(
    {"byte", "double", "float", "half_float", "histogram", "integer", "long", "scaled_float", "short", "unsigned_long"}
)


def connect(
    config: Config, outside: Outside, instance: str, clock: Callable[[], float] = time.perf_counter
) -> Sequence[Stream]:
    """One stream for each SLI and each pattern. `clock` is a stopwatch for probes (seconds from any origin)."""

    def newest(pattern: IndexPattern, _checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: standing.newest(pattern, sieve, now))

    def health(_checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        yield standing.health(outside, instance, config.every, now, clock)

    by_minute, again = partial(stream_of, outside, delay=config.delay), Again.of(config)
    probes = [Stream(name="health", read=health, gives=frozenset({ProbeCheck}), probe=True)] if config.health else []
    return (
        *(by_minute(query.id, partial(counts.events, query, again)) for query in config.slis),
        *(by_minute(query.id, partial(levels.level, query, again)) for query in config.levels),
        *(
            Stream(name=f"index/{pattern.index}", read=partial(newest, pattern), gives=frozenset({LogIndex}))
            for pattern in config.indices
        ),
        *probes,
    )


class _Field(Struct):
    """What a field is in the indices that have it as one type."""


class _Fields(Struct):
    fields: dict[str, dict[str, _Field]]


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Try each query, each field of dates and the health once; a line for each that is refused."""
    if not (config.slis or config.levels or config.indices or config.health):
        return ["nothing is read; write slis, indices or health: true, or SLO files with type: elasticsearch"]
    problems = [f"{name}: {problem}" for name, pattern in _patterns(config) for problem in _problems(pattern, outside)]
    status, _ = outside.text(HEALTH, timeout=standing.SECONDS) if config.health else (200, "")
    if status in REFUSALS:
        problems.append(f"health: {HEALTH} answered {status}; {MAY_ASK}")
    return problems


def _patterns(config: Config) -> Iterator[tuple[str, IndexPattern]]:
    yield from ((stream_name(query.id), query) for query in config.slis)
    yield from ((stream_name(query.id), query) for query in config.levels)
    for pattern in config.indices:
        yield f"index/{pattern.index}", pattern


def _problems(pattern: IndexPattern, outside: Outside) -> Iterator[str]:
    try:
        search(outside, pattern.index, {"size": 0, "query": all_of(*map(clause, _queries(pattern)))})
        dated = _types(pattern.index, pattern.time_field, outside)
        field = pattern.field if isinstance(pattern, LevelQuery) else ""
        measured = _types(pattern.index, field, outside) if field else _NUMBERS
    except (Forbidden, Unexpected) as error:
        yield f"{error}"
        return
    if not dated:
        yield f"no index of {pattern.index} has a field {pattern.time_field}; write the one that dates its documents as time_field"
    elif dated - _DATES:
        yield (
            f"{pattern.time_field} is {', '.join(sorted(dated))} in {pattern.index}; write a field of dates as time_field, "
            "or name fewer indices"
        )
    if not measured or measured - _NUMBERS:
        found = f"is {', '.join(sorted(measured))}" if measured else "is no field"
        yield f"{field} {found} in {pattern.index}; write a field of numbers, or name fewer indices"


def _queries(pattern: IndexPattern) -> Sequence[Query]:
    match pattern:
        case SliQuery():
            return pattern.total, pattern.part
        case LevelQuery():
            return (pattern.query,)
    return ()


def _types(index: str, name: str, outside: Outside) -> frozenset[str]:
    """What a field is, in the indices that have it."""
    found = outside.get(path_of(index, "_field_caps"), _Fields, params={"fields": name}).body
    return frozenset(found.fields.get(name, {}) if found else ())


def propose(around: Surroundings) -> Proposal:
    """The cluster that a variable names."""
    named = [name for name in ("ELASTICSEARCH_URL", "OPENSEARCH_URL") if name in around.addresses]
    variable = around.variable("ELASTICSEARCH_API_KEY")

    def settings(url: str) -> Settings:
        return {"url": url, "api_key": {"env": variable}} if variable else {"url": url}

    return Proposal(
        about="SLOs over logged requests and the age of logs in Elasticsearch or OpenSearch; add slis and indices.",
        found={SYSTEM: settings(around.addresses[named[0]])} if named else {},
        sample=(SYSTEM, settings("http://localhost:9200")),
        fill_in="its address",
    )


SOURCE = Source(
    name=SYSTEM,
    title="Elasticsearch, OpenSearch",
    area=Area.OBSERVABILITY,
    reads="good and bad events by the minute from your queries of logged documents, the age of the newest one, the cluster's health",
    needs="`read` on the indices; for `health` the cluster privilege `monitor`",
    config=Config,
    gives=frozenset({SliCount, LogIndex, ProbeCheck}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    asked=Asking(spec=AskedQuery, level=AskedLevel, settings=with_asked, behind=lambda config: config.delay),
    targets=lambda config, instance: {f"{instance}/{standing.TARGET}"} if config.health else (),
    propose=propose,
)
