"""Good and bad events of an SLI by the minute, as Datadog counted them (GET /api/v1/query).

docs.datadoghq.com/api/latest/metrics/#query-timeseries-points, docs.datadoghq.com/dashboards/functions/rollup: buckets begin at
multiples of their length in UTC, and are longer than asked for where a range has too many of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.progress import Progress
from platform_meter.model.source import Page, Unexpected
from platform_meter.sources.datadog.config import SYSTEM, SliQuery, minutely
from platform_meter.sources.datadog.rows import QueryReply, Series
from platform_meter.sources.kit.promql import counted, slices
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.slis import slice_of
from platform_meter.sources.kit.windows import Windows

PATH = "/api/v1/query"
WIDTH = 60
"""Seconds of a slice."""
SLICES = 4 * 60 - 2
"""Of one call: with one more at each end these are the four hours of which Datadog gives minutes without being asked."""
AGAIN = timedelta(hours=1)
"""A slice that ended no longer ago is read again: Datadog takes points that come so late."""
LATE = timedelta(minutes=5)
"""A slice that ended no longer ago may still lack good events which are on their way."""
_NEARLY = 1e-6
"""Counts are sums of floating-point numbers."""
_MOST = 1e11
"""No minute has as many of anything."""


class Coarse(Unexpected):
    """Buckets are longer than a minute."""


def stream_name(sli: SliQuery) -> str:
    """What tells SLIs, their streams and the keys of their facts apart."""
    return f"sli/{sli.id}"


def read(
    sli: SliQuery,
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
    *,
    overlap: timedelta,
    delay: timedelta,
) -> Iterator[Page]:
    """Every minute that ended since the last poll, `delay` ago, and those of the overlap before them."""
    told = since if checkpoint is None else datetime.fromtimestamp(int(checkpoint), UTC)
    width = timedelta(seconds=WIDTH)
    news = slices(told, now - delay, width)
    if not news:
        return
    again = timedelta() if checkpoint is None else max(overlap, AGAIN)
    windows = Windows(slices(told - again, now - delay, width), most=SLICES)
    for ends in windows:
        try:
            facts, settled = _counts(sli, outside, ends, now)
        except Coarse:
            if not windows.halve():
                raise
            continue
        windows.whole()
        done = sum(1 for end in news if settled and end <= settled[-1])
        whole = not windows.left and settled == ends
        progress = Progress(what=f"minutes of {stream_name(sli)}", done=done, of=len(news))
        if settled != ends:
            late = datetime.fromtimestamp(ends[len(settled)], UTC)
            progress = Progress(what=f"{stream_name(sli)} waits for good events of the minute until {late:%H:%M} UTC")
        place = str(news[done - 1]).encode() if done else None
        yield Page(facts=facts, checkpoint=place, progress=None if whole else progress)
        if settled != ends:
            return


def _counts(sli: SliQuery, outside: Sieve, ends: range, now: datetime) -> tuple[list[SliCount], range]:
    """Good and bad of each minute with a total, and the minutes of which that may be said already.

    Bad ones are asked for before all and good ones after: what comes between the two calls makes nothing look worse. A part
    that is absent is 0 (domain section 5), but for good events of a minute that ended just now: they may be late. A part
    outside of its total contradicts it, and of that minute nothing is said.
    """
    if sli.good is None:
        parts, totals = ask(outside, sli.part, ends), ask(outside, sli.total, ends)
    else:
        totals, parts = ask(outside, sli.total, ends), ask(outside, sli.part, ends)
    said: list[SliCount] = []
    for number, end in enumerate(ends):
        total, part = totals.get(end), parts.get(end)
        if total is None:
            continue
        if sli.good and part is None and total > 0 and now.timestamp() - end < LATE.total_seconds():
            return said, ends[:number]
        part = part or 0.0
        if not 0 <= part <= total * (1 + _NEARLY) or total > _MOST:
            outside.reject(SliCount, "contradiction")
            continue
        part = min(part, total)
        said.append(
            slice_of(
                SYSTEM,
                sli.id,
                stream_name(sli),
                end,
                total=total,
                part=part,
                part_is_good=sli.good is not None,
                width=timedelta(seconds=WIDTH),
                updated=counted(total + part),
            )
        )
    return said, ends


def ask(outside: Sieve, query: str, ends: range) -> Mapping[int, float]:
    """What was counted in the minutes that end at `ends`, in epoch seconds, by the end; no minute without a number.

    A minute more is asked for, and given, at each end: Datadog may have cut it, so that those in between are whole.

    Raises:
        Coarse: fewer minutes have to be asked for at once.
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
            f"{PATH}: the answer has {len(reply.series)} series ({shown[:200]}), of which none is the count of all; "
            "write sum:METRIC{TAGS}.as_count() without by {}"
        )
    return _minutes(reply.series[0]) if reply.series else {}


def _minutes(series: Series) -> Mapping[int, float]:
    given = [(at, value) for at, value in series.pointlist if at is not None and value is not None]
    if given and series.interval != WIDTH:
        found = "of unknown length" if series.interval is None else f"{series.interval} s long"
        raise Coarse(
            f"{PATH}: buckets of the answer are {found} and not {WIDTH} s, so no minute is known; "
            "write a metric that Datadog keeps by the minute, with .as_count()"
        )
    found_at = {round(at / 1000): value for at, value in given if math.isfinite(at) and math.isfinite(value)}
    if any(at % WIDTH for at in found_at):
        raise Unexpected(f"{PATH}: buckets of the answer do not begin with the minute; minutes can't be told apart")
    return {at + WIDTH: value for at, value in found_at.items()}
