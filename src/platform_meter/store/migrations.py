"""The steps from each schema version to the next, and the tables of a new store."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, func, inspect, select

from platform_meter.model.facts import event_kinds
from platform_meter.store import codec, views
from platform_meter.store.commits import index_commits
from platform_meter.store.errors import StoreError
from platform_meter.store.renaming import SINCE, anybody, known_until, restart
from platform_meter.store.schema import (
    BEGINNING,
    MILLIONTHS,
    RECOUNT,
    calls,
    commits,
    counters,
    events,
    folds,
    forgotten,
    gaps,
    insert,
    meta,
    metadata,
    quotas,
    rollups,
    state_counts,
    states,
    streams,
    tellings,
)


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


def _parts_of_observations(conn: Connection) -> None:
    """Version 8 counts observations of histograms in millionths: of what was counted elsewhere there are parts of one."""
    of = (counters.c.metric, counters.c.labels)
    for metric, labels, buckets in conn.execute(
        select(*of, counters.c.buckets).where(counters.c.buckets.is_not(None))
    ).all():
        counted = codec.encode_text([n * MILLIONTHS for n in codec.counts(buckets)])
        these = counters.update().where(counters.c.metric == metric, counters.c.labels == labels)
        conn.execute(these.values(buckets=counted))


def _by_source_and_commit(conn: Connection) -> None:
    """Version 9 finds events by source, by sequence and by commit, and keeps daily states of anything, not of adoption
    alone.
    """
    conn.exec_driver_sql("DROP INDEX events_by_time")
    for index in sorted(events.indexes, key=lambda index: str(index.name)):
        index.create(conn)
    commits.create(conn)
    for kind in event_kinds().values():
        index_commits(conn, kind)
    states.create(conn)
    conn.exec_driver_sql(
        "INSERT INTO states (what, day, unit, state, ever) SELECT 'adoption/' || capability, day, unit, state, "
        "CASE WHEN ever_active AND ever_adopted THEN 'active,adopted' WHEN ever_active THEN 'active' "
        "WHEN ever_adopted THEN 'adopted' ELSE '' END FROM snapshots"
    )
    state_counts.create(conn)
    of = (states.c.what, states.c.day, states.c.state)
    counted = select(*of, func.count()).group_by(*of)
    conn.execute(state_counts.insert().from_select(["what", "day", "state", "n"], counted))
    conn.exec_driver_sql("DROP TABLE snapshots")
    conn.exec_driver_sql("UPDATE changes SET name = 'states' WHERE name = 'snapshots'")


def _folds(conn: Connection) -> None:
    """Version 10 keeps what measures have made of events."""
    folds.create(conn)


def _what_was_pushed(conn: Connection) -> None:
    """Version 11 keeps what an event of several tellings is made of, and when a source was last pushed to."""
    tellings.create(conn)
    conn.exec_driver_sql("ALTER TABLE sources ADD COLUMN pushed BIGINT")


def _what_reading_costs(conn: Connection) -> None:
    """Version 12 keeps what reading costs: calls, quotas; and of which kind a failure is."""
    calls.create(conn)
    quotas.create(conn)
    conn.exec_driver_sql("ALTER TABLE streams ADD COLUMN trouble TEXT NOT NULL DEFAULT ''")


def _people_by_hmac(conn: Connection) -> None:
    """Version 13 hashes people with HMAC-SHA-256, and keeps out who is forgotten. Those of older stores get other names."""
    forgotten.create(conn)
    if anybody(conn):
        restart(conn)
        conn.execute(meta.insert().values(key=SINCE, value=str(known_until(conn))))


MIGRATIONS: list[tuple[int, Callable[[Connection], None]]] = [
    (2, _gaps_say_why),
    (3, _amounts_in_two),
    (4, _words_told_apart),
    (5, _ways_of_deployments),
    (6, _how_far_back),
    (7, _gaps_say_whose),
    (8, _parts_of_observations),
    (9, _by_source_and_commit),
    (10, _folds),
    (11, _what_was_pushed),
    (12, _what_reading_costs),
    (13, _people_by_hmac),
]
VERSION = 13


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
        views.create(conn)
        return
    found = int(conn.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar_one())
    if found > VERSION:
        raise StoreError(
            f"the store at {place} has schema version {found}, this platform-meter knows versions up to {VERSION}; "
            "run the platform-meter that wrote it or a newer one, or give this one a store of its own"
        )
    if found == VERSION and not views.stale(conn):
        return
    views.drop(conn)
    for version, step in MIGRATIONS:
        if version > found:
            step(conn)
    views.create(conn)
    conn.execute(meta.update().where(meta.c.key == "schema_version").values(value=str(VERSION)))
