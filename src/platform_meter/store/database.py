"""Connections and transactions: one writer at a time, readers that see one consistent moment, errors in our words."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Insert, bindparam, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from platform_meter.store.errors import StoreError
from platform_meter.store.migrations import prepare
from platform_meter.store.schema import BEGINNING, changes, insert, insert_rows, meta, metadata

T = TypeVar("T")

READERS = 32
"""Most read transactions at a time; more wait for one to end."""
STANDSTILL = timedelta(seconds=30)
_SHORTEST_STANDSTILL = timedelta(seconds=10)
"""What we ourselves may take between two statements of a write."""
_CONNECT = {
    "connect_timeout": 10,
    # A server that is gone without a word is found out within a minute.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

BATCH = 1000
"""Keys per IN list and rows per fetch: makes round trips cheap and stays within every engine's limits."""


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


# Statements of every transaction stand here ready made: making them costs more than running them.
_LOCK = select(meta.c.key).where(meta.c.key == "seq").with_for_update()
"""One row, which is always there: one that waits for several would not see those that came while it did, and meet whoever
does see them at these.
"""
_ALL = select(meta.c.key, meta.c.value)
_CHANGE = select(changes.c.seq).where(changes.c.name == bindparam("its_name"))
_COUNT_ON = meta.update().where(meta.c.key == "seq").values(value=bindparam("last"))


