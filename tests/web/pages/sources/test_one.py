"""The page of one source."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.history import NOBODY, MemoryHistory, owner, source
from tests.support.objectives import objective
from tests.support.views import MemoryRecords, html, site, tables, view
from werkzeug.test import Client

from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.slis import SLI
from platform_meter.model.progress import Progress
from platform_meter.store import Calls, ConfiguredStream, GapRow, Lease, Quota, StreamState, Told
from platform_meter.web.app import make_app
from platform_meter.web.pages.sources.one import SHOWN
from platform_meter.web.view import SourceExtra, View

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
HERE = "/sources/gh"
SILENT = "No failure is known: its poll still runs, or nobody polls it."


def stream(name: str, *gives: Any, every: timedelta = timedelta(minutes=1)) -> ConfiguredStream:
    return ConfiguredStream(name=name, gives=frozenset(gives), every=every)


def state(name: str, *, ago: float | None = 40, **more: Any) -> StreamState:
    """A stream that succeeded so many seconds ago, or never."""
    last = None if ago is None else NOW - timedelta(seconds=ago)
    said: dict[str, Any] = {
        "instance": "gh",
        "type": "github",
        "stream": name,
        "watermark": last,
        "last_success": last,
        "last_error": "",
        "last_error_at": None,
        "progress": None,
        "polls": 3,
        "took": None if ago is None else timedelta(seconds=5),
    }
    return StreamState(**(said | more))


def repo(name: str) -> Repository:
    return Repository(about=Ref(system="github", kind="repository", id=name))


def seen(records: MemoryRecords | None = None, *told: Any, **more: Any) -> View:
    """A GitHub that tells runs and repositories in two streams."""
    behind = timedelta(minutes=2)
    streams = {
        "runs": stream("runs", PipelineRun),
        "slow": stream("slow", PipelineRun, every=timedelta(minutes=9)),
        "repos": replace(stream("repos", Repository), behind=behind),
    }
    usual: dict[str, Any] = {
        "streams": [state("runs"), state("repos")],
        "extras": {"gh": SourceExtra(streams=streams, next={"runs": NOW + timedelta(seconds=20)})},
        "holder": "me",
    }
    history = MemoryHistory(told, sources=[source("gh", "github", watermark=NOW - timedelta(seconds=40))])
    return view(NOW, history, records=records or MemoryRecords(), **(usual | more))


def test_each_stream_says_how_it_does() -> None:
    """When it succeeded last, of how long that holds, how long that took, and when it is looked at next; one that failed
    but holds still is no failure yet.
    """
    failed = NOW - timedelta(seconds=5)
    streams = [
        state("runs"),
        state("late", ago=600, last_error="GET /x: 502", last_error_at=failed),
        state("shaky", ago=90, last_error="GET /y: 502", last_error_at=failed),
        state("old", ago=600),
        state("new", ago=None, progress=Progress(what="issues", done=3)),
        state("gone"),
    ]
    configured = {name: stream(name) for name in ("runs", "late", "shaky", "old", "new", "never")}
    extra = SourceExtra(streams=configured, next={"runs": NOW + timedelta(seconds=20)})
    there = seen(streams=streams, extras={"gh": extra})
    text = html(there, HERE)
    assert (text.count('tag bad">failing'), text.count('tag warn">failing')) == (1, 1)
    assert list(tables(there, HERE)["Streams"].rows) == [
        ("late", "failing", "10 min of 3 min", "5 s", "–", "3", "11:59:55: GET /x: 502"),
        ("never", "starting", "never", "–", "–", "0", "It was not looked at yet."),
        ("new", "importing", "never", "–", "–", "3", "3 issues"),
        ("old", "stale", "10 min of 3 min", "5 s", "–", "3", SILENT),
        ("runs", "up", "40 s of 3 min", "5 s", "12:00:20", "3", ""),
        ("shaky", "failing", "90 s of 3 min", "5 s", "–", "3", "11:59:55: GET /y: 502"),
    ]


def test_a_slow_poll_is_promised_more_time() -> None:
    """Three times as long as the last one took, where that is longer than three polls."""
    slow = state("runs", ago=200, took=timedelta(minutes=4))
    extra = SourceExtra(streams={"runs": stream("runs")})
    (row,) = tables(seen(streams=[slow], extras={"gh": extra}), HERE)["Streams"].rows
    assert row[1:4] == ("up", "3 min of 12 min", "4 min")


def test_each_kind_is_counted_and_as_old_as_it_is() -> None:
    """What happens has a newest one and a number in 24 h, what stands a number now; read until tells how old that is, and
    how old it may be: as the stream that holds for the shortest time, with how far behind it reads.
    """
    kinds = [Told("PipelineRun", NOW - timedelta(minutes=53), 275, 0), Told("Repository", None, 0, 308)]
    found = tables(seen(MemoryRecords(kinds=kinds)), HERE)["What it told"].rows
    assert list(found) == [
        ("PipelineRun", "53 min ago", "275", "–", "40 s ago", "3 min", "fresh"),
        ("Repository", "–", "–", "308", "40 s ago", "5 min", "fresh"),
    ]


def test_of_a_kind_that_was_never_read_whole_nothing_is_known() -> None:
    """A dash, and not 0; what its first import has brought so far is there."""
    never = MemoryHistory(sources=[source("gh", "github", watermark=None, fresh=False)])
    kinds = [Told("PipelineRun", NOW - timedelta(hours=3), 7, 0), Told("Repository", None, 0, 0)]
    found = tables(replace(seen(MemoryRecords(kinds=kinds)), history=never), HERE)["What it told"].rows
    assert list(found) == [
        ("PipelineRun", "3.0 h ago", "7", "–", "never", "3 min", "not whole yet"),
        ("Repository", "–", "–", "–", "never", "5 min", "not whole yet"),
    ]


def test_what_it_costs_is_told_by_outcome_and_quota() -> None:
    """Of this source alone; the scarcest quota first, under its own name."""
    records = MemoryRecords(
        hour=[Calls("gh", "ok", NOW, 120), Calls("jira", "ok", NOW, 9)],
        day=[Calls("gh", "ok", NOW, 900), Calls("gh", "error", NOW, 2), Calls("jira", "ok", NOW, 9)],
        left=[
            Quota("gh", "core", 5000, 4000, NOW + timedelta(minutes=20), NOW),
            Quota("gh", "search", 30, 2, NOW + timedelta(minutes=1), NOW),
            Quota("jira", "", 100, 1, NOW + timedelta(minutes=1), NOW),
        ],
    )
    found = tables(seen(records), HERE)
    assert list(found["What it costs / Calls"].rows) == [
        ("in the last hour", "120", "0", "0"),
        ("in 24 hours", "900", "2", "0"),
    ]
    assert list(found["What it costs / Quotas"].rows) == [
        ("search", "28", "2", "of 30, all back at 12:01:00"),
        ("core", "1,000", "4,000", "of 5,000, all back at 12:20:00"),
    ]


def test_what_was_not_counted_is_no_0() -> None:
    """Dashes, and why."""
    found = tables(seen(), HERE)
    assert list(found["What it costs / Calls"].rows) == [
        ("in the last hour", "–", "–", "–"),
        ("in 24 hours", "–", "–", "–"),
    ]
    assert list(found["What it costs / Quotas"].rows) == [("Its API tells none, or was not asked yet.",)]
    assert "no call was counted in 24 h" in html(seen(), HERE)


def test_on_another_replica_the_page_says_who_knows() -> None:
    """That one's page tells when it looks next; ours tells all that is stored."""
    held = {"gh": Lease("gh", "other:9898", NOW + timedelta(seconds=9))}
    there = seen(MemoryRecords(held=held, hour=[Calls("gh", "ok", NOW, 5)], day=[Calls("gh", "ok", NOW, 5)]))
    assert [row[4] for row in tables(there, HERE)["Streams"].rows] == ["–", "–", "–"]
    assert tables(there, HERE)["What it costs / Calls"].rows[0][1] == "5"
    text = html(there, HERE)
    assert "It is polled by other:9898, whose page tells when it looks next." in text
    assert "polled by this process" not in text


