"""What a measure may ask of the stored rows. The store implements it; tests implement it in memory.

All windows are half-open `[start, end)` in event time. Objects come as ids; `owner` says whose they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Event, Reading, Tallied

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
    """Start of the last complete poll, of several streams the oldest: windows end here, not at now. None before the first."""
    last_success: datetime | None
    """Of several streams the oldest."""
    since: datetime | None
    """Start of the first complete poll, of several streams the youngest: how things stood before is not known."""
    read_from: datetime | None = None
    """From when on it was read, of several streams the latest: what its first poll looked back to. None before that."""
    fresh: bool
    """False when one of the streams had no success for its `stale_after`: gauges that rest on it must be absent."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """One unit's adoption state on one day (domain section 11)."""

    day: date
    capability: str
    unit: str
    state: str
    ever_active: bool
    ever_adopted: bool


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

    def sources(self, kind: type[Event | Reading] | None = None) -> Sequence[SourceState]:
        """Configured instances; with `kind`, those that give it, each as known as its streams that give this kind."""
        ...

    def counts(
        self, kind: type[Tallied[D]], source: str, start: datetime, end: datetime
    ) -> Mapping[tuple[int, D], Count]:
        """Exact tallies by (object, dim): whole days and 5-minute slices from rollups, the edges from events."""
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

    def latest(self, kind: type[Event]) -> int:
        """The highest seq of this kind: equal means nothing came or changed."""
        ...

    def corrected(self, kind: type[Event]) -> int:
        """Grows when something of an event that is stored already changes in `use_fields`, or is stored no more."""
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

    def objects(self, *, kind: str | None = None, source_type: str | None = None) -> Sequence[ObjectRow]:
        """Every object seen within retention."""
        ...

    def snapshots(self, capability: str, start: date, end: date) -> Sequence[UnitState]:
        """Adoption snapshots of days in [start, end), by day then unit."""
        ...

    def states_by_day(self, capability: str, start: date, end: date) -> Mapping[date, Mapping[str, int]]:
        """How many units of the capability are in each state, by day in [start, end) with a snapshot, in order of day."""
        ...

    def last_snapshot(self, capability: str) -> date | None:
        """The newest day with a snapshot of the capability; None before the first."""
        ...
