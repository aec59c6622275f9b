"""One source that fails disturbs no other, says why on the Sources page, and comes back; a long import shows its way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.company import Running, company
from tests.support.http import Reply, serving

OTHERS = {"jira", "cluster-eu", "cluster-us"}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Running]:
    with company(tmp_path, teams=8, services=24) as running:
        yield running


def up(running: Running) -> set[str]:
    return {name for (name,), value in running.counter("platform_meter_source_up", "source_instance").items() if value}


def text(html: str) -> str:
    """What a reader sees."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_credential_that_is_refused(small: Running) -> None:
    """After a 401 the others go on and count; GitHub's gauges go once it is stale, its counters stay, and it comes back."""
    small.poll()
    counted = small.counter("platform_pipeline_runs_total", "team", "outcome")
    small.poll(after=timedelta(minutes=10))
    grown = small.counter("platform_pipeline_runs_total", "team", "outcome")
    assert sum(grown.values()) > sum(counted.values())
    token = small.folder / "secrets" / "github"
    good = token.read_text()
    token.write_text("ghs_wrong")

    small.clock.at += timedelta(minutes=10)
    results = {r.instance: r.error for r in small.service.once() if r.error}
    assert results.keys() == {"github"}
    assert "401" in results["github"]
    assert up(small) == OTHERS
    assert small.counter("platform_pipeline_runs_total", "team", "outcome") == grown
    assert "platform_pipeline_flaky_ratio" not in small.metrics()
    tickets = small.truth.tickets_created(small.first - timedelta(minutes=15), small.clock.at + timedelta(seconds=1))
    assert small.counter("platform_tickets_created_total") == ({(): tickets.total()} if tickets else {})
    page = text(small.page("/sources"))
    assert "No fresh data from github: numbers that rest on it are absent." in page
    assert "github github down" in page
    assert "401" in page

    asked = calls(small)
    small.clock.at += timedelta(seconds=10)
    small.service.once()
    assert calls(small) - asked <= 1, "the breaker is open: what was refused is not asked again at once"

    token.write_text(good)
    small.clock.at += timedelta(hours=1)
    assert [r for r in small.service.once() if r.error] == []
    assert up(small) == {"github", *OTHERS}
    truth = small.truth.pipeline_runs(small.first - timedelta(minutes=15), small.clock.at + timedelta(seconds=1))
    assert sum(small.counter("platform_pipeline_runs_total", "team").values()) == truth.total()
    assert "No fresh data" not in small.page("/sources")


def calls(running: Running) -> float:
    return running.counter("platform_meter_source_requests_total", "source").get(("github",), 0.0)


def test_a_server_that_is_out_of_order(tmp_path: Path) -> None:
    """A GitHub that answers every call with 502 from the start: the others are imported, the page says what it answered."""
    with serving() as broken:
        broken.on("/orgs/acme/repos", Reply(502))
        only = {"github": {"url": broken.url}, "jira": {}, "cluster-eu": {}}
        with company(tmp_path, teams=8, services=24, only=only) as running:
            results = running.service.once()
            assert {r.instance for r in results if r.error} == {"github"}
            assert up(running) == {"jira", "cluster-eu"}
            assert sum(r.new for r in results if r.instance == "jira") > 500
            assert running.metrics()["platform_tickets_open"]
            page = text(running.page("/sources"))
            assert "502" in page
            assert "github github down" in page
            assert running.service.health() == ""


def test_the_first_import_shows_how_far_it_is(small: Running) -> None:
    """While a first import goes on, the Sources page and every other page say so, with how far it is."""
    seen: list[tuple[str, str, str]] = []

    def look(instance: str, progress: str) -> None:
        if instance == "github" and len(seen) < 3:
            seen.append((progress, text(small.page("/sources")), text(small.page("/"))))

    small.service.poller._progress = look
    small.service.meter.tick()
    small.poll()
    assert len(seen) == 3
    for progress, sources, overview in seen:
        assert f"github github importing {progress}" in sources
        assert "The first import is going on; numbers are not complete yet:" in overview
        assert f"github: {progress}" in overview
    assert "importing" not in text(small.page("/sources"))
