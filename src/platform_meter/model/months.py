"""Months, quarters, halves and years that a moment lies in, cut at midnights of a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from platform_meter.model.periods import month

MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}


def around(moment: datetime, length: str, zone: ZoneInfo, back: int = 0) -> tuple[datetime, datetime]:
    """Start and end, in UTC, of the months that the moment lies in, or of as many some times before.

    Both are midnights of the zone, so that a month has an hour more or less where clocks change in it.

    Args:
        moment: any.
        length: of `MONTHS`.
        zone: whose midnights.
        back: how many times before.
    """
    months, local = MONTHS[length], moment.astimezone(zone)
    first = (local.year * 12 + local.month - 1) // months * months - back * months
    return midnight(month(first), zone), midnight(month(first + months), zone)


def called(moment: datetime, length: str, zone: ZoneInfo) -> str:
    """The months that the moment lies in, as people call them: `March 2026`, `Q1 2026`, `H1 2026`, `2026`."""
    local = moment.astimezone(zone)
    match length:
        case "month":
            return f"{local:%B %Y}"
        case "quarter":
            return f"Q{(local.month + 2) // 3} {local.year}"
        case "half":
            return f"H{(local.month + 5) // 6} {local.year}"
        case _:
            return str(local.year)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When the day begins in the zone, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
