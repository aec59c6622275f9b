from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.slo.promql import (
    Matcher,
    Selector,
    duration_text,
    number_text,
    quote,
    read_count,
    read_duration,
    read_gauge,
    selectors,
)

FIVE = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a_total", "sum(increase(a_total[5m]))"),
        ('a_total{b="c"}', 'sum(increase(a_total{b="c"}[5m]))'),
        ('sum (a_total{b="c)"})', 'sum(increase(a_total{b="c)"}[5m]))'),
        ("sum(increase(a[{{window}}]))", "sum(increase(a[5m]))"),
        ("sum(increase(a[{{ .window }}]))", "sum(increase(a[5m]))"),
        ("increase(a[{{window}}])", "sum(increase(a[5m]))"),
        ("sum(sum by (code) (increase(a[{{window}}])))", "sum(sum by (code) (increase(a[5m])))"),
        ("sum(rate(a[{{window}}]))", "(sum(rate(a[5m])) * 300)"),
        (
            "sum(increase(a[{{window}}])) + sum(increase(b[{{window}}]))",
            "sum(sum(increase(a[5m])) + sum(increase(b[5m])))",
        ),
        ("sum(  # all\n  increase(a[{{window}}])\n)", "sum( increase(a[5m]) )"),
        ('a{b="#{{window}}  #"}', 'sum(increase(a{b="#{{window}}  #"}[5m]))'),
        (
            "sum(sum_over_time((rate(a[1m]) > bool 5)[{{window}}:1m]))",
            "sum(sum_over_time((rate(a[1m]) > bool 5)[5m:1m]))",
        ),
    ],
)
def test_counts(written: str, meant: str) -> None:
    """The window is put in, a bare counter is wrapped, a rate becomes a count, the result is one series."""
    assert read_count(written).over(FIVE) == meant


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("sum(increase(a[5m]))", "a fixed range [5m] would be read for every window"),
        ("sum(increase(a[{{window}}])) / sum(increase(b[1h]))", "a fixed range [1h] would be read for every window"),
        ("sum(a) + sum(b)", "the query has no range [{{window}}]"),
        ("sum by (x) (a)", "the query has no range [{{window}}]"),
        ("sum(a) by (x)", "the query has no range [{{window}}]"),
        ("sum(a offset 5m)", "a counter alone takes no offset"),
        ("sum(increase(a[{{window}}]) ", "this is not PromQL: "),
        ("", "this is not PromQL: no expression found in input"),
        ("sum(irate(a[{{window}}]))", "irate looks at two samples only"),
        ("sum(rate(a[{{window}}])) + sum(increase(a[{{window}}]))", "rate and increase together"),
        ("scalar(sum(increase(a[{{window}}])))", "scalar of a window is not the sum of scalar of its parts"),
        ("a offset 5m", "a counter alone takes no offset"),
        ("a{b=~'('}", "this is not PromQL: illegal regex"),
        (r'a{b="\d"}', "this is not PromQL: unknown escape sequence"),
        ("(" * 51 + "a" + ")" * 51, "brackets nested deeper than 50 levels"),
        ("a" * 5001, "longer than 5000 characters"),
        ("1" + "+1" * 2000, "too deep to read"),
    ],
)
def test_what_is_no_count(written: str, why: str) -> None:
    """Each mistake has its own words."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below, as written
        read_count(written)
    assert str(caught.value).startswith(why)


def test_levels() -> None:
    """A gauge stays as it is; of several series the worst decides; a window may stand in it."""
    assert read_gauge("max(age)", "min").over(FIVE) == "max(age)"
    assert read_gauge("age", "max").over(FIVE) == "max(age)"
    assert read_gauge("avg_over_time(age[{{window}}])", "min").over(FIVE) == "min(avg_over_time(age[5m]))"
    assert read_gauge("avg_over_time(age[1m])", "min").over(FIVE) == "min(avg_over_time(age[1m]))"


def test_what_is_read_is_known() -> None:
    """Metrics are named, also those under `__name__`; the selector of a plain count is at hand."""
    query = read_count('sum(increase(a_total{x=~"1.",y!="2"}[{{window}}]))')
    assert query.metrics == ("a_total",)
    assert query.selector is not None
    assert [(m.label, m.operator, m.value) for m in query.selector.matchers] == [("x", "=~", "1."), ("y", "!=", "2")]
    assert read_count('sum(increase({__name__="b_total"}[{{window}}])) - sum(increase(a[{{window}}]))').metrics == (
        "a",
        "b_total",
    )


def test_texts() -> None:
    """Durations and numbers as PromQL and people write them, never in powers of ten."""
    assert [duration_text(timedelta(seconds=s)) for s in (0, 30, 90, 330, 3600, 2419200, 120960)] == [
        "0s",
        "30s",
        "1m30s",
        "5m30s",
        "1h",
        "28d",
        "1d9h36m",
    ]
    assert [number_text(Decimal(d)) for d in ("0.001", "1E-7", "0.9990", "100")] == [
        "0.001",
        "0.0000001",
        "0.999",
        "100",
    ]
    assert number_text(3000.0) == "3000"


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=30))
def test_any_label_value_survives(value: str) -> None:
    """Quotes, backslashes, newlines, unicode and `{{` in a label value read back as they were."""
    query = read_count(f"a{{b={quote(value)}}}")
    assert query.selector is not None
    assert query.selector.matchers[0].value == value
    assert read_count(query.over(FIVE).replace("[5m]", "[{{window}}]")).selector == query.selector


def test_all_that_a_query_reads() -> None:
    """Every selector once in the order it is written, with an offset or in a subquery too; those without a name are none."""
    query = read_count(
        'sum(increase(a{x="1"}[{{window}}])) + sum(increase({__name__="b"}[{{window}}] offset 5m)) '
        '+ sum(increase(a{x="1"}[{{window}}])) + sum(sum_over_time((rate(c[1m]) > bool 5)[{{window}}:1m])) '
        '+ sum(increase({__name__=~"d.*"}[{{window}}]))'
    )
    x = Matcher(label="x", operator="=", value="1")
    assert selectors(query) == (
        Selector(metric="a", matchers=(x,)),
        Selector(metric="b", matchers=()),
        Selector(metric="c", matchers=()),
    )
    assert selectors(read_gauge("max(up) - on () min(down)", "max")) == (
        Selector(metric="up", matchers=()),
        Selector(metric="down", matchers=()),
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h5m", 3900),
        ("1y35d", 400 * 86_400),
        ("1w", 604_800),
        ("200ms", 0.2),
        ("", None),
        ("5", None),
        ("1.5s", None),
        ("15GiB", None),
        ("9" * 30 + "y", None),
    ],
)
def test_durations_are_read_as_prometheus_writes_them(text: str, seconds: float | None) -> None:
    """Sums of whole numbers with units; what is none, or longer than anything lasts, is none."""
    found = read_duration(text)
    assert (found and found.total_seconds()) == seconds
