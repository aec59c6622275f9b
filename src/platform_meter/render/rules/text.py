"""Rule groups as values, and their YAML: the same bytes for the same values, each scalar quoted where it needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache

from platform_meter.slo.promql import duration_text

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./%-]+)*|[0-9]+[smhdw]")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"})
"""Plain words that some YAML reader takes for something else than text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A recording rule (`record`) or an alert (`alert`)."""

    record: str = ""
    alert: str = ""
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    wait: timedelta = timedelta(0)
    """`for` of an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str
    interval: timedelta
    rules: tuple[Rule, ...]


def rules_text(groups: Iterable[Group]) -> str:
    """The YAML document of these groups, in their order."""
    lines = ["groups:"]
    for group in groups:
        lines.append(f"- name: {scalar(group.name)}")
        lines.append(f"  interval: {duration_text(group.interval)}")
        lines.append("  rules:")
        for rule in group.rules:
            lines += _rule(rule)
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> Iterable[str]:
    yield f"  - record: {rule.record}" if rule.record else f"  - alert: {rule.alert}"
    if rule.labels:
        yield f"    labels: {flow(rule.labels)}"
    if rule.wait:
        yield f"    for: {duration_text(rule.wait)}"
    if rule.annotations:
        yield "    annotations:"
        for key, value in rule.annotations.items():
            yield f"      {key}: {scalar(value)}"
    if folds(rule.expr):
        yield "    expr: >-"
        yield from (f"      {line}" for line in rule.expr.split("\n"))
    else:
        yield f"    expr: {scalar(rule.expr)}"


def folds(expr: str) -> bool:
    """Whether its lines stand in a folded block, which reads as them with a space between."""
    return all(line and line.isprintable() and line == line.strip() for line in expr.split("\n"))


def flow(values: Mapping[str, str]) -> str:
    """`{slo: checkout, window: 5m}`."""
    return "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in values.items()) + "}"


@lru_cache(maxsize=4096)
def scalar(text: str) -> str:
    """A YAML scalar that reads as exactly this text, for YAML 1.1 and 1.2."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted if quoted.isprintable() else "".join(map(_visible, quoted))}"'


def _visible(c: str) -> str:
    if c.isprintable():
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
