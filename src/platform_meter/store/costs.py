"""What reading costs: calls by source and outcome, and what APIs tell of their quotas, by whichever replica."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import Connection, Insert, bindparam, func, select

from platform_meter.store.database import Transaction
from platform_meter.store.schema import calls, insert, insert_rows, quotas
from platform_meter.store.times import MILLISECOND, SLICE, from_ms, to_ms
from platform_meter.store.values import Calls, Quota

KEPT = timedelta(days=1)
_FORGET = calls.delete().where(calls.c.instance == bindparam("of"), calls.c.bucket < bindparam("before"))


def _count_on(conn: Connection) -> Insert:
    new = insert(conn, calls)
    more = {"n": calls.c.n + new.excluded.n}
    return new.on_conflict_do_update(index_elements=["instance", "bucket", "outcome"], set_=more)


def add(tx: Transaction, made: Collection[Calls], told: Collection[Quota]) -> None:
    """Count calls, forget those of more than a day before, and keep what quotas are now."""
    rows = [(call.instance, to_ms(call.at) // SLICE * SLICE, call.outcome, call.n) for call in made]
    if rows:
        insert_rows(tx.conn, _count_on, rows)
        reached = sorted({(instance, bucket) for instance, bucket, *_ in rows})
        tx.conn.execute(_FORGET, [{"of": of, "before": at - KEPT // MILLISECOND} for of, at in reached])
    for quota in told:
        values = {"most": quota.limit, "remaining": quota.remaining, "reset": to_ms(quota.reset), "at": to_ms(quota.at)}
        row = insert(tx.conn, quotas).values(instance=quota.instance, name=quota.name, **values)
        newer = quotas.c.at <= values["at"]
        tx.conn.execute(row.on_conflict_do_update(index_elements=["instance", "name"], set_=values, where=newer))


def counted(conn: Connection, now: int, span: timedelta) -> Sequence[Calls]:
    """Calls of the last `span`: of the slice that runs and of those before it, as many as make the span whole."""
    last = now // SLICE * SLICE
    made = func.sum(calls.c.n)
    query = select(calls.c.instance, calls.c.outcome, func.max(calls.c.bucket), made).group_by(
        calls.c.instance, calls.c.outcome
    )
    within = query.where(calls.c.bucket > last - span // MILLISECOND, calls.c.bucket <= last)
    return [Calls(instance, outcome, from_ms(at), int(n)) for instance, outcome, at, n in conn.execute(within)]


def left(conn: Connection) -> Sequence[Quota]:
    """Every quota that was told, by source and name."""
    query = select(quotas).order_by(quotas.c.instance, quotas.c.name)
    return [
        Quota(row.instance, row.name, row.most, row.remaining, from_ms(row.reset), from_ms(row.at))
        for row in conn.execute(query)
    ]
