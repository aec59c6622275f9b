"""Bad and valid events step by step, as somebody kept them: what alerts and budgets are replayed on."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, chain


@dataclass(frozen=True, kw_only=True)
class Line:
    """Steps of equal length, the first of which ends one step after `start`."""

    start: datetime
    step: timedelta
    bad: array[float]
    """Of each step; 0 where nobody knows."""
    valid: array[float]
    known: array[float]
    """1 where there is data, and 0 where there is none."""
    _sums: dict[str, array[float]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.valid)

    @property
    def end(self) -> datetime:
        return self.start + len(self) * self.step

    def at(self, index: int) -> datetime:
        """When the step of this index ended."""
        return self.start + (index + 1) * self.step

    def steps(self, length: timedelta) -> int:
        """Steps of a window, at least one."""
        return max(1, round(length / self.step))

    def summed(self, what: str, length: timedelta) -> Iterator[float]:
        """For each step the sum of `bad`, `valid` or `known` over the window that ends with it; of what there is at the start."""
        sums, size = self.sums(what), min(self.steps(length), len(self))
        before = chain((0.0 for _ in range(size)), sums[1 : len(sums) - size])
        return (later - earlier for later, earlier in zip(sums[1:], before, strict=True))

    def total(self, what: str, index: int, length: timedelta) -> float:
        """The same for the one step of this index."""
        sums = self.sums(what)
        return sums[index + 1] - sums[max(0, index + 1 - self.steps(length))]

    def sums(self, what: str) -> array[float]:
        """Everything up to each step, 0 before the first."""
        if what not in self._sums:
            values: array[float] = {"bad": self.bad, "valid": self.valid, "known": self.known}[what]
            self._sums[what] = array("d", accumulate(values, initial=0.0))
        return self._sums[what]


Answers = Iterable[tuple[float, float]]
"""Moments in seconds since 1970, and what was counted in the step that ended there."""


def line_of(
    start: datetime, step: timedelta, size: int, *, valid: Answers, bad: Answers = (), good: Answers | None = None
) -> Line:
    """A line of what was answered.

    A step without an answer for its valid events is unknown, and so is one whose answer is no number. Without an answer
    for the others there was none of them.

    Args:
        start: where the first step begins.
        step: their length.
        size: how many there are.
        valid: of valid events.
        bad: of bad ones.
        good: of good ones instead, where these are counted.
    """
    first, length = start.timestamp(), step.total_seconds()

    def placed(answers: Answers) -> Iterator[tuple[int, float]]:
        for moment, value in answers:
            index = round((moment - first) / length) - 1
            if 0 <= index < size and value == value:  # noqa: PLR0124 - what is no number is not itself
                yield index, value

    counts, seen, failed = (array("d", bytes(8 * size)) for _ in range(3))
    for index, value in placed(valid):
        counts[index], seen[index] = max(value, 0.0), 1.0
    if good is not None:
        failed[:] = counts
    for index, value in placed(bad if good is None else good):
        if seen[index]:
            part = min(max(value, 0.0), counts[index])
            failed[index] = part if good is None else counts[index] - part
    return Line(start=start, step=step, bad=failed, valid=counts, known=seen)
