"""What may be counted: queries whose windows add up. Everything else is refused, with the reason and what to write instead.

Windows over an hour are sums of tiles, so what a query gives for a window must be the sum of what it gives for its
parts. That holds for few functions, and they are listed; inside a subquery anything may stand.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import promql_parser as promql

_RANGE = "[{{window}}]"
COUNTS = frozenset({"increase"})
PER_SECOND = frozenset({"rate"})
_ADDITIVE = COUNTS | PER_SECOND | {"sum_over_time", "count_over_time", "changes", "resets"}
_LINEAR = frozenset(
    {"label_replace", "label_join", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc"}
    | {"histogram_count", "histogram_sum"}
)
"""Functions of a vector that leave a count a count: its first argument."""
_INCREASE = f"write increase(METRIC{_RANGE})"
_QUANTILE = f'a quantile, no count; count what is fast enough: sum(increase(METRIC_bucket{{le="0.5"}}{_RANGE}))'
_FUNCTIONS = {
    "irate": "irate looks at two samples only, so events between are lost; write increase",
    "idelta": "idelta looks at two samples only, so events between are lost; write increase",
    "delta": f"delta is the change of a level, which may fall again, no count; {_INCREASE} of a counter",
    "deriv": f"deriv is the slope of a level, no count; {_INCREASE} of a counter",
    "histogram_quantile": f"histogram_quantile gives {_QUANTILE}",
    "quantile_over_time": f"quantile_over_time gives {_QUANTILE}",
    "histogram_avg": f"histogram_avg gives a mean, no count; write histogram_count(increase(METRIC{_RANGE}))",
    "avg_over_time": f"avg_over_time gives a mean, no count; write sum_over_time(METRIC{_RANGE}), or increase of a counter",
}
_MATHS = frozenset({"+", "-", "*", "/", "%", "^", "atan2"})
_SETS = frozenset({"and", "or", "unless"})
_RATES = re.compile(r"(?:i?rate|increase|delta|deriv|avg|mean|max|min|ratio|quantile|p\d\d?|stddev|percent)[^:]*")
"""How the last part of a recorded series is called that is no counter: `job:errors:rate5m`."""


def functions(tree: promql.Expr, *, total: bool) -> frozenset[str]:
    """The functions over a window that a count is made of.

    Args:
        tree: a parsed query.
        total: it counts all events, so that it must be silent where there is no data.

    Raises:
        ValueError: it is no count.
    """
    match tree:
        case promql.ParenExpr():
            return functions(tree.expr, total=total)
        case promql.Call():
            return _call(tree, total=total)
        case promql.AggregateExpr():
            if str(tree.op) != "sum":
                raise ValueError(_aggregated(str(tree.op)))
            return functions(tree.expr, total=total)
        case promql.BinaryExpr():
            return _combined(tree, total=total)
        case promql.VectorSelector():
            raise ValueError(
                f"{tree.name or 'a metric'} stands without a range, so it is a level, no count; {_INCREASE}"
            )
        case promql.UnaryExpr():
            raise ValueError("a count is never below 0; remove the sign before it")
        case promql.NumberLiteral():
            raise ValueError("a number counts nothing; remove it")
        case _:
            raise ValueError(f"a range alone is no count; {_INCREASE}")


def grouping(tree: promql.Expr) -> str:
    """The aggregation that makes several series on purpose, such as `sum by (service)`; empty where none does."""
    match tree:
        case promql.ParenExpr():
            return grouping(tree.expr)
        case promql.AggregateExpr() if tree.modifier is not None:
            by = tree.modifier.type == promql.AggModifierType.By
            labels = ", ".join(tree.modifier.labels)
            return f"{tree.op} {'by' if by else 'without'} ({labels})" if labels or not by else ""
        case promql.Call() if tree.func.name in _LINEAR:
            return grouping(tree.args[0])
        case promql.BinaryExpr():
            return grouping(tree.lhs) or grouping(tree.rhs)
        case _:
            return ""


def _call(call: promql.Call, *, total: bool) -> frozenset[str]:
    name = str(call.func.name)
    if name in _LINEAR:
        return functions(call.args[0], total=total)
    if name not in _ADDITIVE:
        raise ValueError(
            _FUNCTIONS.get(name)
            or f"{name} of a window is not the sum of {name} of its parts, so it is no count; {_INCREASE} of a counter"
        )
    over = call.args[0]
    while isinstance(over, promql.ParenExpr):
        over = over.expr
    recorded = str(over.vector_selector.name or "") if isinstance(over, promql.MatrixSelector) else ""
    if name in COUNTS | PER_SECOND and ":" in recorded and _RATES.fullmatch(recorded.rpartition(":")[2]):
        raise ValueError(
            f"{recorded} is called what a rule records of a level or a rate, no counter; {_INCREASE} of a counter"
        )
    return frozenset({name})


def _aggregated(op: str) -> str:
    if op in ("count", "count_values", "group"):
        return f"{op} tells how many series there are, not how many events; write sum"
    return f"{op} of counts is no count, since what it gives for parts of a window does not add up; write sum"


def _combined(both: promql.BinaryExpr, *, total: bool) -> frozenset[str]:
    op = str(both.op)
    if op == "or":
        return _or(both, total=total)
    if op in _SETS:
        raise ValueError(
            f"'{op}' keeps or drops a whole window by how things stand at its end; put it into a matcher, "
            f"or into a subquery such as sum_over_time((...){_RANGE[:-1]}:1m])"
        )
    if op not in _MATHS:
        bool_ = " bool" if both.modifier is not None and both.modifier.return_bool else ""
        raise ValueError(
            f"a comparison ({op}{bool_}) gives the same for one event and for many, so it is no count; remove it, "
            f"or compare in a subquery such as sum_over_time((...){_RANGE[:-1]}:1m])"
        )
    if op in ("%", "^", "atan2"):
        raise ValueError(f"what '{op}' gives for parts of a window does not add up, so it is no count; remove it")
    if op in ("+", "-"):
        first, second = sorted((both.lhs, both.rhs), key=lambda side: _number(side) is not None)
        return functions(first, total=total) | functions(second, total=total)
    return _scaled(both, op, total=total)


def _scaled(both: promql.BinaryExpr, op: str, *, total: bool) -> frozenset[str]:
    """A count times a number, or joined with a series that brings labels."""
    left, right = _number(both.lhs), _number(both.rhs)
    if op == "*" and (counted := _part_of_histogram(both)) is not None:
        return functions(counted, total=total)
    if op == "*" and both.modifier is not None and both.modifier.card in _JOINS:
        one, other = (both.lhs, both.rhs) if _reads_window(both.lhs) else (both.rhs, both.lhs)
        if not _reads_window(other):
            return functions(one, total=total)
    if (left is None and right is None) or (op == "/" and left is not None):
        what = "a share" if op == "/" else "a product"
        raise ValueError(f"{what} of counts is no count; write bad or good alone, and total as a query of its own")
    factor, counted = (right, both.lhs) if right is not None else (left, both.rhs)
    if factor is None or factor <= 0:
        raise ValueError("a count takes a number above 0; remove it, or write such as 'sum(...) * 2'")
    found = functions(counted, total=total)
    if found & PER_SECOND:
        raise ValueError("a rate is multiplied by the window's seconds already; write increase, or remove the number")
    return found


def _part_of_histogram(both: promql.BinaryExpr) -> promql.Expr | None:
    """What is counted where a share of a native histogram stands beside the count of the same: those of its events.

    Raises:
        ValueError: it would be no number while nothing is counted, since a share of nothing is none.
    """
    sides = [_unwrapped(one) for one in (both.lhs, both.rhs)]
    share = next((one for one in sides if _is_call(one, "histogram_fraction")), None)
    above = next((one for one in sides if isinstance(one, promql.BinaryExpr)), None)
    bare = next((one for one in sides if _is_call(one, "histogram_count")), None)
    if share is None or (above is None and bare is None):
        return None
    counted: Any = _unwrapped(above.lhs) if above is not None else bare
    if not _is_call(counted, "histogram_count") or share.args[2].prettify() != counted.args[0].prettify():
        return None
    if above is None or str(above.op) != ">" or _number(above.rhs) != 0:
        raise ValueError(
            "a share of a histogram without events is no number, and stays in every sum; write "
            f"histogram_fraction(0, 0.5, increase(METRIC{_RANGE})) * (histogram_count(increase(METRIC{_RANGE})) > 0)"
        )
    found: promql.Expr = counted
    return found


def _unwrapped(tree: Any) -> Any:
    while isinstance(tree, promql.ParenExpr):
        tree = tree.expr
    return tree


def _is_call(tree: Any, name: str) -> bool:
    return isinstance(tree, promql.Call) and str(tree.func.name) == name


def always(tree: promql.Expr) -> bool:
    """Whether this gives something whether there is data or not: `vector(1)`, `x or vector(0)`, also look by look in a subquery."""
    match tree:
        case promql.NumberLiteral():
            return True
        case promql.ParenExpr() | promql.UnaryExpr() | promql.AggregateExpr() | promql.SubqueryExpr():
            return always(tree.expr)
        case promql.Call():
            # Without a vector of its own it is a constant, the time, or a part of that.
            read = [one for one in tree.args if not isinstance(one, promql.StringLiteral) and not _is_scalar(one)]
            return all(map(always, read)) and not tree.func.name.startswith("absent")
        case promql.BinaryExpr():
            left, right = always(tree.lhs), always(tree.rhs)
            if str(tree.op) == "or":
                return left or right
            counted = str(tree.op) in _MATHS or (tree.modifier is not None and tree.modifier.return_bool)
            return left and right and counted
        case _:
            return False


def _is_scalar(tree: promql.Expr) -> bool:
    """Whether it is a number and no series."""
    return _number(tree) is not None or (isinstance(tree, promql.Call) and tree.func.name in ("scalar", "time", "pi"))


def _or(both: promql.BinaryExpr, *, total: bool) -> frozenset[str]:
    if not is_zero(both.rhs):
        return functions(both.lhs, total=total) | functions(both.rhs, total=total)
    if total:
        raise ValueError(
            "a total that is 0 without data hides that there is none, and SLONoData never fires; "
            "remove what stands behind 'or' from total"
        )
    return functions(both.lhs, total=total)


def is_zero(tree: promql.Expr) -> bool:
    """Whether this is 0 for whatever it has: `vector(0)`, `0 * total`."""
    match tree:
        case promql.ParenExpr():
            return is_zero(tree.expr)
        case promql.Call() if tree.func.name == "vector":
            return _number(tree.args[0]) == 0
        case promql.BinaryExpr() if str(tree.op) == "*":
            return 0 in (_number(tree.lhs), _number(tree.rhs))
        case _:
            return False


_JOINS = (promql.VectorMatchCardinality.ManyToOne, promql.VectorMatchCardinality.OneToMany)


def _number(tree: promql.Expr) -> float | None:
    """The number that is written there, if it is one."""
    match tree:
        case promql.NumberLiteral():
            return float(tree.val)
        case promql.ParenExpr():
            return _number(tree.expr)
        case promql.UnaryExpr():
            found = _number(tree.expr)
            return None if found is None else -found
        case promql.BinaryExpr():
            one, other = _number(tree.lhs), _number(tree.rhs)
            if one is None or other is None:
                return None
            match str(tree.op):
                case "+":
                    return one + other
                case "-":
                    return one - other
                case "*":
                    return one * other
                case "/" if other:
                    return one / other
            return None
        case _:
            return None


def _reads_window(tree: promql.Expr) -> bool:
    """Whether a range stands anywhere in it."""
    match tree:
        case promql.MatrixSelector() | promql.SubqueryExpr():
            return True
        case promql.Call():
            return any(map(_reads_window, tree.args))
        case promql.BinaryExpr():
            return _reads_window(tree.lhs) or _reads_window(tree.rhs)
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr():
            return _reads_window(tree.expr)
        case _:
            return False


def steady(node: promql.VectorSelector | promql.SubqueryExpr) -> None:
    """Hold what moves a selector in time to what may.

    Raises:
        ValueError: a moment that stays, or one that has not come yet.
    """
    if node.at is not None and node.at.type == promql.AtModifierType.At:
        raise ValueError(f"{node.at} reads the same moment for ever, so nothing would ever change; remove it")
    if node.offset is not None and node.offset < timedelta(0):
        raise ValueError("an offset below 0 reads what has not happened yet; remove it, or write one such as offset 5m")
