"""The questions that a Prometheus is asked, and its answers as values. Few, each once, and none that brings series by the
thousand: names and labels come from its index, and counts are added up there.

Source: the HTTP API of Prometheus, version 1.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from msgspec import DecodeError, Struct

from platform_meter.model.source import SourceError, TimedOut
from platform_meter.model.typed import decode
from platform_meter.slo.answers import Answer, Series
from platform_meter.slo.promql import Matcher, Selector, duration_text, quote, read_duration

T = TypeVar("T")

Ask = Callable[[str, Mapping[str, str]], tuple[int, str]]
"""(path, parameters) -> status and body of the answer, whatever it is. Raises SourceError where there is none."""

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
PATIENCE = timedelta(seconds=10)
"""A question that takes the server longer is given up, there too."""
MOST = 1_000
"""Names or values of one answer, of servers that know how to stop there (2.54 and later)."""
_NAMES = 100_000
"""The same for names of metrics, among which the one that was meant has to be."""
_SAMPLES = 10
"""As many tell how it is scraped now, though some are missed, and not how it was before."""
_PATH = "/api/v1/"
_SHUT = (401, 403)
_LATE = 504
"""What a proxy says whose patience is shorter."""
_TOO_MUCH = ("too many samples", "timed out", "timeout")


class NotAnswered(Exception):
    """The server has read the question and gives no answer. The text is its own."""

    def __init__(self, text: str, *, too_much: bool) -> None:
        super().__init__(text)
        self.too_much = too_much
        """It would take too long, or too many samples; else it is no good as it is written."""


class _Refusal(Struct, rename="camel"):
    error: str
    error_type: str = ""


class _Strings(Struct):
    data: list[str]


class _Moment(Struct):
    result: tuple[float, str]


class _Scalar(Struct):
    data: _Moment


class _Info(Struct, rename="camel"):
    storage_retention: str = ""


class _Runtime(Struct):
    data: _Info


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How long the server keeps what it scraped."""

    said: str
    """As it says it: `15d or 10GiB`; empty where it does not."""
    length: timedelta | None
    """None where it does not keep by time, or does not say."""


