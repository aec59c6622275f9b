"""What a query reads, taken apart: the counters it adds and takes away, or the level it gives of one series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import promql_parser as promql

from platform_meter.slo.counts import is_zero
from platform_meter.slo.promql import Matcher, Query, Selector, duration_text

_PROBE = timedelta(seconds=433)
_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
_COUNTERS = frozenset({"increase", "rate"})
_KEEP_LEVEL = frozenset({"avg_over_time", "max_over_time", "min_over_time", "last_over_time"})
_SAME = frozenset({"label_replace", "label_join", "sort", "sort_desc"})
_ONE_LEVEL = frozenset({"sum", "max", "min", "avg"})


class Unknown(Exception):
    """The query is of another form; the text names what stands in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What a query adds (`times` 1) or takes away (-1)."""

    selector: Selector
    times: int
    sampled: bool = False
    """Its samples are the counts, as under `sum_over_time`; else it is a counter."""
    among: int = 0
    """Terms of one number are joined series by series, so their labels have to be the same; 0 is alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A query that gives `shift + times * x`, x of one series, over series that stand at 1."""

    selector: Selector
    shift: Decimal = Decimal(0)
    times: Decimal = Decimal(1)
    ones: tuple[Selector, ...] = ()


def counted(query: Query) -> tuple[Term, ...]:
    """The counters that a count is made of.

    Raises:
        Unknown: another form, such as a subquery, an offset, or a join.
    """
    return tuple(_terms(_tree(query), 1, [0]))


def level(query: Query) -> Level:
    """The series that a level is read from.

    Raises:
        Unknown: another form, such as a quantile.
    """
    return _level(_tree(query))


def _tree(query: Query) -> promql.Expr:
    return promql.parse(duration_text(_PROBE).join(query.parts))


def _terms(node: promql.Expr, times: int, joins: list[int]) -> list[Term]:
    match node:
        case promql.ParenExpr():
            return _terms(node.expr, times, joins)
        case promql.AggregateExpr() if str(node.op) == "sum":
            return _terms(node.expr, times, joins)
        case promql.Call() if node.func.name in _SAME:
            return _terms(node.args[0], times, joins)
        case promql.Call() if node.func.name in _COUNTERS or node.func.name == "sum_over_time":
            return [Term(selector=_ranged(node.args[0]), times=times, sampled=node.func.name == "sum_over_time")]
        case promql.BinaryExpr() if str(node.op) == "or" and is_zero(node.rhs):
            return _terms(node.lhs, times, joins)
        case promql.BinaryExpr() if str(node.op) in ("+", "-"):
            other = times if str(node.op) == "+" else -times
            both = [*_terms(node.lhs, times, joins), *_terms(node.rhs, other, joins)]
            if _is_one(node.lhs) and _is_one(node.rhs):
                return both
            joins[0] += 1
            return [replace(t, among=joins[0]) for t in both]
        case _:
            raise Unknown(_called(node))


def _is_one(node: promql.Expr) -> bool:
    """Whether it gives one series without labels."""
    match node:
        case promql.ParenExpr():
            return _is_one(node.expr)
        case promql.AggregateExpr():
            return node.modifier is None or (
                node.modifier.type == promql.AggModifierType.By and not node.modifier.labels
            )
        case promql.BinaryExpr():
            return _is_one(node.lhs) and (_is_one(node.rhs) or is_zero(node.rhs))
        case _:
            return False


def _level(node: promql.Expr) -> Level:
    match node:
        case promql.ParenExpr():
            return _level(node.expr)
        case promql.VectorSelector():
            return Level(selector=_selector(node))
        case promql.AggregateExpr() if str(node.op) in _ONE_LEVEL:
            return _level(node.expr)
        case promql.Call() if node.func.name in _SAME:
            return _level(node.args[0])
        case promql.Call() if node.func.name in _KEEP_LEVEL:
            return Level(selector=_ranged(node.args[0]))
        case promql.BinaryExpr() if str(node.op) in ("+", "-", "*", "/"):
            return _reckoned(node, str(node.op))
        case _:
            raise Unknown(_called(node))


def _reckoned(node: promql.BinaryExpr, op: str) -> Level:
    left, right = _number(node.lhs), _number(node.rhs)
    if left is None and right is None and op == "/":
        over = _level(node.rhs)
        found = _level(node.lhs)
        if over.shift != 0 or over.times != 1 or over.ones:
            raise Unknown("a share of a share")
        return replace(found, ones=(*found.ones, over.selector))
    if right is not None:
        found = _level(node.lhs)
        if op in ("+", "-"):
            return replace(found, shift=found.shift + (right if op == "+" else -right))
        if right == 0:
            raise Unknown("0")
        by = right if op == "*" else 1 / right
        return replace(found, shift=found.shift * by, times=found.times * by)
    if left is not None and op != "/":
        found = _level(node.rhs)
        if op == "*":
            return replace(found, shift=found.shift * left, times=found.times * left)
        sign = 1 if op == "+" else -1
        return replace(found, shift=left + sign * found.shift, times=sign * found.times)
    raise Unknown(_called(node))


def _ranged(node: promql.Expr) -> Selector:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    if not isinstance(node, promql.MatrixSelector):
        raise Unknown("a subquery")
    return _selector(node.vector_selector)


def _selector(node: promql.VectorSelector) -> Selector:
    if node.offset is not None or node.at is not None:
        raise Unknown("an offset")
    matchers = [Matcher(label=m.name, operator=_OPERATORS[str(m.op)], value=m.value) for m in node.matchers.matchers]
    named = next((m.value for m in matchers if m.label == "__name__" and m.operator == "="), "")
    name = str(node.name or named)
    if not name or node.matchers.or_matchers:
        raise Unknown("a selector without one metric")
    return Selector(metric=name, matchers=tuple(m for m in matchers if m.label != "__name__"))


def _number(node: promql.Expr) -> Decimal | None:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return Decimal(str(node.val)) if isinstance(node, promql.NumberLiteral) else None


def _called(node: promql.Expr) -> str:
    match node:
        case promql.Call():
            return str(node.func.name)
        case promql.BinaryExpr():
            return f"'{node.op}'"
        case promql.AggregateExpr():
            return str(node.op)
        case promql.SubqueryExpr():
            return "a subquery"
        case _:
            return "a number" if isinstance(node, promql.NumberLiteral) else "another form"
