"""What a service is put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platform_meter import sources
from platform_meter.model.definitions import Definitions
from platform_meter.runtime.config import load_config
from platform_meter.runtime.service import Service

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SLI = "slis: [{id: shop, bad: 'increase(e[{{window}}])', total: 'increase(r[{{window}}])'}]"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    made: list[Service] = []

    def service(sections: str) -> Service:
        text = f"store: {{url: 'sqlite:///{tmp_path}/{len(made)}.db'}}\nsources: {{{sections}}}\n"
        types = {name: source.config for name, source in sources.load().items()}
        loaded = load_config(text, str(tmp_path / "platform-meter.yaml"), types)
        assert loaded.config is not None
        assert loaded.problems == ()
        made.append(Service(loaded.config, Definitions(), environ={}, clock=lambda: NOW))
        return made[-1]

    yield service
    for one in made:
        one.close()


def test_a_prometheus_that_only_pages_ask_is_no_source_that_could_be_stale(make: Callable[[str], Service]) -> None:
    """Without queries it has no stream: it is not polled, has no age, and pages still have their way to it."""
    service = make("prom: {type: prometheus, url: 'http://127.0.0.1:1'}")
    assert service.configured == ()
    assert service.prometheus is not None
    with service.history() as history:
        assert history.sources() == []


def test_a_prometheus_with_queries_is_a_source_like_any_other(make: Callable[[str], Service]) -> None:
    """And the one that pages ask."""
    service = make(f"prom: {{type: prometheus, url: 'http://127.0.0.1:1', {SLI}}}")
    assert [c.instance for c in service.configured] == ["prom"]
    assert service.prometheus is not None


def test_without_a_prometheus_there_is_no_way_to_one(make: Callable[[str], Service]) -> None:
    """Pages say so."""
    service = make("")
    assert service.prometheus is None
