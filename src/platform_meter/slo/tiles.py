"""Tiles that lose nothing across gaps: what each raw series shows since its last known value (domain section 5).

A tile of length t counts, for each raw series x and inside the query's own aggregation, the first of these that exists,
where X is the last value of the tile and L the last one before it, at most an hour back:

1. x began again within the tile: `increase(x[t+s]) * t/(t+s)`, an estimate; s is one scrape interval.
2. `X - L` where it is not negative. Such steps telescope, so their sum is exact and in whole events, however long the
   gap between the two scrapes. Without a scrape in the tile there is no X, and the step waits for the next one.
3. X where it is below L: the counter began again between the two, and all that it shows came after that.
4. `X - min_over_time(x[t])` where there is no L: a new series. What it showed first is not counted: nobody knows when it came.

X is read by `last_over_time`, so that the end of a series, also one that a failed scrape marked stale, is counted.
A tile reads one scrape late: a sample has the time at which its scrape began, and one that is still under way at the
tile's time would be missed by this tile and known to the next. As tiles and scrapes keep their distance, that would be a
scrape's worth of every tile.
After evaluations that were missed (Prometheus was stopped, its group was late) the tile reaches back to the last one that
was written, up to 30 min: LATE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache

from platform_meter.slo.promql import Query, duration_text, read_duration

GAP = timedelta(hours=1)
"""The longest gap in scrapes after which the step is still counted."""
LATE = tuple(timedelta(minutes=m) for m in (10, 15, 20, 25, 30))
"""Ages of the last written tile to which one reaches back when younger ones are missing."""
_NEAR = timedelta(minutes=2)
"""A tile stands at its time to within this; windows around it never end on it (releases differ on which edge is in)."""
_EDGE = timedelta(minutes=1)

_STRING = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)"""
_WINDOW = "\0"
_CALL = re.compile(
    rf"{_STRING}|\b(?P<function>increase|rate|sum_over_time|count_over_time)\s*\(\s*"
    rf"(?P<selector>(?:[a-zA-Z_:][\w:]*\s*)?(?:\{{(?:{_STRING}|[^{{}}\"'`])*\}})?)\s*"
    rf"\[\s*{_WINDOW}\s*\](?:\s*offset\s+(?P<offset>(?:\d+(?:ms|[smhdwy]))+))?\s*\)",
    re.DOTALL,
)
_STRINGS = re.compile(_STRING, re.DOTALL)
_OTHERS = re.compile(r"\b(?:increase|rate|changes|resets)\s*\(")
"""Functions that look at steps between samples. Of those in a subquery nobody knows what a gap hides."""
_HISTOGRAM = re.compile(r"\bhistogram_(?:count|sum)\s*\(")
"""Native histograms have no order, so that a step below 0 cannot be told."""


def steps(query: Query, length: timedelta, scrape: timedelta) -> str | None:
    """What a query counted in the `length` that ends now, exact across gaps in scrapes; a count also where it is a rate.

    None where the query reads something else than counters of its own, such as a subquery.
    """
    return _replaced(query, lambda x: f"({_Series(*x).step(length, scrape)})")


def tile(query: Query, length: timedelta, scrape: timedelta, written: str) -> str:
    """The expression of a tile, which reaches back to the last one that was written.

    Args:
        query: what is counted.
        length: of a tile: the interval of its group.
        scrape: the interval of scrapes.
        written: selector of the series that the expression is recorded as.
    """
    late = [(back, _last_written(written, back, length)) for back in LATE]

    def either(x: tuple[str, str, str]) -> str:
        one = _Series(*x, late=scrape)
        return f"({one.since(late, length)} or {one.step(length, scrape)})"

    if text := _replaced(query, either):
        return text
    if not _adds_samples(query):
        return padded(query, length, scrape)
    missed = (f"({_just(query, back)} and on () ({found}))" for back, found in late)
    return "\nor ".join([*missed, _just(query, length)])


def _adds_samples(query: Query) -> bool:
    """Whether it adds up samples or looks of a subquery, each of which is a count itself."""
    text = _STRINGS.sub("", _WINDOW.join(query.parts))
    return not query.per_second and not _OTHERS.search(text)


def _just(query: Query, length: timedelta) -> str:
    """The query over this window, with each sample in one of two windows that meet, whichever edges of a range are in it."""
    return _short_of(length).join(query.parts)


