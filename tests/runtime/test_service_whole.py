"""A whole service on a tiny simulated company: what it reads, what it says of itself, its salt, and how it ends."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.company import Running, company, samples
from tests.support.waiting import PATIENCE

from platform_meter import __version__, sources
from platform_meter.model.definitions import Definitions
from platform_meter.runtime.files.config import Config, load_config
from platform_meter.runtime.service import Service
from platform_meter.runtime.service import test_source as try_source

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def config(folder: Path, text: str = "") -> Config:
    """The configuration in this file of the folder."""
    types = {name: source.config for name, source in sources.load().items()}
    loaded = load_config(text or "sources: {}\n", str(folder / "platform-meter.yaml"), types)
    assert loaded.problems == ()
    assert loaded.config is not None
    return loaded.config


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Eight teams, polled and ticked once; nobody may change it."""
    with company(tmp_path_factory.mktemp("company"), seed=3, teams=8, services=16) as made:
        made.poll()
        yield made


def one(running: Running, name: str, **labels: str) -> float:
    """The value of the one series with these labels."""
    found = [v for pairs, v in running.metrics()[name].items() if labels.items() <= dict(pairs).items()]
    assert len(found) == 1, found
    return found[0]


def test_every_configured_source_is_read(running: Running) -> None:
    """Every system of the company, each up since this poll."""
    up = running.counter("platform_meter_source_up", "source", "source_instance")
    assert up == {
        ("github", "github"): 1.0,
        ("argocd", "argocd-eu"): 1.0,
        ("argocd", "argocd-us"): 1.0,
        ("apigateway", "aws-eu"): 1.0,
        ("gitlab", "gitlab"): 1.0,
        ("jenkins", "jenkins"): 1.0,
        ("jira", "jira"): 1.0,
        ("kong", "kong"): 1.0,
        ("nginx", "nginx"): 1.0,
        ("pagerduty", "pagerduty"): 1.0,
        ("kubernetes", "cluster-eu"): 1.0,
        ("kubernetes", "cluster-us"): 1.0,
        ("tekton", "tekton"): 1.0,
        ("clusters", "clusters-eks"): 1.0,
        ("clusters", "clusters-gke"): 1.0,
        ("datadog", "datadog"): 1.0,
        ("documents", "status"): 1.0,
        ("elasticsearch", "elasticsearch"): 1.0,
        ("grafana", "grafana"): 1.0,
        ("istio", "istio-eu"): 1.0,
        ("linkerd", "linkerd-us"): 1.0,
        ("probes", "probes"): 1.0,
        ("prometheus", "prometheus-eu"): 1.0,
        ("prometheus", "prometheus-us"): 1.0,
        ("backstage", "backstage"): 1.0,
        ("surveys", "survey-platform-nps"): 1.0,
        ("surveys", "survey-pulse"): 1.0,
    }
    at = running.clock.at.timestamp()
    name = "platform_meter_source_last_success_timestamp_seconds"
    assert set(running.metrics()[name].values()) == {at}


def test_gauges_are_what_is_true_in_the_company(running: Running) -> None:
    """Open tickets by queue and priority, and nodes by state: one number each from the outside, the same inside."""
    truth = running.truth.tickets_open(running.clock.at)
    assert running.counter("platform_tickets_open", "queue", "priority") == {k: float(n) for k, n in truth.items() if n}
    assert truth.total() > 0
    for cluster in ("eu", "us"):
        nodes = running.truth.nodes(cluster, running.clock.at)
        found = {
            s: n for (c, s), n in running.counter("platform_cluster_nodes", "cluster", "state").items() if c == cluster
        }
        assert found == {state: float(n) for state, n in nodes.items() if n}


def test_it_says_of_itself_what_it_is(running: Running) -> None:
    """Version, validity, bytes on disk, the quota of those that tell one, its polls and its calls."""
    assert one(running, "platform_meter_build_info", version=__version__) == 1
    assert one(running, "platform_meter_config_valid") == 1
    assert one(running, "platform_meter_store_bytes") > 10_000
    assert 0 < one(running, "platform_meter_source_rate_limit_remaining_ratio", source="github") < 1
    assert running.service.quota("github") == one(
        running, "platform_meter_source_rate_limit_remaining_ratio", source="github"
    )
    assert running.service.quota("jira") is None
    assert one(running, "platform_meter_source_poll_duration_seconds_count", source="github") == 1
    assert one(running, "platform_meter_source_requests_total", source="github", outcome="ok") > 3
    assert one(running, "process_resident_memory_bytes") > 1_000_000


def test_owners_that_sources_tell_enter_the_join(running: Running) -> None:
    """Some repositories have an owner by CODEOWNERS or by their only maintainers alone: no file names them."""
    with running.service.history() as history:
        rules = {o.owner.rule.split()[0] for o in history.objects(kind="repository") if o.owner.team != "_unowned"}
    assert "5" in rules


