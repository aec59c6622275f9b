"""Whether bad or good events are a part of all events, as far as their matchers prove it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from platform_meter.slo.promql import Matcher, Query, Selector

_HISTOGRAM = ("_bucket", "_count")
_ATOM = re.compile(r"\\d|\[\^?(?:\\.|[^\]\\])+\]|\\[^\w]|[^\\()\[\]{}*+?|^$]")
_TIMES = re.compile(r"\{(\d{1,2})\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong with a part, or worth knowing about it."""

    wrong: str = ""
    note: str = ""


def judge(part: Query, total: Query, word: str) -> Verdict:
    """Hold the events of `part`, which are called bad or good, against all events."""
    if part.parts == total.parts:
        other = "good" if word == "bad" else "bad"
        return Verdict(
            wrong=f"{word} and total are the same query, so no event is ever {other}; write what makes one {word}"
        )
    one, all_ = part.selector, total.selector
    if one is None or all_ is None:
        return Verdict()
    if _base(one.metric) != _base(all_.metric):
        text = f"{word} counts {one.metric} and total counts {all_.metric}; see that every event of the first is in the second"
        return Verdict(note=text)
    return _matchers(one, all_, word)


def _base(metric: str) -> str:
    """A histogram's buckets count what its `_count` counts."""
    return next((metric.removesuffix(end) for end in _HISTOGRAM if metric.endswith(end)), metric)


def _matchers(one: Selector, all_: Selector, word: str) -> Verdict:
    ignored = {"le"} if one.metric.endswith("_bucket") else set[str]()
    if (bound := _bound(one)) > (most := _bound(all_)):
        text = f'{word} counts what takes up to {bound:g} and total what takes up to {most:g}; write le="+Inf" in total'
        return Verdict(wrong=text)
    mine = [m for m in one.matchers if m.label not in ignored]
    asked = [m for m in all_.matchers if m.label not in ignored]
    for m in mine:
        for t in asked:
            if m.label == t.label and _contradict(m, t):
                return Verdict(
                    wrong=f"no event is in both: {word} asks for {_text(m)} and total for {_text(t)}; "
                    f"write a total of all events, those that are {word} among them"
                )
    missing = [t for t in asked if not _implied(t, mine)]
    if not missing:
        return Verdict()
    if all(_implied(m, asked) for m in mine) and not (ignored and one.metric != all_.metric):
        return Verdict(
            wrong=f"{word} is more than total, which asks for {_text(missing[0])} too; are the two swapped? "
            f"write a total of all events, and what makes one {word}"
        )
    text = f"total asks for {_text(missing[0])} and {word} does not, so that {word} may be more; ask for it there too"
    return Verdict(note=text)


def _bound(selector: Selector) -> float:
    """The one bucket of a histogram that is read; beyond all where it is not told."""
    found = [m.value for m in selector.matchers if m.label == "le" and m.operator == "="]
    try:
        return float(found[0]) if found else math.inf
    except ValueError:
        return math.inf


def _text(matcher: Matcher) -> str:
    return f'{matcher.label}{matcher.operator}"{matcher.value}"'


def _implied(wanted: Matcher, given: Sequence[Matcher]) -> bool:
    """Whether what is selected by `given` meets `wanted`."""
    return any(_implies(one, wanted) for one in given if one.label == wanted.label)


def _implies(one: Matcher, wanted: Matcher) -> bool:
    if one == wanted:
        return True
    mine, theirs = _patterns(one), _patterns(wanted)
    if mine is None or theirs is None or one.operator.startswith("!"):
        return False
    if wanted.operator.startswith("!"):
        return all(_apart(a, b) for a in mine for b in theirs)
    return all(any(_covers(b, a) for b in theirs) for a in mine)


def _contradict(one: Matcher, other: Matcher) -> bool:
    """Whether no value meets both."""
    if one.operator.startswith("!"):
        if other.operator.startswith("!"):
            return False
        one, other = other, one
    if other.operator.startswith("!") and one.operator[-1] == other.operator[-1] and one.value == other.value:
        return True
    mine, theirs = _patterns(one), _patterns(other)
    if mine is None or theirs is None:
        return False
    if other.operator.startswith("!"):
        return all(any(_covers(b, a) for b in theirs) for a in mine)
    return all(_apart(a, b) for a in mine for b in theirs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """Values that look so: a character or None for any, place by place; and, if `open`, whatever follows."""

    places: tuple[str | None, ...]
    open: bool = False
    wide: bool = False
    """It takes more than was written: a class of characters counts as any."""


def _patterns(matcher: Matcher) -> tuple[_Pattern, ...] | None:
    """What the matcher names, its negation aside; None where that cannot be told in such patterns."""
    if not matcher.operator.endswith("~"):
        return (_Pattern(places=tuple(matcher.value)),)
    found = [_pattern(one) for one in matcher.value.split("|")]
    sound = tuple(one for one in found if one is not None)
    return sound if len(sound) == len(found) else None


def _pattern(text: str) -> _Pattern | None:
    places: list[str | None] = []
    at, wide = 0, False
    while at < len(text):
        if text[at:] in (".*", ".+"):
            return _Pattern(places=(*places, *((None,) if text[at:] == ".+" else ())), open=True, wide=wide)
        atom = _ATOM.match(text, at)
        if atom is None:
            return None
        at = atom.end()
        one: str | None = None
        if atom[0].startswith("[") or atom[0] == r"\d":
            wide = True
        elif atom[0] != ".":
            one = atom[0][-1]
        times = _TIMES.match(text, at)
        at = times.end() if times else at
        places += [one] * (int(times[1]) if times else 1)
    return _Pattern(places=tuple(places), wide=wide)


def _apart(one: _Pattern, other: _Pattern) -> bool:
    """Whether no value is both; sound for wide patterns too."""
    both = list(zip(one.places, other.places, strict=False))
    if any(a != b for a, b in both if a is not None and b is not None):
        return True
    shorter, longer = sorted((one, other), key=lambda p: len(p.places))
    return len(shorter.places) < len(longer.places) and not shorter.open


def _covers(whole: _Pattern, one: _Pattern) -> bool:
    """Whether every value of `one` is one of `whole`."""
    if whole.wide:
        return False
    long_enough = len(one.places) >= len(whole.places)
    as_long = len(one.places) == len(whole.places) and not one.open
    fits = all(a is None or a == b for a, b in zip(whole.places, one.places, strict=False))
    return long_enough and fits and (whole.open or as_long)
