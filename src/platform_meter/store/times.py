"""Time as the store keeps it: integer milliseconds since 1970 UTC, and days cut in the configured zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
SLICE = 300_000
"""Width of a rollup slice in milliseconds: 5 minutes, cut in UTC."""
CLOCKS_DIFFER = 60_000
"""Milliseconds by which the clocks of two replicas may differ: what is further ahead was written under a wrong clock."""
_UTC_DAY = 86_400_000


def to_ms(moment: datetime) -> int:
    """Whole milliseconds; what is finer is cut off, here and in every window's bounds.

    Raises:
        TypeError: a naive datetime.
    """
    return (moment - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def maybe_from_ms(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


class Days:
    """Days of one zone. A day is named by the UTC milliseconds of its local midnight, and is 23 to 25 h long."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)
        self._midnights: dict[int, tuple[int, ...]] = {}

    def midnight(self, day: date) -> int:
        """The first moment of `day`; where clocks jump over midnight, the moment of the jump."""
        return to_ms(datetime(day.year, day.month, day.day, tzinfo=self.zone))

    def start(self, ms: int) -> int:
        """The midnight that begins the day of `ms`."""
        utc_day = ms // _UTC_DAY
        midnights = self._midnights.get(utc_day)
        if midnights is None:
            around = from_ms(utc_day * _UTC_DAY).date()
            # Offsets run from -12 h to +14 h: the day before, this one and the next cover every moment of a UTC day.
            midnights = tuple(self.midnight(around + timedelta(days=n)) for n in (1, 0, -1))
            self._midnights[utc_day] = midnights
        for midnight in midnights:
            if midnight <= ms:
                return midnight
        raise AssertionError(f"no midnight of {self.zone} at or before {ms}")

    def day(self, ms: int) -> date:
        return from_ms(ms).astimezone(self.zone).date()

    def next(self, midnight: int) -> int:
        """The midnight after this one."""
        return self.midnight(self.day(midnight) + timedelta(days=1))
