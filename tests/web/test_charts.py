"""The axis of a chart: round, evenly spaced, written out, and whole where whole things are counted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.web.charts import Chart, Form, Series, axis, draw


def chart(
    *values: float | None, percent: bool = False, zoom: bool = False, digits: int = 1, form: Form = Form.LINES
) -> Chart:
    return Chart(
        title="t",
        caption="c",
        labels=tuple(f"{n}" for n in range(len(values))),
        series=(Series(name="s", values=values),),
        form=form,
        percent=percent,
        zoom=zoom,
        digits=digits,
    )


def heights(svg: str) -> list[float]:
    return [float(y) for y in re.findall(r'cy="([0-9.]+)"', svg)]


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (0, ("0", "1")),
        (1, ("0", "1")),
        (3, ("0", "1", "2", "3")),
        (5, ("0", "1", "2", "3", "4", "5")),
        (9, ("0", "2", "4", "6", "8", "10")),
        (36, ("0", "10", "20", "30", "40")),
        (64, ("0", "20", "40", "60", "80")),
        (7_400, ("0", "2,000", "4,000", "6,000", "8,000")),
        (12_345, ("0", "5,000", "10,000", "15,000")),
        (3_100_000, ("0", "1,000,000", "2,000,000", "3,000,000", "4,000,000")),
    ],
)
def test_counts_have_whole_lines_and_thousands_written_out(highest: float, labels: tuple[str, ...]) -> None:
    """No 37.5 runs and no 1e+04 of them, in bars and in lines."""
    for form in Form:
        assert axis(chart(0.0, float(highest), form=form)).labels == labels


def test_what_is_no_count_has_the_decimals_that_tell_lines_apart() -> None:
    """Half a unit at a time is written with one decimal on every line."""
    assert axis(chart(0.3, 2.1)).labels == ("0.0", "0.5", "1.0", "1.5", "2.0", "2.5")


@given(st.lists(st.floats(-1e9, 1e9).filter(lambda v: abs(v) > 1e-3), min_size=1, max_size=5), st.booleans())
def test_no_value_is_outside_and_none_is_dwarfed(values: list[float], whole: bool) -> None:
    """Whatever the values: at most six lines, and what is to be seen takes at least half of the height."""
    said = [float(round(v)) for v in values] if whole else values
    lines = axis(chart(*said)).values
    low, high = min([0.0, *said]), max([0.0, *said])
    slack = (lines[-1] - lines[0]) * 1e-9
    assert lines[0] - slack <= low <= high <= lines[-1] + slack
    assert 2 <= len(lines) <= 6
    assert lines[-1] - lines[0] <= 2 * max(high - low, 0.5 if whole else 0) + slack
    if whole:
        assert all(line == int(line) for line in lines)


def test_shares_go_from_none_to_all() -> None:
    """However low they are."""
    assert axis(chart(0.01, 0.02, percent=True)).labels == ("0 %", "20 %", "40 %", "60 %", "80 %", "100 %")


def test_a_share_near_one_uses_the_whole_height() -> None:
    """From 98 % to 100 %: 99 % stands in the middle, and the axis says so."""
    drawn = chart(0.98, 0.99, 1.0, percent=True, zoom=True)
    assert axis(drawn).labels == ("98.0 %", "98.5 %", "99.0 %", "99.5 %", "100.0 %")
    assert heights(str(draw(drawn))) == [194.0, 102.0, 10.0]
    assert axis(chart(0.99987, percent=True, zoom=True)).labels[0] == "99.985 %"
    assert axis(chart(1.0, percent=True, zoom=True)).labels[0] == "99.0 %"


def test_what_is_below_zero_stands_below_zero() -> None:
    """An overspent budget: the axis begins at -100 %, and 0 is in its middle."""
    drawn = chart(-1.0, 0.0, None, percent=True)
    assert axis(drawn).labels == ("-100 %", "-50 %", "0 %", "50 %", "100 %")
    assert heights(str(draw(drawn))) == [194.0, 102.0]


def test_the_table_has_the_decimals_that_are_asked_for() -> None:
    """99.95 % is not 100.0 %."""
    assert chart(0.9996, percent=True).text(0.9996) == "100.0 %"
    assert chart(0.9995, percent=True, digits=3).text(0.9995) == "99.950 %"
