"""Multi-window, multi-burn-rate alerts as data, and the arithmetic around them (domain section 5; SRE Workbook, chapter 5)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class Level(StrEnum):
    PAGE = "page"
    TICKET = "ticket"


class Profile(StrEnum):
    STANDARD = "standard"
    HUMAN = "human"
    """For what people do, such as support: slow windows, never pages."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One alert: fires when burn over `long` and over `short` both exceed `factor`."""

    level: Level
    factor: float
    long: timedelta
    short: timedelta
    wait: timedelta = timedelta(0)
    """For how long both have to before it fires: `for` of the alert."""
    severity: str = ""
    """How bad its file calls it, in its own word; empty: as its level."""

    @property
    def word(self) -> str:
        """As a file names one row of a profile's table: `page-6h`, whatever the SLO's period makes of its windows."""
        return f"{self.level}-{window_text(self.long)}"

    def budget_used(self, period: timedelta) -> float:
        """Share of the period's budget that is gone when the long window is full at exactly this burn: F * long / P."""
        return self.factor * (self.long / period)


def _row(level: Level, factor: float, long: str, short: str) -> Row:
    return Row(level=level, factor=factor, long=parse_window(long), short=parse_window(short))


_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_window(text: str) -> timedelta:
    """`5m`, `6h`, `28d`, `4w`.

    Raises:
        ValueError: another form.
    """
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in _UNITS or int(number) == 0:
        raise ValueError(f"{text!r} is not a window; write a whole number and m, h, d or w, such as 5m or 28d")
    return int(number) * _UNITS[unit]


def window_text(window: timedelta) -> str:
    """The shortest whole unit: `5m`, `6h`, `28d`."""
    minutes = int(window / timedelta(minutes=1))
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


_UNIT_WORDS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


def window_words(window: timedelta) -> str:
    """After "the last": `hour`, `6 hours`, `84 minutes`."""
    size, unit = next((s, u) for s, u in _UNIT_WORDS if window % s == timedelta(0))
    number = window // size
    return unit if number == 1 else f"{number} {unit}s"


STANDARD = (
    _row(Level.PAGE, 14.4, "1h", "5m"),
    _row(Level.PAGE, 6, "6h", "30m"),
    _row(Level.TICKET, 3, "1d", "2h"),
    _row(Level.TICKET, 1, "3d", "6h"),
)
HUMAN = (_row(Level.TICKET, 3, "7d", "1d"), _row(Level.TICKET, 1, "14d", "3d"))
ROWS: dict[Profile, tuple[Row, ...]] = {Profile.STANDARD: STANDARD, Profile.HUMAN: HUMAN, Profile.NONE: ()}

DEFAULT_PERIOD = {
    Profile.STANDARD: timedelta(days=28),
    Profile.HUMAN: timedelta(days=91),
    Profile.NONE: timedelta(days=28),
}
DEFAULT_MIN_BAD = {Level.PAGE: 3, Level.TICKET: 2}
MANY = 5
"""Bad events in the long window that page wherever they lie. Of fewer, two have to lie in the short window, where that is
large enough, or the long one burns far beyond the factor: by chance they lie anywhere, in an outage they are the last ones.

At exactly the allowed error, 99.9 % and an event a minute, simulated over 28 days and 30 seeds: 0.7 false pages where it
were 2.0; over 99.95 to 90 % and 1 to 600 events an hour 2.2 at the most where it were 3.5. Of 300 full outages each, pages
came as they would without in all but 1 of 100 at the most, and there up to 4 minutes later.
"""
BEYOND = 3
"""Times the factor from which on few bad events are no chance wherever they lie."""
TELLS = 2.5
"""Events of a short window from which on two bad ones in it tell."""
TWO = 1.5
"""Bad events of a short window, worked out of its burn with even traffic, that are two rather than one."""
CLEARS = 0.9
"""A slow ticket and an exhausted budget are over below this share of the factor that they fired at (domain section 5)."""
CLEARS_SHORT = 0.5
"""The same for a slow ticket's short window. It holds a twelfth of the long one's events, so its ratio is sqrt(12) times
as noisy: 0.1 of the long window is 0.35 of the short one. At exactly the allowed error, 10 events a second and 99.9 %,
simulated over 28 days: 128 tickets without any of this, 12 with 0.9 for both windows, 1 with these.
"""
COVERED = 0.99
"""Share of the period under which what is left of the budget is said to be at most that (domain section 5)."""
_FULL = timedelta(days=28)
_REFERENCE = timedelta(days=30)
_TWELFTH = 12
_LEAST_SHORT = timedelta(minutes=2)
"""Of a row that a file asks for: a window of two scrapes has, now and then, one alone, and so no increase."""