class Server:
    """One Prometheus, asked at one moment.

    Args:
        ask: makes one call.

    Raises:
        SourceError: it can't be reached, or is no Prometheus.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.asked = 0
        """Questions so far."""
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[str, ...]] = {}
        self.now = self._time()
        """By the server's clock, in epoch seconds."""

    def labels(self, selector: Selector) -> tuple[str, ...]:
        """Names of labels of all series of the last day that it selects; none: there is no such series."""
        return self._strings("labels", {"match[]": selector_text(selector), **self._day()}, MOST)

    def values(self, label: str, selector: Selector) -> tuple[str, ...]:
        """Values of a label of the series that it selects, of the last day."""
        params = {"match[]": selector_text(selector), **self._day()}
        return self._strings(f"label/{label}/values", params, MOST)

    def names(self) -> tuple[str, ...]:
        """Names of all metrics of the last day."""
        return self._strings("label/__name__/values", self._day(), _NAMES)

    def counted(self, text: str, step: timedelta, number: int) -> dict[float, float]:
        """What a query gives at the ends of so many steps up to now, by the time; steps without data are left out.

        Args:
            text: PromQL of one series, with a range of one step.
            step: from one to the next.
            number: how many.

        Raises:
            NotAnswered: it can't be evaluated.
            SourceError: as for all.
        """
        start = self.now - (number - 1) * step.total_seconds()
        params = {"query": text, "start": f"{start:.3f}", "end": f"{self.now:.3f}", "step": duration_text(step)}
        found = self._evaluated("query_range", params)
        numbers = {at: _number(value) for series in found for at, value in series.values}
        return {at: number for at, number in numbers.items() if math.isfinite(number)}

    def gives(self, text: str) -> bool:
        """Whether a query gives anything now.

        Raises:
            NotAnswered: it can't be evaluated.
            SourceError: as for all.
        """
        return bool(self._evaluated("query", {"query": text, "time": f"{self.now:.3f}"}))

    def had(self, selector: Selector) -> bool:
        """Whether there was a series that it selects a day ago. The index would say so of younger ones in the same block.

        Raises:
            NotAnswered: it can't be evaluated.
            SourceError: as for all.
        """
        time = {"time": f"{self.now - DAY.total_seconds():.3f}"}
        return bool(self._evaluated("query", {"query": f"count({selector_text(selector)})", **time}))

    def interval(self, selector: Selector) -> timedelta | None:
        """The usual distance between the last samples of one of its series, in the last hour; None with fewer than three.

        Raises:
            NotAnswered: it can't be evaluated.
            SourceError: as for all.
        """
        time = {"time": f"{self.now:.3f}"}
        one = self._evaluated("query", {"query": f"topk(1, {selector_text(selector)})", **time})
        if not one:
            return None
        its = tuple(Matcher(label=k, operator="=", value=v) for k, v in one[0].metric.items() if k != "__name__")
        series = selector_text(Selector(metric=selector.metric, matchers=its))
        samples = [
            at for found in self._evaluated("query", {"query": f"{series}[1h]", **time}) for at, _ in found.values
        ]
        steps = [later - at for at, later in itertools.pairwise(samples[-_SAMPLES:])]
        return timedelta(seconds=round(statistics.median(steps))) if len(steps) > 1 else None

    def kept(self) -> Kept:
        """How long it keeps samples; nothing of servers that do not say, such as those that only speak its language."""
        self.asked += 1
        status, body = self._ask(f"{_PATH}status/runtimeinfo", {})
        try:
            said = decode(body, _Runtime).data.storage_retention if status == 200 else ""
        except DecodeError:
            said = ""
        found = [length for part in said.split(" or ") if (length := read_duration(part.strip())) is not None]
        return Kept(said=said, length=min(found, default=None))

    def _time(self) -> float:
        try:
            return self._get("query", {"query": "time()"}, _Scalar).data.result[0]
        except NotAnswered as error:
            raise SourceError(f"it does not know its own time: {error}; correct the address") from error

    def _day(self) -> dict[str, str]:
        return {"start": f"{self.now - DAY.total_seconds():.3f}", "end": f"{self.now:.3f}"}

    def _strings(self, path: str, params: Mapping[str, str], most: int) -> tuple[str, ...]:
        known = (path, tuple(sorted(params.items())))
        if known not in self._known:
            self._known[known] = tuple(self._get(path, {**params, "limit": str(most)}, _Strings).data)
        return self._known[known]

    def _evaluated(self, path: str, params: Mapping[str, str]) -> list[Series]:
        try:
            return self._get(path, {**params, "timeout": duration_text(PATIENCE)}, Answer).data.result
        except TimedOut as error:
            raise NotAnswered(str(error), too_much=True) from error

    def _get(self, path: str, params: Mapping[str, str], type_: type[T]) -> T:
        self.asked += 1
        status, body = self._ask(_PATH + path, params)
        if status in _SHUT:
            said = "it lets nobody in without a credential, and none is sent; give an address that asks for none"
            raise SourceError(f"{_PATH}{path}: it answered {status}: {said}")
        if status == _LATE and "query" in params:
            raise NotAnswered(f"it answered {status}", too_much=True)
        try:
            if status == 200:
                return decode(body, type_)
            refusal = decode(body, _Refusal)
        except DecodeError as error:
            said = f"{_PATH}{path}: it answered {status}, and not as the query API of a Prometheus does"
            raise SourceError(f"{said}; correct the address") from error
        said, word = refusal.error, refusal.error_type
        too_much = word in ("timeout", "canceled") or any(sign in said for sign in _TOO_MUCH)
        if too_much or (word in ("bad_data", "execution") and "query" in params):
            raise NotAnswered(said, too_much=too_much)
        raise SourceError(f"{_PATH}{path}: it answered {status}: {said or word}")


def selector_text(selector: Selector) -> str:
    """A selector as PromQL, with its name as a matcher: whatever it is called."""
    return (
        "{"
        + ",".join(_matchers((Matcher(label="__name__", operator="=", value=selector.metric), *selector.matchers)))
        + "}"
    )


def shown(selector: Selector) -> str:
    """A selector as people write it."""
    return selector.metric + ("{" + ",".join(_matchers(selector.matchers)) + "}" if selector.matchers else "")


def matcher_text(matcher: Matcher) -> str:
    """One matcher as PromQL: `code=~"5.."`."""
    return f"{matcher.label}{matcher.operator}{quote(matcher.value)}"


def _matchers(those: Iterable[Matcher]) -> list[str]:
    return [matcher_text(one) for one in those]


def _number(text: str) -> float:
    """NaN where nobody can read it."""
    try:
        return float(text)
    except ValueError:
        return math.nan
