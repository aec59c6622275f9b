from __future__ import annotations

import pytest

from platform_meter.slo.promql import read_count, read_gauge
from platform_meter.slo.terms import Unknown, counted, level

A, B = "increase(a[{{window}}])", "increase(b[{{window}}])"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("a", [("a", 1, 0)]),
        (f"sum({A}) - sum({B})", [("a", 1, 0), ("b", -1, 0)]),
        (f"sum({A}) - (sum({B}) - sum({A}))", [("a", 1, 0), ("b", -1, 0), ("a", 1, 0)]),
        (f"sum({A} + {B})", [("a", 1, 1), ("b", 1, 1)]),
        (f"sum(sum by (x) ({A}))", [("a", 1, 0)]),
    ],
)
def test_counts(query: str, found: list[tuple[str, int, int]]) -> None:
    """What is added, what is taken away, and what is joined series by series."""
    assert [(t.selector.metric, t.times, t.among) for t in counted(read_count(query))] == found


@pytest.mark.parametrize(
    ("query", "shift", "times"), [("a", 0, 1), ("1 - a / b", 1, -1), ("100 * a + 5", 5, 100), ("max(a) / 2", 0, 0.5)]
)
def test_levels(query: str, shift: float, times: float) -> None:
    """A level is a series, times a number, plus another."""
    found = level(read_gauge(query, "max"))
    assert (found.selector.metric, float(found.shift), float(found.times)) == ("a", shift, times)


@pytest.mark.parametrize("query", ["histogram_quantile(0.9, a)", "a / (b / c)", "2 / a", "a offset 5m"])
def test_what_is_not_known(query: str) -> None:
    """Another form is said to be one."""
    with pytest.raises(Unknown):
        level(read_gauge(query, "max"))
