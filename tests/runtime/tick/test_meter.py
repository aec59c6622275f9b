"""The tick: what is computed when, what is exposed, and what stays when something goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.support.company import samples
from tests.support.stores import NOON, Opener, configured, minutes, open_at, put
from tests.support.stores import run as build
from tests.support.waiting import until

from platform_meter.model.catalogue.ci import PIPELINE_ACTIVE, PIPELINE_RUNS
from platform_meter.model.catalogue.meter import CONFIG_VALID
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Increment, Metric, Sample
from platform_meter.runtime.tick.exposition import Exposition, Rows
from platform_meter.runtime.tick.families import Limits
from platform_meter.runtime.tick.meter import Meter, run
from platform_meter.store import CounterRow, Store, StoreError

RUNS = "platform_pipeline_runs_total"


@dataclass
class Bench:
    """A meter with one gauge that counts how often it is computed."""

    store: Store
    path: Path
    at: datetime = NOON
    computed: int = 0
    takes: timedelta = timedelta()
    exposition: Exposition = field(default_factory=Exposition)

    def compute(self, scene: Scene) -> Iterator[Sample]:
        self.computed += 1
        self.at += self.takes
        runs = sum(1 for _ in scene.history.rows(PipelineRun, NOON - minutes(60), NOON + minutes(60)))
        yield Sample(metric=PIPELINE_ACTIVE, labels=("github", "linux", "running"), value=float(runs))

    def meter(
        self, *, every: timedelta = timedelta(minutes=5), limits: Limits | None = None, at_once: bool = True
    ) -> Meter:
        gauging = Gauging(
            metrics=(PIPELINE_ACTIVE,),
            reads=frozenset({PipelineRun}),
            compute=self.compute,
            every=every,
            at_once=at_once,
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
            stopwatch=lambda: datetime.timestamp(self.at),
            own=lambda: [Sample(metric=CONFIG_VALID, labels=(), value=1.0)],
            own_text=lambda: (b"# TYPE up gauge\nup 1\n", b"# TYPE up gauge\nup 1\n"),
            refresh=lambda _: None,
        )

    def metrics(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        return samples(self.exposition.body().data.decode())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    path = tmp_path / "meter.db"
    opener = Opener(f"sqlite:///{path}")
    yield Bench(opener(), path)
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


def test_a_gauge_over_weeks_waits_for_its_interval(bench: Bench) -> None:
    """Not `at_once`: facts that come in between are seen when 5 min have passed, or when owners changed."""
    meter = bench.meter(at_once=False)
    put(bench.store, [build("1")])
    meter.tick()
    computed = []
    for n, repository in enumerate(("acme/payments", "acme/payments", "acme/new", "acme/new"), 2):
        bench.at += minutes(2)
        put(bench.store, [build(str(n), repository=repository)], bench.at)
        meter.tick()
        computed.append(bench.computed)
    assert computed == [1, 1, 2, 2]
    bench.at += minutes(2)
    put(bench.store, [build("6")], bench.at)
    meter.tick()
    assert bench.computed == 2
    bench.at += minutes(1)
    meter.tick()
    assert bench.computed == 3


def test_a_source_that_ages_out_is_noticed_by_the_tick(bench: Bench) -> None:
    """No fact came and no interval passed, but a source went stale: its gauges are computed anew."""
    put(bench.store, [build("1")])
    meter = bench.meter(every=timedelta(hours=1))
    meter.tick()
    bench.at += minutes(10)
    meter.tick()
    assert bench.computed == 2


def test_a_failing_tick_leaves_what_was_served(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store fails `/metrics` keeps its last state and `ticked` stands still; the next tick tries again."""
    put(bench.store, [build("1")])
    meter = bench.meter()
    meter.tick()
    before = bench.exposition.body().data
    bench.at += minutes(2)
    tried = []

    def failing() -> dict[str, int]:
        tried.append(1)
        raise StoreError("the disk is full")

    version = bench.store.version
    monkeypatch.setattr(bench.store, "version", failing)
    wake, stop = threading.Event(), threading.Event()
    ticking = threading.Thread(
        target=run, args=(meter,), kwargs={"wake": wake, "stop": stop, "tick": timedelta(seconds=1)}
    )
    ticking.start()

    def again(more: int) -> Callable[[], bool]:
        return lambda: len(tried) >= more

    until(again(2))
    assert meter.ticked == NOON
    assert bench.exposition.body().data == before
    monkeypatch.setattr(bench.store, "version", version)
    until(lambda: meter.ticked == bench.at)
    stop.set()
    wake.set()
    ticking.join()


