"""ISO weeks of a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from platform_meter.model.weeks import Week, last_whole, parse_week

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "monday", "label"),
    [
        ("2026-W48", date(2026, 11, 23), "2026-W48"),
        ("2026w48", date(2026, 11, 23), "2026-W48"),
        ("2026-11-29", date(2026, 11, 23), "2026-W48"),
        ("2027-01-03", date(2026, 12, 28), "2026-W53"),
        ("2024-12-31", date(2024, 12, 30), "2025-W01"),
    ],
)
def test_a_week_is_told_by_its_label_or_a_day(text: str, monday: date, label: str) -> None:
    """The year of a week is that of its Thursday, as ISO 8601 has it."""
    week = parse_week(text)
    assert (week.monday, week.label, (week.sunday - monday).days) == (monday, label, 6)


@pytest.mark.parametrize("text", ["", "48", "2026-W54", "2025-W53", "2026-W00", "0000-W01", "2026-02-30", "last week"])
def test_what_is_no_week_is_refused(text: str) -> None:
    """The message says how one is written."""
    with pytest.raises(ValueError, match="is no week; write one as 2026-W48, or any of its days as 2026-11-25"):
        parse_week(text)


def test_a_week_is_cut_in_the_zone() -> None:
    """A week in which clocks go back has 169 hours, and begins at the zone's midnight."""
    week = Week(date(2026, 10, 19))
    start, end = week.start(BERLIN), week.end(BERLIN)
    assert (start, end) == (datetime(2026, 10, 18, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "label"),
    [
        (datetime(2026, 11, 29, 22, 59, tzinfo=UTC), "2026-W47"),
        (datetime(2026, 11, 29, 23, 0, tzinfo=UTC), "2026-W48"),
    ],
)
def test_the_last_whole_week_is_over_in_the_zone(now: datetime, label: str) -> None:
    """A week is over when Monday begins where people are."""
    assert last_whole(now, BERLIN).label == label
