"""Probe checks cut in slices: each is good, bad or without data, kept as one byte, so that a window is a count of bytes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from platform_meter.model.facts.kubernetes import ProbeCheck, ProbeResult
from platform_meter.model.history import History
from platform_meter.model.objective import NoData, StoredObjective

HELD = 3
"""Slices for which `hold` keeps the last state (domain section 5)."""
NOTHING, GOOD, BAD = 0, 1, 2
END = datetime(9999, 1, 1, tzinfo=UTC)
"""Past every event."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPARE = timedelta(days=1)
"""Slices are kept this much longer than the period."""


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
        self.target = objective.sli.where.get("target")
        self.sources: set[str] = set()
        """Instances that gave a check of the target."""
        self._keep = math.ceil((objective.period + _SPARE) / self.length)
        self._first: int | None = None
        self._raw = bytearray()
        self._filled = bytearray()
        """With `hold` in place; the same as raw otherwise."""
        self._judged: dict[tuple[int, int], int] = {}

    def index(self, moment: datetime) -> int:
        """The slice that holds the moment."""
        return (moment - _EPOCH) // self.length

    def put(self, start: int, end: int, checks: Mapping[int, Sequence[int]]) -> None:
        """Set all slices of [start, end) by their (ok, all) checks; a slice without any has no data."""
        if self._first is None:
            if not checks:
                return
            self._first = min(checks)
        elif checks and min(checks) < self._first:  # an import brought older ones
            more = self._first - min(checks)
            self._raw[:0], self._filled[:0] = bytes(more), bytes(more)
            self._first -= more
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

    def _state(self, checks: Sequence[int]) -> int:
        ok, all_ = checks
        state = self._judged.get((ok, all_))
        if state is None:
            state = self._judged[ok, all_] = GOOD if Decimal(ok) >= self._target * all_ else BAD
        return state


class Lines:
    """The lines of all sliced SLOs, read on from where the last look ended. Not for two threads at once.

    A new or corrected check makes the slices around it be read again, so that a correction is not counted twice.
    """

    def __init__(self, objectives: Iterable[StoredObjective]) -> None:
        chosen = [o for o in objectives if o.slice is not None]
        self._lines = {o.slo: Line(o) for o in chosen}
        self._lines_by: defaultdict[tuple[str | None, int], list[Line]] = defaultdict(list)
        """By what their checks are tallied by: target, and length of a slice in seconds."""
        for line in self._lines.values():
            self._lines_by[line.target, int(line.length.total_seconds())].append(line)
        self._reach = max((o.period for o in chosen), default=timedelta()) + _SPARE
        self._seq = 0

    def __getitem__(self, slo: str) -> Line:
        return self._lines[slo]

    def __contains__(self, slo: str) -> bool:
        return slo in self._lines

    def read(self, history: History, now: datetime) -> None:
        """Bring the lines up to the history."""
        latest = history.latest(ProbeCheck)
        if latest == self._seq or not self._lines:
            return
        start = now - self._reach
        if 0 < self._seq < latest:
            news = [row.event.at for row in history.rows(ProbeCheck, start, END, after=self._seq)]
            if news:
                # One slice more on both sides: a corrected check may have moved a little.
                margin = max(line.length for line in self._lines.values())
                self._take(history, max(start, min(news) - margin), max(news) + margin)
        else:
            self._take(history, start, END)
        self._seq = latest
        for line in self._lines.values():
            line.forget()

    def _take(self, history: History, start: datetime, end: datetime) -> None:
        """Judge every whole slice that touches [start, end) anew."""
        longest = max(line.length for line in self._lines.values())
        start -= (start - _EPOCH) % longest
        end = min(END, end + longest - (end - _EPOCH) % longest)
        found = {key: _Tallied() for key in self._lines_by}
        by_target: defaultdict[str | None, list[tuple[int, _Tallied]]] = defaultdict(list)
        for (target, length), tallied in found.items():
            by_target[target].append((length, tallied))
        every = by_target.pop(None, [])
        for row in history.rows(ProbeCheck, start, end):
            seconds = row.event.at.timestamp()
            for length, tallied in (*by_target.get(row.event.target, ()), *every):
                tallied.add(int(seconds // length), ok=row.event.result is ProbeResult.OK, source=row.source)
        for key, lines in self._lines_by.items():
            for line in lines:
                line.sources |= found[key].sources
                line.put(line.index(start), line.index(end), found[key].slices)


class _Tallied:
    """Checks (ok, all) by slice, and who gave them."""

    def __init__(self) -> None:
        self.slices: dict[int, list[int]] = {}
        self.sources: set[str] = set()

    def add(self, slice_: int, *, ok: bool, source: str) -> None:
        total = self.slices.get(slice_)
        if total is None:
            total = self.slices[slice_] = [0, 0]
        total[0] += ok
        total[1] += 1
        self.sources.add(source)
