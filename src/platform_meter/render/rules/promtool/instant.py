"""PromQL over series that stand still: what a query gives when each series shows one number, and each counter grows evenly.

Just so much of the language as counts and levels of an SLO are made of. A window counts one step of the test: an increase
gives what its counter grew in the step, `sum_over_time` the one sample, a subquery its looks, each by its part of the step.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import promql_parser as promql

from platform_meter.render.rules.promtool.reads import ADDED, GROWTH, KEPT, STEP, WINDOW, Unknown, opened, selector
from platform_meter.slo.promql import Matcher, Selector

Labels = Mapping[str, str]
Vector = list[tuple[Labels, float]]
_MATHS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else math.nan,
}
_COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_OF_ALL: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "avg": lambda values: sum(values) / len(values),
    "count": len,
    "group": lambda _: 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    metric: str
    labels: tuple[tuple[str, str], ...]
    """Sorted by name."""


World = Mapping[Series, float]
"""What each series that is there shows: its value, or what its counter grows: in a step, or in a second where it is rated."""


def value(node: promql.Expr, world: World) -> float | None:
    """What a query gives as one number; None where it gives nothing.

    Raises:
        Unknown: several series, or something of which nothing is known.
    """
    found = _value(node, world)
    if isinstance(found, float):
        return found
    if len(found) > 1:
        raise Unknown("several series")
    return found[0][1] if found else None


def _value(node: promql.Expr, world: World) -> Vector | float:
    match node:
        case promql.NumberLiteral():
            return float(node.val)
        case promql.ParenExpr():
            return _value(node.expr, world)
        case promql.UnaryExpr():
            inner = _value(node.expr, world)
            return -inner if isinstance(inner, float) else [(labels, -x) for labels, x in inner]
        case promql.VectorSelector():
            return _selected(node, world)
        case promql.Call():
            return _call(node, world)
        case promql.AggregateExpr() if str(node.op) in _OF_ALL:
            return _aggregated(node, _vector(node.expr, world))
        case promql.AggregateExpr():
            raise Unknown(str(node.op))
        case promql.BinaryExpr():
            return _combined(node, _value(node.lhs, world), _value(node.rhs, world))
        case _:
            raise Unknown("another form")


def _vector(node: promql.Expr, world: World) -> Vector:
    found = _value(node, world)
    if isinstance(found, float):
        raise Unknown("a number where series stand")
    return found


def matches(matcher: Matcher, text: str) -> bool:
    """Whether a label's value is one that is asked for."""
    if matcher.operator in ("=", "!="):
        return (text == matcher.value) is (matcher.operator == "=")
    try:
        return (re.fullmatch(matcher.value, text) is not None) is (matcher.operator == "=~")
    except re.error:  # RE2 takes what Python does not: then no guess is sure
        return False


def takes(asked: Selector, metric: str, labels: Labels) -> bool:
    """Whether a selector reads a series."""
    return asked.metric == metric and all(matches(m, labels.get(m.label, "")) for m in asked.matchers)


def _selected(node: promql.VectorSelector, world: World) -> Vector:
    asked = selector(node)
    return [(dict(s.labels), x) for s, x in world.items() if takes(asked, s.metric, dict(s.labels))]


def _call(node: promql.Call, world: World) -> Vector | float:
    name = str(node.func.name)
    if name in GROWTH | KEPT | ADDED:
        return _over(name, opened(node.args[0]), world)
    if name not in _FUNCTIONS:
        raise Unknown(name)
    return _FUNCTIONS[name](node, world)


def _over(name: str, over: promql.Expr, world: World) -> Vector:
    if isinstance(over, promql.SubqueryExpr) and over.step is not None:
        share = STEP / over.step
        looked = _vector(over.expr, world)
        return [(labels, (x if name == "sum_over_time" else 1) * share) for labels, x in looked]
    if not isinstance(over, promql.MatrixSelector):
        raise Unknown(f"{name} of what is no range")
    found = _selected(over.vector_selector, world)
    if name == "count_over_time":
        return [(labels, 1.0) for labels, _ in found]
    if over.range == WINDOW or name in KEPT or name == "rate":
        return found
    if name == "increase":
        return [(labels, x * over.range.total_seconds()) for labels, x in found]
    return [(labels, x * (over.range / STEP)) for labels, x in found]


