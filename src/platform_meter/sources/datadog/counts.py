"""Good and bad events of an SLI by the minute, as Datadog counted them, and levels (GET /api/v1/query).

docs.datadoghq.com/api/latest/metrics/#query-timeseries-points, docs.datadoghq.com/dashboards/functions/rollup: buckets begin at
multiples of their length in UTC, and are longer than asked for where a range has too many of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from platform_meter.model.source import Unexpected
from platform_meter.sources.datadog.config import SYSTEM, LevelQuery, SliQuery
from platform_meter.sources.datadog.queries import minutely
from platform_meter.sources.datadog.rows import QueryReply, Series
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.levels import Levels
from platform_meter.sources.kit.minutes import WIDTH, Minutes, TooMuch
from platform_meter.sources.kit.rows import Sieve

PATH = "/api/v1/query"
SLICES = 4 * 60 - 2
"""Of one call: with one more at each end these are the four hours of which Datadog gives minutes without being asked."""
AGAIN = timedelta(hours=1)
"""A slice that ended no longer ago is read again: Datadog takes points that come so late."""


def events(sli: SliQuery, again: Again, outside: Sieve) -> Minutes:
    """Good and bad ones of each minute."""
    return Minutes(
        outside=outside,
        system=SYSTEM,
        id=sli.id,
        total=lambda ends: ask(outside, sli.total, ends),
        part=lambda ends: ask(outside, sli.part, ends),
        part_is_good=sli.good is not None,
        most=SLICES,
        again=again,
    )


def level(sli: LevelQuery, again: Again, outside: Sieve) -> Levels:
    """Whether it kept its bound in each minute."""
    return Levels(
        system=SYSTEM,
        id=sli.id,
        level=lambda ends: ask(outside, sli.level, ends),
        bound=sli.bound,
        most=SLICES,
        again=again,
        too_much=(TooMuch,),
    )


def ask(outside: Sieve, query: str, ends: range) -> Mapping[int, float]:
    """The number of each minute that ends at one of `ends`, in epoch seconds, by the end; no minute without one.

    A minute more is asked for, and given, at each end: Datadog may have cut it, so that those in between are whole.

    Raises:
        TooMuch: buckets are longer than a minute; fewer minutes have to be asked for at once.
        Unexpected: it is no answer to what was asked.
    """
    params = {"from": ends[0] - 2 * WIDTH, "to": ends[-1] + WIDTH, "query": minutely(query)}
    answer = outside.get(PATH, QueryReply, params=params)
    reply = answer.body or QueryReply()
    if reply.error or reply.status != "ok":
        raise Unexpected(f"{PATH}: Datadog refuses the query: {(reply.error or reply.status or 'no status')[:500]}")
    if answer.odd:
        raise Unexpected(
            f"{PATH}: the answer has a series that can't be read; without it there would seem to be nothing"
        )
    if len(reply.series) > 1:
        shown = ", ".join(series.scope or "*" for series in reply.series[:3])
        raise Unexpected(
            f"{PATH}: the answer has {len(reply.series)} series ({shown[:200]}), of which none is that of all; "
            "write the metric without by {}"
        )
    return _minutes(reply.series[0]) if reply.series else {}


def _minutes(series: Series) -> Mapping[int, float]:
    given = [(at, value) for at, value in series.pointlist if at is not None and value is not None]
    if given and series.interval != WIDTH:
        found = "of unknown length" if series.interval is None else f"{series.interval} s long"
        raise TooMuch(
            f"{PATH}: buckets of the answer are {found} and not {WIDTH} s, so no minute is known; "
            "write a metric that Datadog keeps by the minute"
        )
    found_at = {round(at / 1000): value for at, value in given if math.isfinite(at) and math.isfinite(value)}
    if any(at % WIDTH for at in found_at):
        raise Unexpected(f"{PATH}: buckets of the answer do not begin with the minute; minutes can't be told apart")
    return {at + WIDTH: value for at, value in found_at.items()}