def test_a_tick_reads_and_renders_only_counters_that_changed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing came and no time at 0 runs: no counter is read. One came: its family alone, whatever process wrote it."""
    put(bench.store, [build("1")])
    meter = bench.meter()
    meter.tick()
    read: list[set[str] | None] = []
    rendered: list[str] = []
    counters, put_one = bench.store.counters, bench.exposition.put

    def noted_read(families: set[str] | None) -> list[CounterRow]:
        read.append(families)
        return counters(families)

    def noted_put(metric: Metric, rows: Rows) -> int:
        rendered.append(metric.name)
        return put_one(metric, rows)

    monkeypatch.setattr(bench.store, "counters", noted_read)
    monkeypatch.setattr(bench.exposition, "put", noted_put)
    bench.at += timedelta(seconds=15)
    meter.tick()
    assert (read, rendered) == ([], ["platform_meter_config_valid", "platform_meter_series"])
    rendered.clear()
    with closing(open_at(f"sqlite:///{bench.path}")) as other:
        other.add_counters([Increment(metric=PIPELINE_RUNS, labels=("github", "pay", "success"))], now=bench.at)
    meter.tick()
    assert (read, rendered) == ([{RUNS}], [RUNS, "platform_meter_config_valid", "platform_meter_series"])
    assert list(bench.metrics()[RUNS].values()) == [2.0]


def test_a_counter_whose_rendering_failed_is_shown_by_the_next_tick(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its minute at 0 was over when the store could not keep that: nothing came since, and the next tick shows its value."""
    put(bench.store, [build("1")])
    meter = bench.meter(limits=Limits())
    meter.tick()
    bench.at += minutes(1)

    def refused(_: datetime) -> None:
        raise StoreError("away")

    with monkeypatch.context() as broken:
        broken.setattr(bench.store, "set_exposed_before", refused)
        with pytest.raises(StoreError):
            meter.tick()
    meter.tick()
    assert list(bench.metrics()[RUNS].values()) == [1.0]


def test_the_time_at_0_runs_from_the_end_of_a_slow_tick(bench: Bench) -> None:
    """The tick that shows a new set took 40 s: 99 s after its start the set is still 0, at 100 s it has its value."""
    meter = bench.meter(limits=Limits(), every=timedelta(days=1))
    bench.takes = timedelta(seconds=40)
    put(bench.store, [build("1")])
    meter.tick()
    bench.takes = timedelta()
    assert bench.at == NOON + timedelta(seconds=40)
    found: list[float] = []
    for second in (99, 100):
        bench.at = NOON + timedelta(seconds=second)
        meter.tick()
        found += bench.metrics()[RUNS].values()
    assert found == [0.0, 1.0]


def test_a_set_counted_just_before_a_crash_begins_at_0_after_it(bench: Bench) -> None:
    """It was at 0 when the process died; 10 min later another one shows 0 for a minute, and what was shown stays."""
    put(bench.store, [build("1")])
    meter = bench.meter(limits=Limits())
    meter.tick()
    bench.at += minutes(1)
    meter.tick()
    put(bench.store, [build("2", bench.at, repository="else/where")], bench.at)
    meter.tick()
    known, new = ("pay", "_unowned")

    def runs() -> dict[str, float]:
        return {dict(labels)["team"]: value for labels, value in bench.metrics()[RUNS].items()}

    assert runs() == {known: 1.0, new: 0.0}
    bench.at += minutes(10)
    again = bench.meter(limits=Limits())
    again.tick()
    assert runs() == {known: 1.0, new: 0.0}
    bench.at += minutes(1)
    again.tick()
    assert runs() == {known: 1.0, new: 1.0}


def test_a_reload_goes_on_from_what_the_service_before_it_showed_last(bench: Bench) -> None:
    """The new meter was made before the old one showed a value, and ticks after it: the value stays."""
    put(bench.store, [build("1")])
    old = bench.meter(limits=Limits())
    old.tick()
    new = bench.meter(limits=Limits())
    bench.at += minutes(1)
    for meter in (old, new):
        meter.tick()
        assert list(bench.metrics()[RUNS].values()) == [1.0]


def test_what_was_counted_before_the_first_tick_begins_at_0_too(bench: Bench) -> None:
    """A crash between the first tick, which saw nothing, and the second: nobody scraped the set that came between."""
    bench.meter(limits=Limits()).tick()
    put(bench.store, [build("1")])
    bench.at += minutes(10)
    bench.meter(limits=Limits()).tick()
    assert list(bench.metrics()[RUNS].values()) == [0.0]
