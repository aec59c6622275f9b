"""Tallies by 5-minute slice and by day, as the tables hold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.support.stores import NOON

from platform_meter.model.dims import Dim
from platform_meter.model.facts import Tally
from platform_meter.store.database import Database, Transaction
from platform_meter.store.rollups import Rollups, rebuild_days, storable
from platform_meter.store.schema import WIDTH_DAY, WIDTH_SLICE, rollups
from platform_meter.store.times import Days, to_ms

NOON_MS = to_ms(NOON)
MINUTE, HOUR = 60_000, 3_600_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'meter.db'}")
    yield opened
    opened.close()


def add(database: Database, *events: tuple[int, Sequence[Tally[Dim]]], zone: str = "UTC", minus: bool = False) -> None:
    """One transaction of (moment, tallies) of object 1."""
    batch = Rollups("gh", "PipelineRun", Days(zone))
    with database.write() as conn:
        tx = Transaction(conn)
        for at, tallies in events:
            (batch.subtract if minus else batch.add)(at, 1, tallies)
        batch.write(tx)
        tx.finish()


def held(database: Database, width: int) -> list[tuple[int, str, int, int]]:
    """(start in minutes from noon, dim, n, millionths in all) of one width."""
    columns = (rollups.c.bucket, rollups.c.dim, rollups.c.n, rollups.c.amount, rollups.c.millionths)
    with database.read() as conn:
        rows = conn.execute(select(*columns).where(rollups.c.width == width).order_by(*columns)).all()
    return [((bucket - NOON_MS) // MINUTE, dim, n, amount * 1_000_000 + rest) for bucket, dim, n, amount, rest in rows]


def test_a_slice_holds_its_five_minutes_and_a_day_its_slices(database: Database) -> None:
    """12:00 and 12:04:59 are one slice, 12:05 is the next; amounts are kept in millionths."""
    one = [Tally(dim=("success",), amount=1.5)]
    add(database, (NOON_MS, one), (NOON_MS + 5 * MINUTE - 1, one), (NOON_MS + 5 * MINUTE, one))
    assert held(database, WIDTH_SLICE) == [(0, "success", 2, 3_000_000), (5, "success", 1, 1_500_000)]
    assert held(database, WIDTH_DAY) == [(-720, "success", 3, 4_500_000)]


def test_later_transactions_add_to_what_stands(database: Database) -> None:
    """Each word of its own."""
    add(database, (NOON_MS, [Tally(dim=("good",), amount=2)]))
    add(database, (NOON_MS, [Tally(dim=("good",), amount=3), Tally(dim=("bad",), n=0, amount=1)]))
    assert held(database, WIDTH_SLICE) == [(0, "bad", 0, 1_000_000), (0, "good", 2, 5_000_000)]


def test_what_is_taken_back_wholly_leaves_no_row(database: Database) -> None:
    """A corrected event's old tallies go, and what became nothing is not kept."""
    add(database, (NOON_MS, [Tally(dim=("unknown",), amount=0.1)]), (NOON_MS, [Tally(dim=("success",), amount=0.1)]))
    add(database, (NOON_MS, [Tally(dim=("unknown",), amount=0.1)]), minus=True)
    assert held(database, WIDTH_SLICE) == [(0, "success", 1, 100_000)]
    assert held(database, WIDTH_DAY) == [(-720, "success", 1, 100_000)]
    # However the parts came: two halves are taken back as they were given, one by one.
    for minus in (False, True):
        for _ in range(2):
            add(database, (NOON_MS, [Tally(dim=("unknown",), amount=0.5)]), minus=minus)
    assert held(database, WIDTH_SLICE) == [(0, "success", 1, 100_000)]


def test_a_sum_may_be_larger_than_its_millionths_in_64_bits(database: Database) -> None:
    """A day of 200 MB a second is 17 million million bytes: each is there, and can be taken back."""
    much = [Tally(dim=("bytes",), amount=8_640_000_000_000)]
    for _ in range(2):
        add(database, (NOON_MS, much), (NOON_MS + HOUR, much))
    assert held(database, WIDTH_DAY) == [(-720, "bytes", 4, 34_560_000_000_000_000_000)]
    add(database, (NOON_MS, much), (NOON_MS + HOUR, much), minus=True)
    assert held(database, WIDTH_DAY) == [(-720, "bytes", 2, 17_280_000_000_000_000_000)]


def test_what_adds_up_to_nothing_writes_nothing(database: Database) -> None:
    """No event, or one that says 0 of nothing."""
    add(database, (NOON_MS, [Tally(dim=("bad",), n=0)]))
    assert held(database, WIDTH_SLICE) == held(database, WIDTH_DAY) == []


def test_days_are_cut_anew_for_another_zone(database: Database) -> None:
    """In Berlin 22:30 UTC is the next day; slices stay as they are, and a second time changes nothing."""
    one = [Tally(dim=("success",))]
    late = NOON_MS + 10 * HOUR + 30 * MINUTE
    add(database, (NOON_MS, one), (late, one), (late + HOUR, one))
    assert held(database, WIDTH_DAY) == [(-720, "success", 3, 0)]
    before = held(database, WIDTH_SLICE)
    for _ in range(2):
        with database.write() as conn:
            rebuild_days(Transaction(conn), Days("Europe/Berlin"))
        assert held(database, WIDTH_DAY) == [(-840, "success", 1, 0), (600, "success", 2, 0)]
    assert held(database, WIDTH_SLICE) == before


@pytest.mark.parametrize(
    ("tally", "expected"),
    [
        (Tally(dim=("x",), amount=8.9e12), True),
        (Tally(dim=("x",), amount=-8.9e12), True),
        (Tally(dim=("x",), amount=9e12), False),
        (Tally(dim=("x",), amount=float("nan")), False),
        (Tally(dim=("x",), amount=float("inf")), False),
        (Tally(dim=("a\0b",)), False),
    ],
)
def test_what_can_be_kept(tally: Tally[Dim], expected: bool) -> None:
    """Sums must have room for many of them, and a word must be text to PostgreSQL; one that does not refuses all."""
    assert storable([Tally(dim=("fine",)), tally]) is expected
