"""Rules in a ruler that keeps them itself: what stands there against what would, group by group.

A ruler of Mimir's or Cortex's keeps groups in namespaces. Ours are `OWNER.SERVICE`; no other is looked at.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml

from platform_meter.model.scalars import parse_duration
from platform_meter.render.rules.objects import group_values
from platform_meter.render.rules.text import Group
from platform_meter.slo.promql import duration_text

Values = Mapping[str, Any]
"""A group as plain values."""

_DURATIONS = frozenset({"interval", "for"})
_NOTHING = ("", "0", "0s", "false", "null", "~")
"""How a key that a ruler writes by itself says that it has no value."""


class Word(StrEnum):
    """How one group stands there."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One group that does not stand there as it would be written."""

    namespace: str
    group: str
    before: Values | None
    """None where there is no such group yet."""
    after: Values | None
    """None where it is made no more."""

    @property
    def word(self) -> Word:
        if self.before is None:
            return Word.NEW
        return Word.GONE if self.after is None else Word.CHANGED

    @property
    def told(self) -> str:
        """Where it stands, and how."""
        return f"{self.namespace}: {self.group} is {self.word}"

    def diff(self) -> str:
        """As `diff -u` prints it."""
        name = f"{self.namespace}/{self.group}"
        before, after = (_lines(values) for values in (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, f"{name} (now)", f"{name} (generated)"))


def changes(
    wanted: Iterable[tuple[str, Iterable[Group]]], there: Mapping[str, Sequence[Values]], owner: str
) -> Iterator[Change]:
    """Groups that are not there as they would be written, in their order; what is made no more comes last.

    Args:
        wanted: services and their groups.
        there: namespaces and their groups.
        owner: what our namespaces begin with.
    """
    ours = {space: {one["name"]: one for one in groups} for space, groups in there.items() if is_ours(owner, space)}
    kept = set[tuple[str, str]]()
    for service, groups in wanted:
        space = f"{owner}.{service}"
        for group in groups:
            kept.add((space, group.name))
            after, before = group_values(group), ours.get(space, {}).get(group.name)
            if before is None or _same(before) != _same(after):
                yield Change(namespace=space, group=group.name, before=before, after=after)
    for space, found in ours.items():
        for name, before in found.items():
            if (space, name) not in kept:
                yield Change(namespace=space, group=name, before=before, after=None)


def is_ours(owner: str, namespace: str) -> bool:
    """Whether such a namespace was written as `owner`: no service has a dot in its name."""
    prefix, dot, service = namespace.rpartition(".")
    return prefix == owner and bool(dot and service)


def _lines(values: Values | None) -> list[str]:
    if values is None:
        return []
    return yaml.safe_dump(_same(values), sort_keys=False, allow_unicode=True, width=1000).splitlines(keepends=True)


def _same(values: Values) -> dict[str, Any]:
    """A group or a rule so that what means the same is equal: without empty keys, in order, durations in one spelling."""
    found = {key: _value(key, value) for key, value in sorted(values.items())}
    return {key: value for key, value in found.items() if value not in ([], {}, *_NOTHING)}


def _value(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):  # labels, whose values are what they are
        return {name: str(text) for name, text in sorted(value.items())}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_same(one) if isinstance(one, Mapping) else str(one) for one in value]
    text = "" if value is None else str(value).strip()
    return _duration(text) if key in _DURATIONS else text


def _duration(text: str) -> str:
    try:
        return duration_text(parse_duration(text))
    except ValueError:  # whatever it means there, it is none of ours
        return text
