"""Good and bad events of an SLI by the minute, as CloudWatch counted them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.model.source import Page, Unexpected
from platform_meter.sources.cloudwatch.config import SYSTEM, Counted, LevelQuery, SliQuery
from platform_meter.sources.kit import levels
from platform_meter.sources.kit.cloudwatch import POINTS, Query, counted, from_kept
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import ByMinute, Minutes
from platform_meter.sources.kit.promql import read_to
from platform_meter.sources.kit.rows import Sieve

SLICES = POINTS // 100
"""Minutes of one call: of as many metrics as one SLI may have these come in one answer."""
AGAIN = timedelta(minutes=30)
"""A minute that ended no longer ago is read again: counts come late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The minutes of one SLI that CloudWatch has still: where those after the last poll are kept no longer, the first that
    are, as if none had been read.
    """

    outside: Sieve
    minutes: ByMinute
    read_to: Callable[[bytes | None, datetime], datetime]
    """Up to when they were read, by their checkpoint and where the first poll began."""

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime, *, delay: timedelta) -> Iterator[Page]:
        """Every minute that ended since the last poll, `delay` ago, and again those before them."""
        told = self.read_to(checkpoint, since)
        begin = from_kept(self.outside, told, now)
        if begin > told:
            checkpoint, since = None, begin
        return self.minutes.read(checkpoint, since, now, delay=delay)


def level(sli: LevelQuery, again: Again, outside: Sieve) -> Kept:
    """Whether it kept its bound in each minute."""
    minutes = levels.Levels(
        system=SYSTEM,
        id=sli.id,
        level=lambda ends: _values(outside, [sli.level.query], ends)[0],
        bound=sli.bound,
        most=SLICES,
        again=again,
    )
    return Kept(outside=outside, minutes=minutes, read_to=levels.read_to)


def events(sli: SliQuery, again: Again, outside: Sieve) -> Kept:
    """Good and bad ones of each minute."""
    minutes = Minutes(
        outside=outside,
        system=SYSTEM,
        id=sli.id,
        total=lambda ends: ask(outside, sli.total, ends),
        part=lambda ends: ask(outside, sli.part, ends),
        part_is_good=sli.good is not None,
        most=SLICES,
        again=again,
    )
    return Kept(outside=outside, minutes=minutes, read_to=read_to)


def ask(outside: Sieve, events: Counted, ends: range) -> Mapping[int, float]:
    """What was counted in the minutes that end at `ends`, by the end; no minute in which no metric has a value.

    Raises:
        Unexpected: a metric's answer can't be read; without it there would seem to be nothing.
    """
    found: dict[int, float] = {}
    for values in _values(outside, events.queries, ends):
        for end, value in values.items():
            found[end] = found.get(end, 0.0) + value
    return found


def _values(outside: Sieve, queries: Sequence[Query], ends: range) -> list[Mapping[int, float]]:
    found: list[Mapping[int, float]] = []
    for query, values in zip(queries, counted(outside, queries, ends), strict=True):
        if values is None:
            raise Unexpected(f"GetMetricData: what was answered of {query.namespace} {query.metric} can't be read")
        found.append(values)
    return found
