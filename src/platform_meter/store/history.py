"""The store as measures see it: one read transaction, so that every answer is about the same moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, false, func, or_, select, true

from platform_meter.model.facts import EVENTS, Event, Reading, Usage
from platform_meter.model.history import Count, Held, ObjectRow, Owner, Row, SourceState, UnitState, UsageDay
from platform_meter.model.ownership import NOBODY
from platform_meter.store import codec
from platform_meter.store.database import BATCH
from platform_meter.store.schema import (
    MILLIONTHS,
    WIDTH_DAY,
    WIDTH_SLICE,
    events,
    objects,
    owners,
    readings,
    rollups,
    snapshots,
    sources,
    streams,
)
from platform_meter.store.times import SLICE, Days, from_ms, maybe_from_ms, to_ms
from platform_meter.store.values import Configured

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Reading)

Intervals = Mapping[int, Sequence[tuple[int, Owner]]]
"""(start, owner) in order of time, by object."""


@dataclass(slots=True)
class OwnerCache:
    """Owners of all objects as of one change of them: read once, not at every tick."""

    change: int = -1
    intervals: Intervals | None = None


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
        owner_cache: OwnerCache,
    ) -> None:
        self._conn, self._now, self._configured, self._days = conn, now, configured, days
        self._versions, self._owner_cache = versions, owner_cache
        self._states: Sequence[SourceState] | None = None
        self._intervals: Intervals | None = None

    def sources(self, kind: type[Event | Reading] | None = None) -> Sequence[SourceState]:
        if self._states is None:
            self._states = list(self._read_states())
        states = zip(self._configured, self._states, strict=True)
        return [state for c, state in states if kind is None or kind in c.gives]

    def counts(self, kind: type[Event], source: str, start: datetime, end: datetime) -> Mapping[tuple[int, str], Count]:
        first, last = to_ms(start), to_ms(end)
        low, high = first + -first % SLICE, last - last % SLICE
        sums: dict[tuple[int, str], list[int]] = {}
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
        condition = _between(kind, to_ms(start), to_ms(end)) & (events.c.seq > after)
        if source is not None:
            condition &= events.c.source == source
        decode = codec.decoder(kind).decode
        columns = select(events.c.seq, events.c.source, events.c.object, events.c.body)
        query = columns.where(condition).order_by(events.c.at, events.c.key, events.c.source)
        found = self._conn.execute(query.execution_options(yield_per=BATCH))
        for seq, where, object_, body in found:
            yield Row(seq=seq, source=where, object=object_, event=decode(body))

    def latest(self, kind: type[Event]) -> int:
        return self._versions.get(kind.__name__, 0)

    def readings(self, kind: type[R], *, at: datetime | None = None, source: str | None = None) -> Sequence[Held[R]]:
        condition = readings.c.kind == kind.__name__
        if at is None:
            condition &= readings.c.until.is_(None)
        else:
            moment = to_ms(at)
            condition &= (readings.c.start <= moment) & or_(readings.c.until.is_(None), readings.c.until > moment)
        if source is not None:
            condition &= readings.c.source == source
        decode = codec.decoder(kind).decode
        columns = (readings.c.source, readings.c.object, readings.c.body, readings.c.start, readings.c.until)
        return [
            Held(source=where, object=object_, reading=decode(body), start=from_ms(begun), until=maybe_from_ms(until))
            for where, object_, body, begun, until in self._conn.execute(
                select(*columns).where(condition).order_by(readings.c.source, readings.c.key, readings.c.start)
            )
        ]

    def usage_days(self, verbs: Sequence[str], source_type: str, start: date, end: date) -> Sequence[UsageDay]:
        """Use by object and day. A `Usage` gives its amount; of every other kind each event that is use is one."""
        instances = self._conn.execute(select(sources.c.instance).where(sources.c.type == source_type)).scalars().all()
        kinds = [
            (rollups.c.kind == name) & (rollups.c.dim.in_(cls.use_dims) if cls.use_dims else true())
            for name, cls in EVENTS.items()
            if cls.verb and cls.verb in verbs
        ]
        by_action = (rollups.c.kind == Usage.__name__) & rollups.c.dim.in_(verbs)
        n, amount = (cast(func.sum(c), BigInteger) for c in (rollups.c.n, rollups.c.amount))
        found: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0, 0.0])
        for condition, counted in ((by_action, False), (or_(false(), *kinds), True)):
            for object_, bucket, many, much in self._conn.execute(
                select(rollups.c.object, rollups.c.bucket, n, amount)
                .where(
                    rollups.c.width == WIDTH_DAY,
                    condition,
                    rollups.c.source.in_(instances),
                    rollups.c.bucket >= self._days.midnight(start),
                    rollups.c.bucket < self._days.midnight(end),
                )
                .group_by(rollups.c.object, rollups.c.bucket)
            ):
                total = found[object_, bucket]
                total[0] += many
                total[1] += many if counted else much / MILLIONTHS
        return [
            UsageDay(object=object_, day=self._days.day(bucket), n=int(many), amount=float(much))
            for (object_, bucket), (many, much) in sorted(found.items())
            if many or much
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

    def snapshots(self, capability: str, start: date, end: date) -> Sequence[UnitState]:
        return [
            UnitState(
                day=date.fromisoformat(row.day),
                capability=row.capability,
                unit=row.unit,
                state=row.state,
                ever_active=row.ever_active,
                ever_adopted=row.ever_adopted,
            )
            for row in self._conn.execute(
                select(snapshots)
                .where(
                    snapshots.c.capability == capability,
                    snapshots.c.day >= start.isoformat(),
                    snapshots.c.day < end.isoformat(),
                )
                .order_by(snapshots.c.day, snapshots.c.unit)
            )
        ]

    def last_snapshot(self, capability: str) -> date | None:
        newest = select(func.max(snapshots.c.day)).where(snapshots.c.capability == capability)
        day = self._conn.execute(newest).scalar()
        return None if day is None else date.fromisoformat(day)

    def _add_events(
        self, sums: dict[tuple[int, str], list[int]], kind: type[Event], source: str, start: int, end: int
    ) -> None:
        if start >= end:
            return
        decode = codec.decoder(kind).decode
        mine = _between(kind, start, end) & (events.c.source == source)
        for object_, body in self._conn.execute(select(events.c.object, events.c.body).where(mine)):
            for tally in decode(body).tallies():
                total = sums.setdefault((object_, tally.dim), [0, 0])
                total[0] += tally.n
                total[1] += round(tally.amount * MILLIONTHS)

    def _add_rollups(
        self,
        sums: dict[tuple[int, str], list[int]],
        kind: type[Event],
        source: str,
        width: int,
        *,
        start: int,
        end: int,
    ) -> None:
        if start >= end:
            return
        n, amount = (cast(func.sum(c), BigInteger) for c in (rollups.c.n, rollups.c.amount))
        for object_, dim, many, much in self._conn.execute(
            select(rollups.c.object, rollups.c.dim, n, amount)
            .where(
                rollups.c.width == width,
                rollups.c.kind == kind.__name__,
                rollups.c.source == source,
                rollups.c.bucket >= start,
                rollups.c.bucket < end,
            )
            .group_by(rollups.c.object, rollups.c.dim)
        ):
            total = sums.setdefault((object_, dim), [0, 0])
            total[0] += many
            total[1] += much

    def _read_states(self) -> Iterator[SourceState]:
        found: dict[str, dict[str, tuple[int | None, int | None]]] = defaultdict(dict)
        columns = (streams.c.instance, streams.c.stream, streams.c.watermark, streams.c.last_success)
        for instance, stream, watermark, success in self._conn.execute(select(*columns)):
            found[instance][stream] = (watermark, success)
        for c in self._configured:
            polled = found.get(c.instance, {})
            wanted = [polled.get(name, (None, None)) for name in c.streams or sorted(polled)]
            watermark = _oldest([mark for mark, _ in wanted])
            success = _oldest([success for _, success in wanted])
            yield SourceState(
                instance=c.instance,
                type=c.type,
                watermark=watermark,
                last_success=success,
                fresh=watermark is not None and success is not None and self._now - success <= c.stale_after,
                every=c.every,
            )

    def _read_owners(self) -> Intervals:
        change = self._versions.get("owners", 0)
        if self._owner_cache.change == change and self._owner_cache.intervals is not None:
            return self._owner_cache.intervals
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
        self._owner_cache.change, self._owner_cache.intervals = change, found
        return found


def _between(kind: type[Event], start: int, end: int) -> ColumnElement[bool]:
    return (events.c.kind == kind.__name__) & (events.c.at >= start) & (events.c.at < end)


def _oldest(moments: Sequence[int | None]) -> datetime | None:
    """The least of these, None where there are none or one is missing."""
    known = [m for m in moments if m is not None]
    return from_ms(min(known)) if known and len(known) == len(moments) else None
