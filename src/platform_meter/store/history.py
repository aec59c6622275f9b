"""The store as measures see it: one read transaction, so that every answer is about the same moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, or_, select

from platform_meter.model import dims
from platform_meter.model.catalogue.meter import EVENTS_REJECTED
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Reading, Tallied
from platform_meter.model.history import Count, DayCount, Held, ObjectRow, Owner, Row, SourceState, UnitState
from platform_meter.model.kept import Fold
from platform_meter.model.ownership import NOBODY
from platform_meter.store import codec, costs, counters, events, gaps, leases, polls, states
from platform_meter.store.database import BATCH, kept
from platform_meter.store.renaming import SINCE
from platform_meter.store.rollups import added_up
from platform_meter.store.schema import (
    BEGINNING,
    MILLIONTHS,
    WIDTH_DAY,
    WIDTH_SLICE,
    correction,
    folds,
    objects,
    owners,
    readings,
    rollups,
    sources,
)
from platform_meter.store.schema import streams as streams_table
from platform_meter.store.times import CLOCKS_DIFFER, MILLISECOND, SLICE, Days, from_ms, maybe_from_ms, to_ms
from platform_meter.store.values import Calls, Configured, ConfiguredStream, GapRow, Lease, Quota, StreamState, Told

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Reading)
S = TypeVar("S", bound=Struct)
D = TypeVar("D", bound=Dim)

Intervals = Mapping[int, Sequence[tuple[int, Owner]]]
"""(start, owner) in order of time, by object."""


@dataclass(slots=True)
class Remembered:
    """What is read once, and not at every tick and for every page; each as of one change of it."""

    change: int = -1
    intervals: Intervals | None = None
    """Owners of all objects."""


class _Mark(NamedTuple):
    """How far one stream is, in milliseconds."""

    watermark: int | None
    last_success: int | None
    since: int | None
    read_from: int | None
    took: int


_UNREAD = _Mark(None, None, None, None, 0)


class StoredHistory:
    """`model.history.History` over one open read transaction. Used by one thread, until its context ends."""

    def __init__(
        self,
        conn: Connection,
        *,
        now: datetime,
        configured: Sequence[Configured],
        days: Days,
        versions: Mapping[str, int],
        remembered: Remembered,
    ) -> None:
        self._conn, self._now, self._configured, self._days = conn, now, configured, days
        self._versions, self._remembered = versions, remembered
        self._marks: Mapping[tuple[str, str], _Mark] | None = None
        self._intervals: Intervals | None = None

    def sources(self, kind: type[Event | Reading] | None = None, sli: str = "") -> Sequence[SourceState]:
        found = (
            (c, [s for s in c.streams if (kind is None or kind in s.gives) and (not sli or s.sli in ("", sli))])
            for c in self._configured
        )
        return [self._state(c, streams) for c, streams in found if streams]

    def counts(
        self, kind: type[Tallied[D]], source: str, start: datetime, end: datetime
    ) -> Mapping[tuple[int, D], Count]:
        first, last = to_ms(start), to_ms(end)
        sums: dict[tuple[int, D], list[int]] = {}
        # Where days alone are left, slices and events add nothing.
        low, high = first + -first % SLICE, last - last % SLICE
        if low >= high:
            self._add_events(sums, kind, source, first, last)
        else:
            self._add_events(sums, kind, source, first, low)
            self._add_events(sums, kind, source, high, last)
            midnight, end_day = self._days.start(low), self._days.start(high)
            begin_day = midnight if midnight == low else self._days.next(midnight)
            # Where a zone's midnight began no slice (before 1972 in one zone), days are left out and slices tell it all.
            if begin_day < end_day and begin_day % SLICE == 0 and end_day % SLICE == 0:
                self._add_rollups(sums, kind, source, WIDTH_SLICE, start=low, end=begin_day)
                self._add_rollups(sums, kind, source, WIDTH_DAY, start=begin_day, end=end_day)
                self._add_rollups(sums, kind, source, WIDTH_SLICE, start=end_day, end=high)
            else:
                self._add_rollups(sums, kind, source, WIDTH_SLICE, start=low, end=high)
        return {place: Count(n=n, amount=amount / MILLIONTHS) for place, (n, amount) in sums.items() if n or amount}

    def rows(
        self, kind: type[E], start: datetime, end: datetime, *, source: str | None = None, after: int = 0
    ) -> Iterator[Row[E]]:
        first, last, decode = to_ms(start), to_ms(end), codec.decoder(kind).decode
        for told in (
            events.after(self._conn, kind, source, after, first, last)
            if after
            else events.in_order(self._conn, kind, source, first, last)
        ):
            yield Row(seq=told.seq, source=told.source, object=told.object, event=decode(told.body))

    def parts(
        self, kind: type[Event], shape: type[S], start: datetime, end: datetime, *, source: str, after: int = 0
    ) -> Iterator[tuple[int, S]]:
        first, last, decode = to_ms(start), to_ms(end), codec.decoder(shape).decode
        found: Iterable[tuple[int, bytes]] = (
            ((told.object, told.body) for told in events.after(self._conn, kind, source, after, first, last))
            if after
            else events.bodies(self._conn, kind, source, first, last)
        )
        for object_, body in found:
            yield object_, decode(body)

    def by_commit(self, kind: type[E], commits: Collection[str]) -> Iterator[Row[E]]:
        decode, wanted = codec.decoder(kind).decode, frozenset(commits)
        for told in events.by_commit(self._conn, kind, wanted):
            event = decode(told.body)
            if not wanted.isdisjoint(event.commits()):
                yield Row(seq=told.seq, source=told.source, object=told.object, event=event)

    def event(self, kind: type[E], source: str, key: str) -> E | None:
        """The one that a source told under this key."""
        body = events.body(self._conn, kind.__name__, source, key)
        return None if body is None else codec.decoder(kind).decode(body)

    def daily(self, kind: type[Tallied[D]], sources: Collection[str], start: date, end: date) -> Iterator[DayCount[D]]:
        first, last = self._days.midnight(start), self._days.midnight(end)
        words, day, dim = kind.dim(), cache(self._days.day), cache(dims.decode)
        told = (rollups.c[name] for name in ("source", "bucket", "object", "dim", "n", "amount", "millionths"))
        mine = (rollups.c.width == WIDTH_DAY) & (rollups.c.kind == kind.__name__) & rollups.c.source.in_(sources)
        query = select(*told).where(mine, rollups.c.bucket >= first, rollups.c.bucket < last)
        for source, bucket, object_, text, n, amount, millionths in self._conn.execute(
            query.execution_options(yield_per=BATCH)
        ):
            total = (amount * MILLIONTHS + millionths) / MILLIONTHS
            yield DayCount(source=source, day=day(bucket), object=object_, dim=dim(text, words), n=n, amount=total)

    def latest(self, kind: type[Event]) -> int:
        return self._versions.get(kind.__name__, 0)

    def corrected(self, kind: type[Event]) -> int:
        return self._versions.get(correction(kind.__name__), 0)

    def pruned(self) -> datetime | None:
        before = int(kept(self._conn, "pruned") or BEGINNING)
        return None if before == BEGINNING else from_ms(before)

    def people_since(self) -> datetime | None:
        stored = kept(self._conn, SINCE)
        return None if stored is None else from_ms(int(stored))

    def summed_before(self, kind: type[Event]) -> datetime | None:
        before = int(kept(self._conn, "detail") or BEGINNING)
        return from_ms(before) if kind.elsewhere and before != BEGINNING else None

    def fold(self, name: str) -> Fold | None:
        row = self._conn.execute(select(folds.c.made_under, folds.c.body).where(folds.c.name == name)).first()
        return None if row is None else Fold(made_under=row.made_under, body=row.body)

    def readings(self, kind: type[R], *, at: datetime | None = None, source: str | None = None) -> Sequence[Held[R]]:
        condition = readings.c.kind == kind.__name__
        if at is None:
            condition &= readings.c.until.is_(None)
        else:
            moment = to_ms(at)
            condition &= (readings.c.start <= moment) & or_(readings.c.until.is_(None), readings.c.until > moment)
        if source is not None:
            condition &= readings.c.source == source
        return self._held(kind, condition)

    def stood(self, kind: type[R], start: datetime, end: datetime) -> Sequence[Held[R]]:
        since = or_(readings.c.until.is_(None), readings.c.until > to_ms(start))
        return self._held(kind, (readings.c.kind == kind.__name__) & (readings.c.start <= to_ms(end)) & since)

    def _held(self, kind: type[R], condition: ColumnElement[bool]) -> list[Held[R]]:
        decode = codec.decoder(kind).decode
        columns = (readings.c.source, readings.c.object, readings.c.body, readings.c.start, readings.c.until)
        return [
            Held(source=where, object=object_, reading=decode(body), start=from_ms(begun), until=maybe_from_ms(until))
            for where, object_, body, begun, until in self._conn.execute(
                select(*columns).where(condition).order_by(readings.c.source, readings.c.key, readings.c.start)
            )
        ]

    def owner(self, object_: int, at: datetime | None = None) -> Owner:
        if self._intervals is None:
            self._intervals = self._read_owners()
        intervals = self._intervals.get(object_)
        if not intervals:
            return NOBODY
        if at is None or len(intervals) == 1:
            return intervals[-1][1]
        moment = to_ms(at)
        return next((owner for start, owner in reversed(intervals) if start <= moment), intervals[0][1])

    def counted_from(self, source: str) -> datetime | None:
        known = select(sources.c.counted_from).where(sources.c.instance == source)
        return maybe_from_ms(self._conn.execute(known).scalar())

    def objects(self, *, kind: str | None = None, source_type: str | None = None) -> Sequence[ObjectRow]:
        query = select(objects.c.id, objects.c.source, objects.c.kind, objects.c.name, objects.c.last_seen)
        if kind is not None:
            query = query.where(objects.c.kind == kind)
        if source_type is not None:
            query = query.where(objects.c.source.in_(select(sources.c.instance).where(sources.c.type == source_type)))
        return [
            ObjectRow(id=id_, source=source, kind=kind_, name=name, owner=self.owner(id_), last_seen=from_ms(seen))
            for id_, source, kind_, name, seen in self._conn.execute(query.order_by(objects.c.id))
        ]

    def states(self, what: str, start: date, end: date) -> Sequence[UnitState]:
        return states.read(self._conn, what, start, end)

    def states_by_day(self, what: str, start: date, end: date) -> Mapping[date, Mapping[str, int]]:
        return states.counts(self._conn, what, start, end)

    def counted_by_day(self, what: str, word: str, start: date, end: date) -> Mapping[date, int]:
        return states.counted(self._conn, what, word, start, end)

    def moved(self, what: str, first: date, last: date) -> tuple[Sequence[UnitState], Sequence[UnitState]]:
        return states.moved(self._conn, what, first, last)

    def months_in_state(self, what: str, state: str) -> Mapping[str, frozenset[tuple[int, int]]]:
        return states.months(self._conn, what, state)

    def unchanged_since(self, what: str) -> Mapping[str, date]:
        return states.unchanged_since(self._conn, what)

    def last_day(self, what: str) -> date | None:
        return states.last_day(self._conn, what)

    def stream_states(self) -> list[StreamState]:
        """How every stream ever polled does, by instance and stream."""
        return polls.states(self._conn)

    def gaps(self, limit: int, instance: str = "") -> list[GapRow]:
        """Ranges of history that could not be read, of one source or of all, the latest first."""
        return gaps.unread(self._conn, limit, instance)

    def gap_counts(self) -> Mapping[str, int]:
        """How many ranges of history could not be read, by source."""
        return gaps.counted(self._conn)

    def calls(self, span: timedelta) -> Sequence[Calls]:
        """Calls to APIs of the last `span`, at most a day, by source and outcome."""
        return costs.counted(self._conn, to_ms(self._now), span)

    def quotas(self) -> Sequence[Quota]:
        """What APIs last told of their quotas."""
        return costs.left(self._conn)

    def leases(self) -> Mapping[str, Lease]:
        """Who polls which source."""
        return leases.held(self._conn)

    def told(self, instance: str, kinds: Collection[type[Event | Reading]], since: datetime) -> Sequence[Told]:
        """How much one source has told of each of these kinds, by name; events since `since` are counted."""
        found = []
        for kind in sorted(kinds, key=lambda k: k.__name__):
            if issubclass(kind, Event):
                newest, n = events.told(self._conn, kind, instance, to_ms(since))
                found.append(Told(kind.__name__, maybe_from_ms(newest), n, 0))
            else:
                found.append(Told(kind.__name__, None, 0, self._standing(kind, instance)))
        return found

    def _standing(self, kind: type[Reading], instance: str) -> int:
        mine = (readings.c.kind == kind.__name__) & (readings.c.source == instance) & readings.c.until.is_(None)
        return self._conn.execute(select(func.count()).select_from(readings).where(mine)).scalar_one()

    def rejected(self) -> Sequence[tuple[str, str, str, int]]:
        """Rows that were refused: type of the source, kind, reason, and how often one was seen."""
        rows = ((row.labels, row.value) for row in counters.rows(self._conn, {EVENTS_REJECTED.name}))
        return [(type_, kind, reason, round(n)) for (type_, kind, reason), n in rows]

    def _add_events(
        self, sums: dict[tuple[int, D], list[int]], kind: type[Tallied[D]], source: str, start: int, end: int
    ) -> None:
        if start >= end:
            return
        decode = codec.decoder(kind).decode
        for object_, body in events.bodies(self._conn, kind, source, start, end):
            for tally in decode(body).tallies():
                total = sums.setdefault((object_, tally.dim), [0, 0])
                total[0] += tally.n
                total[1] += round(tally.amount * MILLIONTHS)

    def _add_rollups(
        self,
        sums: dict[tuple[int, D], list[int]],
        kind: type[Tallied[D]],
        source: str,
        width: int,
        *,
        start: int,
        end: int,
    ) -> None:
        if start >= end:
            return
        words = kind.dim()
        for object_, dim, n, amount, millionths in self._conn.execute(
            select(rollups.c.object, rollups.c.dim, *added_up())
            .where(
                rollups.c.width == width,
                rollups.c.kind == kind.__name__,
                rollups.c.source == source,
                rollups.c.bucket >= start,
                rollups.c.bucket < end,
            )
            .group_by(rollups.c.object, rollups.c.dim)
        ):
            total = sums.setdefault((object_, dims.decode(dim, words)), [0, 0])
            total[0] += n
            total[1] += amount * MILLIONTHS + millionths

    def _state(self, source: Configured, streams: Sequence[ConfiguredStream]) -> SourceState:
        if self._marks is None:
            columns = (streams_table.c[name] for name in ("instance", "stream", *_Mark._fields))
            self._marks = {(row[0], row[1]): _Mark(*row[2:]) for row in self._conn.execute(select(*columns))}
        marks = [self._marks.get((source.instance, s.name), _UNREAD) for s in streams]
        return SourceState(
            instance=source.instance,
            type=source.type,
            watermark=_all(min, [_read_to(s, m) for s, m in zip(streams, marks, strict=True)]),
            last_success=_all(min, [m.last_success for m in marks]),
            since=_all(max, [m.since for m in marks]),
            read_from=_all(max, [m.read_from for m in marks]),
            fresh=all(self._fresh(s, m) for s, m in zip(streams, marks, strict=True)),
        )

    def _fresh(self, stream: ConfiguredStream, mark: _Mark) -> bool:
        """Read whole, and not too long ago. What a clock wrote that was ahead says neither."""
        if mark.watermark is None or mark.last_success is None:
            return False
        now, patience = to_ms(self._now), stream.patience(mark.took * MILLISECOND) // MILLISECOND
        return max(mark.watermark, mark.last_success) <= now + CLOCKS_DIFFER and now - mark.last_success <= patience

    def _read_owners(self) -> Intervals:
        change = self._versions.get("owners", 0)
        if self._remembered.change == change and self._remembered.intervals is not None:
            return self._remembered.intervals
        found: dict[int, list[tuple[int, Owner]]] = {}
        same: dict[tuple[str, str, str, str], Owner] = {}
        for object_, start, *said in self._conn.execute(
            select(owners).order_by(owners.c.object, owners.c.start).execution_options(yield_per=BATCH)
        ):
            service, team, rule, conflict = said
            owner = same.get((service, team, rule, conflict))
            if owner is None:
                owner = Owner(service=service, team=team, rule=rule, conflict=conflict)
                same[service, team, rule, conflict] = owner
            found.setdefault(object_, []).append((start, owner))
        self._remembered.change, self._remembered.intervals = change, found
        return found


def _read_to(stream: ConfiguredStream, mark: _Mark) -> int | None:
    """Up to when a stream was read: the start of its last complete poll, or as long before it as its reading ends."""
    return None if mark.watermark is None else mark.watermark - stream.behind // MILLISECOND


def _all(choose: Callable[[Iterable[int]], int], moments: Sequence[int | None]) -> datetime | None:
    """The one of these to choose; None where one is missing."""
    known = [m for m in moments if m is not None]
    return from_ms(choose(known)) if len(known) == len(moments) else None
