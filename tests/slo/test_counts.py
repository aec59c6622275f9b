"""What may stand over a window: functions whose windows add up, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.slo.promql import read_count, read_gauge

W = "[{{window}}]"
FIVE = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (f"sum_over_time(a{W})", "sum(sum_over_time(a[5m]))"),
        (f"sum(count_over_time(a{W})) - sum(changes(b{W}))", "sum(sum(count_over_time(a[5m])) - sum(changes(b[5m])))"),
        (f"2 * sum(resets(a{W})) / 4", "sum(2 * sum(resets(a[5m])) / 4)"),
        (f"sum(histogram_count(increase(a{W})))", "sum(histogram_count(increase(a[5m])))"),
        (f"sum(increase(a{W}) * on (p) group_left (t) info)", "sum(increase(a[5m]) * on (p) group_left (t) info)"),
        (f"sum(increase(a{W})) or vector(0)", "sum(sum(increase(a[5m])) or vector(0))"),
        (f"sum(increase(a{W} offset 5m))", "sum(increase(a[5m] offset 5m))"),
        (f"sum(increase(a{W} @ end()))", "sum(increase(a[5m] @ end()))"),
        (
            f'label_replace(increase(a{W}), "x", "$1", "y", "(.*)")',
            'sum(label_replace(increase(a[5m]), "x", "$1", "y", "(.*)"))',
        ),
        ("sum_over_time((max(a) > bool 5)[{{window}}:1m])", "sum(sum_over_time((max(a) > bool 5)[5m:1m]))"),
    ],
)
def test_windows_that_add_up(written: str, meant: str) -> None:
    """Additive functions, their sums and differences, a number, a join that brings labels; anything in a subquery."""
    assert read_count(written).over(FIVE) == meant


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (f"max_over_time(a{W})", "max_over_time of a window is not the sum of max_over_time of its parts"),
        (f"1 - avg_over_time(up{W})", "avg_over_time gives a mean, no count; write sum_over_time(METRIC[{{window}}])"),
        (f"sum(delta(a{W}))", "delta is the change of a level, which may fall again, no count"),
        (f"sum(deriv(a{W}))", "deriv is the slope of a level, no count"),
        (f"sum(last_over_time(a{W}))", "last_over_time of a window is not the sum"),
        (f"sum(idelta(a{W}))", "idelta looks at two samples only"),
        (
            f"histogram_quantile(0.9, sum by (le) (rate(a{W})))",
            "histogram_quantile gives a quantile, no count; count what",
        ),
        (f"quantile_over_time(0.9, a{W})", "quantile_over_time gives a quantile, no count"),
        (f"round(sum(increase(a{W})))", "round of a window is not the sum of round of its parts"),
        (
            f"max(increase(a{W}))",
            "max of counts is no count, since what it gives for parts of a window does not add up",
        ),
        (f"avg(increase(a{W}))", "avg of counts is no count"),
        (f"topk(3, increase(a{W}))", "topk of counts is no count"),
        (f"count(increase(a{W}))", "count tells how many series there are, not how many events; write sum"),
        (f"sum(increase(a{W})) > bool 0", "a comparison (> bool) gives the same for one event and for many"),
        (f"sum(increase(a{W})) >= 5", "a comparison (>=) gives the same"),
        (
            f"sum(increase(a{W})) unless on () m",
            "'unless' keeps or drops a whole window by how things stand at its end",
        ),
        (f"sum(increase(a{W})) / sum(increase(b{W}))", "a share of counts is no count"),
        (f"sum(increase(a{W})) * sum(increase(b{W}))", "a product of counts is no count"),
        (f"sum(increase(a{W})) * -1", "a count takes a number above 0"),
        (f"sum(increase(a{W})) ^ 2", "what '^' gives for parts of a window does not add up"),
        (f"sum(increase(a{W})) + 1", "a number counts nothing; remove it"),
        (f"-sum(increase(a{W}))", "a count is never below 0; remove the sign before it"),
        (f"sum(increase(a{W})) + b", "b stands without a range, so it is a level, no count"),
        (f"a{W}", "a range alone is no count"),
        (f"sum(rate(a{W})) * 60", "a rate is multiplied by the window's seconds already"),
        (f"sum(rate(a{W})) + sum(changes(a{W}))", "rate and changes together are neither a rate nor a count"),
        ("job:errors:rate5m", "job:errors:rate5m is called what a rule records of a level or a rate, no counter"),
        (
            f"sum_over_time(increase(a{W}){W[:-1]}:1m])",
            "[{{window}}] inside a subquery counts every event at each of its steps",
        ),
        (f"sum by (code) (increase(a{W}))", "sum by (code) gives several series, and an SLO is one; write sum(...)"),
        (f"sum without (pod) (increase(a{W})) + sum(increase(b{W}))", "sum without (pod) gives several series"),
    ],
)
def test_windows_that_do_not(written: str, why: str) -> None:
    """Each is refused with the reason."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below, as written
        read_count(written)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize("zero", ["vector(0)", "on () vector(0)", "0 * up", f"(0 * sum(increase(b{W})))"])