def budget(objective: Decimal) -> Decimal:
    """1 - T in decimals, so that 0.999 leaves 0.001 and not 0.0010000000000000009.

    Raises:
        ValueError: T outside (0, 1).
    """
    if not 0 < objective < 1:
        raise ValueError(f"an objective lies between 0 and 1, both excluded; got {objective}")
    return 1 - objective


def scaled(rows: tuple[Row, ...], period: timedelta, scrape: timedelta) -> tuple[Row, ...]:
    """Rows for a period under 28 d: windows scale by P/30d, rounded up to whole minutes, the short ones to >= 2 scrapes."""
    if period >= _FULL:
        return rows
    share = period / _REFERENCE

    def shrink(window: timedelta, least: timedelta) -> timedelta:
        return max(timedelta(minutes=math.ceil(round(window / timedelta(minutes=1) * share, 6))), least)

    least_short = timedelta(minutes=math.ceil(2 * scrape / timedelta(minutes=1)))
    return tuple(
        Row(
            level=r.level,
            factor=r.factor,
            long=shrink(r.long, timedelta(minutes=1)),
            short=shrink(r.short, least_short),
        )
        for r in rows
    )


def own(level: Level, factor: float, long: timedelta, wait: timedelta, severity: str) -> Row:
    """A row that a file asks for: the short window is a twelfth of the long one, in whole minutes (SRE Workbook, chapter 5)."""
    short = timedelta(minutes=math.ceil(long / _TWELFTH / timedelta(minutes=1)))
    return Row(level=level, factor=factor, long=long, short=short, wait=wait, severity=severity)


def lifted(rows: tuple[Row, ...], step: timedelta) -> tuple[Row, ...]:
    """Rows that files ask for, their short windows no shorter than two steps, and than 2 min.

    Args:
        rows: as `own` makes them.
        step: the scrape interval, or the length of a slice.
    """
    least = max(timedelta(minutes=math.ceil(2 * step / timedelta(minutes=1))), _LEAST_SHORT)
    return tuple(replace(row, short=min(max(row.short, least), row.long)) for row in rows)


def kept(rows: Iterable[Row], left_out: frozenset[str]) -> tuple[Row, ...]:
    """Rows of which neither the level nor the word is left out. Words are those of the table, so this comes before `scaled`."""
    return tuple(row for row in rows if left_out.isdisjoint((row.level, row.word)))


def tells_from(row: Row, min_bad: int, allowed: Decimal) -> float | None:
    """Allowed bad events of the long window from which on its short one is large enough that two bad events in it tell.

    None for what is no page, and where the file asks for fewer bad events than pages usually do, or for many.
    """
    if row.level is not Level.PAGE or not DEFAULT_MIN_BAD[Level.PAGE] <= min_bad < MANY:
        return None
    return TELLS * (row.long / row.short) * float(allowed)


def can_fire(row: Row, allowed: Decimal) -> bool:
    """Whether an error ratio of 1 exceeds the row's burn: F * (1 - T) < 1."""
    return Decimal(str(row.factor)) * allowed < 1


def burn(bad: float, valid: float, allowed: Decimal) -> float | None:
    """Error / (1 - T); None without valid events.

    Raises:
        ValueError: more bad than valid events, or a negative count.
    """
    if bad < 0 or valid < bad:
        raise ValueError(f"bad events are a part of the valid ones; got {bad} of {valid}")
    return None if valid == 0 else bad / valid / float(allowed)


def time_to_fire(row: Row, error: float, allowed: Decimal, before: float = 0.0) -> timedelta | None:
    """Time from the start of an error ratio `error` (0 before, steady traffic) until both windows exceed the factor.

    None when they never do. `before` is the error ratio that stood before the fault.
    """
    threshold = row.factor * float(allowed)
    if error <= threshold:
        return None
    needed = [w * ((threshold - before) / (error - before)) for w in (row.long, row.short)]
    return max(timedelta(0), *needed)


def alone_below(row: Row, allowed: Decimal) -> int:
    """One bad event alone exceeds the row's factor when the long window holds fewer than this many events: 1/(F(1-T))."""
    return math.ceil(1 / (row.factor * float(allowed)))


def no_data_after(rows: tuple[Row, ...], allowed: Decimal) -> timedelta:
    """After which silence of the source is an alert: the fastest detection of a 100 % failure, at least 10 min."""
    times = [r.long * (r.factor * float(allowed)) + r.wait for r in rows]
    return max(timedelta(minutes=10), min(times, default=timedelta(minutes=10)))
