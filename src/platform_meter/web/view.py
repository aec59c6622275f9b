"""What pages are made from: the samples of the last tick, so that a page and `/metrics` never disagree, and history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from platform_meter.measures.objectives.days import DailyCounts
from platform_meter.model.definitions import Definitions
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Reading, Tallied
from platform_meter.model.history import Count, History, SourceState
from platform_meter.model.kept import Kept
from platform_meter.model.measure import Scene
from platform_meter.model.metric import Metric
from platform_meter.model.months import midnight
from platform_meter.model.source import Outside
from platform_meter.runtime.imports import words
from platform_meter.slo.plan import Plan
from platform_meter.store import ConfiguredStream, StreamState
from platform_meter.web.records import Records

D = TypeVar("D", bound=Dim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    text: str
    level: str = ""
    """Empty or `bad`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number at the top of a page."""

    name: str
    value: str
    """A dash where there is no number; never 0 then."""
    more: str = ""
    """What the number is of, or why there is none."""
    level: str = ""
    """Empty, `good`, `warn` or `bad`."""
    href: str = ""
    """The page that tells more."""


class Health(StrEnum):
    """How a source does, as a reader should take it."""

    UP = "up"
    STARTING = "starting"
    """Not read whole yet, and nothing has failed."""
    IMPORTING = "importing"
    """The same, and it says how far it is."""
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceExtra:
    """What only the running process knows of a source."""

    late: int = 0
    paused_until: datetime | None = None
    streams: Mapping[str, ConfiguredStream] = field(default_factory=dict)
    """What is promised of each stream, as the configuration has it now."""
    next: Mapping[str, datetime] = field(default_factory=dict)
    """By stream: when this process looks next whether it is to be polled; absent for a watch."""
    ends: Mapping[str, datetime] = field(default_factory=dict)
    """By stream: when its first import is done at its pace so far; absent while that is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One consistent look at everything, for one page."""

    now: datetime
    zone: ZoneInfo
    definitions: Definitions
    history: History
    rows: Mapping[str, Sequence[tuple[tuple[str, ...], float]]]
    """Exposed gauge rows by metric name, as in `/metrics`."""
    streams: Sequence[StreamState]
    records: Records
    holder: str = ""
    """The name under which this process polls."""
    extras: Mapping[str, SourceExtra] = field(default_factory=dict)
    problems: int = 0
    """Problems found by the last reload; the meter runs on with what was loaded before."""
    plans: Sequence[Plan] = ()
    """Every SLO, by service and name."""
    slo_days: DailyCounts = field(default_factory=DailyCounts)
    prometheus: Outside | None = None
    """The way to the Prometheus whose rules count SLOs; None where none is configured."""
    kept: Kept = field(default_factory=Kept)
    """What measures keep of the same store."""

    @property
    def scene(self) -> Scene:
        """What measures see at this moment."""
        return Scene(history=self.history, definitions=self.definitions, now=self.now, zone=self.zone, kept=self.kept)

    def get(self, metric: Metric) -> Iterator[tuple[dict[str, str], float]]:
        """Rows of one gauge as (labels, value)."""
        for labels, value in self.rows.get(metric.name, ()):
            yield dict(zip(metric.labels, labels, strict=True)), value

    def one(self, metric: Metric, **labels: str) -> float | None:
        """The value of the one series with these labels, or None where it is absent."""
        for found, value in self.get(metric):
            if all(found[k] == v for k, v in labels.items()):
                return value
        return None

    def health(self, source: SourceState) -> Health:
        """A source that was never read whole is not down before one of its streams has failed."""
        streams = [s for s in self.streams if s.instance == source.instance]
        if source.fresh:
            return Health.UP
        if source.watermark is None and self.progress(source.instance):
            return Health.IMPORTING
        if source.watermark is None and not any(s.last_error for s in streams):
            return Health.STARTING
        return Health.DOWN

    def progress(self, instance: str) -> Sequence[tuple[str, str]]:
        """(stream, how far it is) of those streams of a source that say it while their first import goes on."""
        ends = self.extras.get(instance, SourceExtra()).ends
        return [
            (s.stream, words(s.progress, ends.get(s.stream), self.zone, self.now))
            for s in self.streams
            if s.instance == instance and s.progress and s.watermark is None
        ]

    def known(self, kind: type[Event | Reading]) -> bool:
        """Whether a fresh source gives this kind; where none does, there is no number, not 0."""
        return any(s.fresh for s in self.history.sources(kind))

    def lacking(self, kind: type[Event | Reading] | None = None) -> str:
        """What is missing of a kind, or of all, in words; empty where every source of it is fresh."""
        nothing = "no source is configured" if kind is None else "no configured source gives it"
        return lacking(self.history.sources(kind), nothing)

    def days(self, count: int) -> list[date]:
        """The last `count` days in the configured zone, today last."""
        today = self.now.astimezone(self.zone).date()
        return [today - timedelta(days=i) for i in range(count - 1, -1, -1)]

    def midnight(self, day: date) -> datetime:
        """When the day begins, UTC."""
        return midnight(day, self.zone)

    def counts(self, kind: type[Tallied[D]], start: datetime, end: datetime) -> dict[tuple[int, D], Count]:
        """Tallies of all fresh sources of this kind, by (object, dim)."""
        out: dict[tuple[int, D], Count] = {}
        for source in self.history.sources(kind):
            if source.fresh:
                out.update(self.history.counts(kind, source.instance, start, end))
        return out

    def daily(
        self, kind: type[Tallied[D]], days: Sequence[date], valid: Callable[[int, D], bool] = lambda _, __: True
    ) -> list[dict[D, int]]:
        """Number of events of fresh sources by dim for each of these days in a row, of the `valid` ones by object and dim."""
        out: dict[date, dict[D, int]] = {day: {} for day in days}
        fresh = [s.instance for s in self.history.sources(kind) if s.fresh]
        for told in self.history.daily(kind, fresh, days[0], days[-1] + timedelta(days=1)):
            if valid(told.object, told.dim):
                by_dim = out[told.day]
                by_dim[told.dim] = by_dim.get(told.dim, 0) + told.n
        return list(out.values())


def lacking(sources: Sequence[SourceState], nothing: str) -> str:
    """Which of the sources have no fresh data, in words; `nothing` where there is no source at all."""
    late = [s.instance for s in sources if not s.fresh]
    return f"no fresh data from {', '.join(late)}" if late else "" if sources else nothing


def sentence(text: str) -> str:
    """Words as a sentence."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def whole(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def span(seconds: float | None) -> str:
    """A duration as people say it: `45 s`, `12 min`, `3.5 h`, `2.1 d`."""
    if seconds is not None and seconds >= 2 * 86400:
        return f"{seconds / 86400:.1f} d"
    return hours(seconds)


def hours(seconds: float | None) -> str:
    """Business time: `45 s`, `12 min`, `184 h`; never days, which have as many hours as the calendar opens."""
    if seconds is None:
        return "–"
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h" if seconds < 360_000 else f"{seconds / 3600:,.0f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def safe(url: str) -> str:
    """The address where it is one of a page; empty otherwise."""
    return url if url.startswith(("https://", "http://")) else ""


def brief(version: str) -> str:
    """A version, or the beginning of a commit."""
    is_commit = len(version) >= 40 and all(c in "0123456789abcdef" for c in version)
    return version[:8] if is_commit else version


def first_of(names: Sequence[str], most: int) -> str:
    """The first so many, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def such(select: Mapping[str, Sequence[str]]) -> str:
    """What a file selects by, behind what it selects: `, environment production or eu-*`."""
    return "".join(f", {name} {' or '.join(values)}" for name, values in select.items())
