"""What is read by a query, and how."""

from __future__ import annotations

from datetime import timedelta

import pytest

from platform_meter.render.rules.promtool.reads import Unknown, joined_by, numbers, reads, tree
from platform_meter.slo.promql import read_gauge


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sum(increase(a[{{window}}] offset 5m))", [("a", "counted", 5, 0)]),
        ("sum(increase(a[{{window}}]) * on(pod) group_left() b offset 1m)", [("a", "counted", 0, 0), ("b", "joined", 1, 0)]),
        ("sum(sum_over_time(a[{{window}}]))", [("a", "sampled", 0, 0)]),
        ("sum(sum_over_time((up offset 2m == bool 0)[{{window}}:1m] offset 3m))", [("up", "sampled", 5, 1)]),
        ("sum(count_over_time((rate(a[5m]) > 0)[{{window}}:1m]))", [("a", "rated", 0, 6)]),
        ('sum(increase({__name__="a"}[{{window}}] @ end()))', [("a", "counted", 0, 0)]),
    ],
)  # fmt: skip
def test_selectors(query: str, found: list[tuple[str, str, int, int]]) -> None:
    """Each with its offset, that of a subquery added, and how late it shows a change; in minutes."""
    minute = timedelta(minutes=1)
    assert [
        (r.selector.metric, r.how, r.offset / minute, r.lag / minute) for r in reads(tree(read_gauge(query, "max")))
    ] == found


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("sum(changes(a[{{window}}]))", "changes"),
        ("sum(sum_over_time(a[{{window}}:]))", "a subquery that does not say its step"),
        ("sum(max_over_time(a[{{window}}:1m]))", "max_over_time of a subquery"),
        ("sum(sum_over_time(a[{{window}}:1m] @ end()))", "'@' of a subquery"),
        ("sum(sum_over_time((a @ end())[{{window}}:1m]))", "'@' in a subquery"),
        ('sum({job="x"})', "a selector without one metric"),
    ],
)
def test_other_forms_are_named(query: str, why: str) -> None:
    """So that one can say why no test is made."""
    with pytest.raises(Unknown, match=f"^{why}$"):
        list(reads(tree(read_gauge(query, "max"))))


def test_labels_and_numbers_of_a_query() -> None:
    """Those by which series meet, and those that levels are held against."""
    query = tree(read_gauge("max(clamp_min(a, 2) > 5 and on(pod, zone) b * ignoring(x) -c)", "max"))
    assert (joined_by(query), numbers(query)) == ({"pod", "zone"}, {2.0, 5.0})