def test_a_failure_says_what_to_do() -> None:
    """By its kind; one that no kind stands for is ours."""
    for kind, said in (
        (
            "Forbidden",
            "Give the credential the permission that lacks; the documentation of sources lists the least of github.",
        ),
        ("Severed", "It fails on our side: look at the name"),
        ("KeyError", "A fault of platform-meter or of the package"),
        ("", "platform-meter sources test gh tries it."),
    ):
        text = html(seen(streams=[state("runs", last_error="no <b>", last_error_kind=kind)]), HERE)
        assert "no &lt;b&gt;" in text
        assert said in text


def test_ownership_gaps_and_rows_are_its_own() -> None:
    """Conflicts lead to what stands behind them and to the team; of many the rest is counted."""
    told = [
        ("gh", NOBODY, repo("acme/lost")),
        ("gh", owner("api", "pay", conflict="3 label -> shop"), repo("acme/pay")),
        ("other", NOBODY, repo("acme/else")),
    ]
    ranges = [GapRow("gh", NOW - timedelta(days=2), NOW, "pruned", f"run {n}") for n in range(SHOWN + 2)]
    records = MemoryRecords(
        unread=[*ranges, GapRow("other", NOW, NOW, "expired", "")],
        refused=[("github", "PipelineRun", "naive", 3), ("jira", "TicketEvent", "invalid", 1)],
    )
    there = seen(records, *told)
    found, text = tables(there, HERE), html(there, HERE)
    assert list(found["Ownership"].rows) == [("repository", "2", "1", "1")]
    assert list(found["Ownership / Objects whose rules disagree"].rows) == [
        ("github:acme/pay", "pay", "1 test", "3 label -> shop")
    ]
    assert 'href="/delivery/pay"' in text
    assert (
        'href="/api/v1/explain?metric=platform_meter_ownership_conflicts&amp;source=github&amp;kind=repository"' in text
    )
    assert ("acme/lost" in text, "acme/else" in text) == (True, False)
    assert len(found["Gaps"].rows) == SHOWN
    assert "and 2 older ones" in text
    assert list(found["Rows left out"].rows) == [("PipelineRun", "naive", "3")]


def test_the_team_of_an_slo_answers_for_what_it_counts() -> None:
    """Here and in the list of all, as `/metrics` counts: what no SLO of a team counts has no owner."""
    told = [
        ("gh", NOBODY, Repository(about=Ref(system="github", kind="sli", id=id_)))
        for id_ in ("github:web", "github:db")
    ]
    declared = Definitions(objectives=(objective(SLI, slo="web", where={"id": "github:web"}),))
    there = seen(None, *told, definitions=declared)
    assert list(tables(there, HERE)["Ownership"].rows) == [("sli", "2", "1", "0")]
    for page in (HERE, "/sources"):
        text = html(there, page)
        assert ("github:github:db" in text, "github:github:web" in text) == (True, False)


def test_what_is_not_configured_has_no_page() -> None:
    """404, as for any other address."""
    assert Client(make_app(site(seen()))).get("/sources/none").status_code == 404
