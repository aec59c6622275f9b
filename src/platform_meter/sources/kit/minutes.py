"""Good and bad events by the minute, where a system gives the counts of one metric or query in each call.

All valid events and their good or bad part come in calls of their own, so that one may be a moment newer than the other;
minutes that ended lately are asked for again, since counts come late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.progress import Progress
from platform_meter.model.source import Outside, Page, Stream, Unexpected
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.promql import counted, read_to, slices
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.slis import slice_of, stream_name
from platform_meter.sources.kit.windows import Windows

WIDTH = 60
"""Seconds of a slice."""
LATE = timedelta(minutes=5)
"""A slice that ended no longer ago may still lack good events which are on their way."""
MINUTE = timedelta(seconds=WIDTH)
_NEARLY = 1e-6
"""Counts are sums of floating-point numbers."""
_MOST = 1e11
"""No minute has as many of anything."""

Ask = Callable[[range], Mapping[int, float]]
"""What was counted in the minutes that end at these moments, in epoch seconds, by the end; no minute without a number."""


class ByMinute(Protocol):
    """The minutes of one SLI, as one poll reads them."""

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime, *, delay: timedelta) -> Iterator[Page]:
        """Every minute that ended since the last poll, `delay` ago, and again those before them."""


def stream_of(outside: Outside, sli: str, minutes: Callable[[Sieve], ByMinute], *, delay: timedelta) -> Stream:
    """The stream of an SLI of which each minute is read `delay` after its end."""

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: minutes(sieve).read(checkpoint, since, now, delay=delay))

    return Stream(name=stream_name(sli), read=read, gives=frozenset({SliCount}), behind=delay, sli=sli)


class TooMuch(Unexpected):
    """Fewer minutes have to be asked for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """One SLI, and how it is asked for."""

    outside: Sieve
    system: str
    id: str
    total: Ask
    part: Ask
    part_is_good: bool
    most: int
    """Minutes of one call."""
    again: Again

    @property
    def stream(self) -> str:
        return stream_name(self.id)

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime, *, delay: timedelta) -> Iterator[Page]:
        """Every minute that ended since the last poll, `delay` ago, and those before them that are read again."""
        told = read_to(checkpoint, since)
        news = slices(told, now - delay, MINUTE)
        if not news:
            return
        again = timedelta() if checkpoint is None else self.again.before(told, now - delay)
        windows = Windows(slices(told - again, now - delay, MINUTE), most=self.most)
        for ends in windows:
            try:
                facts, settled = self._counts(ends, now)
            except TooMuch:
                if not windows.halve():
                    raise
                continue
            windows.whole()
            done = sum(1 for end in news if settled and end <= settled[-1])
            whole = not windows.left and settled == ends
            progress = Progress(what=f"minutes of {self.stream}", done=done, of=len(news))
            if settled != ends:
                late = datetime.fromtimestamp(ends[len(settled)], UTC)
                progress = Progress(what=f"{self.stream} waits for good events of the minute until {late:%H:%M} UTC")
            place = str(news[done - 1]).encode() if done else None
            yield Page(facts=facts, checkpoint=place, progress=None if whole else progress)
            if settled != ends:
                return

    def _counts(self, ends: range, now: datetime) -> tuple[list[SliCount], range]:
        """Good and bad of each minute with a total, and the minutes of which that may be said already.

        Bad ones are asked for before all and good ones after: what comes between the two calls makes nothing look worse. A
        part that is absent is 0 (domain section 5), but for good events of a minute that ended just now: they may be late.
        A part outside of its total contradicts it, and of that minute nothing is said.
        """
        if self.part_is_good:
            totals, parts = self.total(ends), self.part(ends)
        else:
            parts, totals = self.part(ends), self.total(ends)
        said: list[SliCount] = []
        for number, end in enumerate(ends):
            total, part = totals.get(end), parts.get(end)
            if total is None:
                continue
            late = now.timestamp() - end < LATE.total_seconds()
            if self.part_is_good and part is None and total > 0 and late:
                return said, ends[:number]
            part = part or 0.0
            if not 0 <= part <= total * (1 + _NEARLY) or total > _MOST:
                self.outside.reject(SliCount, "contradiction")
                continue
            said.append(self._slice(end, total, min(part, total)))
        return said, ends

    def _slice(self, end: int, total: float, part: float) -> SliCount:
        return slice_of(
            self.system,
            self.id,
            end,
            total=total,
            part=part,
            part_is_good=self.part_is_good,
            width=MINUTE,
            updated=counted(total + part),
        )
