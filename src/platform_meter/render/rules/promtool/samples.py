"""Series that a query would count, made up from its selector: what generated promtool tests feed to the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from platform_meter.slo.plan import Counters, Slices
from platform_meter.slo.promql import Matcher, Selector, quote

_COMMON = ("", "200", "ok", "a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A series: a counter of good events, of bad ones or of both, or a level when good and when bad."""

    series: str
    good: bool = False
    bad: bool = False
    level: tuple[Decimal, Decimal] | None = None


Fed = Sequence[Sample]


def fed_by(sli: Counters | Slices) -> Fed | None:
    """Series behind an SLI; None where its queries are more than one selector each."""
    if isinstance(sli, Counters):
        return _counters(sli)
    if isinstance(sli.reads, Counters):
        return _counters(sli.reads)
    selector = sli.reads.query.selector
    labels = _labels(selector) if selector else None
    if selector is None or labels is None:
        return None
    return (Sample(series=_series(selector.metric, labels), level=(sli.reads.good, sli.reads.bad)),)


def _counters(sli: Counters) -> Fed | None:
    """Series that good and bad events add to."""
    total, chosen = sli.total.selector, sli.part.selector
    if total is None or chosen is None:
        return None
    bad = sli.bad is not None
    both = _labels(total, chosen) if total.metric == chosen.metric else None
    if both is not None:
        others = _labels_without(total, chosen)
        if others is None:
            return None
        rest = Sample(series=_series(total.metric, others), good=bad, bad=not bad)
        return (rest, Sample(series=_series(total.metric, both), good=not bad, bad=bad))
    every, those = _labels(total), _labels(chosen)
    if every is None or those is None:
        return None
    whole = Sample(series=_series(total.metric, every), good=True, bad=True)
    return (whole, Sample(series=_series(chosen.metric, those), good=not bad, bad=bad))


def _series(metric: str, labels: dict[str, str]) -> str:
    pairs = ",".join(f"{k}={quote(v)}" for k, v in sorted(labels.items()) if v)
    return f"{metric}{{{pairs}}}" if pairs else metric


def _labels(*selectors: Selector) -> dict[str, str] | None:
    """Labels that all these selectors match; None where our few guesses find none."""
    matchers = [m for s in selectors for m in s.matchers]
    found: dict[str, str] = {}
    for label in sorted({m.label for m in matchers}):
        mine = [m for m in matchers if m.label == label]
        value = next((v for v in _guesses(mine) if all(_matches(m, v) for m in mine)), None)
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
            if all(_matches(m, value) for m in mine) and not all(_matches(m, value) for m in theirs):
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


def _matches(matcher: Matcher, value: str) -> bool:
    match matcher.operator:
        case "=":
            return value == matcher.value
        case "!=":
            return value != matcher.value
        case operator:
            return _full(matcher.value, value) is (operator == "=~")


def _full(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # RE2 takes what Python does not: then no guess is sure
        return False
