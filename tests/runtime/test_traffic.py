from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tests.support.company import Running, company
from tests.support.http import Reply, serving
from tests.support.objectives import ago, objective, scene, sli
from tests.support.our_slos import our_plans
from tests.support.slos import RATIO, planned

from platform_meter.model.facts.slis import SLI
from platform_meter.model.source import SourceError
from platform_meter.runtime.files.config import Config
from platform_meter.runtime.traffic import first_counted, has_store, prometheus_at, recorded, stored
from platform_meter.slo.plan import Plan


def ours(slo: str) -> Plan:
    return next(p for p in our_plans() if p.slo == slo)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with company(tmp_path_factory.mktemp("company"), seed=3, teams=8, services=16) as made:
        made.poll()
        yield made


@pytest.mark.parametrize("slo", ["ci-platform-success", "ticket-first-response"])
def test_the_store_counts_what_the_gauges_say(running: Running, slo: str) -> None:
    """Events in the period over its hours, of which the company has lived all."""
    plan = ours(slo)
    counted = running.counter("platform_slo_window_events", "slo", "window")[slo, plan.period_label]
    found = stored(running.service, plan)
    assert found is not None
    hours = plan.period / timedelta(hours=1)
    assert counted / hours <= found < 1.05 * counted / hours


@pytest.mark.parametrize("slo", ["node-readiness-eu", "pod-start"])
def test_a_young_store_counts_over_its_own_age(running: Running, slo: str) -> None:
    """What a cluster did before the first poll nobody can tell, so all events are of the last hour."""
    counted = running.counter("platform_slo_window_events", "slo", "window")[slo, "28d"]
    assert stored(running.service, ours(slo)) == counted


def test_what_the_store_does_not_count(running: Running) -> None:
    """An SLI in Prometheus is none of its business."""
    assert stored(running.service, ours("requests-availability")) is None


def test_a_store_that_was_never_polled(tmp_path: Path) -> None:
    """Nothing was read, so nobody knows."""
    with company(tmp_path, teams=8, services=16) as fresh:
        assert stored(fresh.service, ours("ci-platform-success")) is None


def test_a_store_is_there_or_not(tmp_path: Path) -> None:
    """A file that is not there is not made by asking."""
    there = tmp_path / "meter.db"
    config = Config.model_validate({"store": {"url": f"sqlite:///{there}"}})
    assert not has_store(config)
    there.touch()
    assert has_store(config)


ANSWER = b'{"status": "success", "data": {"resultType": "vector", "result": %s}}'


@pytest.mark.parametrize(
    ("result", "found"), [(b'[{"metric": {}, "value": [1, "60.5"]}]', 60.5), (b"[]", None), (b'[{"value": [1, "NaN"]}]', None)]
)  # fmt: skip
def test_prometheus_counts_by_tiles(result: bytes, found: float | None) -> None:
    """The mean tile, twelve times an hour; of what is only copied, the period's total over its hours."""
    with serving() as server:
        server.on("/api/v1/query", Reply(body=ANSWER % result))
        with prometheus_at(server.url) as outside:
            assert recorded(outside, planned(RATIO)) == found
        (asked,) = server.seen
    (query,) = parse_qs(asked.query)["query"]
    assert query == (
        'avg_over_time(slo:total_events:tile5m{slo="shop-requests"}[30d]) * 12 '
        'or slo:total_events:count{slo="shop-requests",window="30d"} / 720'
    )


def test_what_is_no_prometheus_is_an_error() -> None:
    """Another server's page is not taken for a number."""
    with serving() as server, prometheus_at(server.url) as outside:
        server.on("/api/v1/query", Reply(body=b"<html>"))
        with pytest.raises(SourceError, match="it answered 200, and not as a Prometheus query API does"):
            recorded(outside, planned(RATIO))


def test_traffic_that_is_kept_by_days_alone_began_with_its_first_day() -> None:
    """Else what an hour has would be told by the time of the events that are left; other SLIs' events tell nothing."""
    of = objective(SLI, where={"id": "a"})
    told = [sli("a", 9.0, 1.0, ago(days=40)), sli("a", 9.0, 1.0, ago(days=3)), sli("b", 1.0, 0.0, ago(days=50))]
    start, cut = ago(days=60), datetime(2026, 5, 6, tzinfo=UTC)
    assert first_counted(scene(told, of), of, start) == ago(days=40)
    assert first_counted(scene(told, of, summed=cut), of, start) == datetime(2026, 5, 1, tzinfo=UTC)
    assert first_counted(scene(told[1:], of, summed=cut), of, start) == ago(days=3)
    assert first_counted(scene(told, of), of, ago(days=1)) is None
