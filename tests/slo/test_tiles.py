"""Tiles as text; what they count is tried with promtool in tests/real/test_gaps.py."""

from __future__ import annotations

from datetime import timedelta

import pytest

from platform_meter.slo.promql import read_count
from platform_meter.slo.tiles import LATE, steps, tile

FIVE, SCRAPE = timedelta(minutes=5), timedelta(seconds=30)


def each(x: str, offset: str = "", before: str = "5m") -> str:
    """What is counted of one counter in five minutes."""
    last = f"last_over_time({x}[5m]{offset})"
    known = f"last_over_time({x}[1h] offset {before})"
    return (
        f"(increase({x}[5m30s]{offset}) * 300 / 330 and resets({x}[5m]{offset}) > 0"
        f" or {last} - {known} >= 0 or {last} < {known} or {last} - min_over_time({x}[5m]{offset}))"
    )


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("a", f"sum({each('a')})"),
        ('a{b="increase(c[1m])"}', "sum(" + each('a{b="increase(c[1m])"}') + ")"),
        ("sum(rate(a[{{window}}]))", f"sum({each('a')})"),
        ("sum( increase ( a [{{window}}] ) )", f"sum( {each('a')} )"),
        ("sum(increase(a[{{window}}] offset 5m))", f"sum({each('a', ' offset 5m', '10m')})"),
        ("sum(increase(a[{{window}}])) + sum(increase(b[{{window}}]))", f"sum(sum({each('a')}) + sum({each('b')}))"),
        ("sum(sum_over_time(a[{{window}}]))", "sum((sum_over_time(a[4m59s999ms])))"),
        ("sum(changes(a[{{window}}]))", None),
        ("sum(sum_over_time((up == bool 0)[{{window}}:1m]))", None),
    ],
)
def test_steps(query: str, text: str | None) -> None:
    """Every counter is replaced by its steps inside the query's own text; what reads something else has none."""
    assert steps(read_count(query), FIVE, SCRAPE) == text


def test_a_tile_reaches_back() -> None:
    """For each age of the last tile there is a value to count from, and none of them stands beside another."""
    text = tile(read_count("a"), FIVE, SCRAPE, "t")
    assert text.count(" and on () (count_over_time(t[4m] offset ") == 2 * len(LATE)
    ten = "last_over_time(a[5m] offset 10m30s) and on () (count_over_time(t[4m] offset 8m) unless count_over_time(t[4m] offset 3m))"
    assert text.startswith(f"sum((last_over_time(a[5m] offset 30s) - ({ten} or ")
    assert f") >= 0 or last_over_time(a[5m] offset 30s) < ({ten} or " in text
    assert text.endswith(f" or {each('a', ' offset 30s', '5m30s')[1:-1]}))")


@pytest.mark.parametrize(
    ("query", "ends"),
    [
        ("sum(changes(a[{{window}}]))", "sum(changes(a[5m30s])) * 300 / 330"),
        ("sum(sum_over_time((up == bool 0)[{{window}}:1m]))", "\nor sum(sum_over_time((up == bool 0)[4m59s999ms:1m]))"),
    ],
)
def test_what_has_no_steps(query: str, ends: str) -> None:
    """Looks of a subquery count once each; what compares neighbours is an estimate over a scrape more."""
    assert tile(read_count(query), FIVE, SCRAPE, "t").endswith(ends)
