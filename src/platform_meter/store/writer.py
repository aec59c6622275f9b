"""Events into the store: once per source, kind and key, with their rollups and counters, all in the caller's transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Dialect, Insert, bindparam, select

from platform_meter.model.catalogue.meter import EVENTS_REJECTED, EVENTS_STORED
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Fact, Ref, Tally
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Counting
from platform_meter.store import codec
from platform_meter.store.commits import Place, drop_commits, keep_commits, places, tells
from platform_meter.store.counters import Additions
from platform_meter.store.database import BATCH, Transaction, batches
from platform_meter.store.objects import Known, Objects
from platform_meter.store.rollups import Rollups, storable
from platform_meter.store.schema import correction, events, insert_rows
from platform_meter.store.tellings import Versions, join, look
from platform_meter.store.times import EPOCH, MILLISECOND, Days
from platform_meter.store.values import Written
from platform_meter.store.ways import Ways

AHEAD = timedelta(hours=1) // MILLISECOND
"""How far in the future an event may end: beyond what clocks differ by, it is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a page comes from, and which of its events may be stored and counted. Times are milliseconds."""

    source: SourceState
    counted_from: int
    """Events before it are backfill: stored, never counted."""
    oldest: int
    """Events before it are past retention: not stored at all, or a changelog read again after pruning counts twice."""
    detail: int
    """The same of those that were counted elsewhere: of what is older the sums by day are left, which tell no keys."""
    now: int
    pushed: bool = False
    """Whoever sent them may know less of their objects than polls tell."""


@dataclass(slots=True)
class Done:
    """What one transaction did, summed over kinds."""

    new: int = 0
    repeated: int = 0
    revised: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, other: Done) -> None:
        self.new += other.new
        self.repeated += other.repeated
        self.revised += other.revised
        self.rejected.update(other.rejected)

    @property
    def written(self) -> Written:
        return Written(new=self.new, repeated=self.repeated, revised=self.revised, rejected=dict(self.rejected))


class _Version(NamedTuple):
    """One version of an event that can be stored. `place` is its object's kind and name."""

    event: Event
    at: int
    updated: int
    place: tuple[str, str]
    tallies: Sequence[Tally[Dim]]


_Objects = Mapping[tuple[str, str], Known]


class Writer:
    def __init__(self, countings: Sequence[Counting[Any]], objects: Objects, days: Days) -> None:
        self._countings: dict[type[Event], list[Counting[Any]]] = defaultdict(list)
        for counting in countings:
            self._countings[counting.event].append(counting)
        self._objects, self._days = objects, days

    def write(
        self,
        tx: Transaction,
        origin: Origin,
        facts: Iterable[Fact],
        additions: Additions,
        refused: Mapping[tuple[str, str], int] | None = None,
    ) -> Done:
        """Store events that are new, correct those newer than what is stored, and count what is new and no backfill.

        Those already `refused`, by kind and reason, are counted with the others that are.
        """
        outcome = Done()
        for (name, reason), n in (refused or {}).items():
            additions.count(EVENTS_REJECTED, (origin.source.type, name, reason), n)
            outcome.rejected[reason] += n
        by_kind: dict[type[Event], list[Event]] = defaultdict(list)
        for fact in facts:
            if isinstance(fact, Event):
                by_kind[type(fact)].append(fact)
        for kind, found in by_kind.items():
            self._write_kind(tx, origin, kind, found, additions=additions, outcome=outcome)
        return outcome

    def _write_kind(
        self,
        tx: Transaction,
        origin: Origin,
        kind: type[Event],
        found: Sequence[Event],
        *,
        additions: Additions,
        outcome: Done,
    ) -> None:
        name, rejected = kind.__name__, Counter[str]()
        source = origin.source.instance
        if kind.fills:
            fresh, revised = _filled(tx, origin, kind, found, rejected)
        else:
            fresh, revised = _told_newer(tx, source, name, _newest(found, rejected))
        refs: dict[tuple[str, str], tuple[Ref, int]] = {}
        new = _storable(origin, fresh, refs, rejected)
        newer = _storable(origin, revised, refs, rejected)
        if refs:
            objects = self._objects.ensure(tx, source, refs, pushed=origin.pushed)
            sums = Rollups(source, name, self._days)
            _replace(tx, origin, kind, newer, objects=objects, sums=sums)
            self._insert(tx, origin, kind, new, objects=objects, sums=sums, additions=additions)
            sums.write(tx)
            tx.changed(name)
        additions.count(EVENTS_STORED, (origin.source.type, name), len(new))
        for reason, n in rejected.items():
            additions.count(EVENTS_REJECTED, (origin.source.type, name, reason), n)
        outcome.new += len(new)
        outcome.revised += len(newer)
        outcome.rejected.update(rejected)
        outcome.repeated += len(found) - len(new) - len(newer) - rejected.total()

    def _insert(
        self,
        tx: Transaction,
        origin: Origin,
        kind: type[Event],
        new: Sequence[_Version],
        *,
        objects: _Objects,
        sums: Rollups,
        additions: Additions,
    ) -> None:
        if not new:
            return
        source, name, countings = origin.source.instance, kind.__name__, self._countings.get(kind, ())
        rows = []
        found: list[Place] = []
        found_by_commit = tells(kind)
        # Of history alone nothing counts, and to know the ways reads all days of a kind.
        counts = any(version.at >= origin.counted_from for version in new)
        ways = [
            Ways(tx, kind, c.ranking, _told(new, objects), origin.now) if c.ranking and counts else None
            for c in countings
        ]
        encode, counted_from, counted = codec.encode, origin.counted_from, list(zip(countings, ways, strict=True))
        for seq, (event, at, updated, place, tallies) in enumerate(new, tx.next(len(new))):
            known = objects[place]
            rows.append((seq, source, name, event.key, at, updated, known.id, encode(event)))
            sums.add(at, known.id, tallies)
            if found_by_commit:
                found += places(event, seq)
            take = additions.add if at >= counted_from else additions.know
            for counting, way in counted:
                count = counting.count
                if (
                    way is not None
                    and counting.ranking is not None
                    and any(way.better(known, tally.dim) for tally in tallies)
                ):
                    count = counting.ranking.shadow
                take(count(event, known.owner(at), origin.source))
        insert_rows(tx.conn, _new_events, rows)
        keep_commits(tx.conn, found)


