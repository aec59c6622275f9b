"""Retention and integrity."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.support.stores import NOON, Opener, put, run, tallies, total

from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.history import UnitState
from platform_meter.model.measure import StateDay
from platform_meter.store import Written
from platform_meter.store.database import Database

DAY = timedelta(days=1)
TEN = timedelta(days=10)


def test_pruning_removes_whole_days_with_all_that_stands_on_them(open_store: Opener) -> None:
    """Events, rollups, ended readings, daily states, and objects nothing is left of; counters stay."""
    store = open_store(retention=TEN)
    later = run("now", NOON + 12 * DAY, repository="acme/pay-a")
    repositories = [Repository(about=run(n, repository=n).about) for n in ("acme/pay-a", "acme/pay-b")]
    put(store, [run("old", repository="acme/gone"), *repositories])
    put(store, [run("older", NOON + DAY), *repositories[:1]], NOON + DAY, complete=frozenset({Repository}))
    for day in (0, 2):
        state = UnitState(day=(NOON + day * DAY).date(), what="c", unit="u", state="idle")
        store.put_states(StateDay(what="c", day=state.day, states=(state,)), now=NOON)
    before = store.version()
    assert store.prune(NOON + TEN) == 0
    assert store.version() == before
    put(store, [later], NOON + 12 * DAY)
    assert store.prune(NOON + 12 * DAY) == 2
    assert tallies(store, NOON - TEN, NOON + TEN) == {}
    with store.history(NOON, []) as history:
        assert [o.name for o in history.objects()] == ["github:acme/pay-a"]
        assert [h.reading for h in history.readings(Repository)] == repositories[:1]
        assert history.readings(Repository, at=NOON) == history.readings(Repository)
        assert [s.day.isoformat() for s in history.states("c", NOON.date(), NOON.date() + TEN)] == ["2026-06-03"]
    assert total(store) == 3
    assert {k for k, v in store.version().items() if v != before.get(k)} >= {"PipelineRun", "readings", "owners"}
    assert store.check() == []


def test_what_was_pruned_is_never_counted_again(open_store: Opener) -> None:
    """Not even with a longer retention or a clock set back."""
    store = open_store(retention=TEN)
    put(store, [run("old")])
    put(store, [run("kept", NOON + DAY), run("now", NOON + 11 * DAY)], NOON + 11 * DAY)
    assert store.prune(NOON + 11 * DAY) == 1
    store.close()
    store = open_store(retention=40 * TEN)
    assert put(store, [run("old"), run("kept", NOON + DAY)], NOON + 2 * DAY) == Written(
        repeated=1, rejected={"expired": 1}
    )
    assert total(store) == 3


def test_a_clock_that_is_ahead_removes_nothing(open_store: Opener) -> None:
    """Retention counts back from the newest event then, and what comes under the right clock is stored as ever."""
    store = open_store(retention=TEN)
    put(store, [run("1")])
    assert store.prune(NOON + 400 * TEN) == 0
    assert put(store, [run("1"), run("2")], NOON + timedelta(minutes=1)) == Written(new=1, repeated=1)


def test_what_was_pruned_under_a_clock_that_was_ahead_stops_nothing(open_store: Opener) -> None:
    """Of a store from which all was removed as old, in a year still to come, the present is not refused."""
    store = open_store(retention=TEN)
    put(store, [run("1")])
    put(store, [run("ahead", NOON + 400 * TEN)], NOON + 400 * TEN)
    assert store.prune(NOON + 400 * TEN) == 1
    assert put(store, [run("2")], NOON + timedelta(minutes=1)).new == 1


def test_an_object_that_comes_back_is_written_again(open_store: Opener) -> None:
    """Its pruned row is not remembered."""
    store = open_store(retention=TEN)
    put(store, [run("old")])
    put(store, [run("other", NOON + 2 * TEN, repository="acme/web")], NOON + 2 * TEN)
    assert store.prune(NOON + 2 * TEN) == 1
    put(store, [run("new", NOON + 2 * TEN)], NOON + 2 * TEN)
    assert tallies(store, NOON + TEN, NOON + 3 * TEN) == {
        ("github:acme/payments", "success"): (1, 60.0),
        ("github:acme/web", "success"): (1, 60.0),
    }
    assert store.check() == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE rollups SET n = n + 1 WHERE width = 300", ["PipelineRun: the rollups of 2026-06-01 do not equal its events"]),
        ("DELETE FROM rollups WHERE width = 86400", ["PipelineRun: the rollups of 2026-06-01 do not equal its events"]),
        ("DELETE FROM events", ["commits: 1 rows are about an event that is not there", "PipelineRun: there are rollups of 2026-06-01 and no events"]),
        ("UPDATE commits SET event = 999", ["commits: 1 rows are about an event that is not there"]),
        ("DELETE FROM states", ["adoption/x: counts of states differ from the states"]),
        ("UPDATE state_counts SET n = 2", ["adoption/x: counts of states differ from the states"]),
        ("DELETE FROM owners", ["objects: 1 have no owner, not even _unowned"]),
        (
            "DELETE FROM objects",
            [f"{table}: {n} rows are about an object that is not there" for table, n in (("events", 1), ("readings", 1), ("rollups", 2), ("owners", 1))],
        ),
    ],
)  # fmt: skip
def test_a_check_tells_what_does_not_hold(open_store: Opener, damage: str, found: list[str]) -> None:
    """One line per damage, none for a sound store."""
    store = open_store()
    put(store, [replace(run("1"), sha="a" * 40), Repository(about=run("1").about)])
    state = UnitState(day=NOON.date(), what="adoption/x", unit="u", state="active")
    store.put_states(StateDay(what=state.what, day=state.day, states=(state,)), now=NOON)
    assert store.check() == []
    database = Database(open_store.url)
    with database.write() as conn:
        conn.execute(text(damage))
    database.close()
    assert store.check() == found


def test_a_store_tells_its_size(open_store: Opener) -> None:
    """Bytes, growing with what is in it."""
    store = open_store()
    empty = store.size()
    put(store, [run(str(n), NOON + timedelta(seconds=n)) for n in range(2000)], NOON + DAY)
    assert empty > 50_000
    assert store.size() > empty + 200_000
    with store.history(NOON, []) as history:
        assert history.latest(PipelineRun) > 0
