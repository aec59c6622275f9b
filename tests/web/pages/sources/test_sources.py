"""The Sources page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.history import NOBODY, MemoryHistory, owner, source
from tests.support.views import html, rows, tables, view

from platform_meter.model.catalogue.meter import OBJECTS_SEEN, OWNERSHIP_CONFLICTS, UNOWNED_OBJECTS
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.progress import Progress
from platform_meter.store import StreamState
from platform_meter.web.pages.sources import PAGE, SHOWN
from platform_meter.web.view import SourceExtra

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
FAR = Progress(what="repositories", done=3, of=9)


def repo(name: str) -> Repository:
    return Repository(about=Ref(system="github", kind="repository", id=name))


def state(stream: str, *, error: str = "", progress: Progress | None = None, polls: int = 3) -> StreamState:
    return StreamState(
        instance="gh",
        type="github",
        stream=stream,
        watermark=NOW,
        last_success=NOW - timedelta(minutes=2),
        last_error=error,
        last_error_at=None,
        progress=progress,
        polls=polls,
    )


def test_each_source_says_how_it_does() -> None:
    """State, age of the data, quota, skipped starts, and the text of the failure."""
    history = MemoryHistory(
        sources=[
            source("gh", "github", watermark=NOW - timedelta(minutes=3)),
            replace(source("jira", watermark=None), fresh=False),
        ]
    )
    extras = {"gh": SourceExtra(quota=0.42, late=2, paused_until=NOW + timedelta(minutes=9))}
    seen = view(NOW, history, streams=[state("api", error="GET /orgs: 502")], extras=extras)
    github, jira = tables(seen, PAGE.path)[""].rows
    assert github[:2] == ("gh", "github")
    assert github[2] == "up resting until 12:09:00: its quota is used up GET /orgs: 502"
    assert github[3:6] == ("3 min", "42.0 %", "2")
    assert github[6].startswith("1 stream, oldest good read 11:58:00")
    assert jira[:4] == ("jira", "jira", "starting", "–")


@pytest.mark.parametrize(
    ("said", "cell"),
    [
        ({}, "starting"),
        ({"progress": FAR}, "importing 3 of 9 repositories, done at about 12:07"),
        ({"error": "GET /orgs: 401"}, "down GET /orgs: 401"),
        (
            {"progress": FAR, "error": "GET /orgs: 502"},
            "importing 3 of 9 repositories, done at about 12:07 GET /orgs: 502",
        ),
    ],
    ids=["asked", "importing", "refused", "tries again"],
)
def test_a_source_that_was_never_read_whole(said: dict[str, Any], cell: str) -> None:
    """It starts until it tells how far it is, or fails; only then it is down."""
    history = MemoryHistory(sources=[source("gh", "github", watermark=None, fresh=False)])
    ends = {"gh": SourceExtra(ends={"api": NOW + timedelta(minutes=7)})}
    seen = view(NOW, history, streams=[replace(state("api", **said), watermark=None)], extras=ends)
    (row,) = tables(seen, PAGE.path)[""].rows
    assert row[2:4] == (cell, "–")


def test_what_nobody_owns_is_named() -> None:
    """Objects by kind as `/metrics` counts them; those without an owner, and those whose rules disagree, by name."""
    told = [
        ("gh", NOBODY, repo("acme/lost")),
        ("gh", owner("pay", conflict="3 label: shop"), repo("acme/pay")),
    ]
    counted = rows(
        (OBJECTS_SEEN, ("github", "repository"), 2.0),
        (UNOWNED_OBJECTS, ("github", "repository"), 1.0),
        (OWNERSHIP_CONFLICTS, ("github", "repository"), 1.0),
    )
    seen = view(NOW, MemoryHistory(told, sources=[source("gh", "github", watermark=NOW)]), rows=counted)
    assert tables(seen, PAGE.path)["Ownership"].rows[0] == ("github", "repository", "2", "1", "1")
    assert tables(seen, PAGE.path)["Ownership"].columns[4] == "Rules disagree"
    text = html(seen, PAGE.path)
    assert "<code>github:acme/lost</code>" in text
    assert "3 label: shop" in text


@pytest.mark.parametrize(("count", "more"), [(SHOWN, ""), (SHOWN + 3, "and 3 more")])
def test_of_many_without_owner_the_rest_is_counted(count: int, more: str) -> None:
    """By name as many as a list bears, and of the others how many they are."""
    told = [("gh", NOBODY, repo(f"acme/lost-{n:03}")) for n in range(count)]
    text = html(view(NOW, MemoryHistory(told, sources=[source("gh", "github", watermark=NOW)])), PAGE.path)
    assert text.count("<code>github:acme/lost-") == SHOWN
    assert ("more</p>" in text) is bool(more)
    assert more in text


def test_gaps_are_listed() -> None:
    """A range that could not be read, with its reason; text from outside is escaped."""
    gap = ("gh", NOW - timedelta(days=2), NOW - timedelta(days=1), "result_cap", "<b>1,200 runs</b>")
    text = html(view(NOW, gaps=[gap]), PAGE.path)
    assert "2026-06-08 12:00" in text
    there = html(replace(view(NOW, gaps=[gap]), zone=ZoneInfo("Asia/Tokyo")), PAGE.path)
    assert ("2026-06-08 21:00" in there, "2026-06-08 12:00" in there) == (True, False)
    assert "result_cap" in text
    assert "&lt;b&gt;1,200 runs&lt;/b&gt;" in text


def test_streams_have_a_line_where_there_is_something_to_say() -> None:
    """How far each is that imports, by its name; equal failures are said once."""
    history = MemoryHistory(sources=[source("gh", "github", watermark=None, fresh=False)])
    streams = [
        replace(state("issues", progress=Progress(what="issues", done=3)), watermark=None),
        replace(state("runs", progress=FAR, error="GET /orgs: 502"), watermark=None),
        state("tags", error="GET /orgs: 502", progress=FAR),
    ]
    (row,) = tables(view(NOW, history, streams=streams), PAGE.path)[""].rows
    assert row[2] == "importing issues: 3 issues runs: 3 of 9 repositories GET /orgs: 502"


def test_a_source_that_is_pushed_to_says_when_it_last_was() -> None:
    """Whatever its polls do; of others nothing is said of it."""
    history = MemoryHistory(sources=[source("gh", "github", watermark=NOW)])
    pushed = replace(state("api"), pushed=NOW - timedelta(seconds=30))
    (told,) = tables(view(NOW, history, streams=[pushed]), PAGE.path)[""].rows
    assert told[2] == "up last pushed to 10 Jun 11:59:30"
    (told,) = tables(view(NOW, history, streams=[state("api")]), PAGE.path)[""].rows
    assert told[2] == "up"
