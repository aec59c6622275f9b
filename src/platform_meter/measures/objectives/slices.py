"""Events cut in slices: each is good, bad or without data, kept as one byte, so that a window is a count of bytes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event
from platform_meter.model.history import History
from platform_meter.model.objective import Countable, NoData, StoredObjective, StoredSli

HELD = 3
"""Slices for which `hold` keeps the last state (domain section 5)."""
NOTHING, GOOD, BAD = 0, 1, 2
END = datetime(9999, 1, 1, tzinfo=UTC)
"""Past every event."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = timedelta(microseconds=1)
SPARE = timedelta(days=1)
"""Slices are kept, and their events needed, this much longer than the period."""
_AT_ONCE = timedelta(days=1)
"""After so much time slices are judged, so that what was counted in months is never held at once."""


class Counts(NamedTuple):
    """Good and bad events or slices of a window; their sum is the number of valid ones."""

    good: float = 0.0
    bad: float = 0.0

    @property
    def valid(self) -> float:
        return self.good + self.bad

    def plus(self, other: Counts) -> Counts:
        return Counts(self.good + other.good, self.bad + other.bad)


class Line:
    """The slices of one SLO on the time line, from the first one with data on. Slice i covers [i, i+1) slice lengths.

    Raises:
        ValueError: an objective that does not say what a slice is.
    """

    def __init__(self, objective: StoredObjective) -> None:
        if objective.slice is None or objective.slice_target is None or objective.no_data is None:
            raise ValueError(f"{objective.slo}: slices need their length, their target and what one without data is")
        self.length, self._target, self._no_data = objective.slice, objective.slice_target, objective.no_data
        self.sli = objective.sli
        self.sources: set[str] = set()
        """Instances that gave an event that counts."""
        self._keep = math.ceil((objective.period + SPARE) / self.length)
        self._first: int | None = None
        self._raw = bytearray()
        self._filled = bytearray()
        """With `hold` in place; the same as raw otherwise."""
        self._judged: dict[tuple[float, float], int] = {}

    def index(self, moment: datetime) -> int:
        """The slice that holds the moment."""
        return (moment - _EPOCH) // self.length

    def start(self, index: int) -> datetime:
        """When the slice begins."""
        return _EPOCH + index * self.length

    @property
    def first(self) -> int | None:
        """The first slice ever measured; None before."""
        return self._first

    def is_good(self, index: int) -> bool | None:
        """Whether a slice since the first one is good; None where it is not valid. One without data is as the file says."""
        self._reach(index + 1)
        state = self._filled[index - (self._first or 0)]
        if state == NOTHING:
            return {NoData.GOOD: True, NoData.BAD: False}.get(self._no_data)
        return state == GOOD

    def put(self, start: int, end: int, checks: Mapping[int, tuple[float, float]]) -> None:
        """Set all slices of [start, end) by their (good, valid) events; a slice without any has no data."""
        if self._first is None:
            if not checks:
                return
            self._first = min(checks)
        elif checks:  # an import may have brought older ones
            self.begin_by(min(checks))
        first = self._first
        start = max(start, first)
        self._reach(max([first, *checks]) + 1)
        for i in range(start, min(end, first + len(self._raw))):
            self._raw[i - first] = self._state(checks[i]) if i in checks else NOTHING
        self._fill(start - first, min(end - first + HELD, len(self._raw)))

    def count(self, start: int, end: int) -> Counts:
        """Good and bad slices of [start, end): from the first one ever measured on."""
        if self._first is None or end <= self._first:
            return Counts()
        self._reach(end)
        low, high = max(start - self._first, 0), end - self._first
        good, bad = (self._filled.count(state, low, high) for state in (GOOD, BAD))
        silent = max(high - low, 0) - good - bad
        return Counts(
            float(good + (silent if self._no_data is NoData.GOOD else 0)),
            float(bad + (silent if self._no_data is NoData.BAD else 0)),
        )

    def forget(self) -> None:
        """Drop slices that no window reaches any more."""
        spare = len(self._raw) - self._keep
        if self._first is not None and spare > 0:
            del self._raw[:spare], self._filled[:spare]
            self._first += spare

    def begin_by(self, index: int) -> None:
        """Let the line begin with this slice, or where it does if that is earlier: its silence counts from there on."""
        more = 0 if self._first is None else max(0, self._first - index)
        self._raw[:0], self._filled[:0] = bytes(more), bytes(more)
        self._first = index if self._first is None else self._first - more

    def begin(self, moment: datetime) -> None:
        """Drop slices that began before `moment`, as if they had never been read: their events are there no more."""
        low = -((_EPOCH - moment) // self.length)
        if self._first is None or self._first >= low:
            return
        gone = next((i for i in range(low - self._first, len(self._raw)) if self._raw[i] != NOTHING), len(self._raw))
        del self._raw[:gone], self._filled[:gone]
        self._first = self._first + gone if self._raw else None

    def _reach(self, end: int) -> None:
        """Make the line at least so long; what nobody has checked has no data."""
        length = len(self._raw)
        more = end - (self._first or 0) - length
        if more > 0:
            self._raw.extend(bytes(more))
            self._filled.extend(bytes(more))
            self._fill(length, min(length + HELD, len(self._raw)))

    def _fill(self, low: int, high: int) -> None:
        self._filled[low:high] = self._raw[low:high]
        if self._no_data is not NoData.HOLD:
            return
        gap = self._raw.find(NOTHING, low, high)
        while gap >= 0:
            recent = self._raw[max(gap - HELD, 0) : gap]
            self._filled[gap] = next((state for state in reversed(recent) if state), NOTHING)
            gap = self._raw.find(NOTHING, gap + 1, high)

    def _state(self, checks: tuple[float, float]) -> int:
        state = self._judged.get(checks)
        if state is None:
            good, valid = checks
            state = self._judged[checks] = GOOD if Decimal(good) >= self._target * Decimal(valid) else BAD
        return state


class Lines:
    """The lines of all sliced SLOs, read on from where the last look ended. Not for two threads at once.

    A new or corrected event makes the slices around it be read again, so that a correction is not counted twice. Where only
    sums of days are left of the events (`History.summed_before`), no slice can be judged, and there is none.
    """

    def __init__(self, objectives: Iterable[StoredObjective]) -> None:
        chosen = [o for o in objectives if o.slice is not None]
        self._lines = {o.slo: Line(o) for o in chosen}
        self._lines_by: defaultdict[Countable[Any, Any], list[Line]] = defaultdict(list)
        """By what is counted."""
        for line in self._lines.values():
            self._lines_by[line.sli.events].append(line)
        self._reach = max((o.period for o in chosen), default=timedelta()) + SPARE
        self._seq: dict[Countable[Any, Any], int] = {}

    def __getitem__(self, slo: str) -> Line:
        return self._lines[slo]

    def __contains__(self, slo: str) -> bool:
        return slo in self._lines

    def read(self, history: History, now: datetime) -> None:
        """Bring the lines up to the history."""
        for kind, lines in self._lines_by.items():
            self._read(history, kind, lines, now - self._reach)

    def _read(self, history: History, kind: Countable[Any, Any], lines: Sequence[Line], start: datetime) -> None:
        latest, seen = history.latest(kind.event), self._seq.get(kind, 0)
        if latest == seen:
            return
        summed = history.summed_before(kind.event)
        start = start if summed is None else max(start, summed)
        if 0 < seen < latest:
            news = [row.event.at for row in history.rows(kind.event, start, END, after=seen)]
            if news:
                # One slice more on both sides: a corrected event may have moved a little.
                margin = max(line.length for line in lines)
                _take(history, kind, lines, max(start, min(news) - margin), max(news) + margin)
        else:
            _take(history, kind, lines, start, END)
        self._seq[kind] = latest
        for line in lines:
            line.forget()
            if summed is not None:
                line.begin(summed)


def judged_between(history: History, objective: StoredObjective, start: datetime, end: datetime) -> Line:
    """The slices from one moment to another, with what they hold of those before; read for this alone, and kept by nobody."""
    line = Line(objective)
    summed = history.summed_before(line.sli.events.event)
    begin = start - HELD * line.length
    _take(history, line.sli.events, [line], begin if summed is None else max(begin, summed), end)
    return line


def _take(history: History, kind: Countable[Any, Any], lines: Sequence[Line], start: datetime, end: datetime) -> None:
    """Judge every whole slice that touches [start, end) anew."""
    longest = max(line.length for line in lines)
    start -= (start - _EPOCH) % longest
    end = min(END, end + longest - (end - _EPOCH) % longest)
    found = _sums(lines)
    for row in history.rows(kind.event, start, end):
        reached = _EPOCH + slice_of(kind, row.event, longest) * longest
        if reached - start >= _AT_ONCE:
            _judge(lines, found, start, reached)
            start, found = reached, _sums(lines)
        for length, sums in found.items():
            index = slice_of(kind, row.event, length)
            for tally in row.event.tallies():
                sums.add(tally.dim, index, tally.amount if kind.elsewhere else tally.n, row.source)
    _judge(lines, found, start, end)


def _sums(lines: Sequence[Line]) -> dict[timedelta, _Sums]:
    return {length: _Sums() for length in {line.length for line in lines}}


def _judge(lines: Sequence[Line], found: Mapping[timedelta, _Sums], start: datetime, end: datetime) -> None:
    for line in lines:
        slices, sources = found[line.length].judged(line.sli)
        line.sources |= sources
        line.put(line.index(start), line.index(end), slices)


def slice_of(kind: Countable[Any, Any], event: Event, length: timedelta) -> int:
    """The slice that an event belongs to: what was counted elsewhere up to a moment belongs to the slice that ends there."""
    return (event.at - _EPOCH - (_LEAST if kind.elsewhere else timedelta())) // length


class _Sums:
    """What was counted under each dim by slice, and who told it."""

    def __init__(self) -> None:
        self._of: defaultdict[Dim, tuple[defaultdict[int, float], set[str]]] = defaultdict(
            lambda: (defaultdict(float), set())
        )

    def add(self, dim: Dim, index: int, amount: float, source: str) -> None:
        sums, sources = self._of[dim]
        sums[index] += amount
        sources.add(source)

    def judged(self, sli: StoredSli) -> tuple[dict[int, tuple[float, float]], set[str]]:
        """Good and valid ones by slice, of slices with any, and the sources that told of them."""
        slices: dict[int, tuple[float, float]] = {}
        given: set[str] = set()
        for dim, (sums, sources) in self._of.items():
            verdict = sli.events.good(sli, dim)
            if verdict is None:
                continue
            given |= sources
            for index, amount in sums.items():
                good, valid = slices.get(index, (0.0, 0.0))
                slices[index] = (good + amount * verdict, valid + amount)
        return {index: one for index, one in slices.items() if one[1] > 0}, given
