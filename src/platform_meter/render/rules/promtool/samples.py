"""Series that a query would count, made up from its selector: what generated promtool tests feed to the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from platform_meter.slo.plan import Counters, Slices
from platform_meter.slo.promql import Matcher, Selector, quote
from platform_meter.slo.terms import Term, Unknown, counted, level

_COMMON = ("", "200", "ok", "a")


_SUBSETS = 3
"""Series that one event adds to, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A series: a counter of good events, of bad ones or of both, or a level when good and when bad."""

    series: str
    good: bool = False
    bad: bool = False
    sampled: bool = False
    """Its samples are the counts themselves, as `sum_over_time` adds them."""
    level: tuple[Decimal, Decimal] | None = None


Fed = Sequence[Sample]


def fed_by(sli: Counters | Slices) -> Fed | None:
    """Series behind an SLI; None where nobody can guess them (`unfed` says why)."""
    try:
        return _fed(sli)
    except Unknown:
        return None


def unfed(sli: Counters | Slices) -> str:
    """Why no series can be made up for an SLI; empty where they can."""
    try:
        _fed(sli)
    except Unknown as why:
        return str(why)
    return ""


def _fed(sli: Counters | Slices) -> Fed:
    if isinstance(sli, Counters):
        return _counters(sli)
    if isinstance(sli.reads, Counters):
        return _counters(sli.reads)
    found = level(sli.reads.query)
    labels = _labels(found.selector)
    if labels is None or found.times == 0:
        raise Unknown(f"no labels are known that {found.selector.metric} takes")
    if any(o.metric == found.selector.metric for o in found.ones):
        raise Unknown("a metric over itself")
    good, bad = ((bound - found.shift) / found.times for bound in (sli.reads.good, sli.reads.bad))
    fed = [Sample(series=_series(found.selector.metric, labels), level=(good, bad))]
    for one in found.ones:
        those = _labels(one)
        if those is None or those != labels:
            raise Unknown("a share of series with other labels")
        fed.append(Sample(series=_series(one.metric, those), level=(Decimal(1), Decimal(1))))
    return tuple(fed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A series that the queries read, and what one event on it adds to total and to the part."""

    series: str
    sampled: bool
    adds: tuple[int, int]
    read_by: tuple[Term, ...]


def _counters(sli: Counters) -> Fed:
    """Series that good and bad events add to: such sets of them that total and part grow as they should."""
    total, part = counted(sli.total), counted(sli.part)
    candidates = _candidates(total, part)
    bad = sli.bad is not None
    good_event = _set_of(candidates, (1, 0 if bad else 1))
    bad_event = _set_of(candidates, (1, 1 if bad else 0))
    if good_event is None or bad_event is None:
        raise Unknown("no series are known that make a good event, and others that make a bad one")
    kept = [c for c in candidates if c in good_event or c in bad_event]
    for term in (*total, *part):  # a sum of which one side has no series is none
        if not any(term in c.read_by for c in kept):
            kept.append(next(c for c in candidates if term in c.read_by))
    return tuple(
        Sample(series=c.series, good=c in good_event, bad=c in bad_event, sampled=c.sampled)
        for c in candidates
        if c in kept
    )


def _candidates(total: Sequence[Term], part: Sequence[Term]) -> list[_Candidate]:
    """One series for each selector, and one for what a selector reads and others of its metric do not."""
    terms = (*total, *part)
    found = dict[str, tuple[str, dict[str, str], bool]]()
    for term in terms:
        others = [
            t.selector for t in terms if t.selector.metric == term.selector.metric and t.selector != term.selector
        ]
        labels = _labels(term.selector)
        if labels is None:
            raise Unknown(f"no labels are known that {term.selector.metric} takes")
        alone = [_labels_without(term.selector, other) for other in others]
        both = [_labels(term.selector, other) for other in others]
        for one in (x for x in (*alone, *both, labels) if x is not None):
            found.setdefault(_series(term.selector.metric, one), (term.selector.metric, one, term.sampled))
    if any(len({t.sampled for t in terms if t.selector.metric == m}) > 1 for m in {t.selector.metric for t in terms}):
        raise Unknown("a metric that is a counter and a count")
    made = []
    for series, (metric, labels, sampled) in found.items():
        adds = tuple(sum(t.times for t in those if _reads(t.selector, metric, labels)) for those in (total, part))
        read_by = tuple(t for t in terms if _reads(t.selector, metric, labels))
        made.append(_Candidate(series=series, sampled=sampled, adds=(adds[0], adds[1]), read_by=read_by))
    for those in (total, part):
        for among in {t.among for t in those if t.among}:
            joined = [_labels(t.selector) for t in those if t.among == among]
            if any(labels != joined[0] for labels in joined) or len(made) > len({t.selector.metric for t in terms}):
                raise Unknown("counts that are joined series by series")
    return made


def _reads(selector: Selector, metric: str, labels: dict[str, str]) -> bool:
    return selector.metric == metric and all(_matches(m, labels.get(m.label, "")) for m in selector.matchers)


def _set_of(candidates: Sequence[_Candidate], wanted: tuple[int, int]) -> tuple[_Candidate, ...] | None:
    """The fewest series that together add just this."""
    for size in range(1, _SUBSETS + 1):
        for some in combinations(candidates, size):
            if (sum(c.adds[0] for c in some), sum(c.adds[1] for c in some)) == wanted:
                return some
    return None


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
