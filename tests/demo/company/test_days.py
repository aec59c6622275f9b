from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from platform_meter.demo.company.days import easter, german_holidays, later, moment, office, rhythm, working


@pytest.mark.parametrize(
    ("year", "sunday"),
    [(2024, date(2024, 3, 31)), (2025, date(2025, 4, 20)), (2026, date(2026, 4, 5)), (2038, date(2038, 4, 25))],
)
def test_easter(year: int, sunday: date) -> None:
    """Easter Sunday falls where calendars say."""
    assert easter(year) == sunday


def test_holidays_of_one_year() -> None:
    """2026 has the nine holidays that all German states share."""
    assert sorted(german_holidays(2026)) == [
        date(2026, 1, 1),
        date(2026, 4, 3),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 5, 14),
        date(2026, 5, 25),
        date(2026, 10, 3),
        date(2026, 12, 25),
        date(2026, 12, 26),
    ]


def test_working_days() -> None:
    """Nobody works at weekends and on holidays, and little happens then."""
    assert working(date(2026, 5, 20))
    assert not working(date(2026, 5, 23))
    assert not working(date(2026, 5, 25))
    assert rhythm(date(2026, 5, 20)) == 1.0
    assert rhythm(date(2026, 5, 23)) == 0.07
    assert rhythm(date(2026, 5, 25)) == 0.1


def test_most_happens_in_office_hours() -> None:
    """Of 1,000 moments of a day, at least 700 lie between 8 and 18 h local time, and all on that local day."""
    rng = random.Random(1)
    found = [moment(date(2026, 5, 20), rng) for _ in range(1000)]
    assert sum(6 <= at.hour < 16 for at in found) > 700  # summer time: local is UTC+2
    assert min(found) >= datetime(2026, 5, 19, 22, tzinfo=UTC)
    assert max(found) < datetime(2026, 5, 20, 22, tzinfo=UTC)


def test_later_skips_days_off() -> None:
    """Friday plus a day is Monday at the same time; over Whitsun it is Tuesday."""
    assert later(datetime(2026, 5, 8, 10, tzinfo=UTC), timedelta(days=1)) == datetime(2026, 5, 11, 10, tzinfo=UTC)
    assert later(datetime(2026, 5, 22, 10, tzinfo=UTC), timedelta(days=1)) == datetime(2026, 5, 26, 10, tzinfo=UTC)


def test_office_hours() -> None:
    """The help desk is open 9 to 17 h local time on working days; the next opening counts otherwise."""
    inside = datetime(2026, 5, 20, 10, tzinfo=UTC)
    assert office(inside) == inside
    assert office(datetime(2026, 5, 20, 4, tzinfo=UTC)) == datetime(2026, 5, 20, 7, tzinfo=UTC)
    assert office(datetime(2026, 5, 22, 15, 30, tzinfo=UTC)) == datetime(2026, 5, 26, 7, tzinfo=UTC)
