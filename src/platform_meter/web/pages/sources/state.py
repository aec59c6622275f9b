"""One source as its line and its page show it: how it does, how old what it says is, and what reading it costs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from platform_meter.measures.meter import MACHINERY, ownerless
from platform_meter.model.history import ObjectRow, SourceState
from platform_meter.model.source import Area, Source
from platform_meter.sources import load
from platform_meter.store import ConfiguredStream, Quota, StreamState
from platform_meter.web.pages.sources.advice import advice
from platform_meter.web.view import Health, SourceExtra, View, percent, span

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEVELS = {Health.UP: "good", Health.STARTING: "soft", Health.IMPORTING: "warn", Health.DOWN: "bad"}
SILENT = "No failure is known: its poll still runs, or nobody polls it."
LOW = 0.1
"""Share of a quota below which calls are spread out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Calls of some time by how they ended."""

    ok: int = 0
    error: int = 0
    limited: int = 0

    @property
    def all(self) -> int:
        return self.ok + self.error + self.limited

    @property
    def bad(self) -> str:
        """Those that came to nothing, in words; empty where all is well."""
        said = ((self.error, "failed"), (self.limited, "limited"))
        return ", ".join(f"{n:,} {word}" for n, word in said if n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One quota as it is now."""

    name: str
    limit: int
    left: int
    words: str
    level: str

    @property
    def share(self) -> float:
        return self.left / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong, and what to do."""

    text: str
    advice: str


class Books:
    """What the store has of all sources, asked once for one page."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def hour(self) -> Mapping[str, Made]:
        return self._made(HOUR)

    @cached_property
    def day(self) -> Mapping[str, Made]:
        return self._made(DAY)

    def _made(self, time: timedelta) -> Mapping[str, Made]:
        found: dict[str, Counter[str]] = {}
        for call in self.view.records.calls(time):
            found.setdefault(call.instance, Counter())[call.outcome] += call.n
        return {name: Made(ok=n["ok"], error=n["error"], limited=n["limited"]) for name, n in found.items()}

    @cached_property
    def quotas(self) -> Mapping[str, Sequence[Left]]:
        """The scarcest first."""
        found: dict[str, list[Left]] = {}
        for quota in self.view.records.quotas():
            found.setdefault(quota.instance, []).append(_left(self.view, quota))
        return {name: sorted(of, key=lambda left: left.share) for name, of in found.items()}

    @cached_property
    def gaps(self) -> Mapping[str, int]:
        return self.view.records.gap_counts()

    @cached_property
    def rows(self) -> Sequence[ObjectRow]:
        """All objects that have owners, or should; also those of sources that are configured no more."""
        return [row for row in self.view.history.objects() if row.kind not in MACHINERY]

    @cached_property
    def ownerless(self) -> Callable[[ObjectRow], bool]:
        return ownerless(self.view.definitions)

    @cached_property
    def objects(self) -> Mapping[str, Sequence[ObjectRow]]:
        """The same by source."""
        found: dict[str, list[ObjectRow]] = {}
        for row in self.rows:
            found.setdefault(row.source, []).append(row)
        return found

    @cached_property
    def holders(self) -> Mapping[str, str]:
        """Who polls each source, in words; nothing where it is this process."""
        found = {}
        for name, lease in self.view.records.leases().items():
            if lease.expires <= self.view.now:
                found[name] = f"polled by nobody now; by {lease.holder} until {clock(self.view, lease.expires)}"
            elif lease.holder != self.view.holder:
                found[name] = f"polled by {lease.holder}"
        return found


