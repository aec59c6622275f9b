"""What a query reads: each of its selectors, how it is read and how late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as promql

from platform_meter.slo.promql import Matcher, Query, Selector, duration_text

STEP = timedelta(seconds=30)
"""Between two samples of a test."""
WINDOW = timedelta(seconds=433)
"""Stands for the window: a range that nobody writes."""
GROWTH = frozenset({"increase", "rate"})
KEPT = frozenset({"avg_over_time", "max_over_time", "min_over_time", "last_over_time"})
ADDED = frozenset({"sum_over_time", "count_over_time"})
_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


class Unknown(Exception):
    """The query is of a form for which no series are made up; the text names what stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One selector of a query, and how it is read."""

    selector: Selector
    how: str
    """`counted`: its growth in a window; `sampled`: its samples; `rated`: its growth over a fixed range, at each look of a
    subquery; `joined`: as it stands beside a window."""
    offset: timedelta = timedelta(0)
    lag: timedelta = timedelta(0)
    """How long a change takes to be seen in full."""


def tree(query: Query) -> promql.Expr:
    """The query, parsed."""
    return promql.parse(duration_text(WINDOW).join(query.parts))


def reads(node: promql.Expr, *, offset: timedelta = timedelta(0), look: timedelta | None = None) -> Iterator[Read]:
    """Every selector of a query.

    Args:
        node: a parsed query.
        offset: of the subquery around it.
        look: between two looks of the subquery around it; None outside of any.

    Raises:
        Unknown: something of which nothing is known.
    """
    match node:
        case promql.VectorSelector():
            how = "joined" if look is None else "sampled"
            yield _read(node, how, offset, look or timedelta(0))
        case promql.Call() if node.func.name in GROWTH | KEPT | ADDED:
            yield from _ranged(node.func.name, opened(node.args[0]), offset, look)
        case promql.Call():
            if any(isinstance(opened(one), promql.MatrixSelector | promql.SubqueryExpr) for one in node.args):
                raise Unknown(node.func.name)
            for one in node.args:
                yield from reads(one, offset=offset, look=look)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr():
            yield from reads(node.expr, offset=offset, look=look)
        case promql.BinaryExpr():
            for side in (node.lhs, node.rhs):
                yield from reads(side, offset=offset, look=look)
        case promql.NumberLiteral() | promql.StringLiteral():
            pass
        case _:
            raise Unknown("a range that stands alone")


def _ranged(name: str, over: promql.Expr, offset: timedelta, look: timedelta | None) -> Iterator[Read]:
    if isinstance(over, promql.SubqueryExpr):
        if name not in ADDED or look is not None:
            raise Unknown(f"{name} of a subquery")
        if over.step is None:
            raise Unknown("a subquery that does not say its step")
        if over.at is not None:
            raise Unknown("'@' of a subquery")
        yield from reads(over.expr, offset=offset + (over.offset or timedelta(0)), look=over.step)
        return
    if not isinstance(over, promql.MatrixSelector):
        raise Unknown(f"{name} of what is no range")
    if look is None and over.range == WINDOW:
        how = "counted" if name in GROWTH else "sampled"
        yield _read(over.vector_selector, how, offset, timedelta(0))
    else:
        how = "rated" if name in GROWTH else "sampled"
        yield _read(over.vector_selector, how, offset, over.range + (look or timedelta(0)))


def _read(node: promql.VectorSelector, how: str, offset: timedelta, lag: timedelta) -> Read:
    if node.at is not None and lag:
        raise Unknown("'@' in a subquery")
    return Read(selector=selector(node), how=how, offset=offset + (node.offset or timedelta(0)), lag=lag)


def selector(node: promql.VectorSelector) -> Selector:
    """Metric and matchers.

    Raises:
        Unknown: it names no metric, or several.
    """
    matchers = [Matcher(label=m.name, operator=_OPERATORS[str(m.op)], value=m.value) for m in node.matchers.matchers]
    named = next((m.value for m in matchers if m.label == "__name__" and m.operator == "="), "")
    metric = str(node.name or named)
    if not metric or node.matchers.or_matchers:
        raise Unknown("a selector without one metric")
    return Selector(metric=metric, matchers=tuple(m for m in matchers if m.label != "__name__"))


def joined_by(node: promql.Expr) -> set[str]:
    """Labels by which series of the query meet others."""
    match node:
        case promql.BinaryExpr():
            found = joined_by(node.lhs) | joined_by(node.rhs)
            matching = node.modifier.matching if node.modifier is not None else None
            if matching is None or matching.type != promql.LabelModifierType.Include:
                return found
            return found | set(matching.labels)
        case promql.Call():
            return set().union(*(joined_by(one) for one in node.args))
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return joined_by(node.expr)
        case _:
            return set()


def numbers(node: promql.Expr) -> set[float]:
    """Numbers that stand in the query."""
    match node:
        case promql.NumberLiteral():
            return {float(node.val)}
        case promql.BinaryExpr():
            return numbers(node.lhs) | numbers(node.rhs)
        case promql.Call():
            return set().union(*(numbers(one) for one in node.args))
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return numbers(node.expr)
        case _:
            return set()


def opened(node: promql.Expr) -> promql.Expr:
    """What stands in brackets."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node
