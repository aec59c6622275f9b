"""One source that fails disturbs no other, says why on the Sources page, and comes back; a long import shows its way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.company import LOOKBACK, Running, company
from tests.support.http import Reply as Scripted
from tests.support.http import serving

from platform_meter.demo.apis.kubernetes.routes import KubernetesApi
from platform_meter.demo.apis.wsgi import Reply, Request
from platform_meter.model.progress import Progress
from platform_meter.runtime.service import Service
from platform_meter.store import Round


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Running]:
    with company(tmp_path, teams=8, services=24) as running:
        yield running


def others(running: Running) -> set[str]:
    return set(running.service.config.sources) - {"github"}


def up(running: Running) -> set[str]:
    return {name for (name,), value in running.counter("platform_meter_source_up", "source_instance").items() if value}


def runs_of_github(running: Running) -> dict[tuple[str, ...], float]:
    """By system, team and outcome."""
    found = running.counter("platform_pipeline_runs_total", "system", "team", "outcome")
    return {labels: n for labels, n in found.items() if labels[0] == "github"}


def text(html: str) -> str:
    """What a reader sees."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_credential_that_is_refused(small: Running) -> None:
    """After a 401 the others go on and count; GitHub's gauges go once it is stale, its counters stay, and it comes back."""
    small.poll()
    counted = runs_of_github(small)
    small.poll(after=timedelta(minutes=10))
    grown = runs_of_github(small)
    assert sum(grown.values()) > sum(counted.values())
    token = small.folder / "secrets" / "github"
    good = token.read_text()
    token.write_text("ghs_wrong")

    small.clock.at += timedelta(minutes=10)
    results = {r.instance: r.error for r in small.service.once() if r.error}
    assert results.keys() == {"github"}
    assert "401" in results["github"]
    assert up(small) == others(small)
    assert runs_of_github(small) == grown
    assert {dict(labels)["system"] for labels in small.metrics()["platform_pipeline_flaky_ratio"]} == {
        "gitlab",
        "jenkins",
        "tekton",
    }
    tickets = small.truth.tickets_created(small.first - timedelta(minutes=15), small.clock.at + timedelta(seconds=1))
    assert small.counter("platform_tickets_created_total") == ({(): tickets.total()} if tickets else {})
    page = text(small.page("/sources"))
    assert "No fresh data from github: numbers that rest on it are absent." in page
    assert "github GitHub down" in page
    assert "401" in page

    asked = calls(small)
    small.clock.at += timedelta(seconds=10)
    small.service.once()
    assert calls(small) - asked <= 1, "the breaker is open: what was refused is not asked again at once"

    token.write_text(good)
    small.clock.at += timedelta(hours=1)
    assert [r for r in small.service.once() if r.error] == []
    assert up(small) == {"github", *others(small)}
    truth = small.truth.pipeline_runs(small.first - timedelta(minutes=15), small.clock.at + timedelta(seconds=1))
    assert sum(small.counter("platform_pipeline_runs_total", "team").values()) == truth.total()
    assert "No fresh data" not in small.page("/sources")


def calls(running: Running) -> float:
    return running.counter("platform_meter_source_requests_total", "source").get(("github",), 0.0)


def test_a_server_that_is_out_of_order(tmp_path: Path) -> None:
    """A GitHub that answers every call with 502 from the start: the others are imported, the page says what it answered."""
    with serving() as broken:
        broken.on("/orgs/acme/repos", Scripted(502))
        only = {"github": {"url": broken.url}, "jira": {}, "cluster-eu": {}}
        with company(tmp_path, teams=8, services=24, only=only) as running:
            results = running.service.once()
            assert {r.instance for r in results if r.error} == {"github"}
            assert up(running) == {"jira", "cluster-eu"}
            assert sum(r.new for r in results if r.instance == "jira") > 500
            assert running.metrics()["platform_tickets_open"]
            page = text(running.page("/sources"))
            assert "502" in page
            assert "github GitHub down" in page
            assert running.service.health() == ""


