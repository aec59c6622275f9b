"""What a service is put together from."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from tests.support.waiting import PATIENCE

from platform_meter import sources
from platform_meter.model.definitions import Definitions
from platform_meter.runtime.files.config import load_config
from platform_meter.runtime.service import PAGES, Service
from platform_meter.store import StoreError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SLI = "slis: [{id: shop, bad: 'increase(e[{{window}}])', total: 'increase(r[{{window}}])'}]"


class Make(Protocol):
    def __call__(self, sections: str, *, holder: str = "", listen: str = "127.0.0.1:9898") -> Service:
        """A service on the one store of the test."""
        ...


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Service] = []

    def service(sections: str, *, holder: str = "", listen: str = "127.0.0.1:9898") -> Service:
        text = f"listen: '{listen}'\nstore: {{url: 'sqlite:///{tmp_path}/meter.db'}}\nsources: {{{sections}}}\n"
        types = {name: source.config for name, source in sources.load().items()}
        loaded = load_config(text, str(tmp_path / "platform-meter.yaml"), types)
        assert loaded.config is not None
        assert loaded.problems == ()
        made.append(Service(loaded.config, Definitions(), environ={}, holder=holder, clock=lambda: NOW))
        return made[-1]

    yield service
    for one in made:
        one.close()


def test_a_prometheus_that_only_pages_ask_is_no_source_that_could_be_stale(make: Make) -> None:
    """Without queries it has no stream: it is not polled, has no age, and pages still have their way to it."""
    service = make("prom: {type: prometheus, url: 'http://127.0.0.1:1'}")
    assert service.configured == ()
    assert service.prometheus is not None
    with service.history() as history:
        assert history.sources() == []


def test_a_prometheus_with_queries_is_a_source_like_any_other(make: Make) -> None:
    """And the one that pages ask."""
    service = make(f"prom: {{type: prometheus, url: 'http://127.0.0.1:1', {SLI}}}")
    assert [c.instance for c in service.configured] == ["prom"]
    assert service.prometheus is not None


def test_pages_ask_the_prometheus_on_which_our_rules_run(make: Make) -> None:
    """Another one, such as that of a mesh, has nothing that they recorded."""
    mesh = "mesh: {type: prometheus, url: 'http://127.0.0.1:1', rules: false}"
    assert make(mesh).prometheus is None
    service = make(f"{mesh}, prom: {{type: prometheus, url: 'http://127.0.0.1:2'}}")
    assert service.prometheus is service._ways["prom"]


def test_without_a_prometheus_there_is_no_way_to_one(make: Make) -> None:
    """Pages say so."""
    service = make("")
    assert service.prometheus is None


def test_each_stream_is_known_by_what_it_gives(make: Make) -> None:
    """And by how often it succeeds: a watch by the length of its calls, a poll by its own interval or the source's."""
    service = make(
        "eu: {type: kubernetes, cluster: eu, in_cluster: true, every: 10m}, "
        "tickets: {type: jira, url: 'https://jira.test', token: {env: TOKEN}}"
    )
    found = {
        (c.instance, s.name): ({kind.__name__ for kind in s.gives}, s.every, s.stale_after)
        for c in service.configured
        for s in c.streams
    }
    watch, minute = (timedelta(minutes=5), timedelta(minutes=15)), timedelta(minutes=1)
    assert found == {
        ("eu", "namespaces"): ({"Namespace"}, *watch),
        ("eu", "deployments"): ({"Workload"}, *watch),
        ("eu", "statefulsets"): ({"Workload"}, *watch),
        ("eu", "daemonsets"): ({"Workload"}, *watch),
        ("eu", "cronjobs"): ({"Workload"}, *watch),
        ("eu", "pods"): ({"PodStarted", "PodNeverReady"}, *watch),
        ("eu", "nodes"): ({"Node", "SliCount"}, minute, None),
        ("eu", "waiting"): ({"PodsWaiting"}, minute, None),
        ("eu", "issuer"): ({"ClusterIssuer"}, timedelta(hours=1), None),
        ("eu", "readyz"): ({"ProbeCheck"}, timedelta(seconds=30), None),
        # What the tick makes of tickets is known as far as they are.
        ("tickets", "issues"): ({"TicketEvent", "SlaCycle"}, minute, None),
    }


def test_leases_are_those_of_whoever_listens_at_the_address(make: Make) -> None:
    """Started again it goes on at once; who has another name, or listens elsewhere, waits while the lease runs."""
    section = f"prom: {{type: prometheus, url: 'http://127.0.0.1:1', {SLI}}}"

    def polled(service: Service) -> bool:
        (result,) = service.once()
        assert bool(result.error) != bool(result.skipped)
        return not result.skipped

    assert polled(make(section))
    assert not polled(make(section, holder="host:once:17"))
    assert not polled(make(section, listen="127.0.0.1:9899"))
    assert polled(make(section))


def test_calls_to_apis_are_stored_for_every_replica(make: Make) -> None:
    """Three tries at a server that is not there, by the one that polls; the other one shows them too, and who made them."""
    section = f"prom: {{type: prometheus, url: 'http://127.0.0.1:1', {SLI}}}"
    one, two = make(section, holder="one"), make(section, holder="two")
    (result,) = one.once()
    assert "Connection refused" in result.error
    with two.history() as history:
        assert [(c.instance, c.outcome, c.n) for c in history.calls(timedelta(hours=1))] == [("prom", "error", 6)]
        assert history.leases()["prom"].holder == one.holder == "one"
    assert two.holder == "two"


def test_pages_leave_the_tick_its_look(make: Make) -> None:
    """However many ask at a time: those past a bound wait for one to end, and the tick waits for none."""
    service = make("")
    inside = threading.Event()

    def look() -> None:
        with service.history():
            inside.set()

    with ExitStack() as pages:
        for _ in range(PAGES):
            pages.enter_context(service.history())
        late = threading.Thread(target=look)
        late.start()
        assert service.meter.tick() > 0
        assert not inside.is_set()
    late.join(PATIENCE)
    assert inside.is_set()


@pytest.mark.parametrize(("ticked", "followed", "kept"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_the_last_one_keeps_what_measures_made(
    make: Make, monkeypatch: pytest.MonkeyPatch, ticked: bool, followed: bool, kept: int
) -> None:
    """Not one whose place another has taken, nor one that never looked; a store that is gone is no reason to stay open."""
    service, calls = make(""), [0]
    if ticked:
        service.meter.tick()

    def gone() -> None:
        calls[0] += 1
        raise StoreError("away")

    monkeypatch.setattr(service.meter, "keep", gone)
    closed: list[bool] = []
    monkeypatch.setattr(service.store, "close", lambda: closed.append(True))
    service.close(followed=followed)
    assert (calls, closed) == ([kept], [True])
