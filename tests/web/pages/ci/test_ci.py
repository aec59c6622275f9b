"""The CI/CD page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.views import html, rows, tables, view

from platform_meter.model.catalogue.ci import PIPELINE_ACTIVE
from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.model.history import Owner, SourceState
from platform_meter.web.pages.ci import page
from platform_meter.web.view import View

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
INFRA, USER, UNKNOWN, SUCCESS = Outcome.INFRA_FAILURE, Outcome.USER_FAILURE, Outcome.UNKNOWN, Outcome.SUCCESS
OURS = "What failed / The platform's, and those nobody could class"
THEIRS = "What failed / The users'"
Told = tuple[str, Owner, PipelineRun | PipelineJob]


def ran(
    outcome: Outcome, hours: float, *, team: str = "pay", name: str = "ci", system: str = "github", **more: Any
) -> Told:
    """A run that ended so long ago."""
    at = NOW - timedelta(hours=hours)
    fact = PipelineRun(
        key=f"{system}/{name}/{at.isoformat()}/{outcome}",
        at=at,
        about=Ref(system=system, kind="repository", id=f"acme/{team}"),
        pipeline=name,
        outcome=outcome,
        ran=timedelta(minutes=1),
        **{"group": f"{at}", **more},
    )
    return system, owner(team), fact


def job(seconds: float | None, pool: str, number: int, hours: float = 1) -> Told:
    about = Ref(system="github", kind="repository", id="acme/pay")
    queued = None if seconds is None else timedelta(seconds=seconds)
    at, ran = NOW - timedelta(hours=hours), timedelta(minutes=1)
    fact = PipelineJob(key=f"{number}", at=at, about=about, run="r", pool=pool, outcome=SUCCESS, ran=ran, queued=queued)
    return "github", owner("pay"), fact


def seen(told: Sequence[Told], sources: Sequence[SourceState] = (), **more: Any) -> View:
    states = sources or [source(name, watermark=NOW) for name in ("github", "jenkins")]
    return view(NOW, MemoryHistory(told, sources=states), **more)


def test_the_last_failures_say_why_by_which_rule_and_since_when() -> None:
    """Newest first, the platform's and unclear ones apart from the users'; a later success ends a streak."""
    told = [
        ran(USER, 30, name="old"),
        ran(SUCCESS, 29, name="old"),
        ran(INFRA, 5, reason="queue", rule="queue", url="https://ci.example/7"),
        ran(Outcome.CANCELLED, 4),
        ran(USER, 3, reason="make test", rule="user_step"),
        ran(UNKNOWN, 2, team="web", name="nightly", system="jenkins", reason="FAILURE", url="javascript:alert(1)"),
        ran(INFRA, 24 * 7 + 1, name="too old"),
    ]
    found, text = tables(seen(told), "/ci"), html(seen(told), "/ci")
    assert found[OURS].rows == (
        ("10 Jun 10:00", "nightly", "web", "unknown", "FAILURE", "none fits", "for 2.0 h"),
        ("10 Jun 07:00", "ci", "pay", "infra failure", "queue", "queue", "for 5.0 h"),
    )
    assert found[THEIRS].rows == (
        ("10 Jun 09:00", "ci", "pay", "user failure", "make test", "user_step", "for 5.0 h"),
        ("09 Jun 06:00", "old", "pay", "user failure", "", "none fits", "no longer"),
    )
    assert '<a href="https://ci.example/7" rel="noreferrer">ci</a>' in text
    assert "javascript:" not in text


def test_shares_by_system_and_team() -> None:
    """Over a day and a week up to the watermark; unclear failures are in no share, and none is drawn without runs."""
    told = [
        ran(SUCCESS, 1),
        ran(USER, 2),
        ran(INFRA, 3),
        ran(UNKNOWN, 4),
        ran(SUCCESS, 30, team="web", name="w"),
        ran(INFRA, 31, team="web", name="w"),
        ran(INFRA, 32, team="web", name="w"),
        ran(Outcome.SKIPPED, 33, system="jenkins", team="web", name="j"),
    ]
    found = tables(seen(told), "/ci")
    assert found["Whose fault / By system"].rows[1:] == (
        ("github", "4", "66.7 %", "33.3 %", "1", "1", "1", "7", "50.0 %", "33.3 %", "3", "1", "1"),
        ("jenkins", "0", "–", "–", "0", "0", "0", "1", "–", "–", "0", "0", "0"),
    )
    assert [row[:3] for row in found["Whose fault / By team"].rows[1:]] == [
        ("web", "github", "0"),
        ("pay", "github", "4"),
        ("web", "jenkins", "0"),
    ]


def test_where_too_much_is_unclear_the_page_says_so() -> None:
    """Above a fifth of five failures or more."""
    few = [ran(UNKNOWN, 1 + n, name=f"f{n}") for n in range(4)]
    assert "is not to be trusted" not in html(seen(few), "/ci")
    fifth = [ran(USER if n else UNKNOWN, 1 + n) for n in range(5)]
    assert "is not to be trusted" not in html(seen(fifth), "/ci")
    more = [ran(USER if n > 1 else UNKNOWN, 1 + n, reason="no such word") for n in range(5)]
    assert "More than a fifth of the failures of github in 7 days could not be classed" in html(seen(more), "/ci")
    assert tables(seen(more), "/ci")["Whose fault / Nobody could class"].rows == (("github", "no such word", "2"),)


def test_queues_by_pool() -> None:
    """Jobs of a day that a runner took; a pool of few has no quantile, one that only waits now no jobs."""
    told = [job(n * 60.0, "linux", n) for n in range(1, 6)]
    told += [job(None, "linux", 6), job(9999, "linux", 7, hours=25), job(30, "gpu", 8)]
    now = rows(
        (PIPELINE_ACTIVE, ("github", "arm", "queued"), 3.0), (PIPELINE_ACTIVE, ("github", "arm", "running"), 1.0)
    )
    assert tables(seen(told, rows=now), "/ci")["Where the queue is"].rows == (
        ("github", "linux", "–", "–", "5", "3 min", "5 min"),
        ("github", "arm", "3", "1", "–", "–", "–"),
        ("github", "gpu", "–", "–", "1", "–", "–"),
    )


def _tile(told: Sequence[Told]) -> tuple[str, str]:
    return next((t.value, t.more) for t in page(seen(told))["tiles"] if t.name == "Waiting for a person")


def test_waiting_for_a_person_is_apart() -> None:
    """By system, where a run waited."""
    told = [ran(SUCCESS, n, approval=timedelta(hours=n)) for n in range(1, 6)] + [ran(SUCCESS, 1, system="jenkins")]
    assert tables(seen(told), "/ci")["Where the queue is / Waiting for a person"].rows == (
        ("github", "5", "3.0 h", "4.8 h"),
    )
    assert _tile(told) == ("4.8 h", "95 % take no longer, 7 d")
    assert _tile(told[:4]) == ("–", "4 of 7 d, too few for a share")
    assert _tile(told[5:]) == ("–", "no run waited in 7 d, or none was told")
    none = tables(seen([ran(SUCCESS, 1)]), "/ci")["Where the queue is / Waiting for a person"]
    assert none.rows == (("No run waited for a person in the last 7 days, or none was told.",),)


def test_flaky_pipelines() -> None:
    """A failure and later a success of one group; the other way round is none."""
    told = [
        ran(USER, 5, group="a"),
        ran(SUCCESS, 4, group="a"),
        ran(SUCCESS, 3, group="b"),
        ran(USER, 2, group="b"),
        ran(USER, 1, group="c"),
    ]
    assert tables(seen(told), "/ci")["Flaky pipelines"].rows == (("ci", "pay", "github", "1", "3"),)


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([source("github", watermark=NOW, fresh=False)], "no fresh data from github"),
        ([], "no configured source gives it"),
    ],
    ids=["stale", "none"],
)
def test_what_nobody_reads_is_never_0(sources: list[SourceState], why: str) -> None:
    """Dashes with their reason, in tiles, tables and chart."""
    empty = view(NOW, MemoryHistory([ran(INFRA, 1)] if sources else [], sources=sources))
    text, found = html(empty, "/ci"), tables(empty, "/ci")
    assert f"Not all is current: {why}." in text
    assert f"No data: {why}." in text
    assert {tile.value for tile in page(empty)["tiles"]} == {"–"}
    for title in (OURS, THEIRS, "Whose fault / By system", "Whose fault / By team", "Where the queue is"):
        assert found[title].rows[-1:] == ((f"{why[0].upper()}{why[1:]}.",),)


def test_no_table_is_longer_than_its_bound() -> None:
    """10 rows of each (and a second one of heads by team), and it is said how many teams are left out."""
    told = [ran(o, 1 + n / 10, team=f"t{n}", name=f"p{n}", reason=f"r{n}") for n in range(20) for o in (INFRA, UNKNOWN)]
    told += [ran(USER, 5 + n / 10, team=f"t{n}", name=f"u{n}", group="g") for n in range(20)]
    told += [ran(SUCCESS, 4 + n / 10, team=f"t{n}", name=f"u{n}", group="g") for n in range(20)]
    told += [job(1, f"pool-{n}", n) for n in range(20)]
    full = seen(told)
    assert {title: len(table.rows) for title, table in tables(full, "/ci").items() if len(table.rows) > 2} == {
        OURS: 10,
        THEIRS: 10,
        "Whose fault / Platform and felt success": 28,
        "Whose fault / Nobody could class": 10,
        "Whose fault / By team": 11,
        "Where the queue is": 10,
        "Flaky pipelines": 10,
    }
    assert "10 more are on the dashboard" in html(full, "/ci")
