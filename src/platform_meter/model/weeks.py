"""ISO weeks, from Monday to Sunday, cut at midnights of a zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from platform_meter.model.months import midnight

_WEEK = timedelta(days=7)
_LABEL = re.compile(r"([0-9]{4})-?W([0-9]{2})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Week:
    """One of them."""

    monday: date

    @property
    def label(self) -> str:
        """As ISO 8601 writes it: `2026-W48`."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    def start(self, zone: ZoneInfo) -> datetime:
        """When it begins in the zone, UTC."""
        return midnight(self.monday, zone)

    def end(self, zone: ZoneInfo) -> datetime:
        """When it is over in the zone, UTC."""
        return self.back(-1).start(zone)

    def back(self, weeks: int) -> Week:
        """So many weeks before it."""
        return Week(self.monday - weeks * _WEEK)


def week_of(day: date) -> Week:
    """The one that the day lies in."""
    return Week(day - timedelta(days=day.weekday()))


def last_whole(now: datetime, zone: ZoneInfo) -> Week:
    """The last one that is over in the zone."""
    return week_of(now.astimezone(zone).date()).back(1)


def parse_week(text: str) -> Week:
    """A week by its label, or by any of its days: `2026-W48`, `2026-11-25`.

    Raises:
        ValueError: it is neither.
    """
    try:
        if found := _LABEL.fullmatch(text.strip()):
            return Week(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        return week_of(date.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        raise ValueError(f"'{text}' is no week; write one as 2026-W48, or any of its days as 2026-11-25") from None
