"""Opening stores of other versions and zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from tests.support.stores import NOON, Opener, begin, counted, minutes, put, run, tallies

from platform_meter.model.facts import PipelineRun, Repository
from platform_meter.model.source import Gap
from platform_meter.store import GapRow, StoreError
from platform_meter.store.database import Database

DAY = timedelta(days=1)


def _sql(url: str, *statements: str) -> None:
    database = Database(url)
    with database.write() as conn:
        for statement in statements:
            conn.execute(text(statement))
    database.close()


def _as_version_1(url: str) -> None:
    """Version 1 kept of a gap its range and reason only."""
    _sql(url, "ALTER TABLE gaps DROP COLUMN text", "UPDATE meta SET value = '1' WHERE key = 'schema_version'")


def test_a_version_1_store_is_brought_up_to_date(open_store: Opener) -> None:
    """Everything is there again, gaps have an empty text, and new ones keep theirs."""
    store = open_store()
    put(store, [run("1"), Repository(about=run("1").about)], checkpoint=b"page 1")
    store.add_gap("gh", "github", Gap(start=NOON - DAY, end=NOON, reason="pruned", text="lost"), NOON)
    before = (store.counters(), tallies(store, NOON - DAY, NOON + DAY), store.stream_states(), store.version())
    store.close()
    _as_version_1(open_store.url)
    store = open_store()
    assert (store.counters(), tallies(store, NOON - DAY, NOON + DAY), store.stream_states(), store.version()) == before
    assert store.gaps(9) == [GapRow("gh", NOON - DAY, NOON, "pruned", "")]
    assert store.add_gap("gh", "github", Gap(start=NOON, end=NOON + DAY, reason="pruned", text="kept"), NOON)
    assert store.gaps(1) == [GapRow("gh", NOON, NOON + DAY, "pruned", "kept")]
    assert begin(store).checkpoint == b"page 1"
    assert put(store, [run("1")]).repeated == 1
    assert store.check() == []
    store.close()
    assert open_store().gaps(9)[0].text == "kept"


def test_a_store_of_a_newer_version_is_refused(open_store: Opener) -> None:
    """The text says which versions and what to do."""
    open_store().close()
    _sql(open_store.url, "UPDATE meta SET value = '3' WHERE key = 'schema_version'")
    text_ = (
        r"has schema version 3, this platform-meter knows versions up to 2; run the platform-meter that wrote it "
        r"or a newer one, or give this one a store of its own"
    )
    with pytest.raises(StoreError, match=text_):
        open_store()


def test_another_zone_cuts_days_anew_and_changes_nothing_else(open_store: Opener) -> None:
    """An event at 22:30 UTC is of the next day in Berlin; counts by time are the same."""
    late = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    store = open_store(zone="UTC")
    put(store, [run("1", late), run("2", late - timedelta(hours=20)), run("3", late + 3 * DAY)], late + 4 * DAY)

    def days() -> list[tuple[date, float]]:
        with store.history(late, []) as history:
            found = history.usage_days(["run"], "github", date(2026, 5, 1), date(2026, 7, 1))
            return [(d.day, d.amount) for d in found]

    first = (store.counters(), tallies(store, late - DAY, late + 9 * DAY), store.version())
    assert days() == [(date(2026, 6, 1), 2), (date(2026, 6, 4), 1)]
    store.close()
    store = open_store(zone="Europe/Berlin")
    assert days() == [(date(2026, 6, 1), 1), (date(2026, 6, 2), 1), (date(2026, 6, 5), 1)]
    assert (store.counters(), tallies(store, late - DAY, late + 9 * DAY), store.version()) == first
    assert store.check() == []
    store.close()
    store = open_store(zone="Asia/Kathmandu")
    put(store, [run("4", late)], late + 4 * DAY)
    assert days() == [(date(2026, 6, 1), 1), (date(2026, 6, 2), 2), (date(2026, 6, 5), 1)]
    assert store.check() == []


def test_errors_of_the_engine_are_told_in_our_words(open_store: Opener) -> None:
    """Users of the store never see SQLAlchemy, nor a password."""
    store = open_store()
    _sql(open_store.url, "DROP TABLE events")
    with pytest.raises(StoreError, match=r"^the store at .* failed: .*events"):
        put(store, [run("1")], NOON + minutes(1))
    with pytest.raises(StoreError, match="events"), store.history(NOON, []) as history:
        list(history.rows(PipelineRun, NOON, NOON + DAY))
    assert counted(store) == {}
