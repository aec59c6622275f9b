"""Every query of every dashboard is PromQL over series that exist, one replica's worth of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import promql_parser as promql
import pytest
from tests.support import grafana
from tests.support.grafana import Asked, load, put_in
from tests.support.our_slos import our_plans

from platform_meter.model import catalogue
from platform_meter.model.metric import MetricType
from platform_meter.render.dashboards import dashboards
from platform_meter.render.dashboards import queries as q
from platform_meter.slo import names
from platform_meter.slo.plan import TILE

_REPLICA = frozenset({"instance", "pod"})
_SLO = frozenset({"slo", "window", "period"})
_RULES = {
    names.BAD: _SLO,
    names.TOTAL: _SLO,
    names.tile("bad", timedelta(minutes=1)): frozenset({"slo"}),
    names.tile("bad", TILE): frozenset({"slo"}),
    names.BURN: _SLO,
    names.SLI: _SLO,
    names.BUDGET: _SLO,
    names.OBJECTIVE: _SLO,
    names.INFO: _SLO | {"service", "owner", "capability", "profile", "counts"},
    "ALERTS": frozenset({"alertname", "alertstate", "slo", "level", "window"}),
}
BOARDS = [load(artifact.text) for artifact in dashboards(our_plans())]
ASKED = [(asked, put_in(asked.expr, grafana.defaults(board))) for board in BOARDS for asked in grafana.queries(board)]
each_query = pytest.mark.parametrize(
    ("asked", "text"), ASKED, ids=[f"{a.board}/{a.where}/{n}" for n, (a, _) in enumerate(ASKED)]
)


def declared(name: str) -> frozenset[str]:
    """Labels of a series that exists.

    Raises:
        KeyError: nothing serves or records it.
    """
    if name in _RULES:
        return _RULES[name]
    base = name.removesuffix("_bucket")
    metric = catalogue.ALL[base]
    assert (metric.type is MetricType.HISTOGRAM) is (base != name), f"{name} is not read as the {metric.type} it is"
    return frozenset(metric.labels) | ({"le"} if base != name else set()) | _REPLICA


def walk(
    node: promql.Expr, above: tuple[promql.Expr, ...] = ()
) -> Iterator[tuple[promql.Expr, tuple[promql.Expr, ...]]]:
    """Every node with those that it stands in, the nearest first."""
    yield node, above
    inner = (node, *above)
    match node:
        case promql.Call():
            for one in node.args:
                yield from walk(one, inner)
        case promql.BinaryExpr():
            yield from walk(node.lhs, inner)
            yield from walk(node.rhs, inner)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from walk(node.expr, inner)
        case promql.MatrixSelector():
            yield from walk(node.vector_selector, inner)
        case _:
            pass


def selectors(text: str) -> list[tuple[promql.VectorSelector, tuple[promql.Expr, ...]]]:
    """What a query reads, each with what it stands in."""
    return [(n, above) for n, above in walk(promql.parse(text)) if isinstance(n, promql.VectorSelector)]


def named(selector: promql.VectorSelector) -> str:
    assert selector.name, "a selector without a metric's name"
    return selector.name


@each_query
def test_only_what_exists_is_read(asked: Asked, text: str) -> None:
    """Each selector names a declared metric or a recorded series, and matches on its labels only."""
    found = selectors(text)
    assert found
    for selector, _ in found:
        assert {m.name for m in selector.matchers.matchers} <= declared(named(selector)), selector.name


@each_query
def test_only_labels_that_exist_are_grouped_by_or_shown(asked: Asked, text: str) -> None:
    """`by` and `without` name labels of the series below them, or one made there; legends and columns show what `by` keeps."""
    tree = promql.parse(text)
    for node, _ in walk(tree):
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            below = set[str]().union(
                *(declared(named(n)) for n, _ in walk(node) if isinstance(n, promql.VectorSelector))
            )
            assert set(node.modifier.labels) <= below | set(_made(node))
    kept = set[str]().union(*(_kept(node, text) for node, _ in walk(tree)))
    assert set(asked.labels) <= kept


def _made(node: promql.Expr) -> Iterator[str]:
    """Labels that a query writes itself."""
    for one, _ in walk(node):
        if isinstance(one, promql.Call) and one.func.name == "label_replace":
            (label, *_) = (a.val for a in one.args if isinstance(a, promql.StringLiteral))
            yield label


def _kept(node: promql.Expr, text: str) -> set[str]:
    if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
        return set(node.modifier.labels)
    return (
        set(declared(named(node)))
        if isinstance(node, promql.VectorSelector) and text.startswith(named(node))
        else set()
    )


@each_query
def test_replicas_are_never_added_up(asked: Asked, text: str) -> None:
    """What every replica serves is read through `max without (instance, pod)`, or only counted; recorded series are single."""
    for selector, above in selectors(text):
        if selector.name in _RULES or asked.how is grafana.How.LABEL:
            continue
        nearest = next(a for a in above if isinstance(a, promql.AggregateExpr))
        kept_out = set(nearest.modifier.labels) if nearest.modifier else set()
        single = str(nearest.op) == "max" and kept_out == _REPLICA
        assert single or str(nearest.op) == "count", f"{selector.name} in {text}"


@each_query
def test_counters_are_read_by_their_growth(asked: Asked, text: str) -> None:
    """A counter or bucket stands in increase() or rate(), a gauge never does."""
    for selector, above in selectors(text):
        if selector.name in _RULES or asked.how is grafana.How.LABEL:
            continue
        counts = catalogue.ALL[named(selector).removesuffix("_bucket")].type is not MetricType.GAUGE
        grows = any(isinstance(a, promql.Call) and a.func.name in {"increase", "rate"} for a in above)
        assert counts is grows, f"{selector.name} in {text}"


def test_a_share_of_nothing_is_absent_and_none_of_something_is_zero() -> None:
    """Where nothing of the part was counted yet the whole says 0; a whole of 0 is no share at all."""
    assert q.share("part", "whole") == "(part or 0 * whole) / (whole > 0)"


def test_the_checks_above_catch_what_they_are_for() -> None:
    """An undeclared metric, a histogram read as a gauge, and a label that a metric lacks are all found."""
    with pytest.raises(KeyError):
        declared("platform_pipeline_run_total")
    with pytest.raises(AssertionError):
        declared("platform_pipeline_queue_duration_seconds")
    assert "team" not in declared("platform_pipeline_active")
    assert [n.name for n, _ in selectors("sum(a) / on (x) rate(b[5m:]) or 0 * max(-c)")] == ["a", "b", "c"]
    with pytest.raises(KeyError):
        put_in('a{b="$nobody"}', grafana.BUILT_IN)
