"""Calendar periods: cut at midnights of a zone, and called as people do."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from platform_meter.model.months import around, called

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("length", "back", "start", "end", "name"),
    [
        ("month", 0, "2026-10-31T23:00", "2026-11-30T23:00", "November 2026"),
        ("month", 1, "2026-09-30T22:00", "2026-10-31T23:00", "October 2026"),
        ("quarter", 1, "2026-06-30T22:00", "2026-09-30T22:00", "Q3 2026"),
        ("half", 0, "2026-06-30T22:00", "2026-12-31T23:00", "H2 2026"),
        ("half", 1, "2025-12-31T23:00", "2026-06-30T22:00", "H1 2026"),
        ("year", 0, "2025-12-31T23:00", "2026-12-31T23:00", "2026"),
    ],
)
def test_periods_begin_and_end_at_midnights(length: str, back: int, start: str, end: str, name: str) -> None:
    """Half past midnight of 1 November in Berlin, which is October in UTC."""
    found = around(datetime(2026, 10, 31, 23, 30, tzinfo=UTC), length, BERLIN, back)
    assert [moment.isoformat()[:16] for moment in found] == [start, end]
    assert called(found[0], length, BERLIN) == name
