"""Retention and integrity."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, Table, exists, func, select, text, union

from platform_meter.model import dims
from platform_meter.model.facts import event_kinds
from platform_meter.store import codec, states
from platform_meter.store.database import BATCH, Transaction, keep, kept
from platform_meter.store.detail import elsewhere
from platform_meter.store.events import kinds_of, sources_of
from platform_meter.store.schema import (
    BEGINNING,
    MILLIONTHS,
    WIDTH_DAY,
    WIDTH_SLICE,
    commits,
    correction,
    events,
    links,
    objects,
    owners,
    readings,
    rollups,
    tellings,
)
from platform_meter.store.tellings import told_of
from platform_meter.store.times import SLICE, Days

RETENTION = timedelta(days=400)
"""How long events and daily states are kept (domain section 2)."""
_ENOUGH = 20
"""Differences told per kind of event: the first ones show the pattern."""


def newest(conn: Connection) -> int | None:
    """When the newest event ended; None without any."""
    ends = (
        conn.execute(select(func.max(events.c.at)).where(events.c.kind == kind, events.c.source == source)).scalar()
        for kind in kinds_of(conn)
        for source in sources_of(conn, kind)
    )
    return max((end for end in ends if end is not None), default=None)


def prune(tx: Transaction, days: Days, before: int) -> int:
    """Remove whole days that ended before `before`, with their rollups, and objects nothing is left of. Gives events removed."""
    cutoff = days.start(before)
    if cutoff <= tx.pruned:
        return 0
    conn = tx.conn
    removed = {
        kind: sum(_removed(conn, kind, source, cutoff) for source in sources_of(conn, kind)) for kind in kinds_of(conn)
    }
    kinds = [kind for kind, n in removed.items() if n]
    if kinds:
        # In one pass over them: by source and kind, each would go through all.
        conn.execute(commits.delete().where(~exists().where(events.c.seq == commits.c.event)))
        conn.execute(tellings.delete().where(~exists().where(told_of)))
    tx.conn.execute(rollups.delete().where(rollups.c.bucket < cutoff))
    ended = tx.conn.execute(readings.delete().where(readings.c.until < cutoff)).rowcount
    states.prune(tx, days.day(cutoff))
    unused = (
        (objects.c.last_seen < cutoff)
        & ~exists().where(events.c.object == objects.c.id)
        & ~exists().where(readings.c.object == objects.c.id)
    )
    ids = tx.conn.execute(select(objects.c.id).where(unused)).scalars().all()
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        tx.conn.execute(owners.delete().where(owners.c.object.in_(some)))
        tx.conn.execute(links.delete().where(links.c.object.in_(some)))
        tx.conn.execute(objects.delete().where(objects.c.id.in_(some)))
    keep(tx.conn, "pruned", str(cutoff))
    tx.changed(*kinds, *map(correction, kinds))
    tx.changed(*(name for name, n in (("readings", ended), ("owners", len(ids))) if n))
    return sum(removed.values())


def _removed(conn: Connection, kind: str, source: str, cutoff: int) -> int:
    """Remove the events of one source before a moment."""
    old = (events.c.kind == kind) & (events.c.source == source) & (events.c.at < cutoff)
    return conn.execute(events.delete().where(old)).rowcount


def check(conn: Connection, days: Days) -> list[str]:
    """What does not hold in this store, one line each; empty when all is well."""
    found: list[str] = []
    if conn.dialect.name == "sqlite":
        answers = conn.execute(text("PRAGMA integrity_check")).scalars().all()
        found += [f"SQLite: {line}" for line in answers if line != "ok"]
    found += _orphans(conn)
    found += states.check(conn)
    kinds = union(select(events.c.kind), select(rollups.c.kind))
    for kind in sorted(conn.execute(kinds).scalars().all()):
        if kind in event_kinds():
            for number, line in enumerate(_differences(conn, kind, days)):
                if number == _ENOUGH:
                    found.append(f"{kind}: more days differ")
                    break
                found.append(line)
    return found


def _orphans(conn: Connection) -> Iterator[str]:
    def without(table: Table, condition: ColumnElement[bool]) -> int:
        return conn.execute(select(func.count()).select_from(table).where(~exists().where(condition))).scalar_one()

    for table in (events, readings, rollups, owners, links):
        if n := without(table, objects.c.id == table.c.object):
            yield f"{table.name}: {n} rows are about an object that is not there"
    if n := without(objects, owners.c.object == objects.c.id):
        yield f"objects: {n} have no owner, not even _unowned"
    if n := without(commits, events.c.seq == commits.c.event):
        yield f"commits: {n} rows are about an event that is not there"
    if n := without(tellings, told_of):
        yield f"tellings: {n} rows are about an event that is not there"


def _differences(conn: Connection, kind: str, days: Days) -> Iterator[str]:
    """Days of one kind whose rollups differ from their events. Holds one day in memory."""
    decode = codec.decoder(event_kinds()[kind]).decode
    rows = conn.execute(
        select(events.c.at, events.c.source, events.c.object, events.c.body)
        .where(events.c.kind == kind)
        .order_by(events.c.at)
        .execution_options(yield_per=BATCH)
    )
    seen: list[int] = []
    for day, group in groupby(rows, key=lambda row: days.start(row.at - row.at % SLICE)):
        sums: dict[tuple[int, int, str, int, str], list[int]] = {}
        for at, source, object_, body in group:
            for tally in decode(body).tallies():
                for width, bucket in ((WIDTH_SLICE, at - at % SLICE), (WIDTH_DAY, day)):
                    total = sums.setdefault((width, bucket, source, object_, dims.encode(tally.dim)), [0, 0])
                    total[0] += tally.n
                    total[1] += round(tally.amount * MILLIONTHS)
        told = _rollups(conn, kind, day, days.next(day))
        seen.append(day)
        if told != {place: (n, amount) for place, (n, amount) in sums.items() if n or amount}:
            yield f"{kind}: the rollups of {days.day(day)} do not equal its events"
    buckets = select(rollups.c.bucket).where(rollups.c.kind == kind).distinct()
    if kind in elsewhere():
        whole = rollups.c.bucket >= int(kept(conn, "detail") or BEGINNING)
        buckets = buckets.where(whole | (rollups.c.width == WIDTH_SLICE))
    for day in sorted({days.start(bucket) for bucket in conn.execute(buckets).scalars()} - set(seen)):
        yield f"{kind}: there are rollups of {days.day(day)} and no events"


def _rollups(
    conn: Connection, kind: str, start: int, end: int
) -> dict[tuple[int, int, str, int, str], tuple[int, int]]:
    rows = conn.execute(
        select(rollups).where(rollups.c.kind == kind, rollups.c.bucket >= start, rollups.c.bucket < end)
    )
    return {(r.width, r.bucket, r.source, r.object, r.dim): (r.n, r.amount * MILLIONTHS + r.millionths) for r in rows}
