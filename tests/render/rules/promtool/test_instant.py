"""What queries give of series that stand still."""

from __future__ import annotations

import pytest

from platform_meter.render.rules.promtool.instant import Series, matches, value
from platform_meter.render.rules.promtool.reads import Unknown, tree
from platform_meter.slo.promql import Matcher, read_gauge

WORLD = {
    Series(metric="a", labels=(("code", "200"), ("pod", "x"))): 6.0,
    Series(metric="a", labels=(("code", "500"), ("pod", "x"))): 2.0,
    Series(metric="b", labels=(("pod", "x"), ("team", "shop"))): 1.0,
    Series(metric="up", labels=()): 0.0,
}


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ("sum(increase(a[{{window}}]))", 8.0),
        ('sum(increase(a{code=~"5.."}[{{window}}]))', 2.0),
        ("sum(increase(a[{{window}}])) * 2 - 1", 15.0),
        ("max by () (a)", 6.0),
        ("avg(a) / count(a)", 2.0),
        ('max(sum without (code) (a) * on(pod) group_left(team) b{team="shop"})', 8.0),
        ('sum(a * on(pod) group_left() b{team="none"})', None),
        ("sum(b * on(pod) group_right() a)", 8.0),
        ("sum(a * ignoring(code, team) group_left() b)", 8.0),
        ('sum(a{code="500"} and on(pod) b)', 2.0),
        ("sum(a unless on(pod) b)", None),
        ("sum(up or on() a)", 0.0),
        ("sum(c or a)", 8.0),
        ("sum(a > 3)", 6.0),
        ("sum(a > bool 3)", 1.0),
        ("sum(3 < a)", 6.0),
        ("sum(-a)", -8.0),
        ("sum(a / 0 > bool 1)", 0.0),
        ("vector(1) + 1", 2.0),
        ("sum(clamp_max(a, 3))", 5.0),
        ("sum(clamp_min(abs(up - 1), 5))", 5.0),
        ("sum(sum_over_time(a[{{window}}]))", 8.0),
        ("sum(count_over_time(a[{{window}}]))", 2.0),
        ("sum(sum_over_time((up == bool 0)[{{window}}:1m]))", 0.5),
        ("sum(count_over_time((up == 1)[{{window}}:1m]))", None),
        ("sum(sum_over_time(increase(a[1m])[{{window}}:30s]))", 480.0),
        ("sum(count_over_time((rate(a[5m]) > 3)[{{window}}:30s]))", 1.0),
        ("sum(sum_over_time(sum_over_time(up[1m])[{{window}}:1m]))", 0.0),
        ("max(max_over_time(a[5m]))", 6.0),
        ('max(label_replace(a, "to", "$1-y", "pod", "(.*)") * on(to) group_left() label_replace(b, "to", "x-y", "", ""))', 6.0),
    ],
)  # fmt: skip
def test_queries(query: str, given: float | None) -> None:
    """A window is one step of 30 s: an increase is what the counter grew in it, a look a minute is half a look."""
    assert value(tree(read_gauge(query, "max", absent=False)), WORLD) == given


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("sum(topk(1, a))", "topk"),
        ("sum(ceil(a))", "ceil"),
        ("sum(a ^ 2)", "'\\^'"),
        ("sum(b * on(pod) group_left() a)", "a join with several series on its one side"),
        ("sum(clamp_min(a, scalar(b)))", "scalar"),
    ],
)
def test_other_forms_are_named(query: str, why: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(Unknown, match=f"^{why}$"):
        value(tree(read_gauge(query, "max", absent=False)), WORLD)


def test_a_pattern_that_only_prometheus_takes_matches_nothing() -> None:
    """Then no guess is sure."""
    assert not matches(Matcher(label="a", operator="=~", value=r"\z"), "z")
    assert not matches(Matcher(label="a", operator="!~", value=r"\z"), "z")