def _told(new: Iterable[_Version], objects: _Objects) -> Iterator[tuple[Known, Dim]]:
    return ((objects[version.place], tally.dim) for version in new for tally in version.tallies)


def _newest(found: Iterable[Event], rejected: Counter[str]) -> dict[str, tuple[int, Event]]:
    """The newest version of each key with the moment of its last change; of several that say the same, the greatest body.

    What says no such moment never changes: of such the first stays.
    """
    newest: dict[str, tuple[int, Event]] = {}
    for event in found:
        updated = _changed(event, rejected)
        if updated is None:
            continue
        last = newest.get(event.key)
        if (
            last is None
            or last[0] < updated
            or (last[0] == updated and event.updated is not None and codec.encode(event) > codec.encode(last[1]))
        ):
            newest[event.key] = (updated, event)
    return newest


def _changed(event: Event, rejected: Counter[str]) -> int | None:
    """When it changed last; None of one that is counted in `rejected`."""
    at, changed = event.at, event.updated
    if at.tzinfo is None or (changed is not None and changed.tzinfo is None):
        rejected["naive"] += 1
        return None
    if "\0" in event.key:
        rejected["invalid"] += 1  # PostgreSQL has no such text
        return None
    return ((at if changed is None else changed) - EPOCH) // MILLISECOND


def _filled(
    tx: Transaction, origin: Origin, kind: type[Event], found: Iterable[Event], rejected: Counter[str]
) -> tuple[Versions, Versions]:
    """As `_told_newer`, of a kind whose events are made of all tellings of their keys (`Event.fills`)."""
    source = origin.source.instance
    by_key: dict[str, Versions] = {}
    for event in found:
        updated = _changed(event, rejected)
        if updated is not None:
            by_key.setdefault(event.key, []).append((updated, event))
    untold, stored = look(tx, source, kind, by_key)
    good: dict[str, Versions] = {}
    for version in _storable(origin, (one for some in untold.values() for one in some), {}, rejected):
        good.setdefault(version.event.key, []).append((version.updated, version.event))
    return join(tx, source, kind, good, stored)


def _told_newer(
    tx: Transaction, source: str, kind: str, newest: Mapping[str, tuple[int, Event]]
) -> tuple[Versions, Versions]:
    """Of these versions those of events that are not stored, and those that take the place of what is."""
    stored = _stored(tx, source, kind, list(newest))
    fresh: list[tuple[int, Event]] = []
    revised: list[tuple[int, Event]] = []
    tied: dict[str, tuple[int, Event]] = {}
    for key, version in newest.items():
        updated = stored.get(key)
        if updated is None:
            fresh.append(version)
        elif version[0] > updated:
            revised.append(version)
        elif version[0] == updated and version[1].updated is not None:
            tied[key] = version
    return fresh, revised + _preferred(tx, source, kind, tied)


