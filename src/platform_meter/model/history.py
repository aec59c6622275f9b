"""What a measure may ask of the stored rows. The store implements it; tests implement it in memory.

All windows are half-open `[start, end)` in event time. Objects come as ids; `owner` says whose they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Reading, Tallied
from platform_meter.model.kept import Fold

E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Reading)
S = TypeVar("S", bound=Struct)
D = TypeVar("D", bound=Dim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose an object is. `rule` is the receipt: which of the six steps decided, and by what (`1 Ownership github:acme/*`)."""

    service: str
    team: str
    rule: str
    conflict: str = ""
    """The first later rule that names another team, as `rule -> team`; empty when all agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """One configured source instance as measures see it: as a whole, or by the streams that give one kind of fact."""

    instance: str
    """Config key, `source_instance` label."""
    type: str
    """`source` label."""
    watermark: datetime | None
    """Up to when it was read, of several streams the oldest: windows end here, not at now. It is the start of the last
    complete poll, or as long before that as its reading ends (`Stream.behind`). None before the first."""
    last_success: datetime | None
    """Of several streams the oldest."""
    since: datetime | None
    """Start of the first complete poll, of several streams the youngest: how things stood before is not known."""
    read_from: datetime | None = None
    """From when on it was read, of several streams the latest: what its first poll looked back to. None before that."""
    fresh: bool
    """False when one of the streams had no success for its `stale_after`: gauges that rest on it must be absent."""

    @property
    def begun(self) -> datetime | None:
        """From when on what happened is told of, whenever it was read; of how things stood only `since` says that."""
        return self.read_from or self.since


def known_to(states: Sequence[SourceState]) -> datetime | None:
    """Up to when all that these tell is known; None where one of them is stale or was never read, or none is there."""
    ends = [state.watermark for state in states if state.fresh and state.watermark is not None]
    return min(ends) if ends and len(ends) == len(states) else None


class Known(NamedTuple):
    """From when to when all of something is known."""

    since: datetime
    until: datetime


def known_between(history: History, states: Sequence[SourceState]) -> Known | None:
    """From when to when all that these tell is known: from the latest moment to which one of them looked back, or from what
    is still stored. None where `known_to` is, and where one of them does not say how far it looked back.
    """
    until, begins = known_to(states), [state.read_from for state in states if state.read_from is not None]
    if until is None or len(begins) < len(states):
        return None
    pruned = history.pruned()
    return Known(since=max(begins if pruned is None else [*begins, pruned]), until=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(Generic[E]):
    """One stored event with the object it is about."""

    seq: int
    """Grows with every insert and every correction, so that a reader can ask for what is new."""
    source: str
    object: int
    event: E


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Generic[R]):
    """One reading with the time for which it held. `until` is None while it still does."""

    source: str
    object: int
    reading: R
    start: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    n: int
    amount: float


class DayCount(NamedTuple, Generic[D]):
    """What was tallied of one object on one day of the zone; the running day so far."""

    source: str
    day: date
    object: int
    dim: D
    n: int
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """In which state one unit was at the end of one day of the zone."""

    day: date
    what: str
    """What the state is of, such as `adoption/gateway`."""
    unit: str
    state: str
    ever: frozenset[str] = frozenset()
    """Words that were true of the unit on this day or an earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """One object ever seen, with its owner now."""

    id: int
    source: str
    kind: str
    name: str
    owner: Owner
    last_seen: datetime


