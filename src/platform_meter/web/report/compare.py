"""A week held against the four before it: a change is called one only where its interval excludes none at all.

Shares have Wilson's interval, medians that of order statistics, and the difference of two Newcombe's square-and-add of
their intervals. How many of something came is held against a fifth of what came in the five weeks: the share of this week
in them, with Wilson's interval. All are intervals of 95 %, so of twenty comparisons one may look like a change by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from statistics import median

from platform_meter.measures.intervals import Interval, Score, Z, difference, share, wilson
from platform_meter.web.view import percent, span, whole

WEEKS = 4
"""Weeks before, against which one is held."""
LEAST = 5
"""Samples below which a share or a median says nothing (domain section 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One number of the week beside that of the four weeks before."""

    what: str
    said: str
    """The numbers in words, each with its n; empty where there is not enough of one of them."""
    clear: bool = False
    """Whether it is beyond noise."""


def shares(what: str, of: str, now: tuple[float, float], before: tuple[float, float]) -> Change:
    """Two shares, each as (part, whole); `of` is what is counted."""
    if min(now[1], before[1]) < LEAST:
        return Change(what=what, said="")
    scores = [share(part, int(whole)) for part, whole in (now, before)]
    return _moved(what, of, scores, percent, lambda moved: f"{abs(moved) * 100:.1f} points", _points)


def medians(what: str, of: str, now: Sequence[Sequence[float]], before: Sequence[Sequence[float]]) -> Change:
    """Two medians of seconds, of values in groups: those of one group hang together, so there are no more independent ones
    than groups, and the interval is that of so many.
    """
    if min(len(now), len(before)) < LEAST:
        return Change(what=what, said="")
    scores = []
    for groups in (now, before):
        values = [value for group in groups for value in group]
        interval = around_median(values, len(groups))
        scores.append(Score(n=len(values), point=median(values), interval=interval))
    return _moved(
        what, of, scores, span, lambda moved: span(abs(moved)), lambda i: f"{_signed(i.low)} to {_signed(i.high)}"
    )


def counts(what: str, of: str, now: int, before: int) -> Change:
    """How many came in the week and in the four before; `of` is what they are."""
    if now + before < LEAST:
        return Change(what=what, said="")
    of_all, usual = wilson(now, now + before), before / WEEKS
    said = f"{whole(now)} {of}, {usual:,.1f} a week in the {WEEKS} before"
    if not of_all.excludes(1 / (WEEKS + 1)):
        return Change(what=what, said=said)
    return Change(what=what, said=f"{'more' if now > usual else 'fewer'}: {said}", clear=True)


def around_median(values: Sequence[float], independent: int) -> Interval | None:
    """The two order statistics between which the median lies, by the normal approximation of the binomial (Conover 1999,
    section 3.2), cut to what there is; None for values that are all the same.

    Args:
        values: any number of them.
        independent: how many of them say something that the others do not.
    """
    ordered, n = sorted(values), len(values)
    half = Z / 2 / sqrt(independent)
    low, high = max(0, floor(n * (0.5 - half))), min(n - 1, floor(n * (0.5 + half)))
    return None if ordered[0] == ordered[-1] else Interval(low=ordered[low], high=ordered[high])


def _moved(
    what: str,
    of: str,
    scores: Sequence[Score],
    words: Callable[[float], str],
    much: Callable[[float], str],
    ends: Callable[[Interval], str],
) -> Change:
    now, before = scores
    said = f"{words(now.point)} of {whole(now.n)} {of}; the {WEEKS} weeks before {words(before.point)} of {whole(before.n)}"
    between = difference(now, before)
    if between is None or not between.excludes(0):
        return Change(what=what, said=said)
    moved = now.point - before.point
    return Change(
        what=what, said=f"{'up' if moved > 0 else 'down'} {much(moved)} ({ends(between)}): {said}", clear=True
    )


def _points(between: Interval) -> str:
    return f"{between.low * 100:+.1f} to {between.high * 100:+.1f}"


def _signed(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{span(abs(seconds))}"
