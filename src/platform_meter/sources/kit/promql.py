"""Questions to a Prometheus over whole slices, and answers held to what was asked: all of it, of the right type, at the
right moments.

What is not whole would stand for good, so nothing of it is taken: the poll fails with the reason and asks again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from msgspec import Struct, field

from platform_meter.model.facts import Fact
from platform_meter.model.source import Answer, Unexpected, Unreachable
from platform_meter.sources.kit.rows import Row, Sieve

SLICES = 1_000
"""Points asked for in one call; servers refuse more than 11,000 per series."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = 6
"""Decimals kept: scaling a count back leaves 12.000000000000002."""
_MOST = 1e11


class Series(Row):
    becomes: ClassVar[str] = "Usage"
    metric: dict[str, str]
    values: list[tuple[float, str]] = field(default_factory=list)
    """Of a range: (epoch seconds, number as text), as the API writes them."""
    value: tuple[float, str] | None = None
    """Of one moment."""
    histogram: list[Any] = field(default_factory=list)
    histograms: list[Any] = field(default_factory=list)
    """Native histograms, which are no numbers."""


class Data(Struct, rename="camel"):
    result: list[Series]
    result_type: str = ""


class Reply(Struct, rename="camel"):
    data: Data | None = None
    warnings: list[str] = []
    infos: list[str] = []
    error: str = ""
    is_partial: bool = False
    """VictoriaMetrics: a part of the cluster did not answer."""

    @property
    def remarks(self) -> list[str]:
        """All that is said beside the data."""
        return [*self.warnings, *self.infos]


Amounts = Mapping[tuple[str, ...], Mapping[int, float]]
"""Amount by label values, then by the end of its slice in epoch seconds. What the server has no number for is NaN where
it says NaN or infinity, or what nobody can read: of that slice nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: what it counts is told by the values of labels, in slices."""

    text: str
    """PromQL with its ranges."""
    by: tuple[str, ...]
    """Labels that amounts are told by; series that differ in others alone are added up."""
    wide: int
    """Seconds that its ranges reach over; what they count is scaled back to a slice."""
    becomes: type[Fact]
    """What is missing without a number that can't be read (`platform_meter_events_rejected_total`)."""
    instant: bool = False
    """Of one slice, as things stand at its end."""


def ask(outside: Sieve, asked: Asked, ends: range) -> tuple[Amounts, int]:
    """Amounts in the slices that end at `ends`, and how many series were left out, since they are none.

    Raises:
        Unreachable: it is not whole, or the server's clock has not come as far: the slices are read again.
        Unexpected: it is no answer to what was asked.
    """
    path, type_, when = (
        ("/api/v1/query", "vector", {"time": ends[0]})
        if asked.instant
        else ("/api/v1/query_range", "matrix", {"start": ends[0], "end": ends[-1], "step": ends.step})
    )
    answer = outside.get(path, Reply, params={"query": asked.text, **when})
    data = _whole(path, answer, type_, ends[-1])
    amounts: dict[tuple[str, ...], dict[int, float]] = {}
    for series in data.result:
        held = amounts.setdefault(tuple(series.metric.get(label, "") for label in asked.by), {})
        for at, number in _samples(path, series, ends).items():
            amount = _amount(number)
            if amount is None:
                outside.reject(asked.becomes)
            # Infinity plus its opposite, or a number beside what is none: NaN, and so it stays.
            one = amount if amount is not None and math.isfinite(amount) else math.nan
            held[at] = held.get(at, 0.0) + round(one * ends.step / asked.wide, _DIGITS)
    return amounts, answer.odd


def scraped(outside: Sieve, selector: str, seconds: int, end: int) -> list[Series]:
    """Series with their samples as they were scraped in the `seconds` until `end`, in epoch seconds.

    Raises:
        Unreachable: it is not whole, or the server's clock has not come as far.
        Unexpected: it is no answer to what was asked.
    """
    path = "/api/v1/query"
    answer = outside.get(path, Reply, params={"query": f"{selector}[{seconds}s]", "time": end})
    return _whole(path, answer, "matrix", end).result


def slices(first: datetime, last: datetime, window: timedelta) -> range:
    """Ends of the whole slices after `first` up to and with `last`, in epoch seconds."""
    step = int(window.total_seconds())
    return range(_floor(first, step) + step, _floor(last, step) + 1, step)


def read_to(checkpoint: bytes | None, since: datetime) -> datetime:
    """Up to when slices were read, where the checkpoint is the end of the last one."""
    return since if checkpoint is None else datetime.fromtimestamp(int(checkpoint), UTC)


def _floor(moment: datetime, step: int) -> int:
    return int((moment - EPOCH).total_seconds()) // step * step


def counted(amount: float) -> datetime:
    """What stands for the moment of a read's last change: of two reads of one slice that which counted more is the later
    one, since samples come late and never go.
    """
    return EPOCH + timedelta(seconds=min(amount, _MOST))


def _whole(path: str, answer: Answer[Reply], type_: str, last: int) -> Data:
    """What the server has, if it is all that was asked for. Remarks on the query itself pass, unless they tell of samples
    that were left out: those of a kind that can't be added to the others.
    """
    reply = answer.body
    if reply is not None and reply.error:
        raise Unexpected(f"{path}: the server refuses the query: {reply.error[:500]}")
    if reply is None or reply.data is None:
        raise Unexpected(f"{path}: the answer holds no data; check that url is that of a Prometheus query API")
    partial = [w for w in reply.remarks if not w.startswith("PromQL")]
    if reply.is_partial or partial:
        said = "; ".join(partial)[:500] or "isPartial"
        raise Unreachable(f"{path}: the server says its answer may not be whole: {said}")
    lacking = [w for w in reply.warnings if w.startswith("PromQL warning") and "histogram" in w]
    if lacking:
        raise Unexpected(f"{path}: the server left samples out; mend the query: {'; '.join(lacking)[:500]}")
    if reply.data.result_type != type_:
        found = reply.data.result_type or "nothing that is named"
        raise Unexpected(f"{path}: the answer is a {found} and not the {type_} that was asked for")
    clock = _clock(answer.headers.get("date", ""))
    if clock is not None and clock.timestamp() < last:
        behind = datetime.fromtimestamp(last, UTC)
        raise Unreachable(
            f"{path}: the server's clock says {clock:%Y-%m-%d %H:%M:%S} UTC, before the slice's end at "
            f"{behind:%H:%M:%S} is reached; set its clock or ours, or `delay` to more than they differ"
        )
    return reply.data


def _clock(text: str) -> datetime | None:
    """The server's time, as its answer is dated."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _samples(path: str, series: Series, ends: range) -> dict[int, str]:
    """Numbers as text by the ends of slices; every series has one at least."""
    if series.histogram or series.histograms:
        raise Unexpected(
            f"{path}: the answer is a native histogram and no number; count it, for example by "
            "histogram_count(increase(x[{{window}}]))"
        )
    given = series.values if series.value is None else [series.value]
    found = {round(at): number for at, number in given if math.isfinite(at)}
    if not found or any(at not in ends for at in found):
        raise Unexpected(f"{path}: the answer has series without a number at the moments that were asked for")
    return found


def _amount(text: str) -> float | None:
    """A sample's number, as the API writes it; None for what is none."""
    try:
        return float(text)
    except ValueError:
        return None
