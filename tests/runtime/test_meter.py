"""The tick: what is computed when, what is exposed, and what stays when something goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.support.company import samples
from tests.support.stores import NOON, Opener, configured, minutes, put
from tests.support.stores import run as build
from tests.support.waiting import until

from platform_meter.measures import catalogue
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import PipelineRun
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Sample
from platform_meter.runtime.exposition import Buckets, Exposition
from platform_meter.runtime.meter import FirstZero, Limits, Meter, run
from platform_meter.store import CounterRow, Store

RUNS = "platform_pipeline_runs_total"
ZERO_FOR = timedelta(seconds=60)


def row(value: float, first_seen: datetime, *, labels: tuple[str, ...] = ("github", "pay", "success")) -> CounterRow:
    return CounterRow(metric=RUNS, labels=labels, value=value, buckets=None, sum=0.0, first_seen=first_seen)


def shown(zero: FirstZero, rows: Sequence[CounterRow], now: datetime) -> list[object]:
    return [value for _, value in zero.rows(rows, now)[RUNS]]


def test_a_new_label_set_is_0_for_a_while() -> None:
    """It is exposed at 0 from when it is first rendered, whatever was counted meanwhile, and then with its value."""
    zero = FirstZero(ZERO_FOR, NOON)
    seen = NOON + minutes(10)
    assert shown(zero, [row(1, seen)], seen + timedelta(seconds=5)) == [0.0]
    assert zero.waiting
    assert shown(zero, [row(3, seen)], seen + timedelta(seconds=64)) == [0.0]
    assert shown(zero, [row(3, seen)], seen + timedelta(seconds=65)) == [3.0]
    assert not zero.waiting


def test_an_old_label_set_keeps_its_value_over_a_restart() -> None:
    """What was seen long before the start goes on; what was new just before it was perhaps never scraped at 0."""
    zero = FirstZero(ZERO_FOR, NOON)
    just = row(2, NOON - timedelta(seconds=59), labels=("github", "new", "success"))
    assert shown(zero, [row(7, NOON - minutes(5)), just], NOON) == [7.0, 0.0]


def test_a_new_histogram_is_0_in_every_bucket() -> None:
    """Buckets, count and sum begin at 0 together."""
    zero = FirstZero(ZERO_FOR, NOON)
    one = CounterRow(
        metric="platform_pod_start_seconds", labels=("eu", "job"), value=3, buckets=(1, 2), sum=4.5, first_seen=NOON
    )
    name = one.metric
    assert zero.rows([one], NOON)[name] == [(("eu", "job"), Buckets(counts=(0.0, 0.0), sum=0.0))]
    assert zero.rows([one], NOON + ZERO_FOR)[name] == [(("eu", "job"), Buckets(counts=(1.0, 2.0), sum=4.5))]


@dataclass
class Bench:
    """A meter with one gauge that counts how often it is computed."""

    store: Store
    at: datetime = NOON
    computed: int = 0
    fails: bool = False
    exposition: Exposition = field(default_factory=Exposition)

    def compute(self, scene: Scene) -> Iterator[Sample]:
        self.computed += 1
        if self.fails:
            raise ValueError("a measure's bug")
        runs = sum(1 for _ in scene.history.rows(PipelineRun, NOON - minutes(60), NOON + minutes(60)))
        yield Sample(metric=catalogue.PIPELINE_ACTIVE, labels=("github", "linux", "running"), value=float(runs))

    def meter(self, *, every: timedelta = timedelta(minutes=5), limits: Limits | None = None) -> Meter:
        gauging = Gauging(
            metrics=(catalogue.PIPELINE_ACTIVE,), reads=frozenset({PipelineRun}), compute=self.compute, every=every
        )
        return Meter(
            self.store,
            self.exposition,
            [gauging],
            definitions=Definitions(),
            configured=[configured()],
            zone=ZoneInfo("UTC"),
            limits=limits or Limits(zero_for=timedelta()),
            clock=lambda: self.at,
            own=lambda: [Sample(metric=catalogue.CONFIG_VALID, labels=(), value=1.0)],
            own_text=lambda: (b"# TYPE up gauge\nup 1\n", b"# TYPE up gauge\nup 1\n"),
            refresh=lambda _: None,
        )

    def metrics(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        return samples(self.exposition.body().data.decode())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    yield Bench(opener())
    opener.close()


def test_a_tick_exposes_counters_gauges_and_its_own(bench: Bench) -> None:
    """Everything stands in one body, and `platform_meter_series` says how many series each family has."""
    put(bench.store, [build("1"), build("2")])
    meter = bench.meter()
    series = meter.tick()
    found = bench.metrics()
    assert list(found[RUNS].values()) == [2.0]
    assert list(found["platform_pipeline_active"].values()) == [2.0]
    assert found["platform_meter_config_valid"] == {(): 1.0}
    assert found["up"] == {(): 1.0}
    by_family = {dict(labels)["family"]: n for labels, n in found["platform_meter_series"].items()}
    assert by_family[RUNS] == 1
    assert sum(by_family.values()) == series == meter.series
    assert meter.rows["platform_pipeline_active"] == [(("github", "linux", "running"), 2.0)]


def test_a_gauge_is_computed_when_its_facts_or_the_time_moved(bench: Bench) -> None:
    """An idle tick computes nothing; a new fact does, and so does its own interval."""
    meter = bench.meter()
    put(bench.store, [build("1")])
    meter.tick()
    meter.tick()
    assert bench.computed == 1
    bench.at += minutes(1)
    put(bench.store, [build("2")], bench.at)
    meter.tick()
    assert bench.computed == 2
    assert list(bench.metrics()["platform_pipeline_active"].values()) == [2.0]
    bench.at += minutes(1)
    meter.tick()
    assert bench.computed == 2
    bench.at += minutes(6)
    meter.tick()
    assert bench.computed >= 3


def test_a_source_that_ages_out_is_noticed_by_the_tick(bench: Bench) -> None:
    """No fact came and no interval passed, but a source went stale: its gauges are computed anew."""
    put(bench.store, [build("1")])
    meter = bench.meter(every=timedelta(hours=1))
    meter.tick()
    bench.at += minutes(10)
    meter.tick()
    assert bench.computed == 2


def test_a_failing_tick_leaves_what_was_served(bench: Bench) -> None:
    """`/metrics` keeps its last state and `ticked` stands still, which health reports; the next tick tries again."""
    put(bench.store, [build("1")])
    meter = bench.meter(every=timedelta(seconds=1))
    meter.tick()
    before = bench.exposition.body().data
    bench.at += minutes(2)
    bench.fails = True
    wake, stop = threading.Event(), threading.Event()
    ticking = threading.Thread(
        target=run, args=(meter,), kwargs={"wake": wake, "stop": stop, "tick": timedelta(seconds=1)}
    )
    ticking.start()

    def again(more: int) -> Callable[[], bool]:
        return lambda: bench.computed >= more

    until(again(2))
    assert meter.ticked == NOON
    assert bench.exposition.body().data == before
    bench.fails = False
    until(lambda: meter.ticked == bench.at)
    stop.set()
    wake.set()
    ticking.join()
