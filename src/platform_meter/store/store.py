"""The event store: facts once, counters and checkpoint with them in one transaction, and what measures read of it.

Every public method is one transaction. All may be called from any thread; writers wait for each other, readers for
nobody. Times are aware UTC datetimes, kept to the millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Self

from sqlalchemy import Connection, select

from platform_meter.measures import catalogue
from platform_meter.model.facts import Event
from platform_meter.model.history import History, SourceState, UnitState
from platform_meter.model.measure import Counting, Derived
from platform_meter.model.metric import Increment
from platform_meter.model.source import Gap, Page
from platform_meter.store import counters, leases, maintenance, polls, readings
from platform_meter.store.counters import Additions, Limits
from platform_meter.store.database import Database, Transaction
from platform_meter.store.history import OwnerCache, StoredHistory
from platform_meter.store.objects import Objects
from platform_meter.store.rollups import rebuild_days
from platform_meter.store.schema import changes, gaps, meta, snapshots
from platform_meter.store.times import MILLISECOND, Days, from_ms, to_ms
from platform_meter.store.values import (
    Configured,
    CounterRow,
    Directory,
    GapRow,
    Poll,
    StreamState,
    Written,
)
from platform_meter.store.writer import Origin, Writer

RETENTION = timedelta(days=400)
"""How long events and snapshots are kept (domain section 2)."""


@dataclass(slots=True)
class _Unit:
    """One write transaction with what it adds to counters."""

    tx: Transaction
    additions: Additions
    now: int


class Store:
    """One store of events, readings and counters in SQLite or PostgreSQL. Made by `open`."""

    def __init__(
        self,
        database: Database,
        *,
        zone: str,
        countings: Sequence[Counting],
        directory: Directory,
        retention: timedelta,
        limits: Limits,
    ) -> None:
        self._database, self._days, self._limits = database, Days(zone), limits
        self._retention = retention // MILLISECOND
        self._objects = Objects(directory)
        self._writer = Writer(countings, self._objects, self._days)
        self._owner_cache = OwnerCache()

    @classmethod
    def open(
        cls,
        url: str,
        *,
        zone: str,
        countings: Sequence[Counting],
        directory: Directory,
        retention: timedelta = RETENTION,
        caps: Mapping[str, int] | None = None,
        keep: Mapping[str, frozenset[str]] | None = None,
    ) -> Self:
        """Open a store, creating its tables or bringing older ones up to date.

        Args:
            url: `sqlite:///meter.db` or `postgresql://user@host/database`.
            zone: cuts days; where it is another than last time, daily rollups are cut anew and nothing else changes.
            countings: what new events add to counters.
            directory: whose objects are; objects already stored keep their owners until `set_directory`.
            retention: age at which events are refused and pruned.
            caps: most label sets by metric name, where it is not the metric's own cap.
            keep: by label name, values that are folded into `_other` last.

        Raises:
            StoreError: no such place, no right to it, or a newer platform-meter wrote it.
        """
        database = Database(url)
        limits = Limits(caps or {}, keep or {})
        store = cls(database, zone=zone, countings=countings, directory=directory, retention=retention, limits=limits)
        try:
            with store._writing() as unit:
                store._cut_days(unit.tx, zone)
        except BaseException:
            database.close()
            raise
        return store

    def close(self) -> None:
        self._database.close()

    # Polls

    def begin_poll(
        self,
        instance: str,
        type_: str,
        stream: str,
        *,
        now: datetime,
        lookback: timedelta,
        history: timedelta,
        holder: str | None = None,
        anew: bool = False,
    ) -> Poll:
        """Begin to read a stream, or go on with a poll that saved a checkpoint and never ended.

        A poll gone on with keeps its number, so that what its first pages said still counts as said. One that begins
        `anew`, because its checkpoint has expired, says all again.

        Raises:
            LeaseLost: `holder` is given and does not hold the source's lease.
        """
        poll = polls.unpolled(instance, type_, stream, now)
        with self._writing() as unit:
            return polls.begin(unit.tx, poll, lookback=lookback, history=history, holder=holder, anew=anew)

    def write(self, poll: Poll, page: Page, *, now: datetime) -> Written:
        """Store one page with its checkpoint: all of it or, after an exception, nothing.

        Raises:
            LeaseLost: another replica polls this source now.
        """
        events = [fact for fact in page.facts if isinstance(fact, Event)]
        with self._writing(now) as unit:
            tx = unit.tx
            leases.check(tx, poll.instance, poll.token)
            origin = self._origin(tx, poll.instance, poll.type, to_ms(poll.backfill_before), unit.now)
            outcome = self._writer.write(tx, origin, events, unit.additions)
            if page.gone or page.complete or len(events) < len(page.facts):
                moment = polls.holds_from(tx, poll, unit.now)
                outcome.rejected.update(
                    readings.write(tx, poll, page, moment=moment, objects=self._objects, additions=unit.additions)
                )
            polls.advance(tx, poll, page)
        return Written(
            new=outcome.new, repeated=outcome.repeated, revised=outcome.revised, rejected=dict(outcome.rejected)
        )

    def end_poll(self, poll: Poll, *, now: datetime, complete: bool = True) -> None:
        """The poll read all there was: its start becomes the watermark, which never moves back.

        Of a poll that was gone on with it is the first start: what ended between the two starts may stand on a page
        read before. With `complete=False` the stream only showed that it is alive: it counts as a success, the
        watermark and the poll's number stay.

        Raises:
            LeaseLost: another replica polls this source now.
        """
        with self._writing(now) as unit:
            leases.check(unit.tx, poll.instance, poll.token)
            polls.end(unit.tx, poll, now=unit.now, complete=complete)

    def fail_poll(self, poll: Poll, *, now: datetime, error: str) -> None:
        """The poll failed; what it wrote stays, and the next one goes on from its checkpoint.

        Raises:
            LeaseLost: another replica polls this source now.
        """
        with self._writing(now) as unit:
            leases.check(unit.tx, poll.instance, poll.token)
            polls.fail(unit.tx, poll, now=unit.now, error=error)

    # What else writes

    def derive(self, events: Sequence[Derived], *, now: datetime) -> Written:
        """Store events the tick made, by the same path as a source's. Those older than the source's own are not counted."""
        by_source: dict[str, list[Event]] = {}
        for derived in events:
            by_source.setdefault(derived.source, []).append(derived.event)
        total = Written()
        with self._writing(now) as unit:
            for instance, found in by_source.items():
                type_, counted_from = polls.source(unit.tx, instance) or (found[0].about.system, 0)
                origin = self._origin(unit.tx, instance, type_, counted_from, unit.now)
                outcome = self._writer.write(unit.tx, origin, found, unit.additions)
                total = replace(
                    total,
                    new=total.new + outcome.new,
                    repeated=total.repeated + outcome.repeated,
                    revised=total.revised + outcome.revised,
                    rejected=dict(outcome.rejected + type(outcome.rejected)(total.rejected)),
                )
        return total

    def add_counters(self, increments: Sequence[Increment], *, now: datetime) -> None:
        """Add to counters that no event stands behind, such as the meter's own."""
        with self._writing(now) as unit:
            unit.additions.add(increments)

    def add_gap(self, instance: str, type_: str, gap: Gap, now: datetime) -> bool:
        """Keep and count a range of history that can't be read; False where it is known already."""
        with self._writing(now) as unit:
            row = {"source": instance, "start": to_ms(gap.start), "end": to_ms(gap.end), "reason": gap.reason}
            same = select(gaps.c.source).where(*(gaps.c[name] == value for name, value in row.items()))
            if unit.tx.conn.execute(same).first() is not None:
                return False
            unit.tx.conn.execute(gaps.insert().values(**row, text=gap.text.replace("\0", "")))
            unit.additions.count(catalogue.SOURCE_GAPS, (type_, gap.reason), 1)
            unit.tx.changed("gaps")
            return True

    def put_snapshot(
        self, day: date, states: Sequence[UnitState], increments: Sequence[Increment], *, now: datetime
    ) -> bool:
        """Keep a day's adoption states and count its transitions, once.

        False, and nothing changes, where a capability among them has this day already, or where no states are given.
        """
        with self._writing(now) as unit:
            capabilities = sorted({s.capability for s in states})
            taken = select(snapshots.c.unit).where(
                snapshots.c.day == day.isoformat(), snapshots.c.capability.in_(capabilities)
            )
            if not states or unit.tx.conn.execute(taken.limit(1)).first() is not None:
                return False
            unit.tx.conn.execute(
                snapshots.insert(),
                [
                    {
                        "day": day.isoformat(),
                        "capability": s.capability,
                        "unit": s.unit,
                        "state": s.state,
                        "ever_active": s.ever_active,
                        "ever_adopted": s.ever_adopted,
                    }
                    for s in states
                ],
            )
            unit.additions.add(increments)
            unit.tx.changed("snapshots")
            return True

    def set_directory(self, directory: Directory, now: datetime) -> None:
        """Take over corrected ownership: owners of all objects are decided anew, so gauges follow; counters stay."""
        with self._writing(now) as unit:
            self._objects.directory = directory
            self._objects.resolve_all(unit.tx)

    # What reads

    @contextmanager
    def history(self, now: datetime, configured: Sequence[Configured]) -> Iterator[History]:
        """One consistent view; what is written meanwhile is not in it."""
        with self._database.read() as conn:
            versions = _versions(conn)
            yield StoredHistory(
                conn,
                now=now,
                configured=configured,
                days=self._days,
                versions=versions,
                owner_cache=self._owner_cache,
            )

    def version(self) -> Mapping[str, int]:
        """What changed last, by kind of fact, and by readings, owners, snapshots, counters, streams and gaps; grows with every change."""
        with self._database.read() as conn:
            return _versions(conn)

    def counters(self) -> list[CounterRow]:
        """Every series of every counter and histogram, by name and labels."""
        with self._database.read() as conn:
            return counters.rows(conn)

    def stream_states(self) -> list[StreamState]:
        """How every stream ever polled does, by instance and stream."""
        with self._database.read() as conn:
            return polls.states(conn)

    def gaps(self, limit: int) -> list[GapRow]:
        """Ranges of history that could not be read, the latest first."""
        with self._database.read() as conn:
            query = select(gaps).order_by(gaps.c.start.desc(), gaps.c.source, gaps.c.end, gaps.c.reason).limit(limit)
            return [
                GapRow(source=r.source, start=from_ms(r.start), end=from_ms(r.end), reason=r.reason, text=r.text)
                for r in conn.execute(query)
            ]

    # Leases

    def acquire(self, instance: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
        """The token under which `holder` may poll the source until `now + ttl`; None while another's lease runs."""
        with self._writing(now) as unit:
            return leases.acquire(unit.tx, instance, holder, unit.now + ttl // MILLISECOND, unit.now)

    def renew(self, instance: str, holder: str, ttl: timedelta, now: datetime) -> bool:
        """Hold on to a lease until `now + ttl`; False where another holds it."""
        with self._writing(now) as unit:
            return leases.renew(unit.tx, instance, holder, unit.now + ttl // MILLISECOND)

    def release(self, instance: str, holder: str) -> None:
        """Let another replica take over at once; nothing happens where the lease is another's."""
        with self._writing() as unit:
            leases.renew(unit.tx, instance, holder, 0)

    # Upkeep

    def prune(self, now: datetime) -> int:
        """Remove whole days past retention: events, rollups, ended readings, snapshots. Gives the number of events removed."""
        with self._writing(now) as unit:
            removed = maintenance.prune(unit.tx, self._days, unit.now - self._retention)
        self._objects.forget()
        return removed

    def check(self) -> list[str]:
        """What does not hold in the store, one line each; empty when all is well. Reads all events."""
        with self._database.read() as conn:
            return maintenance.check(conn, self._days)

    def size(self) -> int:
        """Bytes on disk."""
        return self._database.size()

    @contextmanager
    def _writing(self, now: datetime | None = None) -> Iterator[_Unit]:
        """One write transaction; what it added to counters is written last, and caches forget what was undone."""
        try:
            with self._database.write() as conn:
                tx = Transaction(conn)
                self._objects.begin(tx)
                unit = _Unit(tx, Additions(), 0 if now is None else to_ms(now))
                yield unit
                counters.apply(tx, unit.additions, self._limits, unit.now)
                seq = tx.finish()
        except BaseException:
            self._objects.forget()
            raise
        self._objects.committed(tx, seq)

    def _origin(self, tx: Transaction, instance: str, type_: str, counted_from: int, now: int) -> Origin:
        state = SourceState(
            instance=instance, type=type_, watermark=None, last_success=None, fresh=True, every=timedelta()
        )
        oldest = max(now - self._retention, tx.pruned)
        return Origin(source=state, counted_from=counted_from, oldest=oldest, now=now)

    def _cut_days(self, tx: Transaction, zone: str) -> None:
        stored = tx.conn.execute(select(meta.c.value).where(meta.c.key == "zone")).scalar()
        if stored is None:
            tx.conn.execute(meta.insert().values(key="zone", value=zone))
        elif stored != zone:
            rebuild_days(tx, self._days)
            tx.conn.execute(meta.update().where(meta.c.key == "zone").values(value=zone))


def _versions(conn: Connection) -> dict[str, int]:
    return dict(conn.execute(select(changes.c.name, changes.c.seq)).all())
