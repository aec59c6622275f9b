"""An in-memory History for tests of measures: built from (source instance, owner, fact), simple rather than quick."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Fact, Reading, Ref, Tallied
from platform_meter.model.history import Count, DayCount, Held, ObjectRow, Owner, Row, SourceState, UnitState
from platform_meter.model.kept import Fold

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
            A reading holds since its `since`, or ever since. None stands for what is stored no more.
        sources: the configured instances.
        held: (source instance, owner now, reading, from, until) where the time matters.
        owned: earlier owners by `Ref.name`: (from, owner), oldest first; before the first, and with none, the owner now.
        taken: daily states.
        zone: cuts the days of `daily`.
        gives: kinds by source type, or by source instance; one not named gives everything.
        before: what `pruned` says; such events are to be left out of `facts`.
        summed: what `summed_before` says of kinds that were counted elsewhere, a midnight of the zone.
        counted: from when on a source instance's events are in counters; of one not named all are.
    """

    def __init__(
        self,
        facts: Iterable[tuple[str, Owner, Fact | None]] = (),
        *,
        sources: Sequence[SourceState] = (),
        held: Iterable[tuple[str, Owner, Reading, datetime, datetime | None]] = (),
        owned: Mapping[str, Sequence[tuple[datetime, Owner]]] | None = None,
        taken: Sequence[UnitState] = (),
        zone: str = "UTC",
        gives: Mapping[str, frozenset[type[Fact]]] | None = None,
        counted: Mapping[str, datetime] | None = None,
        before: datetime | None = None,
        summed: datetime | None = None,
    ) -> None:
        self.before, self.summed = before, summed
        self.renamed: datetime | None = None
        """What `people_since` says."""
        self.folds: dict[str, Fold] = {}
        """What was stored of what measures keep."""
        self.counted = dict(counted or {})
        self.more: dict[tuple[str, str], dict[date, int]] = {}
        """What `counted_by_day` says, by (what, word)."""
        self._sources = tuple(sources)
        self._types = {s.instance: s.type for s in sources}
        self._gives = dict(gives or {})
        self._owned = dict(owned or {})
        self.taken, self._zone = list(taken), ZoneInfo(zone)
        self._objects: dict[tuple[str, str, str], int] = {}
        self._refs: list[tuple[str, Ref]] = []
        self._owners: list[Owner] = []
        self._events: dict[tuple[str, type[Event], str], Row[Event]] = {}
        self._corrected: dict[type[Event], int] = {}
        self._held: list[Held[Reading]] = []
        for seq, (name, whose, fact) in enumerate(facts, 1):
            if fact is None:
                continue
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
        last, fields = self._events.get(at), type(row.event).use_fields()
        if last is None or (row.event.updated or BEGINNING) > (last.event.updated or BEGINNING):
            self._events[at] = row
        if last is self._events[at] or last is None:
            return
        if last.object != row.object or any(getattr(last.event, f) != getattr(row.event, f) for f in fields):
            self._corrected[type(row.event)] = row.seq

    def _hold(self, source_: str, object_: int, reading: Reading, start: datetime, until: datetime | None) -> None:
        held = Held(source=source_, object=object_, reading=reading, start=start, until=until)
        if held not in self._held:
            self._held.append(held)

    def sources(self, kind: type[Event | Reading] | None = None, sli: str = "") -> Sequence[SourceState]:
        del sli  # these sources have no streams
        given = ((s, self._gives.get(s.instance, self._gives.get(s.type))) for s in self._sources)
        return [s for s, kinds in given if kind is None or kinds is None or kind in kinds]

    def counts(
        self, kind: type[Tallied[D]], source: str, start: datetime, end: datetime
    ) -> Mapping[tuple[int, D], Count]:
        found: dict[tuple[int, D], Count] = {}
        summed = self.summed_before(kind)
        if summed is not None and start < summed:
            day = start.astimezone(self._zone).date()
            days = (day, (min(end, summed)).astimezone(self._zone).date())
            for told in self.daily(kind, {source}, days[0] + timedelta(days=start != self._midnight(day)), days[1]):
                last = found.get((told.object, told.dim), Count(n=0, amount=0.0))
                found[told.object, told.dim] = Count(n=last.n + told.n, amount=last.amount + told.amount)
        self._tally(found, kind, source, start if summed is None else max(start, summed), end)
        return found

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self._zone)

    def _tally(
        self,
        found: dict[tuple[int, D], Count],
        kind: type[Tallied[D]],
        source: str,
        start: datetime,
        end: datetime,
    ) -> None:
        for row in self._all(kind, start, end, source, 0):
            for tally in row.event.tallies():
                last = found.get((row.object, tally.dim), Count(n=0, amount=0.0))
                found[row.object, tally.dim] = Count(n=last.n + tally.n, amount=last.amount + tally.amount)

    def rows(
        self, kind: type[E], start: datetime, end: datetime, *, source: str | None = None, after: int = 0
    ) -> Iterator[Row[E]]:
        summed = self.summed_before(kind)
        return self._all(kind, start if summed is None else max(start, summed), end, source, after)

    def _all(self, kind: type[E], start: datetime, end: datetime, source: str | None, after: int) -> Iterator[Row[E]]:
        """As `rows`, with those of which only sums of days are left."""
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

    def daily(self, kind: type[Tallied[D]], sources: Collection[str], start: date, end: date) -> Iterable[DayCount[D]]:
        for day in (start + timedelta(days=n) for n in range((end - start).days)):
            first, last = (self._midnight(d) for d in (day, day + timedelta(days=1)))
            for source_ in sources:
                found: dict[tuple[int, D], Count] = {}
                self._tally(found, kind, source_, first, last)
                for (object_, dim), count in found.items():
                    yield DayCount(source_, day, object_, dim, count.n, count.amount)

    def by_commit(self, kind: type[E], commits: Collection[str]) -> Iterator[Row[E]]:
        # In no order, as promised: who needs one sorts.
        for row in reversed(list(self.rows(kind, BEGINNING, datetime.max.replace(tzinfo=UTC)))):
            if not set(row.event.commits()).isdisjoint(commits):
                yield row

    def latest(self, kind: type[Event]) -> int:
        return max((r.seq for r in self._events.values() if isinstance(r.event, kind)), default=0)

    def corrected(self, kind: type[Event]) -> int:
        return self._corrected.get(kind, 0)

    def fold(self, name: str) -> Fold | None:
        return self.folds.get(name)

    def pruned(self) -> datetime | None:
        return self.before

    def people_since(self) -> datetime | None:
        return self.renamed

    def summed_before(self, kind: type[Event]) -> datetime | None:
        return self.summed if kind.elsewhere else None

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

    def counted_from(self, source: str) -> datetime | None:
        return self.counted.get(source)

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

    def states(self, what: str, start: date, end: date) -> Sequence[UnitState]:
        found = [s for s in self.taken if s.what == what and start <= s.day < end]
        return sorted(found, key=lambda s: (s.day, s.unit))

    def states_by_day(self, what: str, start: date, end: date) -> Mapping[date, Mapping[str, int]]:
        found: defaultdict[date, Counter[str]] = defaultdict(Counter)
        for unit in self.states(what, start, end):
            found[unit.day][unit.state] += 1
        return found

    def counted_by_day(self, what: str, word: str, start: date, end: date) -> Mapping[date, int]:
        told = self.more.get((what, word), {})
        return {day: n for day, n in sorted(told.items()) if start <= day < end}

    def moved(self, what: str, first: date, last: date) -> tuple[Sequence[UnitState], Sequence[UnitState]]:
        before, after = ({s.unit: s for s in self.states(what, day, day + timedelta(days=1))} for day in (first, last))
        other = {
            u
            for u in before.keys() | after.keys()
            if u not in before or u not in after or before[u].state != after[u].state
        }
        return [s for u, s in before.items() if u in other], [s for u, s in after.items() if u in other]

    def months_in_state(self, what: str, state: str) -> Mapping[str, frozenset[tuple[int, int]]]:
        found: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
        for one in self.taken:
            if (one.what, one.state) == (what, state):
                found[one.unit].add((one.day.year, one.day.month))
        return {unit: frozenset(months) for unit, months in found.items()}

    def unchanged_since(self, what: str) -> Mapping[str, date]:
        found: dict[str, UnitState] = {}
        for one in self.states(what, date.min, date.max):
            if one.unit not in found or found[one.unit].state != one.state:
                found[one.unit] = one
        last = {s.unit for s in self.taken if s.what == what and s.day == self.last_day(what)}
        return {unit: one.day for unit, one in found.items() if unit in last}

    def last_day(self, what: str) -> date | None:
        return max((s.day for s in self.taken if s.what == what), default=None)
