from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.slo.burnrate import (
    HUMAN,
    STANDARD,
    Level,
    Row,
    alone_below,
    budget,
    burn,
    can_fire,
    kept,
    lifted,
    no_data_after,
    own,
    parse_window,
    scaled,
    time_to_fire,
    window_text,
    window_words,
)

THREE_NINES = budget(Decimal("0.999"))


def test_budget_is_exact_in_decimals() -> None:
    """0.999 leaves 0.001, as written."""
    assert str(THREE_NINES) == "0.001"


@pytest.mark.parametrize("objective", ["0", "1", "1.5", "-0.1"])
def test_objectives_outside_are_refused(objective: str) -> None:
    """T lies in (0, 1)."""
    with pytest.raises(ValueError, match="between 0 and 1, both excluded"):
        budget(Decimal(objective))


def test_burn() -> None:
    """1.44 % errors burn the budget of 99.9 % at 14.4 (domain section 16); without events there is no burn."""
    assert burn(144, 10_000, THREE_NINES) == pytest.approx(14.4)
    assert burn(0, 0, THREE_NINES) is None
    with pytest.raises(ValueError, match="a part of the valid ones"):
        burn(3, 2, THREE_NINES)


def test_budget_used() -> None:
    """At P=30d the rows use 2, 5, 10 and 10 %, at P=28d the first uses 2.14 %; human rows use 23 and 15 % at P=91d."""
    assert [round(r.budget_used(timedelta(days=30)), 4) for r in STANDARD] == [0.02, 0.05, 0.1, 0.1]
    assert round(STANDARD[0].budget_used(timedelta(days=28)), 4) == 0.0214
    assert [round(r.budget_used(timedelta(days=91)), 2) for r in HUMAN] == [0.23, 0.15]


def test_rows_that_cannot_fire() -> None:
    """T=0.9 drops F=14.4 and keeps F=6; T=0.8 leaves no page (domain section 16)."""
    assert [can_fire(r, budget(Decimal("0.9"))) for r in STANDARD] == [False, True, True, True]
    pages = [r for r in STANDARD if r.level is Level.PAGE]
    assert not any(can_fire(r, budget(Decimal("0.8"))) for r in pages)
    assert not can_fire(STANDARD[0], budget(Decimal("0.93055555555555555")))


def test_rows_by_their_words() -> None:
    """A row is left out by its level, or alone by level and long window; what no row is called leaves none out."""
    assert [row.word for row in STANDARD] == ["page-1h", "page-6h", "ticket-1d", "ticket-3d"]
    assert [row.word for row in HUMAN] == ["ticket-7d", "ticket-14d"]
    assert kept(STANDARD, frozenset({"page-6h", "no-data", "ticket-7d"})) == (STANDARD[0], *STANDARD[2:])
    assert kept(STANDARD, frozenset({"ticket"})) == STANDARD[:2]


def test_full_outage_is_found_after_52_seconds() -> None:
    """A full outage at T=0.999 reaches F=14.4 over 1 h after 51.84 s (domain section 16)."""
    assert time_to_fire(STANDARD[0], 1.0, THREE_NINES) == timedelta(seconds=51.84)
    assert time_to_fire(STANDARD[0], 0.0144, THREE_NINES) is None
    assert time_to_fire(STANDARD[1], 0.1, THREE_NINES) == timedelta(minutes=21.6)


def test_one_event_alone() -> None:
    """One bad event alone exceeds F=14.4 under 70 events at 0.999, 7 at 0.99, 2 at 0.95 (domain section 5)."""
    assert [alone_below(STANDARD[0], budget(Decimal(t))) for t in ("0.999", "0.99", "0.95")] == [70, 7, 2]


def test_no_data() -> None:
    """At least 10 min; at 0.99 the fastest row finds a full failure in 8.64 min, at 0.9 (row F=6 of 6 h) in 3.6 h."""
    assert no_data_after(STANDARD, budget(Decimal("0.99"))) == timedelta(minutes=10)
    kept = tuple(r for r in STANDARD if can_fire(r, budget(Decimal("0.9"))))
    assert no_data_after(kept, budget(Decimal("0.9"))) == timedelta(hours=3.6)