def test_the_first_import_shows_how_far_it_is(small: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a first import goes on, the Sources page and every other page say so, with how far it is."""
    seen: list[tuple[str, str, str]] = []

    read: list[float | None] = []
    saw = small.service.imports.saw

    def look(poll: Round, progress: Progress, now: datetime) -> None:
        saw(poll, progress, now)
        if poll.instance == "github" and len(seen) < 3:
            small.service.meter.tick()
            read.append(small.counter("platform_meter_source_import_ratio", "source_instance").get(("github",)))
            seen.append((str(progress), text(small.page("/sources")), text(small.page("/"))))

    monkeypatch.setattr(small.service.imports, "saw", look)
    small.service.meter.tick()
    small.poll()
    assert len(seen) == 3
    for progress, sources, overview in seen:
        assert f"github GitHub importing {progress}" in sources
        assert "The first import is going on; numbers are not complete yet:" in overview
        assert f"github: {progress}" in overview
    # How many are read by then hangs on who answers first.
    assert [f"{(share or 0.0) * 37:.0f} of 37 repositories" for share in read] == [
        progress.partition(" of acme")[0] for progress, _, _ in seen
    ]
    assert "importing" not in text(small.page("/sources"))
    assert "platform_meter_source_import_ratio" not in small.metrics()


@dataclass
class Gate:
    """What the API server of every simulated cluster refuses now."""

    refused: tuple[str, ...] = ()
    """Beginnings of paths that the credential may not read."""
    down: bool = False


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    made, answer = Gate(), KubernetesApi.answer

    def guarded(self: KubernetesApi, request: Request, handle: Callable[[], Reply]) -> Reply:
        if made.down:
            return Reply(body=b"no backend", status=503, type="text/plain")
        if request.path.startswith(made.refused):
            return Reply(body=b"forbidden", status=403, type="text/plain")
        return answer(self, request, handle)

    monkeypatch.setattr(KubernetesApi, "answer", guarded)
    monkeypatch.setattr(Service, "_sleep", lambda *_: None)  # between the tries of one call
    return made


def said(running: Running, name: str, **labels: str) -> list[float]:
    """Values of one family with these labels; none where it is absent."""
    values = running.metrics().get(name, {})
    return [value for pairs, value in values.items() if labels.items() <= dict(pairs).items()]


def test_an_api_that_is_down_burns_its_slo_at_once(tmp_path: Path, gate: Gate) -> None:
    """The probe's answer is no failure of reading: its SLO burns while all other streams fail, and goes on to."""
    with company(tmp_path, teams=8, services=16, only={"cluster-eu": {}}) as running:

        def burn(window: str) -> float:
            (found,) = said(running, "platform_slo_burn_rate", slo="cluster-api-eu", window=window)
            return found

        def probe(times: int) -> None:
            for _ in range(times):
                running.clock.at += timedelta(seconds=30)
                running.service.once()

        probe(20)
        assert (burn("5m"), burn("1h"), up(running)) == (0.0, 0.0, {"cluster-eu"})
        gate.down = True
        probe(4)
        assert burn("5m") > 14.4
        assert burn("1h") > 14.4
        (early,) = said(running, "platform_slo_window_events", slo="cluster-api-eu", window="1h", result="bad")
        probe(8)
        assert up(running) == set(), "nodes are not read"
        (late,) = said(running, "platform_slo_window_events", slo="cluster-api-eu", window="1h", result="bad")
        assert late == early + 4
        assert said(running, "platform_slo_data_age_seconds", slo="cluster-api-eu") == [0.0]
        assert said(running, "platform_slo_burn_rate", slo="node-readiness-eu") == []
        assert "503" in text(running.page("/sources"))


def test_watches_that_are_refused_take_what_they_gave_with_them(tmp_path: Path, gate: Gate) -> None:
    """Pod starts, then inventory too, are stale and so absent, while all else goes on; and they come back."""
    with company(tmp_path, teams=8, services=16, only={"github": {}, "cluster-eu": {}}) as running:

        def later(minutes: int) -> set[str]:
            """The streams that fail so much later."""
            running.clock.at += timedelta(minutes=minutes)
            return {r.stream for r in running.service.once() if r.error}

        def adopted() -> list[float]:
            return said(running, "platform_adoption_ratio", capability="kubernetes")

        def pods() -> list[float]:
            return said(running, "platform_slo_window_events", slo="pod-start", window="1h")

        running.poll()
        assert sum(pods()) > 0
        assert adopted()
        gate.refused = ("/api/v1/pods",)
        assert later(3) == {"pods", "waiting"}
        assert up(running) == {"cluster-eu", "github"}
        assert later(12) == {"pods", "waiting"}
        assert sum(pods()) > 0, "a watch has a quarter of an hour"
        assert later(1) == {"pods", "waiting"}
        assert up(running) == {"github"}
        assert pods() == []
        assert said(running, "platform_slo_data_age_seconds", slo="pod-start") == [960.0]
        assert adopted(), "workloads are read as ever"
        gate.refused = ("/apis/",)
        workloads = {"deployments", "statefulsets", "daemonsets", "cronjobs"}
        covering = {"autoscalers", "disruptionbudgets", "goldenimages", "meshinjections", "networkpolicies", "quotas"}
        assert later(16) == workloads | covering
        assert adopted() == []
        assert sum(pods()) > 0, "read again"
        assert sum(said(running, "platform_cluster_nodes", cluster="eu")) > 0
        assert said(running, "platform_slo_burn_rate", slo="cluster-api-eu", window="1h") == [0.0]
        assert "403" in text(running.page("/sources"))
        gate.refused = ()
        assert later(11) == set(), "what was refused is not asked again at once"
        assert up(running) == {"cluster-eu", "github"}
        assert adopted()


def test_inventory_that_was_never_read_is_not_taken_for_none(tmp_path: Path, gate: Gate) -> None:
    """Who may not list workloads sees no adoption, not 0, and no day of it is kept; the first one is the first known."""
    gate.refused = ("/apis/apps/v1/deployments",)
    few = {"repositories": ("*-api",), "jobs": "none", "codeowners": False}  # a day is thousands of calls else
    with company(tmp_path, teams=8, services=16, only={"github": few, "cluster-eu": {}}) as running:

        def days() -> date | None:
            with running.service.history() as history:
                return history.last_day("adoption/kubernetes")

        running.service.once()
        assert said(running, "platform_adoption_units", capability="kubernetes") == []
        running.clock.at += timedelta(days=1)
        running.service.once()
        assert days() is None
        gate.refused = ()
        running.poll(after=timedelta(minutes=11))  # what was refused is not asked again at once
        assert sum(said(running, "platform_adoption_units", capability="kubernetes", state="active")) > 0
        assert days() is None, "nobody looked yesterday"
        known = running.clock.at.date()
        running.poll(after=timedelta(days=1))
        assert days() == known


def test_a_clock_that_was_ahead_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours by two hours at one poll: the next reads all of it again, counts nothing twice, and windows end at the present."""
    ahead = timedelta()

    def service(*args: Any, clock: Callable[[], datetime], **more: Any) -> Service:
        return Service(*args, clock=lambda: clock() + ahead, **more)

    monkeypatch.setattr("tests.support.company.Service", service)
    only = {"github": {"jobs": "none", "codeowners": False}}
    with company(tmp_path, teams=8, services=16, only=only) as running:
        running.poll()
        ahead = timedelta(hours=2)
        running.poll(after=timedelta(minutes=5))
        ahead = timedelta()
        running.poll(after=timedelta(minutes=10))
        assert up(running) == {"github"}
        runs = list(running.truth.attempts(running.first - LOOKBACK, running.clock.at + timedelta(seconds=1)))
        assert sum(running.counter("platform_pipeline_runs_total", "team").values()) == len(runs)
        assert sum(said(running, "platform_slo_window_events", slo="ci-platform-success", window="1h")) > 0
        assert said(running, "platform_slo_data_age_seconds", slo="ci-platform-success") == [0.0]