class History(Protocol):
    """Read access to one consistent view of the store."""

    def sources(self, kind: type[Event | Reading] | None = None, sli: str = "") -> Sequence[SourceState]:
        """Configured instances; with `kind`, those that give it, each as known as its streams that give this kind; with
        `sli`, but for streams that count another SLI.
        """
        ...

    def counts(
        self, kind: type[Tallied[D]], source: str, start: datetime, end: datetime
    ) -> Mapping[tuple[int, D], Count]:
        """Exact tallies by (object, dim): whole days and 5-minute slices from rollups, the edges from events.

        Before `summed_before` only days are known: there those days of the zone count that the window holds whole, so that
        nothing from outside of it does.
        """
        ...

    def daily(self, kind: type[Tallied[D]], sources: Collection[str], start: date, end: date) -> Iterable[DayCount[D]]:
        """As `counts`, of whole days in [start, end) and of all these sources at once; in no order."""
        ...

    def rows(
        self, kind: type[E], start: datetime, end: datetime, *, source: str | None = None, after: int = 0
    ) -> Iterator[Row[E]]:
        """Events with start <= at < end and seq > after, in order of `at` then key."""
        ...

    def parts(
        self, kind: type[Event], shape: type[S], start: datetime, end: datetime, *, source: str, after: int = 0
    ) -> Iterator[tuple[int, S]]:
        """As `rows`, each as (object, `shape` with those fields of the event that it names): a quarter of the cost."""
        ...

    def by_commit(self, kind: type[E], commits: Collection[str]) -> Iterator[Row[E]]:
        """Events of this kind that tell of one of these commits, whenever and by whomever; in no order.

        A commit is found by its whole name; what is told by fewer than 15 digits of it is not.
        """
        ...

    def latest(self, kind: type[Event]) -> int:
        """The highest seq of this kind: equal means nothing came or changed."""
        ...

    def corrected(self, kind: type[Event]) -> int:
        """Grows when something of an event that is stored already changes in `use_fields`, or is stored no more."""
        ...

    def pruned(self) -> datetime | None:
        """Events that ended before it are stored no more; None where none was removed yet."""
        ...

    def people_since(self) -> datetime | None:
        """What people did before it stands under other names than they have now (the salt was changed): nobody is the same
        person before and after. None where they always had these.
        """
        ...

    def summed_before(self, kind: type[Event]) -> datetime | None:
        """A midnight before which only `daily` sums are left of a kind that was counted elsewhere; None where all is there."""
        ...

    def fold(self, name: str) -> Fold | None:
        """What was stored last under this name of something that measures keep."""
        ...

    def readings(self, kind: type[R], *, at: datetime | None = None, source: str | None = None) -> Sequence[Held[R]]:
        """Readings that hold now, or held at `at`."""
        ...

    def stood(self, kind: type[R], start: datetime, end: datetime) -> Sequence[Held[R]]:
        """Readings that held at some moment from `start` to `end`."""
        ...

    def owner(self, object_: int, at: datetime | None = None) -> Owner:
        """Whose the object is now, or was at `at`."""
        ...

    def counted_from(self, source: str) -> datetime | None:
        """Events of the source instance that ended before are stored and in no counter; None before its first poll."""
        ...

    def objects(self, *, kind: str | None = None, source_type: str | None = None) -> Sequence[ObjectRow]:
        """Every object seen within retention."""
        ...

    def states(self, what: str, start: date, end: date) -> Sequence[UnitState]:
        """Daily states of days in [start, end), by day then unit."""
        ...

    def states_by_day(self, what: str, start: date, end: date) -> Mapping[date, Mapping[str, int]]:
        """How many units are in each state, by day in [start, end) that has states, in order of day."""
        ...

    def counted_by_day(self, what: str, word: str, start: date, end: date) -> Mapping[date, int]:
        """Of how many units `word` was true (`StateDay.counted`), by day in [start, end) that tells, in order of day."""
        ...

    def months_in_state(self, what: str, state: str) -> Mapping[str, frozenset[tuple[int, int]]]:
        """By unit the months, as (year, month), on at least one day of which it was in this state."""
        ...

    def moved(self, what: str, first: date, last: date) -> tuple[Sequence[UnitState], Sequence[UnitState]]:
        """Units that are in another state on the one day than on the other, or stand on one of them alone: as on each, by unit."""
        ...

    def unchanged_since(self, what: str) -> Mapping[str, date]:
        """By unit of the newest day: from which day on it is in the state that it is in then; days without it are passed over."""
        ...

    def last_day(self, what: str) -> date | None:
        """The newest day that has states; None before the first."""
        ...
