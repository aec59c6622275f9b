"""A gateway that falls silent, on a real Prometheus with seeded history: minutes, the gauge, and the SLO that it burns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from tests.support.objectives import scene, values
from tests.support.places import ROOT
from tests.support.prometheus import Prometheus, prometheus
from tests.support.real_source import connected, utc_now

from platform_meter.model import catalogue
from platform_meter.model.catalogue.slos import SLO_WINDOW_EVENTS
from platform_meter.model.facts.instances import Instances
from platform_meter.model.facts.slis import SliCount
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan
from platform_meter.slo.stored import stored_objective
from platform_meter.sources.prometheus import SOURCE
from platform_meter.sources.prometheus.config import Config

GROUP = {"kind": "gateway", "cluster": "eu", "group": "kong", "heard": 'process_start_time_seconds{job="kong"}'}


@pytest.fixture(scope="module")
def midnight() -> datetime:
    """The last midnight but one, UTC: where the seeded hour begins."""
    return (utc_now() - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _history(midnight: datetime) -> str:
    """An hour of scrapes every 30 s, 7 s off the minutes: three gateways of which the last one dies at 00:30.

    From 00:45 to 00:50 Prometheus itself was down. Four are wanted for the minute after 00:40, and three otherwise.
    """
    start = int(midnight.timestamp())
    times = [t for t in range(start + 7, start + 3_600, 30) if not 2_700 <= t - start < 3_000]
    dies = start + 1_800
    lines = ["# TYPE up gauge"]
    lines += [f'up{{job="kong",instance="g{n}"}} {int(n < 3 or t < dies)} {t}' for n in (1, 2, 3) for t in times]
    lines.append("# TYPE process_start_time_seconds gauge")
    alive = ((n, t) for n in (1, 2, 3) for t in times if n < 3 or t < dies)
    lines += [f'process_start_time_seconds{{job="kong",instance="g{n}"}} 1 {t}' for n, t in alive]
    lines.append("# TYPE wanted gauge")
    lines += [f"wanted {4 if 2_400 <= t - start < 2_460 else 3} {t}" for t in times]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def server(midnight: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), {}, history=_history(midnight)) as found:
        yield found


@pytest.mark.parametrize("expected", [{"expected": 3}, {"expected_query": "sum(wanted)"}], ids=["three", "scaled"])
def test_a_silent_gateway_burns_the_slo(server: Prometheus, midnight: datetime, expected: dict[str, object]) -> None:
    """It reports for two minutes after its last sample. What Prometheus did not see is unknown, and a fourth that was
    wanted for one minute was never silent.
    """
    config = Config.model_validate({"url": server.url, "instances": [{**GROUP, **expected}]})
    hour = timedelta(hours=1)
    with connected(SOURCE, config) as meter:
        assert meter.check() == []
        reader = meter.stream("instances/eu/gateway/kong")
        reader.run(now=midnight + hour + config.delay, since=hour + config.delay)
        counts = [event for event in reader.events.values() if isinstance(event, SliCount)]
        (standing,) = reader.readings.values()
    assert isinstance(standing, Instances)
    assert (standing.expected, standing.reporting) == (3, 2)
    found = {int((one.at - midnight).total_seconds()) // 60: (one.good, one.bad) for one in counts}
    unknown = {1, *range(46, 52)}
    assert found == {m: (3.0, 0.0) if m < 32 else (2.0, 1.0) for m in range(1, 61) if m not in unknown}

    text = (ROOT / "slo-library" / "instances.yaml").read_text("utf-8")
    (spec,) = read_slos([("instances.yaml", text)], tuple(catalogue.ALL)).specs
    slo = stored_objective(plan(spec))
    assert slo is not None
    burnt = values(scene([("prometheus", one) for one in counts], slo, now=midnight + hour), SLO_WINDOW_EVENTS)
    assert burnt["instance-health-telemetry", "1h", "good"] == 30.0
    assert burnt["instance-health-telemetry", "1h", "bad"] == 23.0
