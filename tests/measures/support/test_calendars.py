"""Business time: the vectors of the domain, summer time both ways, and what must hold for every calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.measures.support.calendars import Clock, add, clock, day_seconds, elapsed
from platform_meter.model.definitions import Calendar

BERLIN = ZoneInfo("Europe/Berlin")


def calendar(days: dict[str, list[str]], zone: str = "Europe/Berlin", holidays: tuple[date, ...] = ()) -> Calendar:
    settings: dict[str, Any] = {"zone": zone, "days": days, "holidays": holidays}
    return Calendar.model_validate(settings)


OFFICE = calendar({"mon-fri": ["09:00-17:00"]})
ALWAYS = calendar({"mon-sun": ["00:00-24:00"]})
SPLIT = calendar({"mon-thu": ["09:00-12:00", "13:00-18:00"], "fri": ["09:00-17:00"]})
NIGHT = calendar({"sat-sun": ["01:30-02:30"]})
NEVER = calendar({})
CALENDARS = (OFFICE, ALWAYS, SPLIT, NIGHT, calendar({"sun": ["00:00-24:00"]}, "America/Havana"))


def berlin(text: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


def test_a_weekend_is_closed() -> None:
    """Created Friday 16:30 and answered Monday 09:45: 30 and 45 minutes, and summer time began in between."""
    assert elapsed(OFFICE, berlin("2026-03-27 16:30"), berlin("2026-03-30 09:45")) == 4500.0


def test_the_day_that_summer_time_begins_has_23_hours() -> None:
    """Noon to noon by the wall clock over 2026-03-29."""
    assert elapsed(ALWAYS, berlin("2026-03-28 12:00"), berlin("2026-03-29 12:00")) == 82_800.0


def test_the_day_that_summer_time_ends_has_25_hours() -> None:
    """Noon to noon by the wall clock over 2026-10-25."""
    assert elapsed(ALWAYS, berlin("2026-10-24 12:00"), berlin("2026-10-25 12:00")) == 90_000.0


def test_hours_are_wall_time_in_summer_and_winter() -> None:
    """09:00 in Berlin is 08:00 UTC in winter and 07:00 UTC in summer."""
    for day, hour in (("2026-01-14", 8), ("2026-07-15", 7)):
        opening = datetime.fromisoformat(f"{day} {hour:02}:00+00:00")
        assert elapsed(OFFICE, opening - timedelta(hours=1), opening) == 0.0
        assert elapsed(OFFICE, opening, opening + timedelta(minutes=1)) == 60.0


def test_an_exception_has_hours_of_its_own_whatever_its_weekday() -> None:
    """A half day on Thursday, a Saturday that is worked, and a Monday that is closed; the days around stay as they are."""
    found = Calendar.model_validate(
        {
            "zone": "UTC",
            "days": {"mon-fri": ["09:00-17:00"]},
            "holidays": ["2026-12-25"],
            "exceptions": {
                "2026-12-24": ["09:00-13:00"],
                "2026-12-26": ["10:00-14:00", "15:00-16:00"],
                "2026-12-28": [],
            },
        }
    )
    days = [datetime(2026, 12, day, tzinfo=UTC) for day in range(23, 31)]
    opened = [elapsed(found, day, day + timedelta(days=1)) / 3600 for day in days]
    assert opened == [8.0, 4.0, 0.0, 5.0, 0.0, 0.0, 8.0, 8.0]


def test_a_calendar_of_exceptions_alone_opens_on_those_days() -> None:
    """However far they are away."""
    found = Calendar.model_validate({"days": {}, "exceptions": {"2040-01-02": ["09:00-10:00"]}})
    assert add(found, datetime(2026, 1, 1, tzinfo=UTC), 1800) == datetime(2040, 1, 2, 9, 30, tzinfo=UTC)


def test_holidays_are_closed_in_the_zone_of_the_calendar() -> None:
    """25 December in Berlin is closed, whatever the date is in UTC; the days around it are not."""
    around_the_clock = calendar({"mon-sun": ["00:00-24:00"]}, holidays=(date(2026, 12, 25),))
    start = datetime(2026, 12, 24, 12, tzinfo=UTC)
    assert elapsed(around_the_clock, start, start + timedelta(days=2)) == 86_400.0
    assert elapsed(
        around_the_clock, datetime(2026, 12, 24, 22, tzinfo=UTC), datetime(2026, 12, 24, 23, tzinfo=UTC)
    ) == (3600.0)
    assert (
        elapsed(around_the_clock, datetime(2026, 12, 24, 23, tzinfo=UTC), datetime(2026, 12, 25, 23, tzinfo=UTC)) == 0
    )


def test_an_hour_that_summer_time_skips_has_no_length() -> None:
    """01:30-02:30 lasts half an hour on 2026-03-29, since 02:00 is followed by 03:00."""
    assert elapsed(NIGHT, berlin("2026-03-28 12:00"), berlin("2026-03-29 12:00")) == 1800.0
    skipped = calendar({"sun": ["02:00-02:30", "02:30-03:00", "03:00-04:00"]})
    assert elapsed(skipped, berlin("2026-03-29 00:00"), berlin("2026-03-30 00:00")) == 3600.0


def test_hours_that_meet_in_a_repeated_hour_still_make_the_whole_day() -> None:
    """Until 02:30 and from 02:30 are 25 hours on 2026-10-25: no hour is lost and none counts twice."""
    halves = calendar({"sun": ["00:00-02:30", "02:30-24:00"]})
    assert elapsed(halves, berlin("2026-10-25 00:00"), berlin("2026-10-26 00:00")) == 90_000.0


def test_an_end_before_the_start_is_no_time() -> None:
    """Clocks of two systems differ: that must not give negative time."""
    assert elapsed(ALWAYS, berlin("2026-05-05 12:00"), berlin("2026-05-05 11:00")) == 0.0


def test_time_before_1970_is_closed() -> None:
    """A date of year 1 in the data costs no layout of two thousand years; 1970 began at 23:00 UTC in Berlin."""
    assert elapsed(ALWAYS, datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)) == 90_000.0


@pytest.mark.parametrize("year", [1, 1960, 1969, 1970])
def test_business_time_since_a_date_before_1970_begins_with_1970(year: int) -> None:
    """A calendar that nothing was asked of before gives an answer, too."""
    fresh = Clock("UTC", ((),) * 3 + (((timedelta(0), timedelta(days=1)),),) * 4, ())
    start = datetime(year, 1, 1, tzinfo=UTC)
    assert fresh.add(start, timedelta(hours=1)) == datetime(1970, 1, 1, 1, tzinfo=UTC)
    assert fresh.passes(start, timedelta(days=4)) == datetime(1970, 1, 8, tzinfo=UTC)


def test_after_2200_a_calendar_is_closed() -> None:
    """Nothing passes any more."""
    fresh = Clock("UTC", (((timedelta(0), timedelta(days=1)),),) * 7, ())
    assert fresh.passes(datetime(2300, 1, 1, tzinfo=UTC), timedelta(hours=1)) is None
    assert fresh.elapsed(datetime(2199, 12, 31, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC)) == timedelta(days=1)


def test_a_moment_after_so_much_business_time() -> None:
    """Friday 16:30 and 4,500 business seconds are Monday 09:45; what ends as the day closes ends then."""
    friday = berlin("2026-03-27 16:30")
    assert add(OFFICE, friday, 4500) == berlin("2026-03-30 09:45")
    assert add(OFFICE, friday, 1800) == berlin("2026-03-27 17:00")
    assert add(OFFICE, berlin("2026-03-28 10:00"), 0) == berlin("2026-03-28 10:00")
    assert add(OFFICE, friday, 8 * 3600 * 261 * 3) > friday + timedelta(days=3 * 364)


def test_what_is_used_up_at_closing_is_passed_at_the_next_opening() -> None:
    """A goal of 30 minutes from Friday 16:30 still holds all weekend and is passed on Monday at 09:00."""
    friday = berlin("2026-03-27 16:30")
    assert clock(OFFICE).passes(friday, timedelta(seconds=1800)) == berlin("2026-03-30 09:00")
    assert clock(OFFICE).passes(friday, timedelta(seconds=1799)) == berlin("2026-03-27 16:59:59")


def test_a_calendar_that_never_opens_never_passes_anything() -> None:
    """add refuses, passes says None."""
    start = berlin("2026-03-27 16:30")
    assert clock(NEVER).passes(start, timedelta(seconds=1)) is None
    assert elapsed(NEVER, start, start + timedelta(days=300)) == 0.0
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        add(NEVER, start, 60)
    assert str(caught.value) == (
        "this calendar never lets 0:01:00 of business time pass after 2026-03-27 15:30:00+00:00; give it open days"
    )


def test_business_time_to_add_is_never_negative() -> None:
    """There is no way back in business time."""
    with pytest.raises(ValueError, match=r"^business time to add must not be negative; got -1 day, 23:59:59$"):
        add(OFFICE, berlin("2026-03-27 16:30"), -1)


@pytest.mark.parametrize(
    ("days", "seconds"),
    [
        ({"mon-fri": ["09:00-17:00"]}, 28_800.0),
        ({"mon-sun": ["00:00-24:00"]}, 86_400.0),
        ({"mon": ["09:00-12:00", "13:00-18:00"], "tue": ["08:00-16:00"], "wed": []}, 28_800.0),
    ],
)
def test_a_business_day_is_the_wall_length_of_open_days(days: dict[str, list[str]], seconds: float) -> None:
    """Closed weekdays do not count; around the clock it is 24 hours, also where one day a year has 23."""
    assert day_seconds(calendar(days)) == seconds


def test_open_days_of_different_length_have_no_business_day() -> None:
    """The text names the days and says what to write."""
    with pytest.raises(
        ValueError,
        match=r"^bd has no one length here: open days differ \(mon 8h, sat 4\.5h\); write the goal in hours such as 40h$",
    ):
        day_seconds(calendar({"mon": ["09:00-17:00"], "sat": ["09:00-13:30"]}))


def test_a_calendar_without_open_days_has_no_business_day() -> None:
    """The text says what to write."""
    with pytest.raises(
        ValueError, match=r"^this calendar has no open day, so bd has no length; give it days such as mon-fri$"
    ):
        day_seconds(NEVER)


moments = st.integers(0, 3 * 365 * 86_400_000).map(
    lambda ms: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
calendars = st.sampled_from(CALENDARS)


@given(calendars, st.lists(moments, min_size=2, max_size=6))
def test_time_adds_up_over_any_split(open_hours: Calendar, splits: list[datetime]) -> None:
    """From the first to the last moment passes as much as from each to the next, and never a negative amount."""
    splits.sort()
    parts = [clock(open_hours).elapsed(a, b) for a, b in pairwise(splits)]
    assert sum(parts, timedelta(0)) == clock(open_hours).elapsed(splits[0], splits[-1])
    assert all(timedelta(0) <= part <= b - a for part, (a, b) in zip(parts, pairwise(splits), strict=True))


@given(calendars, moments, st.integers(min_value=0, max_value=3_000_000))
def test_adding_and_measuring_are_inverse(open_hours: Calendar, start: datetime, seconds: int) -> None:
    """elapsed(start, add(start, s)) is s, and no earlier moment has it; at `passes` it is s and right after it more."""
    end = add(open_hours, start, seconds)
    assert elapsed(open_hours, start, end) == seconds
    if seconds:
        assert elapsed(open_hours, start, end - timedelta(microseconds=1)) < seconds
    last = clock(open_hours).passes(start, timedelta(seconds=seconds))
    assert last is not None
    assert last >= end
    assert elapsed(open_hours, start, last) == seconds
    assert elapsed(open_hours, start, last + timedelta(milliseconds=1)) > seconds


@given(calendars, moments, moments)
def test_measuring_and_adding_lead_back(open_hours: Calendar, one: datetime, other: datetime) -> None:
    """What passed until `end`, added to the start, gives `end`, or earlier when it lies in closed time."""
    start, end = sorted((one, other))
    passed = clock(open_hours).elapsed(start, end)
    back = clock(open_hours).add(start, passed)
    assert start <= back <= end
    assert clock(open_hours).elapsed(back, end) == timedelta(0)


@given(moments, st.integers(min_value=0, max_value=40 * 86_400))
def test_a_table_gives_what_minutes_counted_one_by_one_give(start: datetime, seconds: int) -> None:
    """Whole minutes whose wall time lies in open hours, counted on their own."""
    start = start.replace(second=0, microsecond=0)
    minutes = seconds // 60 % 5000
    expected = 0
    for minute in range(minutes):
        wall = (start + timedelta(minutes=minute)).astimezone(BERLIN)
        closing = 17 if wall.weekday() == 4 else 18
        lunch = wall.weekday() < 4 and wall.hour == 12
        expected += 60 * (wall.weekday() < 5 and 9 <= wall.hour < closing and not lunch)
    assert elapsed(SPLIT, start, start + timedelta(minutes=minutes)) == expected
