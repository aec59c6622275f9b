"""Views for people who ask in SQL, on both engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_type_hints

import msgspec
import psycopg
import pytest
from sqlalchemy import text
from tests.support import postgres
from tests.support.stores import NOON, Opener, Rules, minutes, put, run

from platform_meter.model.columns import name
from platform_meter.model.facts import Event, Ref, event_kinds
from platform_meter.model.facts.delivery import Deployment, DeployResult
from platform_meter.model.facts.tickets import Today
from platform_meter.store import StoreError
from platform_meter.store.database import Database

REF = Ref(system="github", kind="repository", id="acme/payments")
FINE = datetime(2026, 6, 1, 14, 0, 0, 250_000, tzinfo=UTC)


def asked(url: str, question: str) -> list[dict[str, Any]]:
    """Rows of a query, times as datetimes whatever the engine gives."""
    database = Database(url)
    try:
        with database.read() as conn:
            return [
                {key: _plain(value) for key, value in row.items()} for row in conn.execute(text(question)).mappings()
            ]
    finally:
        database.close()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, str) and value[10:11] == "T" and value.endswith("Z"):
        return datetime.fromisoformat(value)
    return value


def deployment(**more: Any) -> Deployment:
    said = {"key": "1", "at": NOON, "about": REF, "environment": "prod", "sha": "abc", "result": DeployResult.FAILED}
    return Deployment(**{**said, **more})


def sample(kind: type[Event]) -> Event:
    """One of its kind, every field filled."""
    hints = get_type_hints(kind)
    said = {"key": "1", "at": NOON, "about": REF, "updated": FINE}
    return kind(**{**{f.name: _of(hints[f.name]) for f in fields(kind) if f.name not in said}, **said})


def _of(hint: Any) -> Any:
    one = next(part for part in get_args(hint) if part is not None) if isinstance(hint, UnionType) else hint
    if isinstance(one, type) and issubclass(one, StrEnum):
        return next(reversed(one))
    plain = {datetime: FINE, timedelta: timedelta(days=2, seconds=3.5), bool: True, int: 7, float: 1.5, str: "it's"}
    if one in plain:
        return plain[one]
    return Today("open", "") if one is Today else {} if "Mapping" in str(one) else ()


def stands(event: Event, field: str) -> Any:
    """A field as the view of its kind should show it."""
    value = getattr(event, field)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if value is None or isinstance(value, str | bool | int | float | datetime):
        return value
    return msgspec.json.encode(value).decode()


@pytest.mark.parametrize("kind", event_kinds().values(), ids=event_kinds())
def test_every_field_of_every_kind_is_there_as_it_was_told(kind: type[Event], open_store: Opener, url: str) -> None:
    """Times and durations, words with a quote in them, what is true, and lists."""
    event = sample(kind)
    put(open_store(), [event], NOON + minutes(60))
    (row,) = asked(url, f"SELECT * FROM {name(kind)}")
    ours = {"source", "object", "object_kind", "service", "team"}
    assert {key: value for key, value in row.items() if key not in ours} == {
        field.name: stands(event, field.name) for field in fields(kind) if field.name != "about"
    }
    assert (row["source"], row["object"], row["object_kind"]) == ("gh", "github:acme/payments", "repository")


def test_an_event_stands_beside_its_owner_of_that_time(open_store: Opener, url: str) -> None:
    """Before a handover and after it; one that nobody owns is `_unowned`."""
    rules = Rules({"github:acme/pay*": [(None, "old"), (NOON, "new")]})
    facts = [run("1", NOON - minutes(1)), run("2", NOON), run("3", NOON, repository="acme/odd")]
    put(open_store(directory=rules), facts, NOON + minutes(5))
    rows = asked(url, "SELECT key, team, service FROM pm_v1_pipeline_run ORDER BY key")
    assert [(row["key"], row["team"], row["service"]) for row in rows] == [
        ("1", "old", "old"),
        ("2", "new", "new"),
        ("3", "_unowned", "_unowned"),
    ]


@pytest.mark.parametrize("length", [timedelta(0), timedelta(days=1), timedelta(hours=30.5), timedelta(seconds=-90.25)])
def test_durations_are_seconds(length: timedelta, open_store: Opener, url: str) -> None:
    """However long; also one that clocks made negative."""
    put(open_store(), [replace(run("1"), ran=length)], NOON + minutes(5))
    (row,) = asked(url, "SELECT ran FROM pm_v1_pipeline_run")
    assert row["ran"] == length.total_seconds()


@pytest.mark.parametrize("at", [NOON + timedelta(milliseconds=1), datetime(1969, 12, 31, 23, 59, 59, 750_000, UTC)])
def test_times_are_exact_to_the_millisecond(at: datetime, open_store: Opener, url: str) -> None:
    """Also before 1970."""
    put(open_store(retention=timedelta(days=40_000)), [run("1", at)], NOON + minutes(5))
    assert [row["at"] for row in asked(url, "SELECT at FROM pm_v1_pipeline_run")] == [at]


def test_what_an_older_version_did_not_say_is_what_it_means(open_store: Opener, url: str) -> None:
    """A field that came later has its default, as everywhere; what is unknown is null."""
    open_store().close()
    put(open_store(), [deployment()], NOON + minutes(5))
    database = Database(url)
    with database.write() as conn:
        (body,) = conn.execute(text("SELECT body FROM events")).scalars()
        kept = {
            key: value for key, value in msgspec.json.decode(body).items() if key not in ("changes", "kind", "started")
        }
        conn.execute(text("UPDATE events SET body = :body"), {"body": msgspec.json.encode(kept)})
    database.close()
    (row,) = asked(url, "SELECT changes, kind, started FROM pm_v1_deployment")
    assert row == {"changes": "[]", "kind": "planned", "started": None}


def test_lists_are_taken_apart_by_the_engine(open_store: Opener, url: str) -> None:
    """As `docs/sql.md` says it."""
    put(open_store(), [deployment(changes=("a", "b"))], NOON + minutes(5))
    sqlite = "SELECT value AS sha FROM pm_v1_deployment, json_each(changes)"
    postgresql = "SELECT json_array_elements_text(changes::json) AS sha FROM pm_v1_deployment".replace("::", "\\:\\:")
    rows = asked(url, sqlite if url.startswith("sqlite") else postgresql)
    assert [row["sha"] for row in rows] == ["a", "b"]


def test_a_reader_of_its_own_reads_the_views_alone(postgres_server: postgres.Server) -> None:
    """Granted the schema once, and views by default: also those that an upgrade makes anew. It writes nothing."""
    opener = Opener(postgres_server.schema())
    opener(directory=Rules()).close()
    database = Database(opener.url)
    with database.write() as conn:
        schema = conn.execute(text("SELECT current_schema()")).scalar_one()
        for statement in (
            "CREATE ROLE reader LOGIN",
            f"GRANT USAGE ON SCHEMA {schema} TO reader",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO reader",
            "UPDATE meta SET value = 'another' WHERE key = 'views'",
        ):
            conn.execute(text(statement))
    database.close()
    put(opener(), [deployment()], NOON + minutes(5))
    address = opener.url.replace("postgresql://postgres@", "postgresql://reader@")
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT sha FROM pm_v1_deployment").fetchall() == [("abc",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT body FROM events")
    opener.close()


def test_a_view_of_somebody_else_on_ours_is_never_dropped(postgres_server: postgres.Server) -> None:
    """What rests on one of ours stops the upgrade, which says what it is; nothing has changed then."""
    opener = Opener(postgres_server.schema())
    opener().close()
    database = Database(opener.url)
    with database.write() as conn:
        conn.execute(text("CREATE VIEW ours AS SELECT sha FROM pm_v1_deployment"))
        conn.execute(text("UPDATE meta SET value = 'another' WHERE key = 'views'"))
    database.close()
    with pytest.raises(StoreError, match="view ours depends on view pm_v1_deployment"):
        opener()
    with psycopg.connect(opener.url) as connection:
        assert connection.execute("SELECT count(*) FROM ours").fetchall() == [(0,)]


def test_views_of_another_version_are_made_anew(open_store: Opener, url: str) -> None:
    """Whatever stands under their names; what people have made beside them stays."""
    open_store().close()
    database = Database(url)
    with database.write() as conn:
        for statement in (
            "DROP VIEW pm_v1_deployment",
            "CREATE VIEW pm_v1_deployment AS SELECT 1 AS old",
            "CREATE VIEW pm_v0_gone AS SELECT 1 AS old",
            "CREATE VIEW ours AS SELECT 1 AS n",
            "UPDATE meta SET value = 'another' WHERE key = 'views'",
        ):
            conn.execute(text(statement))
    database.close()
    put(open_store(), [deployment()], NOON + minutes(5))
    assert [row["sha"] for row in asked(url, "SELECT sha FROM pm_v1_deployment")] == ["abc"]
    assert asked(url, "SELECT n FROM ours") == [{"n": 1}]
    assert _views(url) == sorted([*(name(kind) for kind in event_kinds().values()), "ours"])


def _views(url: str) -> Sequence[str]:
    catalogue = (
        "SELECT name FROM sqlite_master WHERE type = 'view'"
        if url.startswith("sqlite")
        else "SELECT table_name AS name FROM information_schema.views WHERE table_schema = current_schema()"
    )
    return sorted(row["name"] for row in asked(url, catalogue))
