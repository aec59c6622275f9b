"""Stored events as they are asked for: by time, by sequence and by commit. What reads nothing of them but rollups is elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from heapq import merge
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, func, select, true

from platform_meter.model.facts import Event
from platform_meter.store.commits import prefixes
from platform_meter.store.database import BATCH, batches
from platform_meter.store.schema import commits, events

T = TypeVar("T", int, str)


class Stored(NamedTuple):
    """One stored event, its body not decoded yet."""

    at: int
    key: str
    source: str
    seq: int
    object: int
    body: bytes


_COLUMNS = tuple(events.c[name] for name in Stored._fields)


def sources_of(conn: Connection, kind: str) -> list[str]:
    """Source instances that events of a kind are stored of, configured or not, in order of name."""
    return _distinct(conn, events.c.source, events.c.kind == kind)


def kinds_of(conn: Connection) -> list[str]:
    """Kinds of the stored events, in order of name, also those of packages that are installed no more."""
    return _distinct(conn, events.c.kind, true())


def _distinct(conn: Connection, column: ColumnElement[T], mine: ColumnElement[bool]) -> list[T]:
    """Values of a column in order, each by one step in an index that it leads: costs their number, not that of rows."""
    first = select(func.min(column).label("value")).where(mine).cte("found", recursive=True)
    following = select(func.min(column)).where(mine, column > first.c.value)
    found = first.union_all(select(following.scalar_subquery()).where(first.c.value.is_not(None)))
    return [value for value in conn.execute(select(found.c.value)).scalars() if value is not None]


def between(kind: str, source: str, start: int, end: int) -> ColumnElement[bool]:
    """Events of one source and time."""
    return (events.c.kind == kind) & (events.c.source == source) & (events.c.at >= start) & (events.c.at < end)


def told(conn: Connection, kind: type[Event], source: str, since: int) -> tuple[int | None, int]:
    """When the newest event of a source happened, if there is one, and how many did from `since` on."""
    mine = (events.c.kind == kind.__name__) & (events.c.source == source)
    newest = conn.execute(select(func.max(events.c.at)).where(mine)).scalar()
    n = conn.execute(select(func.count()).select_from(events).where(mine, events.c.at >= since)).scalar_one()
    return newest, n


def in_order(conn: Connection, kind: type[Event], source: str | None, start: int, end: int) -> Iterator[Stored]:
    """Events of a time, of one source or of all, in order of time, key and source. Holds a batch of each source."""
    name = kind.__name__
    of = sources_of(conn, name) if source is None else [source]
    # One source after the other as the index has them, merged: sorted by the engine, all of them would be held at once.
    found = [_ordered(conn, between(name, one, start, end)) for one in of]
    return found[0] if len(found) == 1 else merge(*found)


def bodies(conn: Connection, kind: type[Event], source: str, start: int, end: int) -> Iterable[tuple[int, bytes]]:
    """As `in_order` of one source, object and body alone."""
    mine = between(kind.__name__, source, start, end)
    query = select(events.c.object, events.c.body).where(mine).order_by(events.c.at, events.c.key)
    return ((object_, body) for object_, body in conn.execute(query.execution_options(yield_per=BATCH)))


def body(conn: Connection, kind: str, source: str, key: str) -> bytes | None:
    """What is stored of one event."""
    mine = (events.c.kind == kind) & (events.c.source == source) & (events.c.key == key)
    return conn.execute(select(events.c.body).where(mine)).scalar()


def after(conn: Connection, kind: type[Event], source: str | None, seq: int, start: int, end: int) -> list[Stored]:
    """As `in_order`, of those that came or changed after `seq` alone: costs these, however long the time.

    The time is looked at here, since an engine that knows of it would rather go through all of its events.
    """
    name = kind.__name__
    found: list[Stored] = []
    for one in sources_of(conn, name) if source is None else [source]:
        new = (events.c.kind == name) & (events.c.source == one) & (events.c.seq > seq)
        rows = map(Stored._make, conn.execute(select(*_COLUMNS).where(new)))
        found += [row for row in rows if start <= row.at < end]
    return sorted(found)


def by_commit(conn: Connection, kind: type[Event], told: Collection[str]) -> Iterator[Stored]:
    """Events of a kind that may tell of one of these commits: some begin alike."""
    blocks = _distinct(conn, commits.c.block, true())
    for some in batches(sorted(prefixes(told))):
        mine = commits.c.block.in_(blocks) & commits.c.prefix.in_(some) & (events.c.kind == kind.__name__)
        joined = select(*_COLUMNS).join(commits, commits.c.event == events.c.seq)
        yield from map(Stored._make, conn.execute(joined.where(mine)))


def _ordered(conn: Connection, condition: ColumnElement[bool]) -> Iterator[Stored]:
    query = select(*_COLUMNS).where(condition).order_by(events.c.at, events.c.key)
    return map(Stored._make, conn.execute(query.execution_options(yield_per=BATCH)))
