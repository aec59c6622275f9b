"""Ranges of history that could not be read, until they are read after all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from platform_meter.model.source import Gap
from platform_meter.store.database import Transaction
from platform_meter.store.schema import gaps
from platform_meter.store.times import from_ms, to_ms
from platform_meter.store.values import GapRow


def add(tx: Transaction, instance: str, gap: Gap) -> bool:
    """Keep it; False where it is known already."""
    row = {
        "source": instance,
        "start": to_ms(gap.start),
        "end": to_ms(gap.end),
        "reason": gap.reason,
        "what": gap.what.replace("\0", ""),
    }
    same = select(gaps.c.source).where(*(gaps.c[name] == value for name, value in row.items()))
    if tx.conn.execute(same).first() is not None:
        return False
    tx.conn.execute(gaps.insert().values(**row, text=gap.text.replace("\0", "")))
    tx.changed("gaps")
    return True


def fill(tx: Transaction, instance: str, what: str, start: datetime, end: datetime) -> None:
    """Forget those of `what` within this range."""
    these = (gaps.c.source == instance) & (gaps.c.what == what.replace("\0", "")) & (gaps.c.what != "")
    within = (gaps.c.start >= to_ms(start)) & (gaps.c.end <= to_ms(end))
    if tx.conn.execute(gaps.delete().where(these, within)).rowcount:
        tx.changed("gaps")


def unread(conn: Connection, limit: int, instance: str = "") -> list[GapRow]:
    """Ranges of history that could not be read, of one source or of all, the latest first."""
    order = (gaps.c.start.desc(), gaps.c.source, gaps.c.end, gaps.c.reason, gaps.c.what)
    these = select(gaps).where(gaps.c.source == instance) if instance else select(gaps)
    return [
        GapRow(source=r.source, start=from_ms(r.start), end=from_ms(r.end), reason=r.reason, text=r.text)
        for r in conn.execute(these.order_by(*order).limit(limit))
    ]


def counted(conn: Connection) -> dict[str, int]:
    """How many there are, by source."""
    query = select(gaps.c.source, func.count()).group_by(gaps.c.source)
    return {source: int(n) for source, n in conn.execute(query)}
