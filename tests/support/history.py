"""An in-memory History for tests of measures: built from (source instance, owner, fact), simple rather than quick."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Fact, Reading, Ref, Tallied
from platform_meter.model.history import Count, Held, ObjectRow, Owner, Row, SourceState, UnitState

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Reading)
S = TypeVar("S", bound=msgspec.Struct)
D = TypeVar("D", bound=Dim)

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY = Owner(service="_unowned", team="_unowned", rule="6")


def owner(service: str, team: str = "", *, conflict: str = "") -> Owner:
    """An owner by an explicit rule; without a team, the team is named like the service."""
    return Owner(service=service, team=team or service, rule="1 test", conflict=conflict)


def source(
    instance: str,
    type_: str = "",
    *,
    watermark: datetime | None,
    fresh: bool = True,
    since: datetime = BEGINNING,
    read_from: datetime | None = None,
) -> SourceState:
    """A source instance polled well up to `watermark`, back to `since` unless given; its type is its name unless given."""
    return SourceState(
        instance=instance,
        type=type_ or instance,
        watermark=watermark,
        last_success=watermark,
        since=since,
        read_from=read_from or since,
        fresh=fresh,
    )


class MemoryHistory:
    """History over lists.

    Args:
        facts: (source instance, owner now, fact). Events of one (source, kind, key) are one: the newest `updated` wins.
            A reading holds since its `since`, or ever since.
        sources: the configured instances.
        held: (source instance, owner now, reading, from, until) where the time matters.
        owned: earlier owners by `Ref.name`: (from, owner), oldest first; before the first, and with none, the owner now.
        taken: adoption snapshots.
        gives: kinds by source type; a type not named gives everything.
    """

    def __init__(
        self,
        facts: Iterable[tuple[str, Owner, Fact]] = (),
        *,
        sources: Sequence[SourceState] = (),
        held: Iterable[tuple[str, Owner, Reading, datetime, datetime | None]] = (),
        owned: Mapping[str, Sequence[tuple[datetime, Owner]]] | None = None,
        taken: Sequence[UnitState] = (),
        gives: Mapping[str, frozenset[type[Fact]]] | None = None,
    ) -> None:
        self._sources = tuple(sources)
        self._types = {s.instance: s.type for s in sources}
        self._gives = dict(gives or {})
        self._owned = dict(owned or {})
        self.taken = list(taken)
        self._objects: dict[tuple[str, str, str], int] = {}
        self._refs: list[tuple[str, Ref]] = []
        self._owners: list[Owner] = []
        self._events: dict[tuple[str, type[Event], str], Row[Event]] = {}
        self._held: list[Held[Reading]] = []
        for seq, (name, whose, fact) in enumerate(facts, 1):
            object_ = self._object(name, whose, fact.about)
            if isinstance(fact, Event):
                self._store(Row(seq=seq, source=name, object=object_, event=fact))
            else:
                self._hold(name, object_, fact, fact.since or BEGINNING, None)
        for name, whose, reading, start, until in held:
            self._hold(name, self._object(name, whose, reading.about), reading, start, until)

    def _object(self, source_: str, whose: Owner, ref: Ref) -> int:
        id_ = self._objects.setdefault((source_, ref.kind, ref.name), len(self._owners))
        if id_ == len(self._owners):
            self._owners.append(whose)
            self._refs.append((source_, ref))
        self._owners[id_] = whose
        return id_

    def _store(self, row: Row[Event]) -> None:
        at = (row.source, type(row.event), row.event.key)
        last = self._events.get(at)
        if last is None or (row.event.updated or BEGINNING) > (last.event.updated or BEGINNING):
            self._events[at] = row

    def _hold(self, source_: str, object_: int, reading: Reading, start: datetime, until: datetime | None) -> None:
        held = Held(source=source_, object=object_, reading=reading, start=start, until=until)
        if held not in self._held:
            self._held.append(held)

    def sources(self, kind: type[Event | Reading] | None = None) -> Sequence[SourceState]:
        return [s for s in self._sources if kind is None or s.type not in self._gives or kind in self._gives[s.type]]

    def counts(
        self, kind: type[Tallied[D]], source: str, start: datetime, end: datetime
    ) -> Mapping[tuple[int, D], Count]:
        found: dict[tuple[int, D], Count] = {}
        for row in self.rows(kind, start, end, source=source):
            for tally in row.event.tallies():
                last = found.get((row.object, tally.dim), Count(n=0, amount=0.0))
                found[row.object, tally.dim] = Count(n=last.n + tally.n, amount=last.amount + tally.amount)
        return found

    def rows(
        self, kind: type[E], start: datetime, end: datetime, *, source: str | None = None, after: int = 0
    ) -> Iterator[Row[E]]:
        found = [
            Row(seq=r.seq, source=r.source, object=r.object, event=r.event)
            for r in self._events.values()
            if isinstance(r.event, kind) and start <= r.event.at < end and source in (None, r.source) and r.seq > after
        ]
        return iter(sorted(found, key=lambda r: (r.event.at, r.event.key)))

    def parts(
        self, kind: type[Event], shape: type[S], start: datetime, end: datetime, *, source: str, after: int = 0
    ) -> Iterator[tuple[int, S]]:
        for row in self.rows(kind, start, end, source=source, after=after):
            yield row.object, msgspec.convert(row.event, shape, from_attributes=True)

    def latest(self, kind: type[Event]) -> int:
        return max((r.seq for r in self._events.values() if isinstance(r.event, kind)), default=0)

    def corrected(self, kind: type[Event]) -> int:
        return 0

    def readings(self, kind: type[R], *, at: datetime | None = None, source: str | None = None) -> Sequence[Held[R]]:
        return [
            Held(source=h.source, object=h.object, reading=h.reading, start=h.start, until=h.until)
            for h in self._held
            if isinstance(h.reading, kind)
            and source in (None, h.source)
            and (h.until is None if at is None else h.start <= at and (h.until is None or at < h.until))
        ]

    def stood(self, kind: type[R], start: datetime, end: datetime) -> Sequence[Held[R]]:
        return [
            Held(source=h.source, object=h.object, reading=h.reading, start=h.start, until=h.until)
            for h in self._held
            if isinstance(h.reading, kind) and h.start <= end and (h.until is None or h.until > start)
        ]

    def owner(self, object_: int, at: datetime | None = None) -> Owner:
        if at is None:
            return self._owners[object_]
        earlier = [o for start, o in self._owned.get(self._refs[object_][1].name, ()) if start <= at]
        return earlier[-1] if earlier else self._owners[object_]

    def objects(self, *, kind: str | None = None, source_type: str | None = None) -> Sequence[ObjectRow]:
        seen = [
            (object_, *self._refs[object_], self._owners[object_])
            for object_ in range(len(self._owners))
            if kind in (None, self._refs[object_][1].kind)
            and source_type in (None, self._types.get(self._refs[object_][0]))
        ]
        return [
            ObjectRow(id=id_, source=name, kind=ref.kind, name=ref.name, owner=whose, last_seen=self._last_seen(id_))
            for id_, name, ref, whose in seen
        ]

    def _last_seen(self, object_: int) -> datetime:
        times = [r.event.at for r in self._events.values() if r.object == object_]
        times += [h.until or h.start for h in self._held if h.object == object_]
        return max(times)

    def snapshots(self, capability: str, start: date, end: date) -> Sequence[UnitState]:
        found = [s for s in self.taken if s.capability == capability and start <= s.day < end]
        return sorted(found, key=lambda s: (s.day, s.unit))

    def states_by_day(self, capability: str, start: date, end: date) -> Mapping[date, Mapping[str, int]]:
        found: defaultdict[date, Counter[str]] = defaultdict(Counter)
        for unit in self.snapshots(capability, start, end):
            found[unit.day][unit.state] += 1
        return found

    def last_snapshot(self, capability: str) -> date | None:
        return max((s.day for s in self.taken if s.capability == capability), default=None)
