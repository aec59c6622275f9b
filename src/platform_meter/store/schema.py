"""Tables of the store, the same on SQLite and PostgreSQL, and the steps from each schema version to the next.

Times are integer milliseconds since 1970 UTC. Amounts are whole units and integer millionths: sums of integers are the
same in any order, so that neither the order of arrival nor a correction leaves a trace in them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql, sqlite

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
detail, before which only days are left of what was counted elsewhere; salt, with which people are hashed where none is configured;
people, the fingerprint of the salt in use; people_since, before which people had other names; forgotten, another word whenever somebody is; exposed, before which those counters were first seen whose
values are shown; recount, while rollups await that."""

RECOUNT = "recount"
"""Key in `meta` of a store whose rollups an older version wrote, until `rollups.settle` has looked at them."""

changes = Table("changes", metadata, Column("name", _Name, primary_key=True), _int("seq"))
"""For each kind of fact, each family of counters, and for readings, owners, states and streams: the seq of its last change."""

COUNTERS = "counters/"
"""What stands in `changes` before the name of a family of counters."""


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
    Column("pushed", _Ms),
)
"""`pushed` is when something was last pushed to it, if ever."""

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
    Column("trouble", Text, nullable=False, default=""),
    Column("progress", Text, nullable=False, default=""),
    PrimaryKeyConstraint("instance", "stream"),
)
"""`started` is when the poll now under way began, if it has saved a checkpoint; a poll that died is gone on with.
`trouble` is of which kind `last_error` is. `took` is how long the last complete one ran, `since` when the first complete one began, `read_from` to when it looked back."""

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
    Index("events_by_time", "kind", "source", "at"),
    Index("events_by_seq", "kind", "source", "seq"),
)
"""Indexes lead with kind and source: what is asked of one source of many costs no more than where it is the only one."""

tellings = Table(
    "tellings",
    metadata,
    _name("source"),
    _name("kind"),
    _name("key"),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("source", "kind", "key"),
)
"""Beside an event that no single telling says whole: all that it is made of, the newest first (`store.tellings`)."""

commits = Table(
    "commits",
    metadata,
    _int("block"),
    _int("prefix"),
    _int("event"),
    PrimaryKeyConstraint("block", "prefix", "event"),
    sqlite_with_rowid=False,
)
"""Which events tell of a commit: its first hex digits as a number (`store.commits.prefixes`), and the `seq` of the event.

A number takes a fifth of the room of a name; commits that begin alike are told apart by their events. Events stored one
after the other stand in one block (`BLOCK` of them): put anywhere between all others, each would rewrite a page of its own.
"""

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
"""`value` is a counter's value or the sum of a histogram, whose `buckets` count each bound alone and last +Inf; in millionths."""

states = Table(
    "states",
    metadata,
    _name("what"),
    _name("day"),
    _name("unit"),
    _name("state"),
    _name("ever"),
    PrimaryKeyConstraint("what", "day", "unit"),
    sqlite_with_rowid=False,
)
"""In which state each unit was at the end of each day, as `what` tells it; `ever` has in order, with commas between, the
words that were ever true of the unit.
"""

state_counts = Table(
    "state_counts",
    metadata,
    _name("what"),
    _name("day"),
    _name("state"),
    _int("n"),
    PrimaryKeyConstraint("what", "day", "state"),
    sqlite_with_rowid=False,
)
"""How many units are in each state, for charts: an index to count them in takes as much room as `states` itself."""

leases = Table(
    "leases",
    metadata,
    Column("instance", _Name, primary_key=True),
    _name("holder"),
    _int("token"),
    _int("expires"),
)

calls = Table(
    "calls",
    metadata,
    _name("instance"),
    _int("bucket"),
    _name("outcome"),
    _int("n"),
    PrimaryKeyConstraint("instance", "bucket", "outcome"),
    sqlite_with_rowid=False,
)
"""Calls to the API of a source by slices of 5 minutes, by whichever replica, for a day."""

quotas = Table(
    "quotas",
    metadata,
    _name("instance"),
    _name("name"),
    _int("most"),
    _int("remaining"),
    _int("reset"),
    _int("at"),
    PrimaryKeyConstraint("instance", "name"),
)
"""What an API last told of its quotas, `at` that moment. One that has no name has an empty one."""

folds = Table(
    "folds",
    metadata,
    Column("name", _Name, primary_key=True),
    Column("made_under", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""What measures have made of events (`model.kept.Fold`): the store is right without it, and a start is slow."""

forgotten = Table("forgotten", metadata, Column("mark", _Name, primary_key=True), _int("at"))
"""Who is kept out, by a digest of their hash, since `at`."""

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


Rows = Sequence[tuple[int | str | bytes | None, ...]]


_texts: dict[tuple[str, Callable[[Connection], Insert]], str] = {}


def insert_rows(conn: Connection, statement: Callable[[Connection], Insert], rows: Rows) -> None:
    """Insert many rows, each a tuple in the order of the table's columns.

    The statement is compiled once and given to the driver with the rows as they are: for events and rollups,
    SQLAlchemy's work on each row would cost as much as SQLite's.
    """
    key = (conn.dialect.name, statement)
    if key not in _texts:
        _texts[key] = str(statement(conn).compile(dialect=conn.dialect))
    conn.exec_driver_sql(_texts[key], list(rows))
