"""Events in order, of one source and of many, new ones, and by commit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from tests.support.stores import NOON, Opener, minutes, put, run

from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment, DeployResult
from platform_meter.model.facts.use import Usage
from platform_meter.store import events
from platform_meter.store.database import Database

DAY = timedelta(days=1)
SOURCES = ("a", "b", "c")


def test_events_of_many_sources_are_one_in_order_of_time_key_and_source(open_store: Opener) -> None:
    """As if all of them had been sorted, whichever came first; also of sources that are configured no more."""
    randomly, store = random.Random(1), open_store()
    told: list[tuple[int, str, str]] = []
    for source in ("c", "a", "b"):
        places = [(randomly.randrange(40), f"{n:03}") for n in range(120)]
        put(store, [run(key, NOON - minutes(minute)) for minute, key in places], instance=source)
        told += [(-minute, key, source) for minute, key in places if minute <= 30]
    with store.history(NOON, []) as history:
        rows = list(history.rows(PipelineRun, NOON - minutes(30), NOON + DAY))
        assert [((r.event.at - NOON) // minutes(1), r.event.key, r.source) for r in rows] == sorted(told)
        one = [r.event.key for r in history.rows(PipelineRun, NOON - minutes(30), NOON + DAY, source="b")]
    assert one == [key for _, key, source in sorted(told) if source == "b"]


def test_what_came_after_a_number_is_in_order_too(open_store: Opener) -> None:
    """New and corrected ones of the time asked for, of one source and of all; what came before is left out."""
    store = open_store()
    for source in SOURCES:
        put(store, [run("1"), run("2", NOON - minutes(1))], instance=source)
    with store.history(NOON, []) as history:
        seq = history.latest(PipelineRun)
    put(store, [run("old", NOON - 2 * DAY), run("3")], NOON + minutes(1), instance="b")
    put(store, [run("2", NOON - minutes(1), seconds=9, updated=NOON + minutes(1))], NOON + minutes(1), instance="a")

    def after(**source: str) -> Sequence[tuple[str, str]]:
        with store.history(NOON, []) as history:
            rows = history.rows(PipelineRun, NOON - DAY, NOON + DAY, after=seq, **source)
            return [(row.source, row.event.key) for row in rows]

    assert (after(), after(source="b"), after(source="c")) == ([("a", "2"), ("b", "3")], [("b", "3")], [])


def test_kinds_and_their_sources_are_those_stored(open_store: Opener) -> None:
    """In order of name, each once; none in a new store."""
    store, database = open_store(), Database(open_store.url)
    with database.read() as conn:
        assert events.kinds_of(conn) == []
    for source in ("b", "a", "b"):
        put(store, [run("1"), run("2"), Usage(key=source, at=NOON, about=run("1").about, action="x")], instance=source)
    put(store, [run("3")], instance="c")
    with database.read() as conn:
        assert events.kinds_of(conn) == ["PipelineRun", "Usage"]
        assert [events.sources_of(conn, kind) for kind in ("PipelineRun", "Usage", "Change")] == [
            ["a", "b", "c"],
            ["a", "b"],
            [],
        ]
    database.close()


def test_a_chain_is_followed_by_its_commit(open_store: Opener) -> None:
    """From a change to its run and deployment, whatever source tells of them and however far apart they are."""
    store, sha, about = open_store(), "c" * 40, run("1").about
    put(store, [replace(run("built", NOON - 30 * DAY), sha=sha), replace(run("another"), sha="d" * 40)], instance="ci")
    put(store, [Change(key="merged", at=NOON - 31 * DAY, about=about, sha=sha, opened=NOON - 40 * DAY)])
    served = Deployment(key="served", at=NOON, about=about, environment="p", sha=sha, result=DeployResult.SUCCESS)
    put(store, [served], instance="cd")
    with store.history(NOON, []) as history:
        found = [
            (row.source, row.event.key)
            for kind in (Change, PipelineRun, Deployment)
            for row in history.by_commit(kind, [sha, "e" * 40])
        ]
        assert found == [("gh", "merged"), ("ci", "built"), ("cd", "served")]
        assert list(history.by_commit(Change, [])) == []


def _plan(conn: Connection, statement: str) -> str:
    return " / ".join(row[3] for row in conn.execute(text(f"EXPLAIN QUERY PLAN {statement}")))


@pytest.mark.parametrize(
    ("asked", "plan"),
    [
        ("at >= 1 AND at < 2", "SEARCH events USING INDEX events_by_time (kind=? AND source=? AND at>? AND at<?)"),
        ("seq > 1", "SEARCH events USING INDEX events_by_seq (kind=? AND source=? AND seq>?)"),
        ("key IN ('x')", "SEARCH events USING INDEX sqlite_autoindex_events_1 (source=? AND kind=? AND key=?)"),
    ],
)
def test_sqlite_answers_each_question_from_the_index_for_it(
    tmp_path_factory: pytest.TempPathFactory, asked: str, plan: str
) -> None:
    """It has no statistics: what it takes for the best index depends on their columns alone."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'meter.db'}")
    with database.read() as conn:
        assert _plan(conn, f"SELECT body FROM events WHERE kind = 'k' AND source = 's' AND {asked}") == plan
    database.close()
