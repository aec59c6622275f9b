"""Tables of the store, the same on SQLite and PostgreSQL, and the steps from each schema version to the next.

Times are integer milliseconds since 1970 UTC. Amounts are whole units and integer millionths: sums of integers are the
same in any order, so that neither the order of arrival nor a correction leaves a trace in them.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from platform_meter.store.errors import StoreError
from platform_meter.store.times import SLICE

WIDTH_SLICE = SLICE // 1000
"""`rollups.width` of 5-minute slices, in seconds."""
WIDTH_DAY = 86_400
"""`rollups.width` of days of the configured zone, whatever their real length."""
BEGINNING = -(2**53)
"""`owners.start` of an owner ever since."""
MILLIONTHS = 1_000_000

_Id = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER PRIMARY KEY is SQLite's own row number
_Ms = BigInteger()
# Names compare by bytes on both engines, so that order does not hang on a server's locale.
_Name = Text().with_variant(Text(collation="C"), "postgresql")


def _name(name: str) -> Column[str]:
    return Column(name, _Name, nullable=False)


def _int(name: str) -> Column[int]:
    return Column(name, _Ms, nullable=False)


metadata = MetaData()

meta = Table("meta", metadata, Column("key", _Name, primary_key=True), Column("value", Text, nullable=False))
"""schema_version; zone of the daily rollups; seq, the last number given to a row; pruned, before which nothing is left;
salt, with which people are hashed where none is configured; exposed, before which those counters were first seen whose
values are shown; recount, while rollups await that."""

RECOUNT = "recount"
"""Key in `meta` of a store whose rollups an older version wrote, until `rollups.settle` has looked at them."""

changes = Table("changes", metadata, Column("name", _Name, primary_key=True), _int("seq"))
"""For each kind of fact, and for readings, owners, snapshots, counters and streams: the seq of its last change."""


def correction(kind: str) -> str:
    """The name in `changes` of events of this kind whose use is another than was read."""
    return f"{kind}/corrected"


sources = Table(
    "sources",
    metadata,
    Column("instance", _Name, primary_key=True),
    _name("type"),
    _int("first_poll"),
    _int("counted_from"),
)

streams = Table(
    "streams",
    metadata,
    _name("instance"),
    _name("stream"),
    Column("checkpoint", LargeBinary),
    _int("poll"),
    Column("started", _Ms),
    Column("watermark", _Ms),
    Column("last_success", _Ms),
    Column("took", _Ms, nullable=False, default=0),
    Column("since", _Ms),
    Column("read_from", _Ms),
    Column("last_error", Text, nullable=False, default=""),
    Column("last_error_at", _Ms),
    Column("progress", Text, nullable=False, default=""),
    PrimaryKeyConstraint("instance", "stream"),
)
"""`started` is when the poll now under way began, if it has saved a checkpoint; a poll that died is gone on with.
`took` is how long the last complete one ran, `since` when the first complete one began, `read_from` to when it looked back."""

objects = Table(
    "objects",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    _name("source"),
    _name("kind"),
    _name("name"),
    Column("labels", Text, nullable=False),
    Column("links", Text, nullable=False),
    _int("first_seen"),
    _int("last_seen"),
    UniqueConstraint("source", "kind", "name"),
    Index("objects_by_name", "name"),
)

links = Table("links", metadata, _name("name"), _int("object"), PrimaryKeyConstraint("name", "object"))
"""`objects.links` the other way round: whose owner may follow that of the object with this name."""

owners = Table(
    "owners",
    metadata,
    _int("object"),
    _int("start"),
    _name("service"),
    _name("team"),
    Column("rule", Text, nullable=False),
    Column("conflict", Text, nullable=False),
    PrimaryKeyConstraint("object", "start"),
)

events = Table(
    "events",
    metadata,
    Column("seq", _Id, primary_key=True, autoincrement=False),
    _name("source"),
    _name("kind"),
    _name("key"),
    _int("at"),
    _int("updated"),
    _int("object"),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("source", "kind", "key"),
    Index("events_by_time", "kind", "at"),
)

readings = Table(
    "readings",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    _name("source"),
    _name("stream"),
    _name("kind"),
    _name("key"),
    _int("object"),
    Column("body", LargeBinary, nullable=False),
    _int("start"),
    Column("until", _Ms),
    _int("poll"),
    Index("readings_by_end", "kind", "until"),
    Index("readings_by_object", "object"),
)
_holding = readings.c.until.is_(None)
Index(
    "readings_holding",
    readings.c.kind,
    readings.c.source,
    readings.c.stream,
    readings.c.key,
    unique=True,
    sqlite_where=_holding,
    postgresql_where=_holding,
)

rollups = Table(
    "rollups",
    metadata,
    Column("width", Integer, nullable=False),
    _name("kind"),
    _name("source"),
    _int("bucket"),
    _int("object"),
    _name("dim"),
    _int("n"),
    _int("amount"),
    _int("millionths"),
    PrimaryKeyConstraint("width", "kind", "source", "bucket", "object", "dim"),
    sqlite_with_rowid=False,
)
"""An amount's whole units and its millionths are summed apart: together a day of bytes would not fit in 64 bits."""

