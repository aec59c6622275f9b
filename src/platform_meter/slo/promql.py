"""People's PromQL: read by a real parser, its window put in, its result one series.

The text itself is kept, never printed anew from the parsed form, so quotes, escapes and unicode stay as written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

import promql_parser as promql

from platform_meter.model.promql import TOKEN, bounded
from platform_meter.slo import counts

WINDOW = "{{window}}"
_PROBE = timedelta(seconds=433)
"""A range that nobody writes: ranges that differ from it in a parsed query are fixed ones."""
_REMEMBERED = 256
"""Queries are looked at several times while their document is read; the same numbers stand in every SLO's rules."""
_SUM = re.compile(r"sum\s*\((.*)\)", re.DOTALL)
_ONE_SERIES = frozenset({"sum", "min", "max", "avg", "count", "group", "stddev", "stdvar"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    label: str
    operator: str
    """One of =, !=, =~, !~."""
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What a query reads, when it reads one thing only."""

    metric: str
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """PromQL that gives at most one series without labels, for any window."""

    parts: tuple[str, ...]
    """The text around each window."""
    per_second: bool = False
    """It gives a rate, which the window's seconds turn into a count."""
    metrics: tuple[str, ...] = ()
    """Metrics it reads, sorted."""
    job: Matcher | None = None
    """What all that it reads is asked to have as `job`: the label that Prometheus gives what it scrapes."""
    selector: Selector | None = None
    """What is counted, where the query is a plain sum of increases of one selector, or a plain gauge."""

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every window."""
        return len(self.parts) == 1

    def over(self, window: timedelta) -> str:
        """The query with this window put in. Binds as tightly as a function call."""
        text = duration_text(window).join(self.parts)
        return f"({text} * {int(window.total_seconds())})" if self.per_second else text


@lru_cache(maxsize=_REMEMBERED)
def duration_text(length: timedelta) -> str:
    """A duration as PromQL writes it: `5m30s`, `1h`, `28d`, `1d9h36m`."""
    rest = int(length.total_seconds())
    out = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if rest >= size:
            out += f"{rest // size}{unit}"
            rest %= size
    return out or "0s"


_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}


def read_duration(text: str) -> timedelta | None:
    """A duration as Prometheus reads one: `90s`, `1y35d`, `1h5m`; None where it is none."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    try:
        return timedelta(milliseconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    except OverflowError:
        return None


@lru_cache(maxsize=_REMEMBERED)
def number_text(value: Decimal | float) -> str:
    """A number in plain decimals: 0.001, never 1E-3."""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quote(text: str) -> str:
    """A PromQL string that means exactly this text."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    out = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c == "\n":
            out.append("\\n")
        elif c.isprintable():
            out.append(c)
        else:
            out.append(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")
    return f'"{"".join(out)}"'


@lru_cache(maxsize=_REMEMBERED)
def read_count(text: str, *, total: bool = False) -> Query:
    """A query that counts events: with {{window}} as its range, or a counter alone or under `sum`, which is wrapped.

    Args:
        text: PromQL.
        total: it counts all events, so that it must be silent where there is no data.

    Raises:
        ValueError: broken PromQL, a fixed range, no window, several series on purpose, or what is no count (`counts`).
    """
    parts = _split(text)
    alone = _summed(parts[0]) if len(parts) == 1 else ""
    if alone and _plain(alone):
        parts = (f"sum(increase({alone}[", "]))")
    seen = _look(parts)
    if not seen.windowed:
        raise ValueError(
            f"the query has no range [{WINDOW}]; write sum(increase(METRIC[{WINDOW}])), or the counter alone"
        )
    found = counts.functions(seen.tree, total=total)
    if total and (not seen.reads or counts.always(seen.tree)):
        raise ValueError(
            "this total is there whether there is data or not, so SLONoData never fires; count what is there only "
            "while its source is read"
        )
    per_second = found & counts.PER_SECOND
    if per_second and found - per_second:
        other = min(found - per_second)
        raise ValueError(f"rate and {other} together are neither a rate nor a count; write increase")
    if seen.within:
        raise ValueError(
            f"[{WINDOW}] inside a subquery counts every event at each of its steps; write a fixed range there, such as [1m]"
        )
    if several := counts.grouping(seen.tree):
        raise ValueError(
            f"{several} gives several series, and an SLO is one; write {several.partition(' ')[0]}(...) to count all of "
            "them together, or an SLO for each, with a matcher of its own"
        )
    return Query(
        parts=_single(parts, seen.tree, "sum"),
        per_second=bool(per_second),
        metrics=seen.metrics,
        job=seen.job,
        selector=_counted(seen.tree),
    )


@lru_cache(maxsize=_REMEMBERED)
def read_gauge(text: str, worst: str, *, absent: bool = True) -> Query:
    """A query that gives a level, with or without {{window}}; of several series the worst decides.

    Args:
        text: PromQL.
        worst: `max` or `min`: which of several series is the worst.
        absent: it has to be silent where there is no data.

    Raises:
        ValueError: broken PromQL, a fixed range beside a window, or what is there without data.
    """
    parts = _split(text)
    seen = _look(parts, fixed=len(parts) == 1)
    if absent and (not seen.reads or counts.always(seen.tree)):
        raise ValueError(
            "this is there whether there is data or not, so SLONoData never fires; remove what stands for no data, such as "
            "or vector(0): the annotation platform-meter.io/no-data says what a slice without data is"
        )
    tree = _open(seen.tree)
    alone = _selector(tree) if isinstance(tree, promql.VectorSelector) else None
    return Query(parts=_single(parts, seen.tree, worst), metrics=seen.metrics, job=seen.job, selector=alone)


def selectors(query: Query) -> tuple[Selector, ...]:
    """All that a query reads by the name of a metric, each once, whatever it does with it; in the order it is written."""
    return _look(query.parts, fixed=query.fixed).selectors


@dataclass(slots=True)
class _Seen:
    """What stands in a parsed query."""

    tree: promql.Expr
    windowed: bool = False
    within: bool = False
    """A window stands inside a subquery."""
    metrics: tuple[str, ...] = ()
    reads: bool = False
    """It reads series."""
    job: Matcher | None = None
    selectors: tuple[Selector, ...] = ()


def _split(text: str) -> tuple[str, ...]:
    """The query on one line without comments, cut at its windows. Strings stay as they are."""
    parts = [""]
    for match in TOKEN.finditer(bounded(text.strip())):
        if match["window"]:
            parts.append("")
        elif match["space"] or match["comment"]:
            parts[-1] += "" if parts[-1].endswith(" ") else " "
        else:
            parts[-1] += match[0]
    parts[0], parts[-1] = parts[0].lstrip(), parts[-1].rstrip()
    return tuple(parts)


def _parse(text: str) -> promql.Expr:
    try:
        return promql.parse(text)
    except ValueError as error:
        said = " ".join(str(error).split()) or "it cannot be read"
        raise ValueError(f"this is not PromQL: {said}") from None


def _summed(text: str) -> str:
    """What stands under `sum(...)`, where that is a bare selector; else the text as it is."""
    tree, found = _open(_parse(text)), _SUM.fullmatch(text)
    bare = (
        isinstance(tree, promql.AggregateExpr)
        and tree.modifier is None
        and isinstance(tree.expr, promql.VectorSelector)
    )
    return found[1].strip() if found and bare else text


def _plain(text: str) -> bool:
    """Whether this is a bare selector, which we may wrap."""
    tree = _open(_parse(text))
    if not isinstance(tree, promql.VectorSelector):
        return False
    if tree.offset is not None or tree.at is not None or text.startswith("("):
        raise ValueError(
            f"a counter alone takes no offset, @ or brackets; write sum(increase(METRIC[{WINDOW}] offset 5m))"
        )
    return True


def _look(parts: tuple[str, ...], *, fixed: bool = False) -> _Seen:
    text = duration_text(_PROBE).join(parts)
    seen = _Seen(tree=_parse(text))
    metrics: set[str] = set()
    jobs: set[Matcher | None] = set()
    selected: dict[Selector, None] = {}

    def visit(node: promql.Expr, *, inner: bool) -> None:
        match node:
            case promql.MatrixSelector():
                ranged(node.range, inner=inner)
                name(node.vector_selector)
            case promql.VectorSelector():
                name(node)
            case promql.SubqueryExpr():
                counts.steady(node)
                ranged(node.range, inner=inner)
                visit(node.expr, inner=True)
            case promql.Call():
                for one in node.args:
                    visit(one, inner=inner)
            case promql.AggregateExpr():
                visit(node.expr, inner=inner)
            case promql.BinaryExpr():
                visit(node.lhs, inner=inner)
                visit(node.rhs, inner=inner)
            case promql.ParenExpr() | promql.UnaryExpr():
                visit(node.expr, inner=inner)
            case _:  # numbers and strings read nothing
                pass

    def ranged(length: timedelta | None, *, inner: bool) -> None:
        if length == _PROBE:
            seen.windowed = True
            seen.within = seen.within or inner
        elif length is not None and not inner and not fixed:
            raise ValueError(
                f"a fixed range [{duration_text(length)}] would be read for every window; write [{WINDOW}]"
            )

    def name(node: promql.VectorSelector) -> None:
        counts.steady(node)
        if found := _metric(node):
            metrics.add(found)
        if read := _read(node):
            selected[read] = None
        jobs.add(_job(node))

    visit(seen.tree, inner=False)
    seen.metrics = tuple(sorted(metrics))
    seen.selectors = tuple(selected)
    seen.reads = bool(jobs)
    seen.job = jobs.pop() if len(jobs) == 1 else None
    return seen


def _open(tree: promql.Expr) -> promql.Expr:
    """What stands in brackets."""
    while isinstance(tree, promql.ParenExpr):
        tree = tree.expr
    return tree


def _single(parts: tuple[str, ...], tree: promql.Expr, by: str) -> tuple[str, ...]:
    """The query as one series without labels: as it is where an aggregation makes that sure."""
    if isinstance(tree, promql.AggregateExpr) and str(tree.op) in _ONE_SERIES and not _grouped(tree):
        return parts
    wrapped = (f"{by}({parts[0]}", *parts[1:])
    wrapped = (*wrapped[:-1], f"{wrapped[-1]})")
    _parse(duration_text(_PROBE).join(wrapped))
    return wrapped


def _grouped(tree: promql.AggregateExpr) -> bool:
    return tree.modifier is not None and (bool(tree.modifier.labels) or tree.modifier.type != promql.AggModifierType.By)


def _counted(tree: promql.Expr) -> Selector | None:
    """The selector of `sum(increase(selector[w]))`, with or without sum, `by` and brackets."""
    tree = _open(tree)
    if isinstance(tree, promql.AggregateExpr) and str(tree.op) == "sum":
        tree = _open(tree.expr)
    if not isinstance(tree, promql.Call) or tree.func.name not in counts.COUNTS | counts.PER_SECOND:
        return None
    inner = _open(tree.args[0])
    return _selector(inner.vector_selector) if isinstance(inner, promql.MatrixSelector) else None


def _selector(node: promql.VectorSelector) -> Selector | None:
    return _read(node) if node.offset is None and node.at is None else None


def _read(node: promql.VectorSelector) -> Selector | None:
    """What it selects, whenever that is; None without a metric's name, or with one of several sets of matchers."""
    name = _metric(node)
    if not name or node.matchers.or_matchers:
        return None
    found = (
        Matcher(label=m.name, operator=_OPERATORS[str(m.op)], value=m.value)
        for m in node.matchers.matchers
        if m.name != "__name__"
    )
    return Selector(metric=name, matchers=tuple(found))


def _job(node: promql.VectorSelector) -> Matcher | None:
    """The jobs it asks for by name; None where it asks for none, or only says which not."""
    found = [m for m in node.matchers.matchers if m.name == "job" and str(m.op) in ("MatchOp.Equal", "MatchOp.Re")]
    if len(found) != 1 or node.matchers.or_matchers or not found[0].value:
        return None
    return Matcher(label="job", operator=_OPERATORS[str(found[0].op)], value=found[0].value)


def _metric(node: promql.VectorSelector) -> str:
    if node.name:
        return str(node.name)
    return next(
        (str(m.value) for m in node.matchers.matchers if m.name == "__name__" and str(m.op) == "MatchOp.Equal"), ""
    )


_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
