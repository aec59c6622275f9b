"""The Sources page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.history import NOBODY, MemoryHistory, owner, source
from tests.support.views import MemoryRecords, examples, html, rows, tables, view

from platform_meter.model.catalogue.meter import OBJECTS_SEEN, OWNERSHIP_CONFLICTS, UNOWNED_OBJECTS
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.progress import Progress
from platform_meter.store import Calls, ConfiguredStream, GapRow, Lease, Quota, StreamState
from platform_meter.web.pages.sources import PAGE, SHOWN
from platform_meter.web.view import SourceExtra

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
FAR = Progress(what="repositories", done=3, of=9)
AREA = "CI/CD"
API = ConfiguredStream(name="api", gives=frozenset({Repository}), every=timedelta(minutes=1))


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
        last_error_kind="Unreachable" if error else "",
        progress=progress,
        polls=polls,
        took=timedelta(seconds=5),
    )


def test_each_source_says_how_it_does() -> None:
    """By area: its state, the text of the failure with what to do, how old what it says is of how old it may be, calls by
    how they ended, quota with its reset, objects, gaps. What nobody knows is a dash.
    """
    history = MemoryHistory(
        [("gh", NOBODY, repo("acme/lost")), ("gh", owner("pay"), repo("acme/pay"))],
        sources=[
            source("gh", "github", watermark=NOW - timedelta(minutes=3)),
            source("jira", watermark=None, fresh=False),
        ],
    )
    records = MemoryRecords(
        hour=[Calls("gh", "ok", NOW, 1200), Calls("gh", "error", NOW, 3), Calls("gh", "limited", NOW, 1)],
        day=[Calls("gh", "ok", NOW, 9000), Calls("gh", "error", NOW, 3), Calls("gh", "limited", NOW, 1)],
        left=[
            Quota("gh", "core", 5000, 2100, NOW + timedelta(minutes=20), NOW),
            Quota("gh", "search", 30, 30, NOW + timedelta(minutes=1), NOW),
        ],
        unread=[GapRow("gh", NOW - timedelta(days=2), NOW - timedelta(days=1), "result_cap", "")],
    )
    extra = SourceExtra(late=2, paused_until=NOW + timedelta(minutes=9), streams={"api": API})
    seen = view(
        NOW, history, streams=[state("api", error="GET /orgs: 502")], extras={"gh": extra}, records=records, holder="me"
    )
    (github,) = tables(seen, PAGE.path)[AREA].rows
    advice = (
        "Look whether the system answers from this machine; it is tried again by itself. "
        "platform-meter sources test gh tries it."
    )
    assert github == (
        "gh GitHub",
        f"up resting until 12:09:00: its quota is used up 2 starts skipped GET /orgs: 502 {advice}",
        "2 min of 3 min",
        "1,204 3 failed, 1 limited",
        "9,004 3 failed, 1 limited",
        "42.0 % of 5,000, all back at 12:20:00",
        "2",
        "1",
        "1",
    )
    (jira,) = tables(seen, PAGE.path)["Tickets and incidents"].rows
    assert jira == ("jira Jira", "starting", "–", "–", "–", "–", "–", "–", "0")


def test_what_all_sources_come_to_stands_at_the_top() -> None:
    """Fresh ones of all, calls, the least quota with whose it is, objects without owner; a dash says why."""
    history = MemoryHistory(
        [("gh", NOBODY, repo("acme/lost")), ("gh", owner("pay"), repo("acme/pay"))],
        sources=[source("gh", "github", watermark=NOW), source("jira", watermark=NOW, fresh=False)],
    )
    records = MemoryRecords(
        hour=[Calls("gh", "ok", NOW, 5), Calls("jira", "error", NOW, 2)],
        day=[Calls("gh", "ok", NOW, 5), Calls("jira", "error", NOW, 2)],
        left=[Quota("gh", "", 100, 40, NOW + timedelta(hours=1), NOW), Quota("jira", "", 9, 0, NOW, NOW)],
    )
    text = html(view(NOW, history, records=records), PAGE.path)
    for tile in ("1 of 2", "1 down", "2 of them came to nothing", "40.0 %", "of 2"):
        assert f">{tile}<" in text, tile
    bare = html(view(NOW, MemoryHistory(sources=[source("gh", "github", watermark=NOW)])), PAGE.path)
    for tile in ("1 of 1", "no call was counted yet", "no API tells one", "none is known yet"):
        assert f">{tile}<" in bare, tile


def test_without_a_source_the_page_says_how_one_is_written() -> None:
    """And has no tiles of nothing."""
    text = html(view(NOW), PAGE.path)
    assert "No source is configured. For example, in platform-meter.yaml:" in text
    assert "type: github" in examples(view(NOW), PAGE.path)[0]
    assert 'class="tiles"' in text
    assert "Sources with fresh data" not in text


@pytest.mark.parametrize(
    ("lease", "said"),
    [
        (Lease("gh", "me", NOW + timedelta(seconds=20)), "gh GitHub"),
        (Lease("gh", "other:9898", NOW + timedelta(seconds=20)), "gh GitHub, polled by other:9898"),
        (
            Lease("gh", "other:9898", NOW - timedelta(minutes=3)),
            "gh GitHub, polled by nobody now; by other:9898 until 11:57:00",
        ),
    ],
    ids=["this one", "another replica", "gone"],
)
def test_a_source_says_which_replica_polls_it(lease: Lease, said: str) -> None:
    """Where that is another one: its page knows when it looks next."""
    history = MemoryHistory(sources=[source("gh", "github", watermark=NOW)])
    seen = view(NOW, history, records=MemoryRecords(held={"gh": lease}), holder="me")
    assert tables(seen, PAGE.path)[AREA].rows[0][0] == said


@pytest.mark.parametrize(
    ("told", "cell"),
    [
        (Quota("gh", "", 5000, 400, NOW + timedelta(minutes=5), NOW), "8.0 % of 5,000, all back at 12:05:00"),
        (Quota("gh", "", 5000, 0, NOW - timedelta(hours=13), NOW), "100.0 % of 5,000, all back since 09 Jun 23:00"),
    ],
    ids=["low", "back"],
)
def test_a_quota_is_as_it_is_now(told: Quota, cell: str) -> None:
    """After its reset all of it is back, whatever the last answer said."""
    seen = view(NOW, MemoryHistory(sources=[source("gh", "github", watermark=NOW)]), records=MemoryRecords(left=[told]))
    assert tables(seen, PAGE.path)[AREA].rows[0][5] == cell


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
    never = replace(state("api", **said), watermark=None, last_success=None)
    (row,) = tables(view(NOW, history, streams=[never], extras=ends), PAGE.path)[AREA].rows
    assert (row[1].partition(" Look whether")[0], row[2]) == (cell, "–")


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
    gap = GapRow("gh", NOW - timedelta(days=2), NOW - timedelta(days=1), "result_cap", "<b>1,200 runs</b>")
    seen = view(NOW, records=MemoryRecords(unread=[gap]))
    text = html(seen, PAGE.path)
    assert "2026-06-08 12:00" in text
    there = html(replace(seen, zone=ZoneInfo("Asia/Tokyo")), PAGE.path)
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
    (row,) = tables(view(NOW, history, streams=streams), PAGE.path)[AREA].rows
    assert row[1].startswith("importing issues: 3 issues runs: 3 of 9 repositories GET /orgs: 502 Look whether")
    assert row[1].count("502") == 1


def test_a_source_that_is_pushed_to_says_when_it_last_was() -> None:
    """Whatever its polls do; of others nothing is said of it."""
    history = MemoryHistory(sources=[source("gh", "github", watermark=NOW)])
    pushed = replace(state("api"), pushed=NOW - timedelta(seconds=30))
    (told,) = tables(view(NOW, history, streams=[pushed]), PAGE.path)[AREA].rows
    assert told[1] == "up last pushed to 11:59:30"
    (told,) = tables(view(NOW, history, streams=[state("api")]), PAGE.path)[AREA].rows
    assert told[1] == "up"


def test_a_source_that_is_stale_without_a_failure_says_so() -> None:
    """Nobody polls it, or a poll hangs: there is no error to show."""
    history = MemoryHistory(sources=[source("gh", "github", watermark=NOW, fresh=False)])
    (told,) = tables(view(NOW, history, streams=[state("api")]), PAGE.path)[AREA].rows
    assert told[1] == "down No failure is known: its poll still runs, or nobody polls it."


def test_a_rest_that_is_over_is_not_told() -> None:
    """The next poll takes note of it; the page knows the time by itself."""
    history = MemoryHistory(sources=[source("gh", "github", watermark=NOW)])
    rested = {"gh": SourceExtra(paused_until=NOW - timedelta(seconds=1))}
    (told,) = tables(view(NOW, history, streams=[state("api")], extras=rested), PAGE.path)[AREA].rows
    assert told[1] == "up"