counters = Table(
    "counters",
    metadata,
    _name("metric"),
    _name("labels"),
    _int("value"),
    Column("buckets", Text),
    _int("first_seen"),
    PrimaryKeyConstraint("metric", "labels"),
    sqlite_with_rowid=False,
)
"""`value` is a counter's value or the sum of a histogram, whose `buckets` count each bound alone and last +Inf."""

snapshots = Table(
    "snapshots",
    metadata,
    _name("day"),
    _name("capability"),
    _name("unit"),
    _name("state"),
    Column("ever_active", Boolean, nullable=False),
    Column("ever_adopted", Boolean, nullable=False),
    PrimaryKeyConstraint("capability", "day", "unit"),
    Index("snapshots_by_state", "capability", "day", "state"),
)

leases = Table(
    "leases",
    metadata,
    Column("instance", _Name, primary_key=True),
    _name("holder"),
    _int("token"),
    _int("expires"),
)

gaps = Table(
    "gaps",
    metadata,
    _name("source"),
    _int("start"),
    _int("end"),
    _name("reason"),
    _name("what"),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("source", "start", "end", "reason", "what"),
)
"""Those of a `what` go when it is read after all."""


def insert(conn: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """The engine's own INSERT, which knows ON CONFLICT; both dialects spell it the same."""
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def _gaps_say_why(conn: Connection) -> None:
    """Version 2 keeps the words of a gap, so that the Sources page can tell what could not be read."""
    conn.exec_driver_sql("ALTER TABLE gaps ADD COLUMN text TEXT NOT NULL DEFAULT ''")


def _amounts_in_two(conn: Connection) -> None:
    """Version 3 keeps whole units apart from millionths, how long the last poll took, and since when all is known."""
    conn.exec_driver_sql("ALTER TABLE rollups ADD COLUMN millionths BIGINT NOT NULL DEFAULT 0")
    whole, rest = rollups.c.amount // MILLIONTHS, rollups.c.amount % MILLIONTHS
    conn.execute(rollups.update().values(amount=whole, millionths=rest))
    conn.exec_driver_sql("ALTER TABLE streams ADD COLUMN took BIGINT NOT NULL DEFAULT 0")
    conn.exec_driver_sql("ALTER TABLE streams ADD COLUMN since BIGINT")
    conn.execute(streams.update().values(since=streams.c.watermark))


def _words_told_apart(conn: Connection) -> None:
    """Version 4 escapes what separates the words of a dim; where words hold it, their events tell what was meant."""
    conn.execute(meta.insert().values(key=RECOUNT, value=""))


def _ways_of_deployments(conn: Connection) -> None:
    """Version 5 tallies deployments by the way in which they were told, too, and jobs by how long they waited: their
    events say which.
    """
    conn.execute(insert(conn, meta).values(key=RECOUNT, value="").on_conflict_do_nothing())


def _how_far_back(conn: Connection) -> None:
    """Version 6 keeps from when on a stream was read. Of older stores it is known from the first complete poll on.

    It counts adoption states by day from an index.
    """
    conn.exec_driver_sql("CREATE INDEX snapshots_by_state ON snapshots (capability, day, state)")
    conn.exec_driver_sql("ALTER TABLE streams ADD COLUMN read_from BIGINT")
    conn.execute(streams.update().values(read_from=streams.c.since))


def _gaps_say_whose(conn: Connection) -> None:
    """Version 7 keeps gaps of one range apart by whose they are. Whose those of older stores are nobody knows."""
    columns = [column for column in gaps.c if column is not gaps.c.what]
    held = [{**row, "what": ""} for row in conn.execute(select(*columns)).mappings()]
    gaps.drop(conn)
    gaps.create(conn)
    if held:
        conn.execute(gaps.insert(), held)


MIGRATIONS: list[tuple[int, Callable[[Connection], None]]] = [
    (2, _gaps_say_why),
    (3, _amounts_in_two),
    (4, _words_told_apart),
    (5, _ways_of_deployments),
    (6, _how_far_back),
    (7, _gaps_say_whose),
]
VERSION = 7


def prepare(conn: Connection, place: str) -> None:
    """Create the tables, or bring those of an older version to this one, within the caller's transaction.

    Raises:
        StoreError: a newer platform-meter wrote this store.
    """
    if conn.dialect.name == "postgresql":
        # Two replicas that start together must not both create the tables.
        conn.exec_driver_sql("SELECT pg_advisory_xact_lock(7161520)")
    if not inspect(conn).has_table("meta"):
        metadata.create_all(conn, checkfirst=False)
        first = {"schema_version": VERSION, "seq": 0, "pruned": BEGINNING}
        conn.execute(meta.insert(), [{"key": k, "value": str(v)} for k, v in first.items()])
        return
    found = int(conn.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar_one())
    if found > VERSION:
        raise StoreError(
            f"the store at {place} has schema version {found}, this platform-meter knows versions up to {VERSION}; "
            "run the platform-meter that wrote it or a newer one, or give this one a store of its own"
        )
    for version, step in MIGRATIONS:
        if version > found:
            step(conn)
    conn.execute(meta.update().where(meta.c.key == "schema_version").values(value=str(VERSION)))