def test_short_periods_scale_windows_up_to_whole_minutes() -> None:
    """P=7d: 1h * 7/30 = 14 min, 5m * 7/30 = 1.17 -> 2 min; two scrapes of a minute are the least. P=28d stays."""
    rows = scaled(STANDARD, timedelta(days=7), timedelta(seconds=30))
    assert [(window_text(r.long), window_text(r.short)) for r in rows] == [
        ("14m", "2m"),
        ("84m", "7m"),
        ("336m", "28m"),
        ("1008m", "84m"),
    ]
    assert scaled(STANDARD, timedelta(days=7), timedelta(minutes=2))[0].short == timedelta(minutes=4)
    assert scaled(STANDARD, timedelta(days=28), timedelta(seconds=30)) == STANDARD


@pytest.mark.parametrize("rows", [STANDARD, HUMAN])
@pytest.mark.parametrize("days", [28, 30, 91])
def test_no_alert_fires_inside_the_budget(rows: tuple[Row, ...], days: int) -> None:
    """A tenth of 28 days' budget in three days is a burn of 0.93, which the whole budget bears; factors stay at 1 or more."""
    assert all(row.factor >= 1 for row in scaled(rows, timedelta(days=days), timedelta(seconds=30)))


@pytest.mark.parametrize("text", ["5m", "30m", "1h", "6h", "1d", "3d", "28d"])
def test_window_text_round_trip(text: str) -> None:
    """A window reads back as it was written."""
    assert window_text(parse_window(text)) == text


@pytest.mark.parametrize("text", ["", "5", "m", "0m", "1.5h", "5s", "1M"])
def test_bad_windows(text: str) -> None:
    """Anything but a whole number and a unit is refused."""
    with pytest.raises(ValueError, match="is not a window"):
        parse_window(text)


@given(st.floats(0.001, 1), st.sampled_from(STANDARD))
def test_detection_is_never_later_than_the_windows(error: float, row: Row) -> None:
    """When a row fires at all, it does within its long window, and a full outage fires it first."""
    found = time_to_fire(row, error, THREE_NINES)
    worst = time_to_fire(row, 1.0, THREE_NINES)
    assert worst is not None
    if found is not None:
        assert worst <= found <= row.long


@pytest.mark.parametrize(
    ("minutes", "words"), [(1440, "day"), (4320, "3 days"), (60, "hour"), (360, "6 hours"), (84, "84 minutes")]
)
def test_a_window_in_words(minutes: int, words: str) -> None:
    """After "the last", in the largest unit of which it is a whole number."""
    assert window_words(timedelta(minutes=minutes)) == words


@pytest.mark.parametrize(
    ("long", "short"), [("1h", "5m"), ("6h", "30m"), ("3d", "6h"), ("5m", "1m"), ("20m", "2m"), ("61m", "6m")]
)
def test_a_row_of_ones_own_has_a_twelfth_as_its_short_window(long: str, short: str) -> None:
    """In whole minutes, rounded up (SRE Workbook, chapter 5)."""
    found = own(Level.PAGE, 14.4, parse_window(long), timedelta(minutes=3), "critical")
    assert (found.short, found.wait, found.severity) == (parse_window(short), timedelta(minutes=3), "critical")


@pytest.mark.parametrize(
    ("long", "step", "short"),
    [("1h", 30, "5m"), ("5m", 30, "2m"), ("5m", 120, "4m"), ("1h", 300, "10m"), ("10m", 300, "10m"), ("5m", 300, "5m")],
)
def test_short_windows_are_long_enough_to_judge_by(long: str, step: int, short: str) -> None:
    """Two steps and 2 min at least, and never longer than the long one."""
    (found,) = lifted((own(Level.PAGE, 2, parse_window(long), timedelta(0), "page"),), timedelta(seconds=step))
    assert found.short == parse_window(short)


def test_silence_is_told_no_sooner_than_an_outage() -> None:
    """What an alert waits counts too."""
    row = own(Level.PAGE, 10, parse_window("1h"), timedelta(minutes=20), "page")
    assert no_data_after((row,), Decimal("0.05")) == timedelta(minutes=50)
