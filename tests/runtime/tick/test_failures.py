"""A measure that fails: what is lost, what goes on, and what the log says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import OperationalError
from tests.support.company import samples
from tests.support.stores import NOON, Opener, configured, put, run

from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES
from platform_meter.model.catalogue.slos import SLO_OBJECTIVE
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.tickets import SlaCycle
from platform_meter.model.measure import Deriving, Gauging, Measure, Scene, Stating
from platform_meter.model.metric import Metric, Sample
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.runtime.tick.families import Limits
from platform_meter.runtime.tick.meter import Meter
from platform_meter.store import Store

NODES, OBJECTIVE = CLUSTER_NODES, SLO_OBJECTIVE


@dataclass
class Bench:
    store: Store
    at: datetime = NOON
    exposition: Exposition = field(default_factory=Exposition)
    error: Exception | None = None

    def meter(self, *measures: Measure) -> Meter:
        return Meter(
            self.store,
            self.exposition,
            measures,
            definitions=Definitions(),
            configured=[configured()],
            zone=ZoneInfo("UTC"),
            limits=Limits(zero_for=timedelta()),
            clock=lambda: self.at,
            stopwatch=lambda: datetime.timestamp(self.at),
            own=list,
            own_text=lambda: (b"", b""),
            refresh=lambda _: None,
        )

    def fails(self) -> None:
        if self.error is not None:
            raise self.error

    def half(self, _: Scene) -> Iterator[Sample]:
        """One sample, and then perhaps the error."""
        yield Sample(metric=NODES, labels=("eu", "ready"), value=3.0)
        self.fails()

    def tick(self, meter: Meter) -> set[str]:
        """The families of gauges and counters that a tick exposes; the clock moves on."""
        meter.tick()
        self.at += timedelta(seconds=15)
        return {name for name in samples(self.exposition.body().data.decode()) if name.startswith("platform_")}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield Bench(opener())
    opener.close()


def gauging(metric: Metric, compute: Callable[[Scene], Iterator[Sample] | Sequence[Sample]]) -> Gauging:
    return Gauging(metrics=(metric,), reads=frozenset(), compute=compute)


def objective(_: Scene) -> Sequence[Sample]:
    return [Sample(metric=OBJECTIVE, labels=("x",), value=0.99)]


def test_a_measure_that_fails_loses_its_own_families_alone(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """They are absent, not stale, however far it came; all others, counters too, are those of the tick."""
    meter = bench.meter(gauging(NODES, bench.half), gauging(OBJECTIVE, objective))
    both = {NODES.name, OBJECTIVE.name, "platform_meter_series"}
    assert bench.tick(meter) == both
    put(bench.store, [run("1")], bench.at)
    bench.error = KeyError("a bug")
    counted = {"platform_meter_events_total", "platform_pipeline_runs_total"}
    assert bench.tick(meter) >= counted | {OBJECTIVE.name}
    assert bench.tick(meter) & both == {OBJECTIVE.name, "platform_meter_series"}
    assert meter.ticked == NOON + timedelta(seconds=30), "health sees a tick that works"
    assert [r.getMessage() for r in caplog.records] == [
        "measuring platform_cluster_nodes failed; what it gives is absent from /metrics until it works again"
    ]
    assert "KeyError: 'a bug'" in (caplog.records[0].exc_text or "")
    bench.error = None
    assert bench.tick(meter) >= both
    bench.error = KeyError("a bug")
    bench.tick(meter)
    assert len(caplog.records) == 2, "it was over in between"


def test_a_failing_derivation_stops_no_other(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """What time causes of one kind waits until that works again; the rest of the tick goes on."""

    def derive(_: Scene) -> NoReturn:
        raise ValueError("a bug")

    broken = Deriving(reads=frozenset({PipelineRun}), gives=SlaCycle, derive=derive)
    meter = bench.meter(broken, gauging(OBJECTIVE, objective))
    assert bench.tick(meter) == {OBJECTIVE.name, "platform_meter_series"}
    bench.tick(meter)
    (record,) = caplog.records
    assert record.getMessage().startswith("deriving SlaCycle failed;")


def test_a_failing_day_of_states_stops_no_other(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The day is due again at the next tick."""
    asked: list[datetime] = []

    def take(scene: Scene) -> NoReturn:
        asked.append(scene.now)
        raise ValueError("a bug")

    broken = Stating(name="roadmaps", metrics=(), take=take)
    meter = bench.meter(broken, gauging(OBJECTIVE, objective))
    assert bench.tick(meter) == {OBJECTIVE.name, "platform_meter_series"}
    bench.tick(meter)
    assert asked == [NOON, NOON + timedelta(seconds=15)]
    (record,) = caplog.records
    assert record.getMessage().startswith("keeping the daily states of roadmaps failed;")


def test_a_failing_store_is_no_fault_of_the_measure(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Its error ends the tick: gauges are not taken for undefined because nothing could be read."""
    meter = bench.meter(gauging(NODES, bench.half))
    bench.tick(meter)
    before = bench.exposition.body().data
    bench.error = OperationalError("SELECT", {}, Exception("disk I/O error"))
    with pytest.raises(Exception, match="disk I/O error"):
        bench.tick(meter)
    assert bench.exposition.body().data == before
    assert (meter.ticked, caplog.records) == (NOON, [])
