"""Minutes in which a level kept its bound, as the values of a field tell: one search gives those of all minutes it is asked for.

elastic.co/docs/reference/aggregations: percentiles are estimates of a t-digest, exact where a minute has few values.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.elasticsearch.answers import Level, by_minute, ended, search
from platform_meter.sources.elasticsearch.config import SYSTEM, LevelQuery
from platform_meter.sources.elasticsearch.counts import SLICES
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.levels import Levels
from platform_meter.sources.kit.rows import Sieve


def level(query: LevelQuery, again: Again, outside: Sieve) -> Levels:
    """Whether it kept its bound in each minute. A search that fails may be too much, as in `counts`."""
    return Levels(
        system=SYSTEM,
        id=query.id,
        level=partial(_levels, query, outside),
        bound=query.bound,
        most=SLICES,
        again=again,
        too_much=(Unexpected, Unreachable),
    )


def _levels(query: LevelQuery, outside: Sieve, ends: range) -> Mapping[int, float]:
    """The level of each minute that has one, by its end.

    Raises:
        SourceError: as `search`; or the answer has other minutes than were asked for.
    """
    answer = search(outside, query.index, by_minute(ends, query.time_field, query.query, "levels", _inner(query)))
    found = answer.body.aggregations if answer.body else None
    if found is None or found.levels is None:
        raise Unexpected(f"the search of {query.index} was answered without its aggregations")
    levels = {ended(minute.key, ends, query.index): _number(minute.level) for minute in found.levels.buckets}
    return {end: level for end, level in levels.items() if level is not None}


def _inner(query: LevelQuery) -> Mapping[str, Any]:
    if query.percent is None:
        return {"level": {query.stat: {"field": query.field}}}
    return {"level": {"percentiles": {"field": query.field, "percents": [query.percent], "keyed": False}}}


def _number(level: Level) -> float | None:
    return level.values[0].value if level.values else level.value
