"""The past of an SLO out of a Prometheus: answer after answer, each of a bound, and kept for a run that goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from platform_meter.model.source import Outside, SourceError
from platform_meter.model.typed import decode
from platform_meter.slo.answers import series
from platform_meter.slo.backtest.line import Line, line_of
from platform_meter.slo.backtest.questions import POINTS, Questions, ranges

_PATIENCE = 120.0
"""Seconds of one answer."""
_LEAST = 100
"""Steps of an answer below which a server that refuses it is not asked for less."""
_TOO_MUCH = (413, 422, 503, 504)
"""What servers and proxies answer whose limits a range is beyond."""

Told = Callable[[], None]
"""Called after each answer."""


class Past:
    """What a Prometheus knows.

    Args:
        outside: the way to it.
        where: its address, which kept answers are told apart by.
        keep: a folder for answers that will not change any more; None keeps nothing.
        told: called after each answer.
    """

    def __init__(self, outside: Outside, where: str, *, keep: Path | None = None, told: Told = lambda: None) -> None:
        self._outside, self._where, self._keep, self._told = outside, where, keep, told

    def line(self, questions: Questions, start: datetime, end: datetime) -> Line:
        """All steps between two moments, which are whole steps.

        Raises:
            SourceError: it does not answer, or not as a Prometheus does.
            OSError: an answer can't be kept.
        """
        valid, part = (self._answers(query, start, end, questions.step) for query in (questions.valid, questions.part))
        size = round((end - start) / questions.step)
        if questions.good:
            return line_of(start, questions.step, size, valid=valid, good=part)
        return line_of(start, questions.step, size, valid=valid, bad=part)

    def _answers(self, query: str, start: datetime, end: datetime, step: timedelta) -> Iterator[tuple[float, float]]:
        for first, last in ranges(start, end, step):
            whole = last - first == (POINTS - 1) * step
            yield from self._answer(query, first, last, step, keep=self._keep if whole else None)
            self._told()

    def _answer(
        self, query: str, first: datetime, last: datetime, step: timedelta, *, keep: Path | None = None
    ) -> list[tuple[float, float]]:
        kept = None if keep is None else keep / f"{self._name(query, first, step)}.json"
        if kept is not None and kept.is_file():
            return decode(kept.read_bytes(), list[tuple[float, float]])
        params = {
            "query": query,
            "start": f"{first.timestamp():.0f}",
            "end": f"{last.timestamp():.0f}",
            "step": f"{step.total_seconds():.0f}",
        }
        status, body = self._outside.text("/api/v1/query_range", params=params, timeout=_PATIENCE)
        points = round((last - first) / step) + 1
        if status in _TOO_MUCH and points >= 2 * _LEAST:
            middle = first + (points // 2) * step
            found = self._answer(query, first, middle - step, step) + self._answer(query, middle, last, step)
        else:
            found = _read(status, body)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(found))
            part.replace(kept)
        return found

    def _name(self, query: str, first: datetime, step: timedelta) -> str:
        asked = f"{self._where}\n{query}\n{first.isoformat()}\n{step}"
        return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _read(status: int, body: str) -> list[tuple[float, float]]:
    try:
        return [(moment, float(value)) for one in series(body)[:1] for moment, value in one.values]
    except ValueError as error:
        shown = " ".join(body.split())[:200]
        raise SourceError(f"it answered {status}, and not as a Prometheus query API does: {shown}") from error
