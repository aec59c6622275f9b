"""Single values of an OpenSLO file, seen alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from platform_meter.slo.openslo.values import (
    LONGEST_NAME,
    parse_after,
    parse_lookback,
    parse_name,
    parse_over,
    parse_severity,
    parse_threshold,
)


@pytest.mark.parametrize(("name", "shown"), [("A" * 60, "A" * 60), ("A" * 61, "A" * 60 + "…")])
def test_of_a_long_name_the_beginning_is_shown(name: str, shown: str) -> None:
    """A message stays readable whatever was written."""
    with pytest.raises(ValueError, match=f"^'{shown}' is no name; write lower-case letters"):
        parse_name(name)


def test_the_longest_name_is_one() -> None:
    """One character more is not."""
    assert parse_name("a" * LONGEST_NAME) == "a" * LONGEST_NAME
    with pytest.raises(ValueError, match="is no name"):
        parse_name("a" * (LONGEST_NAME + 1))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.99, "a threshold of 0.99 fires inside the budget, which a burn of 1 just spends; write 1 or more"),
        ("2", "'2' is no burn rate; write a number such as 14.4"),
        (True, "'True' is no burn rate; write a number such as 14.4"),
        (float("inf"), "'inf' is no burn rate; write a number such as 14.4"),
        (None, "empty; write a number such as 14.4"),
    ],
)
def test_thresholds_that_are_none(value: object, told: str) -> None:
    """A burn alert begins at a burn of 1."""
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        parse_threshold(value)
    assert parse_threshold(1) == 1.0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("4m", "a lookbackWindow of 4m holds too few scrapes to judge by; write 5m or more, such as 1h"),
        ("1M", "lookbackWindow of 1M has no fixed length; write minutes, hours or days, such as 1h"),
        ("90s", "'90s' is no lookbackWindow; write minutes, hours or days, such as 1h"),
        (5, "'5' is no lookbackWindow; write minutes, hours or days, such as 1h"),
    ],
)
def test_windows_that_are_none(value: object, told: str) -> None:
    """Whole minutes, and at least five of them."""
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        parse_lookback(value)
    assert parse_lookback("5m") == timedelta(minutes=5)


def test_waits() -> None:
    """0m is OpenSLO's default; a wait of minutes has a unit."""
    assert (parse_after("0m"), parse_after("1h")) == (timedelta(0), timedelta(hours=1))
    with pytest.raises(ValueError, match=r"^'0h' is no alertAfter; write minutes, hours or days, such as 5m$"):
        parse_after("0h")


def test_operators() -> None:
    """An alert that fires below its threshold would fire while all is well; what is no operator is told by its type."""
    assert [parse_over(word) for word in ("gt", "gte", "eq")] == ["gt", "gte", "eq"]
    with pytest.raises(ValueError, match=r"^op: lt would fire while the budget is kept; write op: gt$"):
        parse_over("lt")


@pytest.mark.parametrize("value", ["", " ", "a\nb", "x" * (LONGEST_NAME + 1)])
def test_severities_that_are_none(value: str) -> None:
    """A severity is the value of a label, on one line."""
    with pytest.raises(ValueError, match=r"write a word such as page or ticket$"):
        parse_severity(value)
    assert parse_severity(" Critical ") == "Critical"
