"""From a running service to its pages, and to those of the one that a reload puts in its place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from pathlib import Path

import pytest
from werkzeug.test import Client

from platform_meter import sources
from platform_meter.model.definitions import Definitions, Team
from platform_meter.model.kept import Kept
from platform_meter.runtime.files.config import Config, load_config
from platform_meter.runtime.service import Service
from platform_meter.web.app import make_app
from platform_meter.web.site import make_site

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    """One service, and the one after a reload that knows a team more."""

    def made(name: str, *teams: Team) -> Service:
        text = f"store: {{url: 'sqlite:///{tmp_path}/{name}.db'}}\n"
        config = load_config(text, str(tmp_path / "platform-meter.yaml"), {}).config or Config()
        service = Service(config, Definitions(teams=teams), environ={}, clock=lambda: NOW)
        service.meter.tick()
        return service

    both = made("first"), made("second", Team(kind="Team", id="pay"))
    yield both
    for one in both:
        one.close()


def test_everything_is_of_the_current_service(services: tuple[Service, Service]) -> None:
    """After a reload pages, health and `/metrics` too are the new service's, not the closed one's."""
    first, second = services
    current = [first]
    client = Client(make_app(make_site(lambda: current[0], list)))
    assert "platform_team_info" not in client.get("/metrics").text
    current[0] = second
    assert 'platform_team_info{team="pay"' in client.get("/metrics").text
    assert "No source is configured." in client.get("/sources").text
    assert client.get("/-/ready").text == "ready\n"


def test_what_measures_keep_is_kept_for_one_service(services: tuple[Service, Service]) -> None:
    """From one page to the next, shared with the tick, and not from one store to another."""
    first, second = services
    current = [first]
    site = make_site(lambda: current[0], list)

    def kept() -> Kept:
        with site.view() as view:
            return view.scene.kept

    before = kept()
    assert before is first.meter.kept
    assert kept() is before
    current[0] = second
    assert kept() is not before


def test_a_replica_shows_what_another_one_does(tmp_path: Path) -> None:
    """Who polls a source, its calls and its failure, after a restart too: all of that is in the store."""
    text = f"""
store: {{url: 'sqlite:///{tmp_path}/meter.db'}}
sources:
  prom: {{type: prometheus, url: 'http://127.0.0.1:1', slis: [{{id: shop, bad: 'increase(e[{{{{window}}}}])', total: 'increase(r[{{{{window}}}}])'}}]}}
"""
    types = {name: source.config for name, source in sources.load().items()}
    config = load_config(text, str(tmp_path / "platform-meter.yaml"), types).config
    assert config is not None
    made = [Service(config, Definitions(), environ={}, clock=lambda: NOW, holder=name) for name in ("one", "two")]
    try:
        made[0].once()
        made[1].meter.tick()
        clients = [Client(make_app(make_site(partial(next, repeat(one)), list))) for one in made]
        ours, theirs = (client.get("/sources").text for client in clients)
        assert ("polled by one" in ours, "polled by one" in theirs) == (False, True)
        for page in (ours, theirs):
            assert "6 failed" in page
            assert "Connection refused" in page
        detail = clients[1].get("/sources/prom").text
        assert "sli/shop" in detail
        assert "SliCount" in detail
        assert "platform-meter sources test prom tries it." in detail
    finally:
        for one in made:
            one.close()
