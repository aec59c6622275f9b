"""What was counted elsewhere: for a while in full, then by the sums of its days alone.

Gateways, meshes and Prometheus tell counts of each object and slice, which is as many events as there are objects and
slices. What judges minutes looks back some weeks; what looks further back needs no more than days.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from platform_meter.model.facts import event_kinds
from platform_meter.store.database import Transaction, keep
from platform_meter.store.events import between, sources_of
from platform_meter.store.schema import BEGINNING, WIDTH_SLICE, correction, events, rollups
from platform_meter.store.times import Days

DETAIL = timedelta(days=35)
"""How long it is kept in full: longer than every rolling period of four weeks, and than a month."""


@cache
def elsewhere() -> frozenset[str]:
    """Names of the kinds of event that were counted elsewhere."""
    return frozenset(name for name, kind in event_kinds().items() if kind.elsewhere)


def thin(tx: Transaction, days: Days, before: int) -> int:
    """Remove events and slices of whole days that ended before `before`; the sums of days stay. Gives events removed."""
    cutoff = days.start(before)
    if cutoff <= tx.detail:
        return 0
    conn, removed = tx.conn, 0
    for kind in sorted(elsewhere()):
        for source in sources_of(conn, kind):
            old = conn.execute(events.delete().where(between(kind, source, BEGINNING, cutoff))).rowcount
            if old:
                its = (rollups.c.width == WIDTH_SLICE) & (rollups.c.kind == kind) & (rollups.c.source == source)
                conn.execute(rollups.delete().where(its, rollups.c.bucket < cutoff))
                tx.changed(kind, correction(kind))
                removed += old
    keep(conn, "detail", str(cutoff))
    tx.detail = cutoff
    return removed
