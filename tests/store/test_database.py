"""Connections of one store: who writes, and who waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from sqlalchemy import text
from tests.support import postgres
from tests.support.waiting import PATIENCE, until

from platform_meter.store.database import Database, Transaction, keep, kept

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


@pytest.fixture
def replicas(postgres_server: postgres.Server) -> Iterator[list[Database]]:
    url = postgres_server.schema()
    with ExitStack() as all_:
        yield [all_.enter_context(closing(Database(url))) for _ in range(3)]


def test_writers_take_turns_where_something_is_kept_for_the_first_time(replicas: list[Database]) -> None:
    """The second waits since before there was such a row, and writes it; the third sees it, and waits for the second."""
    first, second, third = replicas
    begun, go_on = threading.Event(), threading.Event()

    def waiting() -> bool:
        with first.read() as conn:
            return int(conn.execute(WAITING).scalar_one()) == 1

    def write_second() -> None:
        with second.write() as conn:
            Transaction(conn)
            begun.set()
            assert go_on.wait(PATIENCE)
            keep(conn, "a", "2")

    def write_third() -> None:
        with third.write() as conn:
            Transaction(conn)
            seen.append(kept(conn, "a"))

    failed: list[BaseException | None] = []
    seen: list[str | None] = []
    hook, threading.excepthook = threading.excepthook, lambda args: failed.append(args.exc_value)
    try:
        with first.write() as conn:
            Transaction(conn)
            threads = [threading.Thread(target=write_second)]
            threads[0].start()
            until(waiting)
            keep(conn, "a", "1")
        assert begun.wait(PATIENCE)
        threads.append(threading.Thread(target=write_third))
        threads[1].start()
        until(waiting)
        go_on.set()
        for thread in threads:
            thread.join(PATIENCE)
    finally:
        threading.excepthook = hook
    assert failed == []
    assert seen == ["2"]