def test_the_series_count_is_that_of_the_body(running: Running) -> None:
    """What the pages and the summary say is what a scraper gets, but for the process's own families."""
    by_family = running.counter("platform_meter_series", "family")
    assert sum(by_family.values()) == running.service.series
    found = samples(running.service.exposition.body().data.decode())
    for (family,), n in by_family.items():
        assert sum(len(found.get(f"{family}{part}", ())) for part in ("", "_bucket", "_sum", "_count")) == n, family


def test_health_and_readiness(tmp_path: Path) -> None:
    """Unready before the first tick; unhealthy once the tick stands still for 2 min, whatever sources do."""
    at = NOW
    service = Service(config(tmp_path), Definitions(), environ={}, clock=lambda: at)
    try:
        assert (service.unready(), service.health()) == ("the first tick is still to come", "")
        service.once()
        assert (service.unready(), service.health()) == ("", "")
        at = NOW + timedelta(minutes=2)
        assert service.health() == ""
        at += timedelta(seconds=1)
        assert service.health() == "the last tick was at 12:00:00 UTC, over 120 s ago; the log says why"
        assert service.unready() == ""
    finally:
        service.close()


def test_a_long_tick_has_its_own_patience(tmp_path: Path) -> None:
    """One that ticks each minute is ill after four of them."""
    at = NOW
    service = Service(config(tmp_path, "tick: 1m\n"), Definitions(), environ={}, clock=lambda: at)
    try:
        service.once()
        at = NOW + timedelta(minutes=4)
        assert service.health() == ""
        at += timedelta(seconds=1)
        assert "over 240 s ago" in service.health()
    finally:
        service.close()


def test_people_are_hashed_alike_by_all_who_share_a_store(tmp_path: Path) -> None:
    """Without a salt of their own two exporters on one store take the store's; with one they take that."""

    def hashed(text: str) -> str:
        sections = f"sources: {{jira: {{type: jira, url: 'https://jira.test', token: {{env: TOKEN}}}}}}\n{text}"
        service = Service(
            config(tmp_path, sections), Definitions(), environ={"SALT": "pepper-and-more-of-it"}, clock=lambda: NOW
        )
        try:
            return service._ways["jira"].hashed("ann@acme.test")
        finally:
            service.close()

    assert hashed("") == hashed("")
    assert hashed("salt: {env: SALT}\n") == hashed("salt: {env: SALT}\n") != hashed("")


def test_a_source_is_tried_with_small_calls(running: Running) -> None:
    """There is nothing to say when all is well."""
    config = running.service.config
    assert [try_source(config, name, {}) for name in ("github", "jira")] == [[], []]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"token": {"env": "WRONG"}},
            r".*401.*look at the variable WRONG and the user .*; Cloud takes email and API token",
        ),
        ({"url": "http://127.0.0.1:9"}, r"GET /rest/api/3/myself of jira: 127\.0\.0\.1:9: Connection refused$"),
    ],
    ids=["refused", "nobody"],
)
def test_a_source_that_fails_is_a_line(running: Running, changed: Mapping[str, Any], said: str) -> None:
    """One for each thing that is missing; no failure of a source raises here."""
    types = {name: source.config for name, source in sources.load().items()}
    sections = {
        "type": "jira",
        "url": running.addresses.urls["jira"],
        "email": "m@acme.test",
        "token": {"env": "WRONG"},
    }
    loaded = load_config(f"sources: {{jira: {sections | dict(changed)}}}\n", str(running.folder / "x.yaml"), types)
    assert loaded.config is not None
    (line,) = try_source(loaded.config, "jira", {"WRONG": "no-such-token"})
    assert re.match(said, line), line
    assert "no-such-token" not in line


def test_started_it_polls_and_ticks_until_it_is_closed(tmp_path: Path) -> None:
    """In threads of its own, which end with it; leases are given back, and a second service goes on at once."""
    before = set(threading.enumerate())
    with company(tmp_path, seed=3, teams=8, services=16, only={"jira": {}}) as made:
        service, ticked = made.service, threading.Event()
        tick = service.meter.tick

        def noted(*, rested: bool = False) -> int:
            series = tick(rested=rested)
            if [s for s in service.store.stream_states() if s.last_success]:
                ticked.set()
            return series

        service.meter.tick = noted  # type: ignore[method-assign] # noted, and done
        service.start()
        assert (service.unready(), service.health()) == ("", "")
        assert ticked.wait(PATIENCE)
        service.close()
        other = Service(service.config, service.definitions, environ={}, plans=service.plans, clock=made.clock)
        try:
            assert {(result.error, result.skipped) for result in other.once()} == {("", "")}
        finally:
            other.close()
        assert not [t.name for t in set(threading.enumerate()) - before if t.name == "tick" or "watch" in t.name]
        service.close = lambda **_: None  # type: ignore[method-assign] # the block would close it again
