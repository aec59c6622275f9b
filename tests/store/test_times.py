"""Days of a zone, named by their midnights."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from platform_meter.store.times import Days, from_ms, to_ms

ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo", "Etc/GMT+12"]
MOMENTS = st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


def test_days_are_as_long_as_the_clocks_make_them() -> None:
    """Berlin: 23 h on 2026-03-29, 25 h on 2026-10-25."""
    days = Days("Europe/Berlin")
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        assert days.next(days.midnight(day)) - days.midnight(day) == hours * 3_600_000


def test_a_day_without_midnight_begins_when_the_clocks_jump() -> None:
    """Sao Paulo 2018-11-04 began at 01:00 local time, 03:00 UTC."""
    days = Days("America/Sao_Paulo")
    assert from_ms(days.midnight(date(2018, 11, 4))) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert days.day(days.midnight(date(2018, 11, 4))) == date(2018, 11, 4)


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_moment_is_in_the_day_that_started_last(moment: datetime, zone: str) -> None:
    """start <= moment < next, and the start is of the moment's own local date."""
    days, ms = Days(zone), to_ms(moment)
    start = days.start(ms)
    assert start <= ms < days.next(start)
    assert days.day(start) == moment.astimezone(days.zone).date()


@given(MOMENTS)
def test_milliseconds_come_back(moment: datetime) -> None:
    """What is finer is cut off."""
    assert timedelta(0) <= moment - from_ms(to_ms(moment)) < timedelta(milliseconds=1)