def _storable(
    origin: Origin,
    versions: Iterable[tuple[int, Event]],
    refs: dict[tuple[str, str], tuple[Ref, int]],
    rejected: Counter[str],
) -> list[_Version]:
    """Those of these that can be stored; the rest is counted in `rejected`. Adds to `refs` what they are about."""
    good: list[_Version] = []
    latest = origin.now + AHEAD
    for updated, event in versions:
        oldest = origin.detail if event.elsewhere else origin.oldest
        at = updated if event.updated is None else (event.at - EPOCH) // MILLISECOND
        ref, tallies = event.about, event.tallies()
        place = (ref.kind, ref.name)
        if not oldest <= at <= latest:
            rejected["future" if at > latest else "expired"] += 1
        elif "\0" in place[1] or not storable(tallies):
            rejected["invalid"] += 1
        else:
            last = refs.get(place)
            if last is None or last[1] < at:
                refs[place] = (ref, at)
            good.append(_Version(event, at, updated, place, tallies))
    return good


def _new_events(_conn: Connection) -> Insert:
    return events.insert()


_THESE = (
    (events.c.source == bindparam("of_source"))
    & (events.c.kind == bindparam("of_kind"))
    & events.c.key.in_(bindparam("keys", expanding=True))
)
_BODY = select(events.c.key, events.c.body).where(_THESE)
_BODIES = select(events.c.key, events.c.seq, events.c.at, events.c.object, events.c.body).where(_THESE)


def _stored(tx: Transaction, source: str, kind: str, keys: Sequence[str]) -> dict[str, int]:
    """When the stored version of each key was changed last."""
    found: dict[str, int] = {}
    for some in batches(keys):
        # Few lengths, each made ready once: for a page of new events, making it costs more than the look.
        size = min(BATCH, 1 << (len(some) - 1).bit_length())
        padded = [*some, *[some[0]] * (size - len(some))]
        found.update(tx.conn.exec_driver_sql(_updated(tx.conn.dialect, size), (source, kind, *padded)).all())
    return found


@cache
def _updated(dialect: Dialect, size: int) -> str:
    """What finds when those of `size` keys were changed last, for the driver: source, kind, keys."""
    keys: list[BindParameter[str]] = [bindparam(f"key_{n}") for n in range(size)]
    these = (
        (events.c.source == bindparam("of_source")) & (events.c.kind == bindparam("of_kind")) & events.c.key.in_(keys)
    )
    return str(select(events.c.key, events.c.updated).where(these).compile(dialect=dialect))


def _preferred(
    tx: Transaction, source: str, kind: str, tied: Mapping[str, tuple[int, Event]]
) -> list[tuple[int, Event]]:
    """Of versions that changed when those stored did, the ones that take their place.

    Tools tell whole seconds, and an event may change twice in one: the greater body wins, whatever came first.
    """
    found = []
    for some in batches(list(tied)):
        for key, body in tx.conn.execute(_BODY, {"of_source": source, "of_kind": kind, "keys": some}):
            if codec.encode(tied[key][1]) > body:
                found.append(tied[key])
    return found


def _replace(
    tx: Transaction, origin: Origin, kind: type[Event], newer: Sequence[_Version], *, objects: _Objects, sums: Rollups
) -> None:
    """Put newer versions in the place of stored ones. Counters stay: a scrape may have seen them (domain section 4)."""
    decode = codec.decoder(kind).decode
    old: dict[str, int] = {}
    used: dict[str, tuple[object, ...]] = {}
    lost: list[Place] = []
    for some in batches([v.event.key for v in newer]):
        these = {"of_source": origin.source.instance, "of_kind": kind.__name__, "keys": some}
        for row in tx.conn.execute(_BODIES, these):
            old[row.key] = row.seq
            before = decode(row.body)
            used[row.key] = _use(before, row.object)
            sums.subtract(row.at, row.object, before.tallies())
            lost += places(before, row.seq)
    rows = []
    found: list[Place] = []
    for v in newer:
        object_ = objects[v.place].id
        sums.add(v.at, object_, v.tallies)
        if used[v.event.key] != _use(v.event, object_):
            tx.changed(correction(kind.__name__))
        seq = tx.next()
        found += places(v.event, seq)
        rows.append(
            {
                "old": old[v.event.key],
                "seq": seq,
                "at": v.at,
                "updated": v.updated,
                "object": object_,
                "body": codec.encode(v.event),
            }
        )
    if rows:
        tx.conn.execute(events.update().where(events.c.seq == bindparam("old")), rows)
        drop_commits(tx.conn, lost)
        keep_commits(tx.conn, found)


def _use(event: Event, object_: int) -> tuple[object, ...]:
    """What use is counted by."""
    return (object_, *(getattr(event, name) for name in event.use_fields()))
