"""Rollups: tallies of events by 5-minute slice and by day of the zone, kept equal to the events at every commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Insert, Select, bindparam, cast, func, literal, select

from platform_meter.model import dims
from platform_meter.model.dims import Dim
from platform_meter.model.facts import Tallied, Tally, event_kinds
from platform_meter.store import codec
from platform_meter.store.database import BATCH, Transaction, keep, kept
from platform_meter.store.detail import elsewhere, thin
from platform_meter.store.schema import (
    BEGINNING,
    MILLIONTHS,
    RECOUNT,
    WIDTH_DAY,
    WIDTH_SLICE,
    events,
    insert,
    insert_rows,
    meta,
    rollups,
)
from platform_meter.store.times import SLICE, Days

_KEY = ("width", "kind", "source", "bucket", "object", "dim")
_SUMS = ("n", "amount", "millionths")
_MOVING = -WIDTH_DAY
"""`width` of days of the zone before, until they have their place among those of this one."""
_NOON = 43_200_000
"""Milliseconds from a midnight to the middle of its day."""
_LARGEST = 9e12
"""Units that one event may add: a million such fit in one sum of 64 bits."""


def storable(tallies: Sequence[Tally[Dim]]) -> bool:
    """Whether these can be kept: PostgreSQL has no NUL in text, NaN is no number, and sums must have room."""
    for tally in tallies:  # noqa: SIM110 - once per event, and a generator takes longer than the check
        if not -_LARGEST < tally.amount < _LARGEST or "\0" in dims.encode(tally.dim):
            return False
    return True


class Rollups:
    """What one transaction adds to the rollups of one source and kind."""

    def __init__(self, source: str, kind: str, days: Days) -> None:
        self._source, self._kind, self._days = source, kind, days
        self._slices: dict[tuple[int, int, str], list[int]] = {}
        self._corrected = False

    def add(self, at: int, object_: int, tallies: Sequence[Tally[Dim]], sign: int = 1) -> None:
        for tally in tallies:
            place = (at - at % SLICE, object_, dims.encode(tally.dim))
            row = self._slices.get(place)
            if row is None:
                row = self._slices[place] = [0, 0]
            row[0] += sign * tally.n
            if tally.amount:
                row[1] += sign * round(tally.amount * MILLIONTHS)

    def subtract(self, at: int, object_: int, tallies: Sequence[Tally[Dim]]) -> None:
        """Take back what an earlier version of an event added."""
        self._corrected = True
        self.add(at, object_, tallies, -1)

    def write(self, tx: Transaction) -> None:
        """Write what was added: slices in order of time, and days, each the sum of its slices."""
        kind, source = self._kind, self._source
        rows = []
        by_day: dict[tuple[int, int, str], list[int]] = {}
        last, day = -1, 0
        for (slice_, object_, dim), (n, amount) in sorted(self._slices.items()):
            if slice_ != last:
                last, day = slice_, self._days.start(slice_)
            place = (day, object_, dim)
            row = by_day.get(place)
            if row is None:
                by_day[place] = [n, amount]
            else:
                row[0] += n
                row[1] += amount
            if n or amount:
                rows.append((WIDTH_SLICE, kind, source, slice_, object_, dim, n, *divmod(amount, MILLIONTHS)))
        rows += [
            (WIDTH_DAY, kind, source, *place, n, *divmod(amount, MILLIONTHS))
            for place, (n, amount) in sorted(by_day.items())
            if n or amount
        ]
        if not rows:
            return
        insert_rows(tx.conn, _add_to, rows)
        if self._corrected:
            these = [rollups.c[name] == bindparam(f"its_{name}") for name in _KEY]
            empty = rollups.delete().where(
                *these,
                rollups.c.n == 0,
                rollups.c.amount == -(rollups.c.millionths // MILLIONTHS),
                rollups.c.millionths % MILLIONTHS == 0,
            )
            tx.conn.execute(empty, [{f"its_{name}": v for name, v in zip(_KEY, row, strict=False)} for row in rows])


def _add_to(conn: Connection, rows: Select[Any] | None = None) -> Insert:
    new = insert(conn, rollups)
    if rows is not None:
        new = new.from_select([*_KEY, *_SUMS], rows)
    return new.on_conflict_do_update(
        index_elements=_KEY, set_={name: rollups.c[name] + new.excluded[name] for name in _SUMS}
    )


def added_up() -> list[ColumnElement[int]]:
    """What n, whole units and millionths of many rows add up to, in a query."""
    return [cast(func.sum(rollups.c[name]), BigInteger) for name in _SUMS]


def settle(tx: Transaction, days: Days) -> None:
    """See to it that the rollups are as this version writes them, and the daily ones those of this zone."""
    if kept(tx.conn, RECOUNT) is not None:
        recount(tx, days)
        tx.conn.execute(meta.delete().where(meta.c.key == RECOUNT))
    if tx.zone not in (None, days.zone.key):
        rebuild_days(tx, days)
    keep(tx.conn, "zone", days.zone.key)


def recount(tx: Transaction, days: Days) -> None:
    """Tally the events of a kind anew where its rollups may stand under other words than are read of them now."""
    texts = select(rollups.c.kind, rollups.c.dim).where(rollups.c.width == WIDTH_DAY).distinct()
    found = tx.conn.execute(texts).all()
    columns = select(events.c.source, events.c.at, events.c.object, events.c.body).order_by(events.c.at)
    for name, kind in event_kinds().items():
        if not any(_old(text, kind) for of, text in found if of == name):
            continue
        decode = codec.decoder(kind).decode
        left = rollups.c.bucket >= (tx.detail if kind.elsewhere else BEGINNING)
        tx.conn.execute(rollups.delete().where(left, rollups.c.kind == name))
        rows = tx.conn.execute(columns.where(events.c.kind == name).execution_options(yield_per=BATCH))
        for some in rows.partitions():
            sums = {source: Rollups(source, name, days) for source in {row.source for row in some}}
            for source, at, object_, body in some:
                sums[source].add(at, object_, decode(body).tallies())
            for one in sums.values():
                one.write(tx)


def _old(text: str, kind: type[Tallied[Any]]) -> bool:
    """Whether a version that escaped nothing may have meant other words by it than are read now."""
    try:
        dims.decode(text, kind.dim())
    except ValueError:
        return True
    return "\\" in text


def rebuild_days(tx: Transaction, days: Days) -> None:
    """Cut the daily rollups anew, for another zone, from the 5-minute ones: every zone's midnight begins a slice.

    A day that is left without slices goes to the day that holds its middle, where most of it is.
    """
    alone = rollups.c.kind.in_(elsewhere()) & (rollups.c.bucket < tx.detail)
    tx.conn.execute(rollups.update().where(alone, rollups.c.width == WIDTH_DAY).values(width=_MOVING))
    tx.conn.execute(rollups.delete().where(rollups.c.width == WIDTH_DAY))
    slices = rollups.c.width == WIDTH_SLICE
    ranges = (
        select(rollups.c.kind, rollups.c.source, func.min(rollups.c.bucket), func.max(rollups.c.bucket))
        .where(slices)
        .group_by(rollups.c.kind, rollups.c.source)
    )
    start, end = bindparam("from_", type_=BigInteger), bindparam("to_", type_=BigInteger)
    day = (
        select(
            literal(WIDTH_DAY),
            rollups.c.kind,
            rollups.c.source,
            cast(start, BigInteger),
            rollups.c.object,
            rollups.c.dim,
            *added_up(),
        )
        .where(
            slices,
            rollups.c.kind == bindparam("of_kind"),
            rollups.c.source == bindparam("of_source"),
            rollups.c.bucket >= start,
            rollups.c.bucket < end,
        )
        .group_by(rollups.c.kind, rollups.c.source, rollups.c.object, rollups.c.dim)
    )
    into = rollups.insert().from_select([*_KEY, *_SUMS], day)
    for kind, source, first, last in tx.conn.execute(ranges).all():
        midnight = days.start(first)
        while midnight <= last:
            following = days.next(midnight)
            tx.conn.execute(into, {"of_kind": kind, "of_source": source, "from_": midnight, "to_": following})
            midnight = following
    if tx.detail != BEGINNING:
        _move_days(tx, days)


def _move_days(tx: Transaction, days: Days) -> None:
    """Put days without slices where the new zone has them, and let what is there in full begin at a midnight of it."""
    moving = rollups.c.width == _MOVING
    for bucket in tx.conn.execute(select(rollups.c.bucket).where(moving).distinct()).scalars().all():
        to = literal(days.start(bucket + _NOON), BigInteger)
        rows = select(literal(WIDTH_DAY), *(to if c.name == "bucket" else c for c in list(rollups.c)[1:]))
        into = _add_to(tx.conn, rows.where(moving, rollups.c.bucket == bucket))
        tx.conn.execute(into)
    tx.conn.execute(rollups.delete().where(moving))
    midnight = days.start(tx.detail)
    thin(tx, days, midnight if midnight == tx.detail else days.next(midnight))
