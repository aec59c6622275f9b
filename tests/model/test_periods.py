"""Calendar periods as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from platform_meter.model.periods import CalendarPeriod, calendar_period, quarter_of


@pytest.mark.parametrize(
    ("text", "label", "start", "end"),
    [
        ("2026-Q3", "2026-Q3", date(2026, 7, 1), date(2026, 10, 1)),
        ("Q3 2026", "2026-Q3", date(2026, 7, 1), date(2026, 10, 1)),
        (" q3/2026 ", "2026-Q3", date(2026, 7, 1), date(2026, 10, 1)),
        ("2026Q4", "2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026 H2", "2026-H2", date(2026, 7, 1), date(2027, 1, 1)),
        ("H1-2026", "2026-H1", date(2026, 1, 1), date(2026, 7, 1)),
        ("2026-12", "2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("July 2026", "2026-07", date(2026, 7, 1), date(2026, 8, 1)),
        ("Sept. 2026", "2026-09", date(2026, 9, 1), date(2026, 10, 1)),
        ("2026 feb", "2026-02", date(2026, 2, 1), date(2026, 3, 1)),
        ("2026", "2026", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_a_period_is_read_however_it_is_written(text: str, label: str, start: date, end: date) -> None:
    """Two ways to write one are one period, called in one way."""
    found = calendar_period(text)
    assert found is not None
    assert (found.label, found.start, found.end) == (label, start, end)


@pytest.mark.parametrize(
    "text", ["", "Next", "Sprint 31", "2026-H3", "2026-13", "Q5 2026", "Marsh 2026", "FY26", "Q3", "1999-Q1"]
)
def test_what_names_no_whole_months_is_no_period(text: str) -> None:
    """Neither half of a name, nor a year of a company."""
    assert calendar_period(text) is None


def test_a_day_lies_in_its_quarter() -> None:
    """The last day of one is not the first of the next."""
    assert quarter_of(date(2026, 9, 30)) == CalendarPeriod(date(2026, 7, 1), 3)
    assert quarter_of(date(2026, 10, 1)).label == "2026-Q4"
