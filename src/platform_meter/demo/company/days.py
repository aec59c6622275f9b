"""The rhythm of work: German working days, holidays and hours. Pure: days and moments come in as arguments."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
SATURDAY = 5
HOLIDAY_RHYTHM, WEEKEND_RHYTHM = 0.1, 0.07
"""Share of a working day's activity."""
HOURS = (1, 1, 1, 1, 1, 2, 6, 18, 55, 95, 110, 105, 70, 85, 105, 100, 80, 50, 25, 14, 10, 8, 5, 2)
"""Weight of each local hour: two humps around lunch, a little at night."""
_CUMULATED = tuple(accumulate(HOURS))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (anonymous Gregorian algorithm)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * (c // 4) - c % 4 - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)


@cache
def german_holidays(year: int) -> frozenset[date]:
    """The holidays of all German states."""
    sunday = easter(year)
    moving = (sunday + timedelta(days=n) for n in (-2, 1, 39, 50))
    fixed = (date(year, m, d) for m, d in ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26)))
    return frozenset((*moving, *fixed))


def working(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in german_holidays(day.year)


def rhythm(day: date) -> float:
    """Activity of a day, 1 on a working day."""
    if day.weekday() >= SATURDAY:
        return WEEKEND_RHYTHM
    return HOLIDAY_RHYTHM if day in german_holidays(day.year) else 1.0


def moment(day: date, rng: random.Random) -> datetime:
    """A moment of the local day `day`, more likely in office hours; UTC, whole seconds."""
    hour = rng.choices(range(24), cum_weights=_CUMULATED)[0]
    wall = datetime.combine(day, time(hour), tzinfo=ZONE).astimezone(UTC)
    return wall + timedelta(seconds=rng.randrange(3600))


def later(at: datetime, delay: timedelta) -> datetime:
    """`at` plus `delay`, moved on by whole days until people work; UTC, whole seconds."""
    moved = (at + delay).replace(microsecond=0)
    while not working(moved.astimezone(ZONE).date()):
        moved += timedelta(days=1)
    return moved


OPEN, CLOSE = 9, 17
"""Office hours of the help desk, local."""


def office(at: datetime) -> datetime:
    """`at`, or the next moment at which the help desk is open; UTC."""
    wall = at.astimezone(ZONE)
    while not (working(wall.date()) and wall.hour < CLOSE):
        wall = datetime.combine(wall.date() + timedelta(days=1), time(OPEN), tzinfo=ZONE)
    return max(wall, datetime.combine(wall.date(), time(OPEN), tzinfo=ZONE)).astimezone(UTC)
