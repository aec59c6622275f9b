"""Stores that older versions wrote, and one of a newer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.support.stores import NOON, Opener, begin, counted, gaps, minutes, open_at, put, run, tallies

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment, DeployResult, Repository
from platform_meter.model.facts.gitops import GitopsSync
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.model.facts.use import Usage
from platform_meter.model.history import UnitState
from platform_meter.model.measure import StateDay
from platform_meter.model.source import Gap
from platform_meter.store import Configured, ConfiguredStream, GapRow, Store, StoreError
from platform_meter.store.database import Database

DAY = timedelta(days=1)


def _sql(url: str, *statements: str) -> None:
    database = Database(url)
    with database.write() as conn:
        for statement in statements:
            conn.execute(text(statement))
    database.close()


_VERSION_8 = (
    "DROP TABLE forgotten",
    "DROP TABLE calls",
    "DROP TABLE quotas",
    "ALTER TABLE streams DROP COLUMN trouble",
    "DROP TABLE tellings",
    "ALTER TABLE sources DROP COLUMN pushed",
    "DROP TABLE folds",
    "DROP INDEX events_by_time",
    "DROP INDEX events_by_seq",
    "CREATE INDEX events_by_time ON events (kind, at)",
    "DROP TABLE commits",
    "CREATE TABLE snapshots (day TEXT, capability TEXT, unit TEXT, state TEXT, ever_active BOOLEAN, ever_adopted BOOLEAN)",
    "INSERT INTO snapshots SELECT day, substr(what, 10), unit, state, ever LIKE '%active%', ever LIKE '%adopted%' FROM states",
    "CREATE INDEX snapshots_by_state ON snapshots (capability, day, state)",
    "DROP TABLE states",
    "DROP TABLE state_counts",
    "UPDATE changes SET name = 'snapshots' WHERE name = 'states'",
    "UPDATE meta SET value = '8' WHERE key = 'schema_version'",
)
"""Version 8 found events by kind and time and by key alone, and kept daily states of adoption alone."""


def _as_older(url: str, *statements: str) -> None:
    """The store as an older version than 8 would have written it."""
    before_6 = ["DROP INDEX snapshots_by_state"] if any("read_from" in one for one in statements) else []
    _sql(url, *_VERSION_8, *before_6, *statements)


def _as_version_1(url: str) -> None:
    """Version 1 kept of a gap its range and reason only, of an amount its millionths, of a stream less."""
    _as_older(
        url,
        "ALTER TABLE gaps DROP COLUMN text",
        "UPDATE rollups SET amount = amount * 1000000 + millionths",
        "ALTER TABLE rollups DROP COLUMN millionths",
        "ALTER TABLE streams DROP COLUMN took",
        "ALTER TABLE streams DROP COLUMN since",
        "ALTER TABLE streams DROP COLUMN read_from",
        "UPDATE counters SET buckets = replace(buckets, '000000', '')",
        "UPDATE meta SET value = '1' WHERE key = 'schema_version'",
    )


def test_a_version_1_store_is_brought_up_to_date(open_store: Opener) -> None:
    """Everything is there again, gaps have an empty text, and new ones keep theirs."""
    store = open_store()
    put(store, [run("1", seconds=90.25), Repository(about=run("1").about)], checkpoint=b"page 1")
    store.add_gap("gh", "github", Gap(start=NOON - DAY, end=NOON, reason="pruned", text="lost"), NOON)
    before = (store.counters(), tallies(store, NOON - DAY, NOON + DAY), store.stream_states(), store.version())
    store.close()
    _as_version_1(open_store.url)
    store = open_store()
    assert (store.counters(), tallies(store, NOON - DAY, NOON + DAY), store.stream_states(), store.version()) == before
    assert gaps(store, 9) == [GapRow("gh", NOON - DAY, NOON, "pruned", "")]
    assert store.add_gap("gh", "github", Gap(start=NOON, end=NOON + DAY, reason="pruned", text="kept"), NOON)
    assert gaps(store, 1) == [GapRow("gh", NOON, NOON + DAY, "pruned", "kept")]
    assert begin(store).checkpoint == b"page 1"
    assert put(store, [run("1", seconds=90.25)]).repeated == 1
    assert store.check() == []
    corrected = run("1", seconds=0.25, updated=NOON + minutes(1))
    assert put(store, [corrected], NOON + minutes(1)).revised == 1
    assert tallies(store, NOON - DAY, NOON + DAY) == {("github:acme/payments", "success"): (1, 0.25)}
    store.close()
    assert gaps(open_store(), 9)[0].text == "kept"


def _deployment(key: str, environment: str) -> Deployment:
    return Deployment(
        key=key, at=NOON, about=run("1").about, environment=environment, sha=key, result=DeployResult.FAILED
    )


def test_words_that_older_versions_ran_together_are_told_apart(open_store: Opener) -> None:
    """Version 3 kept them as they are: their events say what they were. Other kinds and their rollups stay."""
    environments = ["eu|blue", "e\\u", "prod"]
    use = Usage(key="1", at=NOON, about=run("1").about, action=r"a\|b")
    store = open_store()
    for instance in ("gh", "other"):
        facts = [run("1"), use, *(_deployment(f"{n}", name) for n, name in enumerate(environments))]
        put(store, facts, instance=instance)

    def seen(store: Store) -> list[object]:
        with store.history(NOON, []) as history:
            found = history.counts(Deployment, "other", NOON - DAY, NOON + DAY)
            used = [history.counts(kind, "gh", NOON - DAY, NOON + DAY) for kind in (Usage, PipelineRun)]
        return [{dim: count.n for (_, dim), count in found.items()}, used]

    first = seen(store)
    assert first[0] == {(name, "failed", "planned", "deployments_api"): 1 for name in environments}
    store.close()
    _as_older(
        open_store.url,
        r"UPDATE rollups SET dim = replace(replace(dim, '\\', '\'), '\|', '|')",
        "ALTER TABLE streams DROP COLUMN read_from",
        "UPDATE meta SET value = '3' WHERE key = 'schema_version'",
    )
    store = open_store()
    assert seen(store) == first
    assert store.check() == []
    assert put(store, [_deployment("0", "eu|blue")]).repeated == 1
    store.close()
    assert seen(open_store()) == first


def test_deployments_of_older_versions_get_their_way(open_store: Opener) -> None:
    """Version 4 tallied them by environment, result and kind; all were told by a deployments API then."""
    store = open_store()
    put(store, [run("1"), _deployment("2", "prod")])
    store.close()
    _as_older(
        open_store.url,
        "UPDATE rollups SET dim = replace(dim, '|deployments_api', '')",
        "ALTER TABLE streams DROP COLUMN read_from",
        "UPDATE meta SET value = '4' WHERE key = 'schema_version'",
    )
    store = open_store()
    with store.history(NOON, []) as history:
        found = history.counts(Deployment, "gh", NOON - DAY, NOON + DAY)
    assert {dim: count.n for (_, dim), count in found.items()} == {("prod", "failed", "planned", "deployments_api"): 1}
    assert store.check() == []


def test_jobs_of_older_versions_get_their_waits(open_store: Opener) -> None:
    """Version 4 tallied them by outcome; how long they waited stands in the events."""
    store = open_store()
    about = Ref(system="github", kind="repository", id="acme/pay")

    def job(key: str, queued: timedelta | None) -> PipelineJob:
        ran, outcome = timedelta(minutes=1), Outcome.SUCCESS
        return PipelineJob(
            key=key, at=NOON, about=about, run="1", pool="linux", outcome=outcome, ran=ran, queued=queued
        )

    put(store, [job("1", timedelta(seconds=30)), job("2", None)])
    store.close()
    _as_older(
        open_store.url,
        "UPDATE rollups SET dim = 'success', amount = 60 WHERE kind = 'PipelineJob' AND dim = 'linux|30'",
        "DELETE FROM rollups WHERE kind = 'PipelineJob' AND dim <> 'success'",
        "UPDATE meta SET value = '4' WHERE key = 'schema_version'",
        "ALTER TABLE streams DROP COLUMN read_from",
    )
    store = open_store()
    with store.history(NOON, []) as history:
        found = history.counts(PipelineJob, "gh", NOON - DAY, NOON + DAY)
    assert {dim: (count.n, count.amount) for (_, dim), count in found.items()} == {
        ("linux", "30"): (1, 30.0),
        ("linux", ""): (1, 0.0),
    }
    assert store.check() == []


def test_an_older_store_is_known_from_its_first_whole_poll_on(open_store: Opener) -> None:
    """Version 5 did not keep how far back a stream was read; from version 6 on it is what its first poll looked back to."""
    stream = ConfiguredStream(name="runs", gives=frozenset({PipelineRun}), every=minutes(1), stale_after=minutes(3))

    def read_from(store: Store) -> datetime | None:
        with store.history(NOON, [Configured(instance="gh", type="github", streams=(stream,))]) as history:
            return history.sources(PipelineRun)[0].read_from

    store = open_store()
    assert read_from(store) is None
    poll = store.begin_poll("gh", "github", "runs", now=NOON, lookback=DAY, history=30 * DAY)
    assert read_from(store) == NOON - 30 * DAY
    store.end_poll(poll, now=NOON)
    store.begin_poll("gh", "github", "runs", now=NOON + DAY, lookback=DAY, history=60 * DAY)
    assert read_from(store) == NOON - 30 * DAY
    store.close()
    _as_older(
        open_store.url,
        "ALTER TABLE streams DROP COLUMN read_from",
        "UPDATE meta SET value = '5' WHERE key = 'schema_version'",
    )
    assert read_from(open_store()) == NOON


def test_gaps_of_older_versions_stay(open_store: Opener) -> None:
    """Version 6 did not say whose they are: another one of the same range is another gap now, which can be filled."""
    store = open_store()
    gap = Gap(start=NOON - DAY, end=NOON, reason="forbidden", text="acme/api")
    store.add_gap("gh", "github", gap, NOON)
    store.close()
    columns = 'source, start, "end", reason, text'
    _as_older(
        open_store.url,
        f"CREATE TABLE older AS SELECT {columns} FROM gaps",
        "DROP TABLE gaps",
        'CREATE TABLE gaps (source TEXT, start BIGINT, "end" BIGINT, reason TEXT, text TEXT, '
        'CONSTRAINT gaps_pkey PRIMARY KEY (source, start, "end", reason))',
        f"INSERT INTO gaps SELECT {columns} FROM older",
        "DROP TABLE older",
        "UPDATE meta SET value = '6' WHERE key = 'schema_version'",
    )
    store = open_store()
    assert gaps(store, 9) == [GapRow("gh", NOON - DAY, NOON, "forbidden", "acme/api")]
    assert store.add_gap("gh", "github", replace(gap, what="acme/web runs"), NOON)
    store.fill_gaps("gh", "acme/web runs", NOON - DAY, NOON)
    assert len(gaps(store, 9)) == 1


def test_histograms_of_older_versions_go_on(open_store: Opener) -> None:
    """Version 7 counted whole observations; those and new ones add up, and a counter stays as it is."""
    store = open_store()
    put(store, [run(f"{n}", seconds=4) for n in range(10)])
    store.close()
    _as_older(
        open_store.url,
        "UPDATE counters SET buckets = replace(buckets, '000000', '')",
        "UPDATE meta SET value = '7' WHERE key = 'schema_version'",
    )
    store = open_store()
    put(store, [run("more", seconds=4)])
    (row,) = [row for row in store.counters() if row.metric == "platform_pipeline_run_duration_seconds"]
    assert (row.value, row.sum, row.buckets and row.buckets[:2]) == (11.0, 44.0, (11, 0))
    assert counted(store) == {("github", "pay", "success"): 11}


def test_a_store_of_a_newer_version_is_refused(open_store: Opener) -> None:
    """The text says which versions and what to do."""
    open_store().close()
    _sql(open_store.url, "UPDATE meta SET value = '14' WHERE key = 'schema_version'")
    text_ = (
        r"has schema version 14, this platform-meter knows versions up to 13; run the platform-meter that wrote it "
        r"or a newer one, or give this one a store of its own"
    )
    with pytest.raises(StoreError, match=text_):
        open_store()


def test_what_version_7_wrote_is_read_and_gone_on_with(tmp_path: Path) -> None:
    """Counters, tallies and daily states are what they were; commits that were never found by are found."""
    path = tmp_path / "meter.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("version_7.sql").read_text())
    store = open_at(f"sqlite:///{path}", zone="Europe/Berlin")
    assert store.check() == []
    assert counted(store) == {("github", "pay", "success"): 1, ("github", "_unowned", "user_failure"): 1}
    assert tallies(store, NOON - 3 * DAY, NOON + DAY) == {
        ("github:acme/payments", "success"): (1, 30.0),
        ("github:acme/web", "user_failure"): (1, 60.0),
    }
    day = NOON.date()
    with store.history(NOON, []) as history:
        told = {
            kind: [row.event.key for row in history.by_commit(kind, ["1" * 40])]
            for kind in (PipelineRun, Change, Deployment, GitopsSync)
        }
        assert told == {PipelineRun: ["1"], Change: ["7"], Deployment: ["d"], GitopsSync: ["s"]}
        assert [row.event.key for row in history.by_commit(GitopsSync, ["3" * 40])] == ["s"]
        both = frozenset({"active", "adopted"})
        assert history.states("adoption/builds", day, day + 2 * DAY) == [
            UnitState(day=day, what="adoption/builds", unit="pay", state="active", ever=both),
            UnitState(day=day, what="adoption/builds", unit="web", state="eligible"),
            UnitState(day=day + DAY, what="adoption/builds", unit="pay", state="dormant", ever=both),
            UnitState(day=day + DAY, what="adoption/builds", unit="web", state="active", ever=frozenset({"active"})),
        ]
        assert history.states_by_day("adoption/builds", day, day + DAY) == {day: {"active": 1, "eligible": 1}}
    assert store.version()["states"] == 19
    corrected = replace(run("1", seconds=9, updated=NOON + minutes(30)), sha="9" * 40)
    written = put(store, [corrected, run("2", NOON - DAY, repository="acme/web")], NOON + minutes(30))
    assert (written.revised, written.repeated) == (1, 1)
    with store.history(NOON, []) as history:
        found = [[r.event.key for r in history.by_commit(PipelineRun, [sha * 40])] for sha in "19"]
    assert found == [[], ["1"]]
    assert store.check() == []
    store.close()


def test_daily_states_of_adoption_stay(open_store: Opener) -> None:
    """Version 8 kept them of adoption alone, each with what the unit ever was."""
    day, what = NOON.date(), "adoption/builds"
    evers = ((), ("active",), ("adopted",), ("active", "adopted"))
    states = [
        UnitState(day=day, what=what, unit=f"{n}", state="eligible", ever=frozenset(ever))
        for n, ever in enumerate(evers)
    ]
    store = open_store()
    put(store, [replace(run("1"), sha="a" * 40)])
    assert store.put_states(StateDay(what=what, day=day, states=tuple(states)), now=NOON)
    before = store.version()
    store.close()
    _as_older(open_store.url)
    store = open_store()
    with store.history(NOON, []) as history:
        assert history.states(what, day, day + DAY) == states
        assert history.states_by_day(what, day, day + DAY) == {day: {"eligible": 4}}
        assert history.last_day(what) == day
        assert [row.event.key for row in history.by_commit(PipelineRun, ["a" * 40])] == ["1"]
    assert store.version() == before
    assert not store.put_states(StateDay(what=what, day=day, states=tuple(states)), now=NOON)
    assert store.check() == []


def test_people_of_older_versions_have_other_names(open_store: Opener) -> None:
    """Version 12 hashed people otherwise: whoever is stored gets a name by chance, the same for the same person, and from
    then on people are known anew. A store without people is only told of.
    """
    about = Ref(system="jira", kind="queue", id="PLAT")
    asked = [
        TicketEvent(
            key=key, at=NOON, about=about, queue="PLAT", ticket=key, change=TicketChange.CREATED, requester=who * 32
        )
        for key, who in (("1", "a"), ("2", "b"), ("3", "a"))
    ]

    def seen(store: Store) -> tuple[datetime | None, list[str]]:
        with store.history(NOON, []) as history:
            rows = history.rows(TicketEvent, NOON, NOON + DAY)
            return history.people_since(), [row.event.requester for row in rows]

    store = open_store()
    put(store, asked)
    assert seen(store) == (None, ["a" * 32, "b" * 32, "a" * 32])
    store.close()
    _sql(open_store.url, "DROP TABLE forgotten")
    _sql(open_store.url, "UPDATE meta SET value = '12' WHERE key = 'schema_version'")
    store = open_store()
    since, (first, second, third) = seen(store)
    assert since is not None
    assert NOON < since <= NOON + minutes(1)
    assert first == third
    assert len({first, second, "a" * 32, "b" * 32}) == 4
    assert store.check() == []
