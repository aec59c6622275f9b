"""Opening stores of other versions and zones."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import make_url, text
from tests.support import postgres
from tests.support.stores import NOON, Opener, counted, minutes, put, run, tallies

from platform_meter.model.facts.ci import PipelineRun
from platform_meter.store import StoreError
from platform_meter.store.database import READERS, Database, place_of

DAY = timedelta(days=1)


def _sql(url: str, *statements: str) -> None:
    database = Database(url)
    with database.write() as conn:
        for statement in statements:
            conn.execute(text(statement))
    database.close()


def test_another_zone_cuts_days_anew_and_changes_nothing_else(open_store: Opener) -> None:
    """An event at 22:30 UTC is of the next day in Berlin; counts by time are the same."""
    late = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    store = open_store(zone="UTC")
    put(store, [run("1", late), run("2", late - timedelta(hours=20)), run("3", late + 3 * DAY)], late + 4 * DAY)

    def days(zone: str) -> list[tuple[date, int]]:
        found = []
        for n in range(10):
            start = datetime(2026, 5, 30, tzinfo=ZoneInfo(zone)) + n * DAY
            found += [(start.date(), count) for count, _ in tallies(store, start, start + DAY).values()]
        return found

    first = (store.counters(), tallies(store, late - DAY, late + 9 * DAY), store.version())
    assert days("UTC") == [(date(2026, 6, 1), 2), (date(2026, 6, 4), 1)]
    store.close()
    store = open_store(zone="Europe/Berlin")
    assert days("Europe/Berlin") == [(date(2026, 6, 1), 1), (date(2026, 6, 2), 1), (date(2026, 6, 5), 1)]
    assert (store.counters(), tallies(store, late - DAY, late + 9 * DAY), store.version()) == first
    assert store.check() == []
    store.close()
    store = open_store(zone="Asia/Kathmandu")
    put(store, [run("4", late)], late + 4 * DAY)
    assert days("Asia/Kathmandu") == [(date(2026, 6, 1), 1), (date(2026, 6, 2), 2), (date(2026, 6, 5), 1)]
    assert store.check() == []


def test_who_has_a_store_open_with_another_zone_can_use_it_no_more(open_store: Opener) -> None:
    """Days cut in two zones would be neither's: the one that came first is told, and writes and reads nothing."""
    first = open_store(zone="UTC")
    put(first, [run("1")])
    second = open_store(zone="America/New_York")
    text_ = (
        r"^the store at .* has its days cut in America/New_York by a platform-meter that opened it later, and this one "
        r"cuts them in UTC; give both the same `zone`, or each a store of its own$"
    )
    with pytest.raises(StoreError, match=text_):
        put(first, [run("2")])
    with pytest.raises(StoreError, match=text_), first.history(NOON, []):
        pass
    with pytest.raises(StoreError, match=text_):
        first.prune(NOON + 500 * DAY)
    assert put(second, [run("1"), run("2")]).new == 1
    assert second.check() == []


def test_errors_of_the_engine_are_told_in_our_words(open_store: Opener) -> None:
    """Users of the store never see SQLAlchemy, nor a password."""
    store = open_store()
    _sql(open_store.url, "ALTER TABLE events RENAME TO gone")
    with pytest.raises(StoreError, match=r"^the store at .* failed: .*events"):
        put(store, [run("1")], NOON + minutes(1))
    with pytest.raises(StoreError, match="events"), store.history(NOON, []) as history:
        list(history.rows(PipelineRun, NOON, NOON + DAY))
    assert counted(store) == {}


def test_one_that_stands_still_in_a_write_is_ended_on_postgresql(postgres_server: postgres.Server) -> None:
    """After the time said, but no less than we may need ourselves; others wait longer than that, and not for ever."""
    url = postgres_server.schema()

    def settings(standstill: timedelta) -> list[str]:
        database = Database(url, standstill=standstill)
        with database.write() as conn:
            names = ("idle_in_transaction_session_timeout", "lock_timeout")
            found = [str(conn.execute(text(f"SHOW {name}")).scalar_one()) for name in names]
        with database.read() as conn:
            assert conn.execute(text(f"SHOW {names[0]}")).scalar_one() == "0", "a long look disturbs nobody"
            assert conn.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
            assert conn.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
        database.close()
        return found

    assert settings(timedelta(seconds=45)) == ["45s", "90s"]
    assert settings(timedelta(seconds=3)) == ["10s", "20s"]


def test_readers_leave_the_writer_its_connection(open_store: Opener) -> None:
    """As many as there may be, and a poll is stored all the same."""
    store = open_store()
    with ExitStack() as readers:
        for _ in range(READERS):
            readers.enter_context(store.history(NOON, []))
        assert put(store, [run("1")]).new == 1


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////var/lib/meter.db", "sqlite:////var/lib/meter.db"),
        ("postgresql+psycopg://127.0.0.1:1/db?password=EXAMPLEpw", "postgresql://127.0.0.1:1/db"),
        ("postgresql://meter:EXAMPLEpw@127.0.0.1:1/db?sslpassword=OTHERpw", "postgresql://127.0.0.1:1/db"),
        ("postgresql://meter:EXAM@PLEpw@127.0.0.1:1/db", "postgresql://127.0.0.1:1/db"),
    ],
)
def test_no_text_of_a_store_holds_a_secret(url: str, place: str) -> None:
    """Not the place, and not what the driver says when it cannot connect."""
    assert place_of(make_url(url)) == place
    if not url.startswith("sqlite"):
        with pytest.raises(StoreError) as failed:
            Database(url)
        assert str(failed.value).startswith(f"the store at {place} failed: ")
        assert "PLEpw" not in str(failed.value)
        assert "OTHERpw" not in str(failed.value)
