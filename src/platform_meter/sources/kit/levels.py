"""Minutes in which a level kept its bound, where a system gives the level of each minute in one call.

A minute is one event, good or bad. Its level may be another one later, as data comes late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.objective import Bound
from platform_meter.model.source import Page, SourceError
from platform_meter.model.typed import decode
from platform_meter.sources.kit.late import Again
from platform_meter.sources.kit.minutes import MINUTE, Ask
from platform_meter.sources.kit.retold import Retold, State
from platform_meter.sources.kit.slis import slice_of


def read_to(checkpoint: bytes | None, since: datetime) -> datetime:
    """Up to when minutes were read."""
    return since if checkpoint is None else decode(checkpoint, State[bool]).read_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """One SLI over a level, and how that is asked for."""

    system: str
    id: str
    level: Ask
    bound: Bound
    most: int
    """Minutes of one call."""
    again: Again
    too_much: tuple[type[SourceError], ...] = ()
    """What a call fails with that may have asked for too many minutes."""

    def read(self, checkpoint: bytes | None, since: datetime, now: datetime, *, delay: timedelta) -> Iterator[Page]:
        """Every minute that ended since the last poll, `delay` ago, and of those before them what is true no longer."""
        minutes = Retold(
            sli=self.id,
            state=State[bool],
            ask=self._good,
            fact=self._fact,
            most=self.most,
            again=self.again,
            too_much=self.too_much,
        )
        return minutes.read(checkpoint, since, now, delay=delay)

    def _good(self, ends: range) -> tuple[Mapping[int, bool], bool]:
        """What was told of a minute stands where it has no level any more."""
        return {end: self.bound.holds(level) for end, level in self.level(ends).items()}, False

    def _fact(self, end: int, good: bool | None, now: datetime) -> SliCount:
        return slice_of(
            self.system,
            self.id,
            end,
            total=1.0,
            part=float(good or False),
            part_is_good=True,
            width=MINUTE,
            updated=now,
        )
