"""Scrape cost: our exposition against prometheus_client serving the same series, and against the floor.

The floor is joining and compressing text lines that exist already. CPU time of this process, median of several runs.
The ticks that render what is scraped are those of a whole meter on a store, half of its series counters, half gauges;
one family of counters has 1,000 series, the others share the rest.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric as PeerMetric
from prometheus_client.registry import Collector

from platform_meter import measures
from platform_meter.model.catalogue.adoption import TEAM_CAPABILITY_STATE
from platform_meter.model.catalogue.ci import PIPELINE_RUNS
from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import Increment, Metric, MetricType, Sample
from platform_meter.model.ownership import Directory
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.runtime.tick.families import Limits
from platform_meter.runtime.tick.meter import Meter
from platform_meter.store import Store

LABELS = ("team", "system", "outcome")
FAMILIES = 20
RUNS, STATE = PIPELINE_RUNS, TEAM_CAPABILITY_STATE
OTHERS = [m for m in measures.metrics().values() if m.type is MetricType.COUNTER and m.labels and m is not RUNS]
"""Families of counters beside the one in which something changes."""
SIZE = 1_000
"""Series of that one."""


def series(count: int) -> list[tuple[Metric, list[tuple[tuple[str, ...], float]]]]:
    out = []
    for f in range(FAMILIES):
        metric = Metric(name=f"bench_{f:02d}_things", type=MetricType.GAUGE, help="Things.", labels=LABELS)
        rows: list[tuple[tuple[str, ...], float]] = [
            ((f"team-{i:05d}", "github", "success"), i * 1.5) for i in range(count // FAMILIES)
        ]
        out.append((metric, rows))
    return out


class Peer(Collector):
    """The way an exporter with prometheus_client gives stored numbers: a collector that builds families at a scrape."""

    def __init__(self, data: list[tuple[Metric, list[tuple[tuple[str, ...], float]]]]) -> None:
        self._data = data

    def collect(self) -> Iterable[PeerMetric]:
        for metric, rows in self._data:
            family = GaugeMetricFamily(metric.name, metric.help, labels=LABELS)
            for labels, value in rows:
                family.add_metric(labels, value)
            yield family


def cpu_ms(work: Callable[[], object], runs: int = 7) -> float:
    work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def table(count: int) -> list[tuple[str, float, float]]:
    """(what, CPU ms, ratio to prometheus_client)."""
    data = series(count)
    registry = CollectorRegistry()
    registry.register(Peer(data))
    peer = cpu_ms(lambda: generate_latest(registry), 3)

    exposition = Exposition()

    def fill() -> None:
        for metric, rows in data:
            exposition.put(metric, rows)

    fill()
    turn = [0.0]

    def changed_all(encoding: str) -> bytes:
        turn[0] += 1
        for metric, rows in data:
            exposition.put(metric, [*rows[:-1], (rows[-1][0], turn[0])])
        return exposition.body(accept_encoding=encoding).data

    def changed_one(encoding: str) -> bytes:
        turn[0] += 1
        metric, rows = data[0]
        exposition.put(metric, [*rows[:-1], (rows[-1][0], turn[0])])
        return exposition.body(accept_encoding=encoding).data

    text = exposition.body().data
    parts = text.splitlines(keepends=True)

    def floor() -> bytes:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        return packer.compress(b"".join(parts)) + packer.flush()

    rows = [
        ("prometheus_client, text", peer),
        ("ours, unchanged since last scrape, text", cpu_ms(lambda: exposition.body().data)),
        ("ours, unchanged since last scrape, gzip", cpu_ms(lambda: exposition.body(accept_encoding="gzip").data)),
        ("ours, one family of twenty changed, text", cpu_ms(lambda: changed_one(""))),
        ("ours, one family of twenty changed, gzip", cpu_ms(lambda: changed_one("gzip"))),
        ("ours, every family changed, text", cpu_ms(lambda: changed_all(""))),
        ("ours, every family changed, gzip", cpu_ms(lambda: changed_all("gzip"))),
        ("floor: join and gzip ready lines", cpu_ms(floor)),
    ]
    return [(name, ms, ms / peer) for name, ms in rows]


class Meterbed:
    """A meter whose store holds `count / 2` counters, and whose one measure gives as many gauges."""

    def __init__(self, folder: str, count: int) -> None:
        self.now = datetime(2026, 6, 1, tzinfo=UTC)
        self.value = 1.0
        half = count // 2
        self._teams = [f"team-{i:05d}" for i in range(half)]
        caps = {metric.name: count for metric in (RUNS, STATE, *OTHERS)}
        directory = Directory.build(Definitions(), team_label="")
        self.store = Store.open(
            f"sqlite:///{folder}/{count}.db", zone="UTC", countings=(), directory=directory, caps=caps
        )
        self.count(*self._teams[:SIZE])
        self.store.add_counters(
            [
                Increment(metric=(metric := OTHERS[n % len(OTHERS)]), labels=(team,) * len(metric.labels))
                for n, team in enumerate(self._teams[SIZE:])
            ],
            now=self.now,
        )
        gauging = Gauging(metrics=(STATE,), reads=frozenset(), compute=self._states, every=timedelta(minutes=5))
        self.meter = Meter(
            self.store,
            Exposition(),
            [gauging],
            definitions=Definitions(),
            configured=[],
            zone=ZoneInfo("UTC"),
            limits=Limits(total=2 * count, families=caps, zero_for=timedelta()),
            clock=lambda: self.now,
            own=list,
            own_text=lambda: (b"", b""),
            refresh=lambda _: None,
        )

    def count(self, *teams: str) -> None:
        """One more run of each of these teams."""
        runs = [Increment(metric=RUNS, labels=("github", team, "success")) for team in teams]
        self.store.add_counters(runs, now=self.now)

    def _states(self, _: Scene) -> list[Sample]:
        return [Sample(metric=STATE, labels=(team, "builds"), value=self.value) for team in self._teams]

    def idle(self) -> None:
        self.now += timedelta(seconds=1)
        self.meter.tick()

    def counted(self) -> None:
        self.count(self._teams[0])
        self.idle()

    def measured(self) -> None:
        self.value += 1
        self.now += timedelta(minutes=5)
        self.meter.tick()


def ticks(count: int, peer: float) -> list[tuple[str, float, float]]:
    """(what, CPU ms, ratio to a scrape of prometheus_client)."""
    with tempfile.TemporaryDirectory() as folder:
        bed = Meterbed(folder, count)
        bed.meter.tick()
        assert bed.meter.series == count // 2 * 2
        rows = [
            ("tick, nothing changed", cpu_ms(bed.idle)),
            ("tick, one counter of a family of 1,000 changed", cpu_ms(bed.counted)),
            ("tick, every gauge changed", cpu_ms(bed.measured)),
        ]
        bed.store.close()
    return [(name, ms, ms / peer) for name, ms in rows]


def main() -> None:
    for count in (10_000, 100_000):
        print(f"\nScrape, {count:,} series (CPU ms, median)\n")
        print("| what | CPU ms | of prometheus_client |\n| --- | ---: | ---: |")
        found = table(count)
        for name, ms, ratio in [*found, *ticks(count, found[0][1])]:
            print(f"| {name} | {ms:.2f} | {ratio:.4f} |")


if __name__ == "__main__":
    main()
