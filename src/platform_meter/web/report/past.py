"""The store as it stood at a moment of the past: what a measure computes from it is what it would have said then.

Events that ended before the moment count, also those that were told later: a late answer mends a report. What stood is
what stood then. Owners are those of that time where a measure asks for a time, as measures do of events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Reading, Tallied
from platform_meter.model.history import Count, DayCount, Held, History, ObjectRow, Owner, Row, SourceState, UnitState
from platform_meter.model.kept import Fold

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Reading)
S = TypeVar("S", bound=Struct)
D = TypeVar("D", bound=Dim)

_REACH = timedelta(days=92)
"""So far back the newest day of states is looked for."""


class Past:
    """`model.history.History` of a store, at a moment.

    A source is fresh where it was read past the moment, however it does now, and was not begun after it.

    Args:
        now: the store as it is.
        at: the moment.
        zone: cuts days.
    """

    def __init__(self, now: History, at: datetime, zone: ZoneInfo) -> None:
        self._now, self._at = now, at
        self._today = at.astimezone(zone).date()

    def _state(self, source: SourceState, *, looks: bool) -> SourceState:
        # How things stood before the first look nobody knows; what happened is told later too.
        mark, begun = source.watermark, source.since if looks else source.begun
        known = mark is not None and mark >= self._at and (begun is None or begun < self._at)
        return replace(source, watermark=self._at if known else mark, fresh=known)

    def sources(self, kind: type[Event | Reading] | None = None, sli: str = "") -> Sequence[SourceState]:
        looks = kind is not None and issubclass(kind, Reading)
        return [self._state(source, looks=looks) for source in self._now.sources(kind, sli)]

    def counts(
        self, kind: type[Tallied[D]], source: str, start: datetime, end: datetime
    ) -> Mapping[tuple[int, D], Count]:
        return self._now.counts(kind, source, min(start, self._at), min(end, self._at))

    def daily(self, kind: type[Tallied[D]], sources: Collection[str], start: date, end: date) -> Iterable[DayCount[D]]:
        return self._now.daily(kind, sources, start, min(end, self._today))

    def rows(
        self, kind: type[E], start: datetime, end: datetime, *, source: str | None = None, after: int = 0
    ) -> Iterator[Row[E]]:
        return self._now.rows(kind, start, min(end, self._at), source=source, after=after)

    def parts(
        self, kind: type[Event], shape: type[S], start: datetime, end: datetime, *, source: str, after: int = 0
    ) -> Iterator[tuple[int, S]]:
        return self._now.parts(kind, shape, start, min(end, self._at), source=source, after=after)

    def by_commit(self, kind: type[E], commits: Collection[str]) -> Iterator[Row[E]]:
        return (row for row in self._now.by_commit(kind, commits) if row.event.at < self._at)

    def latest(self, kind: type[Event]) -> int:
        return self._now.latest(kind)

    def corrected(self, kind: type[Event]) -> int:
        return self._now.corrected(kind)

    def pruned(self) -> datetime | None:
        return self._now.pruned()

    def people_since(self) -> datetime | None:
        return self._now.people_since()

    def summed_before(self, kind: type[Event]) -> datetime | None:
        return self._now.summed_before(kind)

    def fold(self, name: str) -> Fold | None:
        """None: what was folded holds what came since."""
        del name
        return None

    def readings(self, kind: type[R], *, at: datetime | None = None, source: str | None = None) -> Sequence[Held[R]]:
        return [self._held(held) for held in self._now.readings(kind, at=at or self._at, source=source)]

    def stood(self, kind: type[R], start: datetime, end: datetime) -> Sequence[Held[R]]:
        return [self._held(held) for held in self._now.stood(kind, start, min(end, self._at))]

    def _held(self, held: Held[R]) -> Held[R]:
        return held if held.until is None or held.until <= self._at else replace(held, until=None)

    def owner(self, object_: int, at: datetime | None = None) -> Owner:
        return self._now.owner(object_, at or self._at)

    def counted_from(self, source: str) -> datetime | None:
        return self._now.counted_from(source)

    def objects(self, *, kind: str | None = None, source_type: str | None = None) -> Sequence[ObjectRow]:
        return self._now.objects(kind=kind, source_type=source_type)

    def states(self, what: str, start: date, end: date) -> Sequence[UnitState]:
        return self._now.states(what, start, min(end, self._today))

    def states_by_day(self, what: str, start: date, end: date) -> Mapping[date, Mapping[str, int]]:
        return self._now.states_by_day(what, start, min(end, self._today))

    def counted_by_day(self, what: str, word: str, start: date, end: date) -> Mapping[date, int]:
        return self._now.counted_by_day(what, word, start, min(end, self._today))

    def months_in_state(self, what: str, state: str) -> Mapping[str, frozenset[tuple[int, int]]]:
        return self._now.months_in_state(what, state)

    def moved(self, what: str, first: date, last: date) -> tuple[Sequence[UnitState], Sequence[UnitState]]:
        return self._now.moved(what, first, last)

    def unchanged_since(self, what: str) -> Mapping[str, date]:
        return self._now.unchanged_since(what)

    def last_day(self, what: str) -> date | None:
        newest = self._now.last_day(what)
        if newest is None or newest < self._today:
            return newest
        return max(self._now.states_by_day(what, self._today - _REACH, self._today), default=None)
