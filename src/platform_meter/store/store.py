"""The event store: facts once, counters and checkpoint with them in one transaction, and what measures read of it.

Every public method is one transaction. All may be called from any thread; writers wait for each other, readers for
nobody. Times are aware UTC datetimes, kept to the millisecond.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, select

from platform_meter.model.catalogue.meter import SOURCE_GAPS
from platform_meter.model.facts import Event
from platform_meter.model.history import SourceState
from platform_meter.model.kept import Fold
from platform_meter.model.measure import Counting, Derived, StateDay
from platform_meter.model.metric import Increment
from platform_meter.model.source import Gap, Page
from platform_meter.store import costs, counters, gaps, leases, maintenance, polls, readings, states
from platform_meter.store.counters import Additions, CounterCaps
from platform_meter.store.database import STANDSTILL, Database, Transaction, keep, kept
from platform_meter.store.detail import DETAIL, thin
from platform_meter.store.errors import StoreError
from platform_meter.store.history import Remembered, StoredHistory
from platform_meter.store.maintenance import RETENTION
from platform_meter.store.objects import Objects
from platform_meter.store.people import People
from platform_meter.store.rollups import settle
from platform_meter.store.schema import BEGINNING, changes, folds, insert
from platform_meter.store.times import MILLISECOND, Days, from_ms, to_ms
from platform_meter.store.values import Calls, Configured, CounterRow, Directory, Quota, Round, StreamState, Written
from platform_meter.store.writer import Done, Origin, Writer


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
        countings: Sequence[Counting[Any]],
        directory: Directory,
        retention: timedelta,
        detail: timedelta,
        limits: CounterCaps,
    ) -> None:
        self._database, self._days, self._limits = database, Days(zone), limits
        self._retention = retention // MILLISECOND
        self.detail = min(detail, retention)
        self._objects = Objects(directory)
        self._writer = Writer(countings, self._objects, self._days)
        self._remembered = Remembered()
        self.people = People(database.place, self._days, self._writing)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        zone: str,
        countings: Sequence[Counting[Any]],
        directory: Directory,
        retention: timedelta = RETENTION,
        detail: timedelta = DETAIL,
        caps: Mapping[str, int] | None = None,
        keep: Mapping[str, frozenset[str]] | None = None,
        standstill: timedelta = STANDSTILL,
    ) -> Self:
        """Open a store, creating its tables or bringing older ones up to date.

        Args:
            url: `sqlite:///meter.db` or `postgresql://user@host/database`.
            zone: cuts days; where it is another than last time, daily rollups are cut anew and nothing else changes.
                Who has it open with the other zone can use it no more.
            countings: what new events add to counters.
            directory: whose objects are; objects already stored keep their owners until `set_directory`.
            retention: age at which events are refused and pruned.
            detail: the same of those that were counted elsewhere; the sums of their days are kept for `retention`.
            caps: most label sets by metric name, where it is not the metric's own cap.
            keep: by label name, values that are folded into `_other` last.
            standstill: for so long may one of several replicas freeze within a write and hold up the others.

        Raises:
            StoreError: no such place, no right to it, or a newer platform-meter wrote it.
        """
        database = Database(url, standstill=standstill)
        limits = CounterCaps(caps or {}, keep or {})
        age = {"retention": retention, "detail": detail}
        store = cls(database, zone=zone, countings=countings, directory=directory, limits=limits, **age)
        try:
            with database.write() as conn:
                tx = Transaction(conn)
                settle(tx, store._days)
                tx.finish()
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
    ) -> Round:
        """Begin to read a stream, or go on with a poll that saved a checkpoint and never ended.

        A poll gone on with keeps its number, so that what its first pages said still counts as said. One that begins
        `anew`, because its checkpoint has expired, says all again.

        Raises:
            LeaseLost: `holder` is given and does not hold the source's lease.
        """
        poll = polls.unpolled(instance, type_, stream, now)
        with self._writing() as unit:
            return polls.begin(unit.tx, poll, lookback=lookback, history=history, holder=holder, anew=anew)

    def write(self, poll: Round, page: Page, *, now: datetime) -> Written:
        """Store one page with its checkpoint: all of it or, after an exception, nothing.

        Raises:
            LeaseLost: another replica polls this source now.
        """
        with self._writing(now) as unit:
            tx = unit.tx
            facts, refused = self.people.admitted(tx, page.facts)
            events = [fact for fact in facts if isinstance(fact, Event)]
            leases.check(tx, poll.instance, poll.token)
            origin = self._origin(tx, poll.instance, poll.type, to_ms(poll.backfill_before), unit.now)
            outcome = self._writer.write(tx, origin, events, unit.additions, refused)
            if page.gone or page.complete or len(events) < len(facts):
                at = polls.holds_from(tx, poll, unit.now)
                lost = readings.write(tx, poll, page, facts, moment=at, objects=self._objects, additions=unit.additions)
                outcome.rejected.update(lost)
            polls.advance(tx, poll, page)
        return outcome.written

    def end_poll(self, poll: Round, *, now: datetime) -> None:
        """The poll read all there was: its start becomes the watermark, which moves back only from what is still to come.

        Of a poll that was gone on with it is the first start: what ended between the two starts may stand on a page
        read before.

        Raises:
            LeaseLost: another replica polls this source now.
        """
        with self._writing(now) as unit:
            leases.check(unit.tx, poll.instance, poll.token)
            polls.end(unit.tx, poll, now=unit.now)

    def fail_poll(self, poll: Round, *, now: datetime, error: str, kind: str = "") -> None:
        """The poll failed; what it wrote stays, and the next one goes on from its checkpoint. `kind` names the exception.

        Raises:
            LeaseLost: another replica polls this source now.
        """
        with self._writing(now) as unit:
            leases.check(unit.tx, poll.instance, poll.token)
            polls.fail(unit.tx, poll, now=unit.now, error=error, kind=kind)

    # What else writes

    def take(
        self, instance: str, type_: str, events: Sequence[Event], *, now: datetime, lookback: timedelta
    ) -> Written:
        """Store events pushed to a source, by the path of polled ones, whoever polls it. The first begin it as a poll would."""
        with self._writing(now) as unit:
            counted_from = polls.push(unit.tx, instance, type_, unit.now, lookback)
            origin = replace(self._origin(unit.tx, instance, type_, counted_from, unit.now), pushed=True)
            facts, refused = self.people.admitted(unit.tx, events)
            return self._writer.write(unit.tx, origin, facts, unit.additions, refused).written

    def derive(self, events: Sequence[Derived], *, now: datetime) -> Written:
        """Store events the tick made, by the same path as a source's. Those older than the source's own are not counted."""
        by_source: dict[str, list[Event]] = {}
        for derived in events:
            by_source.setdefault(derived.source, []).append(derived.event)
        total = Done()
        with self._writing(now) as unit:
            for instance, found in by_source.items():
                type_, counted_from = polls.source(unit.tx, instance) or (found[0].about.system, 0)
                origin = self._origin(unit.tx, instance, type_, counted_from, unit.now)
                total.add(self._writer.write(unit.tx, origin, found, unit.additions))
        return total.written

    def add_counters(self, increments: Sequence[Increment], *, now: datetime) -> None:
        """Add to counters that no event stands behind, such as the meter's own."""
        with self._writing(now) as unit:
            unit.additions.add(increments)

    def add_costs(self, made: Collection[Calls], told: Collection[Quota]) -> None:
        """Count calls to APIs, and keep what these told of their quotas."""
        with self._writing() as unit:
            costs.add(unit.tx, made, told)

    def add_gap(self, instance: str, type_: str, gap: Gap, now: datetime) -> bool:
        """Keep and count a range of history that can't be read; False where it is known already."""
        with self._writing(now) as unit:
            new = gaps.add(unit.tx, instance, gap)
            unit.additions.count(SOURCE_GAPS, (type_, gap.reason), new)
            return new

    def fill_gaps(self, instance: str, what: str, start: datetime, end: datetime) -> None:
        """Forget the gaps of `what` within a range that was read after all; the counter keeps them."""
        with self._writing() as unit:
            gaps.fill(unit.tx, instance, what, start, end)

    def set_exposed_before(self, moment: datetime) -> None:
        """Keep that counters first seen before `moment` are exposed with their values; it never moves back."""
        with self._writing() as unit:
            stored = kept(unit.tx.conn, "exposed")
            if stored is None or int(stored) < to_ms(moment):
                keep(unit.tx.conn, "exposed", str(to_ms(moment)))

    def put_states(self, of: StateDay, *, now: datetime) -> bool:
        """Keep the states of a day and count the transitions to them, once.

        False, and nothing changes, where the day is stored already, or where it has no states.
        """
        with self._writing(now) as unit:
            out = self.people.strangers(unit.tx, (one.unit for one in of.states))
            told = [one for one in of.states if one.unit not in out]
            new = states.put(unit.tx, of.what, of.day, told, of.counted)
            if new:
                unit.additions.add(of.increments)
            return new

    def put_fold(self, name: str, fold: Fold) -> None:
        """Keep what measures made of events, in the place of what was kept under this name.

        Not where somebody was forgotten since this process began, of whom there may be something in it.
        """
        with self._writing() as unit:
            if not self.people.may_fold(unit.tx):
                return
            new = insert(unit.tx.conn, folds).values(name=name, made_under=fold.made_under, body=fold.body)
            told = {"made_under": new.excluded.made_under, "body": new.excluded.body}
            unit.tx.conn.execute(new.on_conflict_do_update(index_elements=["name"], set_=told))

    def set_directory(self, directory: Directory, now: datetime) -> None:
        """Take over corrected ownership: owners of all objects are decided anew, so gauges follow; counters stay."""
        with self._writing(now) as unit:
            self._objects.directory = directory
            self._objects.resolve_all(unit.tx)

    # What reads

    @contextmanager
    def history(self, now: datetime, configured: Sequence[Configured]) -> Iterator[StoredHistory]:
        """One consistent view; what is written meanwhile is not in it.

        Raises:
            StoreError: a platform-meter with another zone has opened the store since.
        """
        with self._database.read() as conn:
            self._insist_on_zone(kept(conn, "zone"))
            yield StoredHistory(
                conn,
                now=now,
                configured=configured,
                days=self._days,
                versions=_versions(conn),
                remembered=self._remembered,
            )

    def version(self) -> Mapping[str, int]:
        """What changed last: kinds of fact, `COUNTERS` + family, readings, owners, states, streams, gaps; grows with every change."""
        with self._database.read() as conn:
            return _versions(conn)

    def counters(self, families: Collection[str] | None = None) -> list[CounterRow]:
        """Every series of these counters and histograms, by name and labels; of all of them without `families`."""
        with self._database.read() as conn:
            return counters.rows(conn, families)

    def exposed_before(self) -> datetime | None:
        """Counters first seen before it are exposed with their values, later ones at 0 first; None before the first tick."""
        with self._database.read() as conn:
            stored = kept(conn, "exposed")
        return None if stored is None else from_ms(int(stored))

    def stream_states(self) -> list[StreamState]:
        """How every stream ever polled does, by instance and stream."""
        with self._database.read() as conn:
            return polls.states(conn)

    def rests(self, instance: str, stream: str, reconcile: timedelta, now: datetime) -> bool:
        """Whether a stream need not be read yet, as what it would tell is pushed (`polls.rests`)."""
        with self._database.read() as conn:
            return polls.rests(conn, instance, stream, now=to_ms(now), reconcile=reconcile)

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
        """Remove whole days past retention: events, rollups, ended readings, daily states; and events and slices past `detail`.
        Gives the number of events removed.

        Retention counts back from the newest event where that is older than `now`: a clock that is ahead removes nothing.
        """
        with self._writing(now) as unit:
            newest = maintenance.newest(unit.tx.conn)
            until = unit.now if newest is None else min(unit.now, newest)
            removed = maintenance.prune(unit.tx, self._days, until - self._retention)
            removed += thin(unit.tx, self._days, until - self.detail // MILLISECOND)
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
        with self._database.lock:
            try:
                with self._database.write() as conn:
                    tx = Transaction(conn)
                    self._insist_on_zone(tx.zone)
                    self.people.check(tx)
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
        state = SourceState(instance=instance, type=type_, watermark=None, last_success=None, since=None, fresh=True)
        # What was removed before a moment still to come was so under a clock that was ahead.
        pruned, thinned = (moment if moment <= now else BEGINNING for moment in (tx.pruned, tx.detail))
        oldest = max(now - self._retention, pruned)
        detail = max(oldest, now - self.detail // MILLISECOND, thinned)
        return Origin(source=state, counted_from=counted_from, oldest=oldest, detail=detail, now=now)

    def _insist_on_zone(self, stored: str | None) -> None:
        ours = self._days.zone.key
        if stored != ours:
            raise StoreError(
                f"the store at {self._database.place} has its days cut in {stored} by a platform-meter that opened it "
                f"later, and this one cuts them in {ours}; give both the same `zone`, or each a store of its own"
            )


def _versions(conn: Connection) -> dict[str, int]:
    return dict(conn.execute(select(changes.c.name, changes.c.seq)).all())
