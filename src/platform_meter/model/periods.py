"""Calendar periods as people write them: `Q3 2026`, `2026-H2`, `July 2026`, `2026`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_YEAR = r"(?P<year>20\d\d)"
_PART = r"(?P<letter>[qh])(?P<part>[1-4])"
_FORMS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}[ \-/]?{_PART}",
        rf"{_PART}[ \-/]?{_YEAR}",
        rf"{_YEAR}[\-/](?P<month>0[1-9]|1[0-2])",
        rf"(?P<name>[a-z]{{3,9}})\.?[ \-/]{_YEAR}",
        rf"{_YEAR}[ \-/](?P<name>[a-z]{{3,9}})",
        _YEAR,
    )
)


class CalendarPeriod(NamedTuple):
    """Some whole months. Two that are written differently are one."""

    start: date
    months: int

    @property
    def end(self) -> date:
        """The first day after it."""
        return month(self.start.year * 12 + self.start.month - 1 + self.months)

    @property
    def label(self) -> str:
        """`2026-Q3`, `2026-H2`, `2026-07` or `2026`."""
        year, first = self.start.year, self.start.month
        words = {1: f"{year}-{first:02}", 3: f"{year}-Q{first // 3 + 1}", 6: f"{year}-H{first // 6 + 1}", 12: str(year)}
        return words[self.months]


def calendar_period(text: str) -> CalendarPeriod | None:
    """The period that a text names and nothing else; None where it names none: `Next`, `Sprint 31`."""
    for form in _FORMS:
        found = form.fullmatch(text.strip())
        if found is not None:
            return _period(found.groupdict())
    return None


def quarter_of(day: date) -> CalendarPeriod:
    """The quarter that a day lies in."""
    return CalendarPeriod(date(day.year, (day.month - 1) // 3 * 3 + 1, 1), 3)


def _period(said: Mapping[str, str | None]) -> CalendarPeriod | None:
    year, letter, part = int(said["year"] or 0), said.get("letter"), int(said.get("part") or 0)
    if letter:
        months = 3 if letter in "qQ" else 6
        return CalendarPeriod(date(year, (part - 1) * months + 1, 1), months) if part * months <= 12 else None
    if number := said.get("month"):
        return CalendarPeriod(date(year, int(number), 1), 1)
    if name := said.get("name"):
        short, whole = name.lower()[:3], name.lower()
        place = _MONTHS.index(short) if short in _MONTHS else -1
        # Sept is the one short name of four letters.
        fits = place >= 0 and whole in {short, _NAMES[place], "sept"}
        return CalendarPeriod(date(year, place + 1, 1), 1) if fits else None
    return CalendarPeriod(date(year, 1, 1), 12)


def month(number: int) -> date:
    """The first day of a month, counted from the year 0."""
    year, months = divmod(number, 12)
    return date(year, months + 1, 1)
