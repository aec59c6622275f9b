"""Business time: how much open time of a Calendar lies between two moments, and when so much has passed.

Open hours are wall time in the calendar's zone, converted to UTC day by day, so that a calendar open around the clock
has one day of 23 and one of 25 hours a year (domain section 1). Holidays are closed all day, exceptions have hours of their own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from platform_meter.model.definitions import WEEKDAYS, Calendar
from platform_meter.model.ticketing import Hours

Stretch = tuple[timedelta, timedelta]
"""Open wall time of one day: from and until, both after that day's midnight."""
Week = tuple[tuple[Stretch, ...], ...]
"""Stretches of Monday to Sunday, sorted; a Calendar refuses overlapping ones."""
Days = tuple[tuple[date, tuple[Stretch, ...]], ...]
"""Days that have hours of their own, sorted; a holiday has none."""

_FIRST_YEAR, _LAST_YEAR = 1970, 2200
"""Time outside these years is closed: a broken date must not lay out two thousand years of days."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)


class Clock:
    """A calendar laid out on the time line: the open stretches of some years and the open time before each.

    Years are laid out when first asked for; after that a question costs two searches in a sorted list.
    """

    def __init__(self, zone: str, week: Week, exceptions: Days) -> None:
        self._zone, self._week, self._exceptions = ZoneInfo(zone), week, dict(exceptions)
        self._opens = any(self._week) or any(self._exceptions.values())
        self._years = (0, 0)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before: list[int] = []
        self._after: list[int] = []

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """Open time in [start, end); zero when `end` is not after `start`."""
        if end <= start:
            return timedelta(0)
        self._reach(start.year - 1, end.year + 2)
        return timedelta(microseconds=self._position(_micros(end)) - self._position(_micros(start)))

    def add(self, start: datetime, amount: timedelta) -> datetime:
        """The first moment at which `amount` of open time has passed since `start`.

        Raises:
            ValueError: a negative amount, or a calendar that never opens that long.
        """
        if amount == timedelta(0):
            return start
        target = self._target(start, amount)
        if not self._after or self._after[-1] < target:
            raise ValueError(
                f"this calendar never lets {amount} of business time pass after {start}; give it open days"
            )
        return self._moment(bisect_left(self._after, target), target)

    def passes(self, start: datetime, amount: timedelta) -> datetime | None:
        """The moment after which more than `amount` of open time has passed since `start`; None when that never comes.

        It differs from `add` where the amount ends as a day closes: then it is the next opening.

        Raises:
            ValueError: a negative amount.
        """
        target = self._target(start, amount)
        if not self._after or self._after[-1] <= target:
            return None
        return self._moment(bisect_right(self._after, target), target)

    def _target(self, start: datetime, amount: timedelta) -> int:
        """Position of the moment, with the table laid out past it where the calendar ever gets there."""
        if amount < timedelta(0):
            raise ValueError(f"business time to add must not be negative; got {amount}")
        self._reach(start.year - 1, start.year + 2)
        while True:
            # Each widening may lay out earlier years anew, so the position is taken after it.
            target = self._position(_micros(start)) + amount // _MICROSECOND
            low, high = self._years
            if (self._after and self._after[-1] > target) or high >= _LAST_YEAR or not self._opens:
                return target
            self._reach(low, high + (high - low))

    def _moment(self, index: int, target: int) -> datetime:
        return _EPOCH + timedelta(microseconds=self._starts[index] + target - self._before[index])

    def _position(self, micros: int) -> int:
        """Open time between the table's begin and a moment."""
        index = bisect_right(self._starts, micros) - 1
        if index < 0:
            return 0
        return self._before[index] + min(micros, self._ends[index]) - self._starts[index]

    def _reach(self, low: int, high: int) -> None:
        """Lay out the years [low, high) too: at least one of those that can be open."""
        low, high = min(max(low, _FIRST_YEAR), _LAST_YEAR - 1), max(min(high, _LAST_YEAR), _FIRST_YEAR + 1)
        have_low, have_high = self._years
        if have_low <= low and high <= have_high:
            return
        if have_low < have_high:
            low, high = min(low, have_low), max(high, have_high)
        self._years = (low, high)
        self._starts, self._ends, self._before, self._after = [], [], [], []
        total = 0
        for ordinal in range(date(low, 1, 1).toordinal(), date(high, 1, 1).toordinal()):
            day = date.fromordinal(ordinal)
            midnight = datetime.combine(day, time())
            for opens, closes in self._exceptions.get(day, self._week[day.weekday()]):
                start, end = _utc(midnight + opens, self._zone), _utc(midnight + closes, self._zone)
                if start >= end:  # all of it fell into the hour that summer time skips
                    continue
                self._starts.append(start)
                self._ends.append(end)
                self._before.append(total)
                total += end - start
                self._after.append(total)


def clock(calendar: Calendar) -> Clock:
    """The calendar laid out; equal calendars share one."""
    own = {**dict.fromkeys(calendar.holidays, ()), **calendar.exceptions}
    return _clock(calendar.zone, _week(calendar), tuple((day, _stretches(own[day])) for day in sorted(own)))


@lru_cache(maxsize=64)
def _clock(zone: str, week: Week, exceptions: Days) -> Clock:
    return Clock(zone, week, exceptions)


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Business seconds in [start, end): the sum of its intersections with open hours (domain section 9)."""
    return clock(calendar).elapsed(start, end).total_seconds()


def add(calendar: Calendar, start: datetime, seconds: float) -> datetime:
    """The first moment at which that many business seconds have passed since `start`.

    Raises:
        ValueError: negative seconds, or a calendar that never opens that long.
    """
    return clock(calendar).add(start, timedelta(seconds=seconds))


def day_seconds(calendar: Calendar) -> float:
    """Seconds of one business day, for goals in `bd`: the wall length that all open days share.

    Raises:
        ValueError: no open day, or open days of different length.
    """
    lengths = {
        name: sum((closes - opens for opens, closes in stretches), timedelta(0))
        for name, stretches in zip(WEEKDAYS, _week(calendar), strict=True)
        if stretches
    }
    if not lengths:
        raise ValueError("this calendar has no open day, so bd has no length; give it days such as mon-fri")
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {_hours(length)}" for name, length in lengths.items())
        raise ValueError(f"bd has no one length here: open days differ ({shown}); write the goal in hours such as 40h")
    return next(iter(lengths.values())).total_seconds()


def _week(calendar: Calendar) -> Week:
    return tuple(_stretches(calendar.days.get(name, ())) for name in WEEKDAYS)


def _stretches(hours: Iterable[Hours]) -> tuple[Stretch, ...]:
    return tuple((_since_midnight(h.start), _since_midnight(h.end) if h.end else timedelta(days=1)) for h in hours)


def _since_midnight(wall: time) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute, seconds=wall.second)


def _hours(length: timedelta) -> str:
    return f"{length.total_seconds() / 3600:g}h"


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _utc(wall: datetime, zone: ZoneInfo) -> int:
    """UTC microseconds of a naive wall time: the first of two, and the jump itself for one that summer time skips."""
    local = wall.replace(tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return _micros(moment)
    before, after = local.replace(fold=1).astimezone(UTC), moment
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return _micros(after)