def kept(conn: Connection, key: str) -> str | None:
    """One of the single values that a store keeps beside its rows."""
    return conn.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def keep(conn: Connection, key: str, value: str) -> None:
    """Put it in the place of what was kept under this key, if anything was."""
    new = insert(conn, meta).values(key=key, value=value)
    conn.execute(new.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def _note(conn: Connection) -> Insert:
    new = insert(conn, changes)
    return new.on_conflict_do_update(index_elements=["name"], set_={"seq": new.excluded.seq})


class Transaction:
    """One write transaction. Holding the row `seq` makes it the only one, also among replicas on PostgreSQL.

    So numbers grow in the order of commits: a reader that has seen one has seen all below it.
    """

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        conn.execute(_LOCK).all()
        stored = dict(conn.execute(_ALL).all())
        self._seq = self._first = int(stored["seq"])
        self.pruned = int(stored["pruned"])
        """Milliseconds before which everything was removed."""
        self.detail = int(stored.get("detail", BEGINNING))
        """Milliseconds before which only sums by day are left of what was counted elsewhere."""
        self.values = stored
        """Single values that the store keeps beside its rows, as they were when it began."""
        self.zone = stored.get("zone")
        """Zone of the daily rollups; None in a new store."""
        self.names: set[str] = set()
        """What this transaction changed."""

    def next(self, count: int = 1) -> int:
        """The first of `count` numbers never given before, for rows and for changes."""
        first = self._seq + 1
        self._seq += count
        return first

    def changed(self, *names: str) -> None:
        """Let readers see that facts of these names changed."""
        self.names.update(names)

    def change(self, name: str) -> int:
        """The number of the last committed change of `name`, by whatever process."""
        return self.conn.execute(_CHANGE, {"its_name": name}).scalar() or 0

    def finish(self) -> int:
        """Write what this transaction has used and changed; the last step before the commit. Returns its number."""
        if self.names:
            seq = self.next()
            insert_rows(self.conn, _note, [(name, seq) for name in sorted(self.names)])
        if self._seq != self._first:
            self.conn.execute(_COUNT_ON, {"last": str(self._seq)})
        return self._seq


class Database:
    """One store's connections. SQLite runs in WAL mode, so that readers never wait for the writer.

    Writes have a connection of their own, so that readers can't take it, however many they are.

    Args:
        url: where the store is.
        standstill: after so long without a sign of life within a write, PostgreSQL ends it and others go on.
    """

    def __init__(self, url: str, *, standstill: timedelta = STANDSTILL) -> None:
        parsed = _parse(url)
        self.place, self._secrets = place_of(parsed), _secrets(parsed)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self.lock = threading.RLock()
        """Held over each write; by who keeps things in memory that go with it, until these are true again."""
        self._writer = _engine(parsed, pool_size=1, max_overflow=0)
        self._reader = _engine(parsed, pool_size=4, max_overflow=READERS - 4)
        if self.sqlite:
            _use_sqlite(self._writer, "BEGIN IMMEDIATE")
            _use_sqlite(self._reader, "BEGIN")
        else:
            _use_postgresql(self._writer, standstill)
        try:
            with self.write() as conn:
                prepare(conn, self.place)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction, committed at the end or undone by an exception."""
        with self._errors(), self.lock, self._writer.begin() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read transaction: all its queries see the same moment."""
        with self._errors(), self._reader.connect() as conn:
            if not self.sqlite:
                conn = conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)  # noqa: PLW2901 - the same connection
            with conn.begin():
                yield conn

    def size(self) -> int:
        """Bytes on disk, indexes included."""
        with self.read() as conn:
            if self.sqlite:
                pages, width = (conn.execute(text(f"PRAGMA {p}")).scalar_one() for p in ("page_count", "page_size"))
                return int(pages) * int(width)
            return sum(
                int(conn.execute(select(func.pg_total_relation_size(func.to_regclass(name)))).scalar_one())
                for name in metadata.tables
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._failed(error.orig) from error
        except SQLAlchemyError as error:
            raise self._failed(error) from error

    def _failed(self, error: BaseException | None) -> StoreError:
        said = str(error).strip()
        for secret in self._secrets:
            said = said.replace(secret, "***")
        return StoreError(f"the store at {self.place} failed: {said}")


def place_of(url: URL) -> str:
    """Where a store is, for people: SQLite's file, or host, port and database alone; the rest may hold secrets."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    host = (url.host or "localhost").rpartition("@")[2]  # an `@` that was not escaped leaves some of the password there
    return f"postgresql://{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def _secrets(url: URL) -> tuple[str, ...]:
    """All of an address that must be in no text, the longest first: password, parameters, and what was not escaped."""
    values = [value for given in url.query.values() for value in ((given,) if isinstance(given, str) else given)]
    found = {url.password or "", (url.host or "").rpartition("@")[0], *values}
    return tuple(sorted((one for one in found if len(one) > 2), key=len, reverse=True))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            f"{url.partition('://')[0]!r} begins no address of a store; write sqlite:///meter.db or postgresql://user@host/database"
        ) from None
    backend = parsed.get_backend_name()
    if backend in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreError(f"stores are kept in SQLite or PostgreSQL, not in {backend!r}; write sqlite:///meter.db")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("a store in memory would forget what was counted; write sqlite:///meter.db")
    return parsed


def _engine(url: URL, **pool: int) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    return create_engine(
        url,
        paramstyle="qmark" if sqlite else "format",  # by place, for `insert_rows`
        connect_args={"check_same_thread": False, "timeout": 30} if sqlite else _said(url),
        pool_use_lifo=True,
        pool_pre_ping=not sqlite,
        **pool,
    )


def _said(url: URL) -> dict[str, Any]:
    """How to connect to PostgreSQL, where the address does not say otherwise."""
    return {name: value for name, value in _CONNECT.items() if name not in url.query}


def _use_sqlite(engine: Engine, begin: str) -> None:
    """WAL, and BEGIN in our hands: sqlite3 would begin late, and writers that upgrade a read lock deadlock."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "wal_autocheckpoint=4000",
            "cache_size=-8000",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(conn: Connection) -> None:
        conn.exec_driver_sql(begin)


def _use_postgresql(engine: Engine, standstill: timedelta) -> None:
    """A writer that stands still (a frozen machine, a cut network) holds up all others: the server ends its write.

    Who waits for it waits longer than that, and then gives up with an error instead of hanging.
    """
    still = max(standstill, _SHORTEST_STANDSTILL) // timedelta(milliseconds=1)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = {still}")
        connection.execute(f"SET lock_timeout = {2 * still}")
        connection.commit()  # else the rollback of whatever comes first would take them back
