"""Opening stores of other versions and zones."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import make_url, text
from tests.support import postgres
from tests.support.stores import NOON, Opener, begin, counted, gaps, minutes, put, run, tallies

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.facts.delivery import Deployment, DeployResult, Repository
from platform_meter.model.facts.use import Usage
from platform_meter.model.source import Gap
from platform_meter.store import Configured, ConfiguredStream, GapRow, Store, StoreError
from platform_meter.store.database import READERS, Database, place_of

DAY = timedelta(days=1)


def _sql(url: str, *statements: str) -> None:
    database = Database(url)
    with database.write() as conn:
        for statement in statements:
            conn.execute(text(statement))
    database.close()


def _as_version_1(url: str) -> None:
    """Version 1 kept of a gap its range and reason only, of an amount its millionths, of a stream less."""
    _sql(
        url,
        "ALTER TABLE gaps DROP COLUMN text",
        "UPDATE rollups SET amount = amount * 1000000 + millionths",
        "ALTER TABLE rollups DROP COLUMN millionths",
        "ALTER TABLE streams DROP COLUMN took",
        "ALTER TABLE streams DROP COLUMN since",
        "ALTER TABLE streams DROP COLUMN read_from",
        "DROP INDEX snapshots_by_state",
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
    _sql(
        open_store.url,
        r"UPDATE rollups SET dim = replace(replace(dim, '\\', '\'), '\|', '|')",
        "ALTER TABLE streams DROP COLUMN read_from",
        "DROP INDEX snapshots_by_state",
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
    _sql(
        open_store.url,
        "UPDATE rollups SET dim = replace(dim, '|deployments_api', '')",
        "ALTER TABLE streams DROP COLUMN read_from",
        "DROP INDEX snapshots_by_state",
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
    _sql(
        open_store.url,
        "UPDATE rollups SET dim = 'success', amount = 60 WHERE kind = 'PipelineJob' AND dim = 'linux|30'",
        "DELETE FROM rollups WHERE kind = 'PipelineJob' AND dim <> 'success'",
        "UPDATE meta SET value = '4' WHERE key = 'schema_version'",
        "ALTER TABLE streams DROP COLUMN read_from",
        "DROP INDEX snapshots_by_state",
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
    _sql(
        open_store.url,
        "ALTER TABLE streams DROP COLUMN read_from",
        "DROP INDEX snapshots_by_state",
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
    _sql(
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


def test_a_store_of_a_newer_version_is_refused(open_store: Opener) -> None:
    """The text says which versions and what to do."""
    open_store().close()
    _sql(open_store.url, "UPDATE meta SET value = '8' WHERE key = 'schema_version'")
    text_ = (
        r"has schema version 8, this platform-meter knows versions up to 7; run the platform-meter that wrote it "
        r"or a newer one, or give this one a store of its own"
    )
    with pytest.raises(StoreError, match=text_):
        open_store()


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
    _sql(open_store.url, "DROP TABLE events")
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
