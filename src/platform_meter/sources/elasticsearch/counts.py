"""Good and bad events of one SLI by the minute, as documents tell of them: one search counts all minutes it is asked for.

Documents come late, and those that are there may be corrected or deleted: a minute is read again until it is `lookback`
old, seldom until it is hours old, and told again where it has changed; of two tellings that of the later read stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Page, Unexpected, Unreachable
from platform_meter.sources.elasticsearch.answers import all_of, clause, search, within
from platform_meter.sources.elasticsearch.config import SYSTEM, SliQuery
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import MINUTE, WIDTH
from platform_meter.sources.kit.retold import Retold, State
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.slis import slice_of

SLICES = 1_440
"""Minutes of one search; a cluster refuses answers of more than 65,535 buckets, and each minute is two."""
_SECOND = 1_000
"""Milliseconds, which documents are dated in."""

Counts = tuple[int, int]
"""How many documents, and how many of them are of the part that was asked for."""


def read(
    query: SliQuery,
    again: Again,
    delay: timedelta,
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
) -> Iterator[Page]:
    """Every minute that ended since the last poll, `delay` ago, and again those before them.

    A search that fails may be too much for the cluster, or for the time it is given.
    """
    minutes = Retold(
        sli=query.id,
        state=State[Counts],
        ask=partial(_minutes, query, outside),
        fact=partial(_fact, query),
        most=SLICES,
        again=again,
        too_much=(Unexpected, Unreachable),
    )
    return minutes.read(checkpoint, since, now, delay=delay)


def _minutes(query: SliQuery, outside: Sieve, ends: range) -> tuple[dict[int, Counts], bool]:
    """What was counted in each minute with documents, by its end; and whether these are all of them.

    Raises:
        SourceError: as `search`; or the answer has other minutes than were asked for.
    """
    dated = within(query.time_field, gte=(ends[0] - WIDTH) * _SECOND, lt=ends[-1] * _SECOND)
    histogram = {"field": query.time_field, "fixed_interval": "1m", "min_doc_count": 1}
    body = {
        "size": 0,
        "query": all_of(dated, clause(query.total)),
        "aggregations": {
            "minutes": {"date_histogram": histogram, "aggregations": {"part": {"filter": clause(query.part)}}}
        },
    }
    answer = search(outside, query.index, body)
    if answer.body is None or answer.body.aggregations is None:
        raise Unexpected(f"the search of {query.index} was answered without its aggregations")
    buckets = answer.body.aggregations.minutes.buckets
    found = {bucket.key // _SECOND + WIDTH: (bucket.doc_count, bucket.part.doc_count) for bucket in buckets}
    odd = [end for end in found if end not in ends]
    if odd:
        raise Unexpected(
            f"the search of {query.index} counted a minute until {_moment(odd[0])}, which was not asked for"
        )
    return found, not answer.odd


def _fact(query: SliQuery, end: int, counts: Counts | None, now: datetime) -> SliCount:
    total, part = map(float, counts or (0, 0))
    return slice_of(
        SYSTEM,
        query.id,
        end,
        total=total,
        part=part,
        part_is_good=query.good is not None,
        width=MINUTE,
        updated=now,
    )


def _moment(end: int) -> datetime:
    return datetime.fromtimestamp(end, UTC)
