"""Good and bad events of one SLI by the minute, as documents tell of them: one search counts all minutes it is asked for.

Documents come late, and those that are there may be corrected or deleted: a minute is read again until it is `lookback`
old, seldom until it is hours old, and told again where it has changed; of two tellings that of the later read stands.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.elasticsearch.answers import by_minute, clause, ended, search
from platform_meter.sources.elasticsearch.config import SYSTEM, SliQuery
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import MINUTE
from platform_meter.sources.kit.retold import Retold, State
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.slis import slice_of

SLICES = 1_440
"""Minutes of one search; a cluster refuses answers of more than 65,535 buckets, and each minute is two."""

Counts = tuple[int, int]
"""How many documents, and how many of them are of the part that was asked for."""


def events(query: SliQuery, again: Again, outside: Sieve) -> Retold[Counts]:
    """Good and bad ones of each minute. A search that fails may be too much for the cluster, or for the time it is given."""
    return Retold(
        sli=query.id,
        state=State[Counts],
        ask=partial(_minutes, query, outside),
        fact=partial(_fact, query),
        most=SLICES,
        again=again,
        too_much=(Unexpected, Unreachable),
    )


def _minutes(query: SliQuery, outside: Sieve, ends: range) -> tuple[dict[int, Counts], bool]:
    """What was counted in each minute with documents, by its end; and whether these are all of them.

    Raises:
        SourceError: as `search`; or the answer has other minutes than were asked for.
    """
    part = {"part": {"filter": clause(query.part)}}
    answer = search(outside, query.index, by_minute(ends, query.time_field, query.total, "minutes", part))
    found = answer.body.aggregations if answer.body else None
    if found is None or found.minutes is None:
        raise Unexpected(f"the search of {query.index} was answered without its aggregations")
    buckets = found.minutes.buckets
    counts = {ended(bucket.key, ends, query.index): (bucket.doc_count, bucket.part.doc_count) for bucket in buckets}
    return counts, not answer.odd


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