def _last_written(written: str, back: timedelta, length: timedelta) -> str:
    """PromQL: something when the youngest tile is so old."""
    found = f"count_over_time({written}[{duration_text(2 * _NEAR)}] offset {duration_text(back - _NEAR)})"
    younger, from_ = duration_text(back - length - _EDGE), duration_text(length - _NEAR)
    return f"{found} unless count_over_time({written}[{younger}] offset {from_})"


def padded(query: Query, length: timedelta, scrape: timedelta) -> str:
    """An estimate: reads one scrape more and scales back, so that no event falls between two tiles. Gaps lose what came in them."""
    read = length + scrape
    return f"{query.over(read)} * {int(length.total_seconds())} / {int(read.total_seconds())}"


class _Series:
    """One selector under a function, and how far back it is read."""

    def __init__(self, function: str, selector: str, offset: str, *, late: timedelta = timedelta(0)) -> None:
        self._function, self._selector = function, selector
        self._offset = (read_duration(offset) or timedelta(0)) // timedelta(milliseconds=1)
        self._offset += round(late / timedelta(milliseconds=1))

    def _over(self, function: str, window: str, before: timedelta = timedelta(0)) -> str:
        back = self._offset + round(before / timedelta(milliseconds=1))
        offset = f" offset {_milliseconds(back)}" if back else ""
        return f"{function}({self._selector}[{window}]{offset})"

    def _added(self, length: timedelta) -> str:
        """Samples that are counts themselves: each once, whichever edges of a range are in it."""
        return self._over(self._function, _short_of(length))

    def step(self, length: timedelta, scrape: timedelta) -> str:
        """What it counted in the `length` that ends now."""
        if self._function not in ("increase", "rate"):
            return self._added(length)
        inside, read = duration_text(length), length + scrape
        last = self._over("last_over_time", inside)
        known = self._over("last_over_time", duration_text(GAP), length)
        again = f"{self._over('increase', duration_text(read))} * {_seconds(length)} / {_seconds(read)}"
        return (
            f"{again} and {self._over('resets', inside)} > 0 or {last} - {known} >= 0 or {last} < {known}"
            f" or {last} - {self._over('min_over_time', inside)}"
        )

    def since(self, late: Sequence[tuple[timedelta, str]], length: timedelta) -> str:
        """What it counted since a tile that is older than one length; nothing for a series that was not in that tile.

        Args:
            late: how old the last tile may be, each with PromQL: something when it is as old.
            length: of a tile.
        """
        if self._function not in ("increase", "rate"):
            return " or ".join(f"{self._added(back)} and on () ({found})" for back, found in late)
        inside = duration_text(length)
        last = self._over("last_over_time", inside)
        # One of them at most is as old, so the values are told apart once and not for each.
        known = " or ".join(f"{self._over('last_over_time', inside, back)} and on () ({found})" for back, found in late)
        return f"{last} - ({known}) >= 0 or {last} < ({known})"


def _replaced(query: Query, step: Callable[[tuple[str, str, str]], str]) -> str | None:
    found = _calls(query)
    if found is None:
        return None
    texts, calls = found
    out = [texts[0]]
    for call, text in zip(calls, texts[1:], strict=True):
        out += [step(call), text]
    return "".join(out)


@lru_cache(maxsize=256)
def _calls(query: Query) -> tuple[tuple[str, ...], tuple[tuple[str, str, str], ...]] | None:
    """The text around the calls that read a window, and these calls: function, selector, offset. None where others do."""
    text = _WINDOW.join(query.parts)
    texts, calls, at = list[str](), list[tuple[str, str, str]](), 0
    for match in _CALL.finditer(text):
        if match["function"] is None or not match["selector"]:
            continue
        texts.append(text[at : match.start()])
        calls.append((match["function"], match["selector"].strip(), match["offset"] or ""))
        at = match.end()
    texts.append(text[at:])
    if not calls or any(_WINDOW in t for t in texts) or _HISTOGRAM.search(_STRINGS.sub("", text)):
        return None
    return tuple(texts), tuple(calls)


def _short_of(length: timedelta) -> str:
    """A millisecond less: `4m59s999ms`."""
    return _milliseconds(round(length / timedelta(milliseconds=1)) - 1)


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


def _milliseconds(length: int) -> str:
    """A duration to the millisecond: `4m59s999ms`."""
    whole, rest = divmod(length, 1000)
    text = duration_text(timedelta(seconds=whole)) if whole else ""
    return f"{text}{rest}ms" if rest else text
