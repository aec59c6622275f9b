"""How far back counts are read again, since they come late.

Each poll overlaps the one before it. What stood still for longer on its way, in a queue or on a host that was cut off,
comes under its old dates: once in a quarter of an hour some hours are read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from platform_meter.model.source import SourceConfig

LONG = timedelta(hours=3)
"""Of minutes, one call of each system."""
SELDOM = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """How much of what was read is read again."""

    each: timedelta
    """By each poll."""
    most: timedelta
    """By the first one in each quarter of an hour."""

    @classmethod
    def of(cls, config: SourceConfig, least: timedelta = timedelta()) -> Self:
        """What two polls overlap by, `least` at least; where `lookback` is set, never more."""
        each = max(config.overlap, least)
        return cls(each=each, most=each if config.lookback is not None else max(each, LONG))

    def before(self, told: datetime, until: datetime) -> timedelta:
        """How far before `told`, the end of what was read, a poll begins that reads on until `until`."""
        same = (told - _EPOCH) // SELDOM == (until - _EPOCH) // SELDOM
        return self.each if same else self.most