def _relabelled(node: promql.Call, world: World) -> Vector:
    into, text, source, pattern = (str(one.val) for one in node.args[1:])
    found: Vector = []
    for labels, x in _vector(node.args[0], world):
        hit = re.fullmatch(pattern, labels.get(source, ""))
        new = hit.expand(re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", text)) if hit else labels.get(into, "")
        found.append(({k: v for k, v in {**labels, into: new}.items() if v}, x))
    return found


def _each(change: Callable[[float, float], float]) -> Callable[[promql.Call, World], Vector]:
    def changed(node: promql.Call, world: World) -> Vector:
        by = _value(node.args[1], world) if len(node.args) > 1 else 0.0
        if not isinstance(by, float):
            raise Unknown(str(node.func.name))
        return [(labels, change(x, by)) for labels, x in _vector(node.args[0], world)]

    return changed


def _of_number(node: promql.Call, world: World) -> Vector:
    found = _value(node.args[0], world)
    if not isinstance(found, float):
        raise Unknown("vector of series")
    return [({}, found)]


_FUNCTIONS: Mapping[str, Callable[[promql.Call, World], Vector]] = {
    "label_replace": _relabelled,
    "vector": _of_number,
    "sort": lambda node, world: _vector(node.args[0], world),
    "sort_desc": lambda node, world: _vector(node.args[0], world),
    "abs": _each(lambda x, _: abs(x)),
    "clamp_min": _each(max),
    "clamp_max": _each(min),
}


def _kept(labels: Labels, names: Sequence[str], *, only: bool) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in labels.items() if (k in names) is only))


def _aggregated(node: promql.AggregateExpr, found: Vector) -> Vector:
    modifier = node.modifier
    names = list(modifier.labels) if modifier is not None else []
    only = modifier is None or modifier.type == promql.AggModifierType.By
    groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for labels, x in found:
        groups.setdefault(_kept(labels, names, only=only), []).append(x)
    return [(dict(labels), float(_OF_ALL[str(node.op)](those))) for labels, those in groups.items()]


def _combined(node: promql.BinaryExpr, left: Vector | float, right: Vector | float) -> Vector | float:
    op, modifier = str(node.op), node.modifier
    as_number = modifier is not None and modifier.return_bool
    if op in ("and", "or", "unless"):
        return _set(node, left, right)
    if op not in _MATHS and op not in _COMPARED:
        raise Unknown(f"'{op}'")

    def both(a: float, b: float, shown: float) -> float | None:
        if op in _MATHS:
            return float(_MATHS[op](a, b))
        holds = _COMPARED[op](a, b)
        return float(holds) if as_number else shown if holds else None

    if isinstance(left, float) and isinstance(right, float):
        return both(left, right, left) or 0.0
    pairs: list[tuple[Labels, float | None]]
    if isinstance(right, float):
        pairs = [(labels, both(x, right, x)) for labels, x in _as_vector(left)]
    elif isinstance(left, float):
        pairs = [(labels, both(left, x, x)) for labels, x in right]
    else:
        pairs = [(labels, both(a, b, a)) for labels, a, b in _joined(node, left, right)]
    return [(labels, x) for labels, x in pairs if x is not None]


def _as_vector(found: Vector | float) -> Vector:
    if isinstance(found, float):
        raise Unknown("a number where series stand")
    return found


def _key(node: promql.BinaryExpr, labels: Labels) -> tuple[tuple[str, str], ...]:
    matching = node.modifier.matching if node.modifier is not None else None
    if matching is None:
        return _kept(labels, [], only=False)
    return _kept(labels, list(matching.labels), only=matching.type == promql.LabelModifierType.Include)


def _joined(node: promql.BinaryExpr, left: Vector, right: Vector) -> Iterator[tuple[Labels, float, float]]:
    card = node.modifier.card if node.modifier is not None else promql.VectorMatchCardinality.OneToOne
    swapped = card == promql.VectorMatchCardinality.OneToMany
    many, one = (right, left) if swapped else (left, right)
    ones = {_key(node, labels): (labels, x) for labels, x in one}
    if len(ones) < len(one):
        raise Unknown("a join with several series on its one side")
    brought = list(node.modifier.group_labels or []) if node.modifier is not None else []
    for labels, x in many:
        key = _key(node, labels)
        if key in ones:
            others, y = ones[key]
            grouped = card in (promql.VectorMatchCardinality.ManyToOne, promql.VectorMatchCardinality.OneToMany)
            result = {**labels, **{k: others[k] for k in brought if k in others}} if grouped else dict(key)
            yield result, *((y, x) if swapped else (x, y))


def _set(node: promql.BinaryExpr, left: Vector | float, right: Vector | float) -> Vector:
    mine, others = _as_vector(left), _as_vector(right)
    if str(node.op) == "or":
        known = {_key(node, labels) for labels, _ in mine}
        return [*mine, *((labels, x) for labels, x in others if _key(node, labels) not in known)]
    there = {_key(node, labels) for labels, _ in others}
    return [(labels, x) for labels, x in mine if (_key(node, labels) in there) is (str(node.op) == "and")]
