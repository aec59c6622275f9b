"""promtool tests as values, and their YAML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.model.generated import HEADER
from platform_meter.render.rules.text import scalar
from platform_meter.slo.promql import duration_text, number_text, quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an expression gives at a time: one value, or nothing."""

    expr: str
    at: timedelta
    value: float | None
    labels: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """Series (name, and values in promtool's notation) and what comes of them."""

    name: str
    step: timedelta
    series: tuple[tuple[str, str], ...]
    expected: tuple[Expected, ...]


def labels_text(**labels: str) -> str:
    """`{period="28d",slo="checkout"}`."""
    return "{" + ",".join(f"{k}={quote(v)}" for k, v in sorted(labels.items())) + "}"


def firing(slo: str, alert: str, at: timedelta, *, count: int | None, **labels: str) -> Expected:
    """How many alerts of an SLO fire; None is none.

    `ALERTS` is read, not promtool's own list, so that no test repeats an alert's sentences.
    """
    selected = labels_text(alertname=alert, alertstate="firing", slo=slo, **labels)
    return Expected(expr=f"count(ALERTS{selected})", at=at, value=count)


def tests_text(rule_file: str, interval: timedelta, tests: Sequence[Test], order: Sequence[str]) -> str:
    """The YAML document of a test file beside its rules. Groups in `order` are evaluated one after the other, else at random."""
    lines = [f"rule_files: [{scalar(rule_file)}]", f"evaluation_interval: {duration_text(interval)}"]
    if len(order) > 1:
        lines.append(f"group_eval_order: [{', '.join(scalar(name) for name in order)}]")
    lines.append("tests:")
    for test in tests:
        lines += _test(test)
    return HEADER + "\n".join(lines) + "\n"


def _test(test: Test) -> Iterable[str]:
    yield f"- name: {scalar(test.name)}"
    yield f"  interval: {duration_text(test.step)}"
    yield "  input_series:"
    for series, values in test.series:
        yield f"  - {{series: {scalar(series)}, values: {scalar(values)}}}"
    yield "  promql_expr_test:"
    for one in test.expected:
        found = "[]"
        if one.value is not None:
            found = f"[{{labels: {scalar(one.labels)}, value: {number_text(one.value)}}}]"
        yield f"  - {{expr: {scalar(one.expr)}, eval_time: {duration_text(one.at)}, exp_samples: {found}}}"