def _left(view: View, quota: Quota) -> Left:
    if quota.reset <= view.now:
        words = f"of {quota.limit:,}, all back since {clock(view, quota.reset)}"
        return Left(name=quota.name, limit=quota.limit, left=quota.limit, words=words, level="")
    words = f"of {quota.limit:,}, all back at {clock(view, quota.reset)}"
    low = quota.remaining < LOW * quota.limit
    return Left(name=quota.name, limit=quota.limit, left=quota.remaining, words=words, level="bad" if low else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """One source."""

    name: str
    source: Source[Any] | None
    """Its type; None for one that is installed no more."""
    state: SourceState
    health: Health
    streams: Sequence[StreamState]
    extra: SourceExtra
    books: Books

    @property
    def title(self) -> str:
        return self.state.type if self.source is None else self.source.title

    @property
    def area(self) -> Area:
        return Area.OTHER if self.source is None else self.source.area

    @property
    def level(self) -> str:
        return LEVELS[self.health]

    @property
    def holder(self) -> str:
        return self.books.holders.get(self.name, "")

    @property
    def said(self) -> Sequence[str]:
        """How far a first import is, by stream where there are several."""
        told = self.books.view.progress(self.name)
        return [f"{stream}: {words}" if len(self.streams) > 1 else words for stream, words in told]

    @property
    def age(self) -> str:
        """Of the stream that is the nearest to stale, or beyond: how long ago it succeeded, of how long that holds."""
        known = [s for s in self.streams if s.last_success is not None]
        told = [(age(self.books.view, s), promise(self.extra.streams.get(s.stream), s.took)) for s in known]
        worst = max(told, key=lambda one: (one[0] or 0.0) / (one[1] or math.inf), default=None)
        return "–" if worst is None else within(*worst)

    @property
    def hour(self) -> Made | None:
        """None where no call was counted in a day."""
        return self.books.hour.get(self.name, Made()) if self.day is not None else None

    @property
    def day(self) -> Made | None:
        return self.books.day.get(self.name)

    @property
    def quotas(self) -> Sequence[Left]:
        return self.books.quotas.get(self.name, ())

    @property
    def objects(self) -> Sequence[ObjectRow]:
        return self.books.objects.get(self.name, ())

    @property
    def unowned(self) -> Sequence[ObjectRow]:
        return [row for row in self.objects if self.books.ownerless(row)]

    @property
    def conflicts(self) -> Sequence[ObjectRow]:
        return [row for row in self.objects if row.owner.conflict]

    @property
    def gaps(self) -> int:
        return self.books.gaps.get(self.name, 0)

    @property
    def pushed(self) -> str:
        last = max((s.pushed for s in self.streams if s.pushed is not None), default=None)
        return "" if last is None else clock(self.books.view, last)

    @property
    def paused(self) -> str:
        until = self.extra.paused_until
        return clock(self.books.view, until) if until is not None and until > self.books.view.now else ""

    @property
    def failures(self) -> Sequence[Failure]:
        """Each text once."""
        found = {s.last_error: s for s in reversed(self.streams) if s.last_error}
        return [
            Failure(text=text, advice=advice(s.last_error_kind, name=self.name, type_=self.state.type))
            for text, s in sorted(found.items(), key=lambda item: item[1].stream)
        ]

    @property
    def why(self) -> str:
        """Why it is down, where no failure says it."""
        return SILENT if self.health is Health.DOWN and not self.failures else ""

    @property
    def share_left(self) -> str:
        """Of the scarcest quota."""
        return percent(self.quotas[0].share) if self.quotas else "–"


def every(books: Books) -> list[One]:
    """Every configured source that is read, by name."""
    view, types = books.view, load()
    return [
        One(
            name=state.instance,
            source=types.get(state.type),
            state=state,
            health=view.health(state),
            streams=[s for s in view.streams if s.instance == state.instance],
            extra=view.extras.get(state.instance, SourceExtra()),
            books=books,
        )
        for state in sorted(view.history.sources(), key=lambda s: s.instance)
    ]


def age(view: View, stream: StreamState) -> float | None:
    """Seconds since its last success."""
    return None if stream.last_success is None else (view.now - stream.last_success).total_seconds()


def promise(of: ConfiguredStream | None, took: timedelta | None) -> float | None:
    """For how many seconds a success holds; None for a stream that is configured no more."""
    return None if of is None else of.patience(took or timedelta(0)).total_seconds()


def within(since: float | None, holds: float | None) -> str:
    """How old, of how old it may be."""
    return span(since) if holds is None or since is None else f"{span(since)} of {span(holds)}"


def clock(view: View, moment: datetime) -> str:
    """The time of day, with the day where it is another one, in the configured zone."""
    there, here = moment.astimezone(view.zone), view.now.astimezone(view.zone)
    return f"{there:%H:%M:%S}" if there.date() == here.date() else f"{there:%d %b %H:%M}"
