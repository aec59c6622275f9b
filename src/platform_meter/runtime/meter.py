"""The tick: from the store to `/metrics`. Polls wake it, and every 15 s it moves windows and ages sources.

One thread: first what time alone caused is written (passed goals, daily snapshots), then gauges whose facts changed
or whose window moved are computed from one consistent view, then changed families are rendered. Scrapes never wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from platform_meter.measures import adoption, catalogue
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event
from platform_meter.model.history import History
from platform_meter.model.measure import Deriving, Gauging, Measure, Scene
from platform_meter.model.metric import Metric, Sample
from platform_meter.runtime.cardinality import fold, levels
from platform_meter.runtime.exposition import Buckets, Exposition
from platform_meter.store import Configured, CounterRow, Store

log = logging.getLogger(__name__)

_REST = 20
"""A measure that took a second rests for 20: heavy ones on a big store take at most a twentieth of a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Cardinality and first exposure (config `caps`, `zero_for`)."""

    total: int = 60_000
    families: Mapping[str, int] = field(default_factory=dict)
    keep: Mapping[str, frozenset[str]] = field(default_factory=dict)
    zero_for: timedelta = timedelta(seconds=60)

    def cap(self, metric: Metric) -> int:
        return self.families.get(metric.name, metric.cap)


class FirstZero:
    """Shows a new counter label set at 0 for `zero_for` before its value, else `increase()` loses its first events.

    A set that was new within `zero_for` of our start was perhaps never scraped, so it counts as new too.
    """

    def __init__(self, zero_for: timedelta, started: datetime) -> None:
        self._zero_for, self._since = zero_for, started - zero_for
        self._shown: dict[tuple[str, tuple[str, ...]], datetime] = {}
        self.waiting = False

    def rows(
        self, rows: Iterable[CounterRow], now: datetime
    ) -> dict[str, list[tuple[tuple[str, ...], float | Buckets]]]:
        """Counter rows by metric name, as they are to be exposed now."""
        out: dict[str, list[tuple[tuple[str, ...], float | Buckets]]] = defaultdict(list)
        self.waiting = False
        for row in rows:
            zero = False
            if row.first_seen >= self._since:
                shown = self._shown.setdefault((row.metric, row.labels), now)
                zero = now < shown + self._zero_for
                self.waiting = self.waiting or zero
            if row.buckets is None:
                out[row.metric].append((row.labels, 0.0 if zero else row.value))
            else:
                counts = tuple(0.0 for _ in row.buckets) if zero else tuple(float(b) for b in row.buckets)
                out[row.metric].append((row.labels, Buckets(counts=counts, sum=0.0 if zero else row.sum)))
        return out


class Meter:
    """Keeps `exposition` true to `store`. `tick` is called by one thread at a time.

    Args:
        own: samples of the process itself at each tick (quota, validity, store size), rendered like all others.
        own_text: further families already rendered, as (text 0.0.4, OpenMetrics without EOF).
    """

    def __init__(
        self,
        store: Store,
        exposition: Exposition,
        measures: Sequence[Measure],
        *,
        definitions: Definitions,
        configured: Sequence[Configured],
        zone: ZoneInfo,
        limits: Limits,
        clock: Callable[[], datetime],
        own: Callable[[], Sequence[Sample]],
        own_text: Callable[[], tuple[bytes, bytes]],
        refresh: Callable[[History], None],
    ) -> None:
        self._store, self._exposition = store, exposition
        self._gaugings = [m for m in measures if isinstance(m, Gauging)]
        self._derivings = [m for m in measures if isinstance(m, Deriving)]
        self._definitions, self._configured, self._zone = definitions, tuple(configured), zone
        self._limits, self._clock = limits, clock
        self._own, self._own_text, self._refresh = own, own_text, refresh
        self._zero = FirstZero(limits.zero_for, clock())
        self._version: Mapping[str, int] = {}
        self._fresh: frozenset[str] = frozenset()
        self._computed: dict[int, datetime] = {}
        self._waiting: set[int] = set()
        """Measures whose facts changed since they were computed; one that rests is due when it has rested."""
        self._cost: dict[int, timedelta] = {}
        self._samples: dict[int, list[Sample]] = {}
        self._pruned: datetime | None = None
        self.ticked: datetime | None = None
        self.series = 0
        self.rows: Mapping[str, Sequence[tuple[tuple[str, ...], float]]] = {}
        """Gauge rows by metric name as the last tick exposed them; pages show these."""

    def scene(self, history: History, now: datetime) -> Scene:
        return Scene(history=history, definitions=self._definitions, now=now, zone=self._zone)

    def tick(self) -> int:
        """Write what time caused, recompute what changed, render. Returns the number of series exposed."""
        now = self._clock()
        with self._store.history(now, self._configured) as history:
            self._refresh(history)
            scene = self.scene(history, now)
            derived = [d for m in self._derivings for d in m.derive(scene)]
        if derived:
            self._store.derive(derived, now=now)
        self._snapshots(now)
        # Read before the view that gauges are computed from: what comes between the two is new again at the next tick.
        version = self._store.version()
        changed = {k for k, v in version.items() if self._version.get(k) != v}
        with self._store.history(now, self._configured) as history:
            scene = self.scene(history, now)
            fresh = frozenset(s.instance for s in history.sources() if s.fresh)
            aged, self._fresh = fresh != self._fresh, fresh
            for place, gauging in enumerate(self._gaugings):
                if aged or self._due(place, gauging, changed, now):
                    began = time.thread_time()
                    self._samples[place] = list(gauging.compute(scene))
                    self._computed[place] = now
                    self._waiting.discard(place)
                    self._cost[place] = timedelta(seconds=time.thread_time() - began)
        self.series = self._render(now)
        if self._pruned is None or now - self._pruned >= timedelta(days=1):
            self._store.prune(now)
            self._pruned = now
        self._version = version
        self.ticked = now
        return self.series

    def _due(self, place: int, gauging: Gauging, changed: set[str], now: datetime) -> bool:
        kinds = {kind.__name__ if issubclass(kind, Event) else "readings" for kind in gauging.reads}
        if (kinds | {"owners", "snapshots"}) & changed:
            self._waiting.add(place)
        last = self._computed.get(place)
        if last is None:
            return True
        if now < last + _REST * self._cost.get(place, timedelta()):
            return False
        return place in self._waiting or now >= last + gauging.every

    def _snapshots(self, now: datetime) -> None:
        """Take every daily adoption snapshot that has become due, oldest first."""
        while True:
            with self._store.history(now, self._configured) as history:
                scene = self.scene(history, now)
                taken = adoption.next_snapshots(scene)
            if not taken:
                return
            for one in taken:
                self._store.put_snapshot(one.day, one.states, one.increments, now=now)

    def _render(self, now: datetime) -> int:
        families: dict[str, tuple[Metric, list[Sample]]] = {}
        for gauging in self._gaugings:
            for metric in gauging.metrics:
                families.setdefault(metric.name, (metric, []))
        for samples in (*self._samples.values(), self._own()):
            for sample in samples:
                families.setdefault(sample.metric.name, (sample.metric, []))[1].append(sample)
        counters = self._zero.rows(self._store.counters(), now)
        sizes = {name: len(samples) for name, (_, samples) in families.items()}
        room = max(0, self._limits.total - sum(len(rows) for rows in counters.values()))
        caps = levels(sizes, {name: self._limits.cap(metric) for name, (metric, _) in families.items()}, room)
        series: dict[str, int] = {}
        for name, rows in counters.items():
            series[name] = self._exposition.put(catalogue.ALL[name], rows)
        exposed: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for name, (metric, samples) in families.items():
            keep = self._limits.keep.get(metric.fold, frozenset())
            exposed[name], _ = fold(metric, samples, caps[name], keep)
            series[name] = self._exposition.put(metric, exposed[name])
        self.rows = exposed
        self._exposition.put(catalogue.SERIES, [((name,), float(n)) for name, n in series.items() if n])
        self._exposition.put_raw("~process", *self._own_text())
        return sum(series.values())


def run(meter: Meter, *, wake: threading.Event, stop: threading.Event, tick: timedelta) -> None:
    """Tick when woken, at most once a second, and at least every `tick`, until `stop` is set."""
    while not stop.is_set():
        wake.clear()
        try:
            meter.tick()
        except Exception:
            # The last rendered state stays served; `ticked` stands still, which /-/healthy reports.
            log.exception("the tick failed; /metrics keeps its last state")
        stop.wait(1.0)
        wake.wait(max(0.0, tick.total_seconds() - 1.0))