def test_a_total_is_silent_without_data(zero: str) -> None:
    """Where nothing is read a total of 0 would keep SLONoData from firing; in bad or good 0 is right."""
    written = f"sum(increase(a{W})) or {zero}"
    assert read_count(written).parts
    with pytest.raises(ValueError, match="a total that is 0 without data hides that there is none"):
        read_count(written, total=True)
    assert read_count(f"sum(increase(a{W})) or sum(increase(b{W}))", total=True).parts


@pytest.mark.parametrize(
    "there",
    [
        "vector(1)",
        "(up or vector(0))",
        'label_replace(vector(1), "a", "b", "", "")',
        "clamp_min(vector(1), 0)",
        "(sum(up) or on () vector(1))",
        "(vector(2) > bool 0) + vector(0)",
        "(vector(1) > 0)",
        "vector(scalar(up))",
        "-hour()",
    ],
)
def test_a_total_is_no_constant(there: str) -> None:
    """What is there without data, look by look, would keep SLONoData silent for ever; and so would such a level."""
    with pytest.raises(ValueError, match="this total is there whether there is data or not, so SLONoData never fires"):
        read_count(f"sum_over_time(({there})[{{{{window}}}}:1m])", total=True)
    with pytest.raises(ValueError, match="this is there whether there is data or not, so SLONoData never fires"):
        read_gauge(f"max({there})", "max")


@pytest.mark.parametrize(
    "gone",
    ["(up == bool 0)", "absent(up)", "(vector(1) unless up)", "vector(1) and up", "(time() - up)", "clamp_max(up, 1)"],
)
def test_what_needs_data_is_a_total(gone: str) -> None:
    """Each is nothing at some time, by what is read."""
    assert read_count(f"sum_over_time(({gone})[{{{{window}}}}:1m])", total=True).parts
    assert read_gauge(f"max({gone})", "max").parts


@pytest.mark.parametrize(
    ("moved", "why"),
    [
        ("@ 1700000000", "@ 1700000000.000 reads the same moment for ever, so nothing would ever change; remove it"),
        ("offset -5m", "an offset below 0 reads what has not happened yet; remove it, or write one such as offset 5m"),
    ],
)
def test_no_moment_stays_and_none_is_ahead(moved: str, why: str) -> None:
    """Wherever it stands: in a count, in a subquery, in a level."""
    for written in (f"sum(increase(a{W} {moved}))", f"sum_over_time((a {moved})[{{{{window}}}}:1m])"):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - as above
            read_count(written)
        assert str(caught.value) == why
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - as above
        read_gauge(f"max(a {moved})", "max")
    assert str(caught.value) == why


_COUNT = st.recursive(
    st.sampled_from([f"increase(a{W})", f"sum_over_time(b{W})", f"changes(c{W})"]),
    lambda inner: st.one_of(
        inner.map("sum({})".format),
        inner.map("({})".format),
        inner.map("2 * {}".format),
        st.tuples(inner, inner).map(lambda two: f"sum({two[0]}) + sum({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} or {two[1]})"),
    ),
    max_leaves=6,
)


@given(_COUNT)
def test_whatever_is_built_of_counts_is_one(written: str) -> None:
    """The list is closed under sums, brackets, numbers and `or`; and what it lets through reads back as PromQL."""
    assert read_count(written).over(FIVE).count("5m") == written.count("window")


@given(_COUNT, st.sampled_from(["max({})", "avg_over_time({}[5m:])", "{} > 0", "rate({})", "ceil({})", "{} / 0"]))
def test_whatever_holds_what_is_no_count_is_none(count: str, form: str) -> None:
    """However deep."""
    with pytest.raises(ValueError):  # noqa: PT011 - the texts are those above
        read_count(f"sum({form.format(f'({count})')})")
