"""Labels that selectors take, guessed from their matchers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import promql_parser as promql

from platform_meter.render.rules.promtool.instant import Series, matches
from platform_meter.render.rules.promtool.reads import Read, Unknown, joined_by
from platform_meter.slo.promql import Matcher, Selector

_COMMON = ("", "200", "ok", "a")


def all_labels(found: Sequence[Read], trees: Iterable[promql.Expr]) -> Iterator[Series]:
    """One series for each selector, and one for what a selector reads and others of its metric do not; those that are joined
    share the labels they are joined by.

    Raises:
        Unknown: a selector for which no labels are known.
    """
    selectors = list(dict.fromkeys(read.selector for read in found))
    shared = {label: _shared(label, selectors) for label in sorted(set[str]().union(*map(joined_by, trees)))}
    for one in selectors:
        others = [other for other in selectors if other.metric == one.metric and other != one]
        labels = _labels(one)
        if labels is None:
            raise Unknown(f"no labels are known that {one.metric} takes")
        alone = [_labels_without(one, other) for other in others]
        both = [_labels(one, other) for other in others]
        for those in (x for x in (*alone, *both, labels) if x is not None):
            named = {label: value for label, value in {**shared, **those}.items() if value}
            yield Series(metric=one.metric, labels=tuple(sorted(named.items())))


def _shared(label: str, selectors: Sequence[Selector]) -> str:
    """A value of a label that all take which ask for it."""
    asked = [m for one in selectors for m in one.matchers if m.label == label]
    likely = (value for value in ("a", *_guesses(asked)) if value and all(matches(m, value) for m in asked))
    return next(likely, "a")


def _labels(*selectors: Selector) -> dict[str, str] | None:
    """Labels that all these selectors match; None where our few guesses find none."""
    matchers = [m for s in selectors for m in s.matchers]
    found: dict[str, str] = {}
    for label in sorted({m.label for m in matchers}):
        mine = [m for m in matchers if m.label == label]
        value = next((v for v in _guesses(mine) if all(matches(m, v) for m in mine)), None)
        if value is None:
            return None
        found[label] = value
    return found


def _labels_without(selector: Selector, other: Selector) -> dict[str, str] | None:
    """Labels that `selector` matches and `other` does not."""
    found = _labels(selector)
    if found is None:
        return None
    for label in sorted({m.label for m in other.matchers}):
        mine = [m for m in selector.matchers if m.label == label]
        theirs = [m for m in other.matchers if m.label == label]
        for value in _guesses([*mine, *theirs]):
            if all(matches(m, value) for m in mine) and not all(matches(m, value) for m in theirs):
                return {**found, label: value}
    return None


def _guesses(matchers: Iterable[Matcher]) -> list[str]:
    """Values worth a try, likely ones first."""
    found = list[str]()
    for m in matchers:
        if m.operator in ("=", "!="):
            found.append(m.value)
        else:
            found += [_like(alternative) for alternative in m.value.split("|")]
    known = [v for v in _COMMON if v]
    return [*dict.fromkeys([*(v for v in found if v), *known, ""])]


def _like(pattern: str) -> str:
    """A text that a simple pattern matches: `5..` -> `500`."""
    text = re.sub(r"\\d[+*]?", "0", pattern)
    text = re.sub(r"\[([A-Za-z0-9])[^\]]*\][+*]?", r"\1", text)
    text = re.sub(r"(?<!\\)\.[*+]", "a", text)
    text = re.sub(r"(?<!\\)\.", "0", text)
    return re.sub(r"[\\()?^$*+]", "", text.replace("(?:", ""))
