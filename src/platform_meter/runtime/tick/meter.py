"""The tick: from the store to `/metrics`. Polls wake it, and every 15 s it moves windows and ages sources.

One thread: first what time alone caused is written (passed goals, daily snapshots), then gauges whose facts changed
or whose window moved are computed from one consistent view, then changed families are rendered. Scrapes never wait.
A measure fails alone: what it gives is absent, never stale, and the others go on. A store that fails ends the tick.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from platform_meter.measures.adoption import snapshots as adoption
from platform_meter.model.catalogue.meter import SERIES_DROPPED
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Event, Fact
from platform_meter.model.history import History
from platform_meter.model.measure import Derived, Deriving, Gauging, Measure, Scene
from platform_meter.model.metric import Increment, Sample
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.runtime.tick.failures import Failures
from platform_meter.runtime.tick.families import Families, Limits
from platform_meter.runtime.tick.first_zero import FirstZero
from platform_meter.store import Configured, Store

log = logging.getLogger(__name__)

_REST = 20
"""A measure that took a second rests for 20: heavy ones on a big store take at most a twentieth of a core."""
_OWN = -1
"""The place of the process's own samples among those of measures."""


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
        self._clock, self._own, self._own_text, self._refresh = clock, own, own_text, refresh
        self._failures = Failures()
        self._families = Families(exposition, limits, self._failures)
        self._zero_for, self._started = limits.zero_for, clock()
        self._zero: FirstZero | None = None
        self._released: datetime | None = None
        self._version: Mapping[str, int] = {}
        self._kinds = {None, *(kind for gauging in self._gaugings for kind in gauging.reads)}
        self._fresh: frozenset[tuple[type[Fact] | None, str]] = frozenset()
        self._computed: dict[int, datetime] = {}
        self._waiting: set[int] = set()
        """Measures whose facts changed since they were computed; one that rests is due when it has rested."""
        self._cost: dict[int, timedelta] = {}
        self._pruned: datetime | None = None
        self.ticked: datetime | None = None

    @property
    def series(self) -> int:
        """Series that the last tick exposed."""
        return self._families.series

    @property
    def rows(self) -> Mapping[str, Sequence[tuple[tuple[str, ...], float]]]:
        """Gauge rows by metric name as the last tick exposed them; pages show these."""
        return self._families.rows

    def scene(self, history: History, now: datetime) -> Scene:
        return Scene(history=history, definitions=self._definitions, now=now, zone=self._zone)

    def tick(self) -> int:
        """Write what time caused, recompute what changed, render. Returns the number of series exposed."""
        now = self._clock()
        self._derive(now)
        self._snapshots(now)
        # Read before the view that gauges are computed from: what comes between the two is new again at the next tick.
        version = self._store.version()
        changed = {k for k, v in version.items() if self._version.get(k) != v}
        with self._store.history(now, self._configured) as history:
            scene = self.scene(history, now)
            fresh = frozenset((kind, s.instance) for kind in self._kinds for s in history.sources(kind) if s.fresh)
            aged = fresh != self._fresh
            for place, gauging in enumerate(self._gaugings):
                if aged or self._due(place, gauging, changed, now):
                    self._compute(place, gauging, scene)
            self._fresh = fresh
        self._render(now, counted="counters" in changed)
        if self._pruned is None or now - self._pruned >= timedelta(days=1):
            self._store.prune(now)
            self._pruned = now
        self._version = version
        self.ticked = now
        return self.series

    def _derive(self, now: datetime) -> None:
        """Store what time alone caused."""
        readings = self._store.version().get("readings", 0)
        derived: list[Derived] = []
        with self._store.history(now, self._configured) as history:
            if self.ticked is None or readings != self._version.get("readings", 0):
                with self._failures.alone("looking for owners that sources tell"):
                    self._refresh(history)
            for deriving in self._derivings:
                with self._failures.alone(f"deriving {deriving.gives.__name__}"):
                    derived += deriving.derive(self.scene(history, now))
        if derived:
            self._store.derive(derived, now=now)

    def _compute(self, place: int, gauging: Gauging, scene: Scene) -> None:
        samples: list[Sample] = []
        began = time.thread_time()
        with self._failures.alone(f"measuring {', '.join(m.name for m in gauging.metrics)}"):
            samples = list(gauging.compute(scene))
        self._families.say(place, samples)
        self._computed[place] = scene.now
        self._waiting.discard(place)
        self._cost[place] = timedelta(seconds=time.thread_time() - began)

    def _due(self, place: int, gauging: Gauging, changed: set[str], now: datetime) -> bool:
        reasons = {"owners", "snapshots"}
        if gauging.at_once:
            reasons |= {kind.__name__ if issubclass(kind, Event) else "readings" for kind in gauging.reads}
        if reasons & changed:
            self._waiting.add(place)
        last = self._computed.get(place)
        if last is None or last > now:  # the clock was ahead then
            return True
        if now < last + _REST * self._cost.get(place, timedelta()):
            return False
        return place in self._waiting or now >= last + gauging.every

    def _snapshots(self, now: datetime) -> None:
        """Take every daily adoption snapshot that has become due, oldest first."""
        while True:
            taken: Sequence[adoption.Snapshot] = ()
            with self._store.history(now, self._configured) as history, self._failures.alone("the adoption snapshot"):
                taken = adoption.next_snapshots(self.scene(history, now))
            if not taken:
                return
            for one in taken:
                self._store.put_snapshot(one.day, one.states, one.increments, now=now)

    def _render(self, now: datetime, *, counted: bool) -> None:
        if self._zero is None:
            # Not before: the service that a reload replaces shows more and more values until this one takes over.
            self._released = self._store.exposed_before()
            self._zero = FirstZero(self._zero_for, self._released or self._started - self._zero_for)
        zero = self._zero
        rows = zero.rows(self._store.counters(), now) if counted or zero.waiting else None
        if zero.released != self._released:
            # Kept before it is true: a value that was shown and forgotten would fall back to 0 after a crash.
            self._store.set_exposed_before(zero.released)
            self._released = zero.released
        if rows is not None:
            self._families.count(rows)
        self._families.say(_OWN, self._own())
        cut = self._families.show()
        self._exposition.put_raw("~process", *self._own_text())
        zero.rendered(self._clock())
        if cut:
            dropped = SERIES_DROPPED
            increments = [Increment(metric=dropped, labels=(name,), amount=n) for name, n in cut.items()]
            self._store.add_counters(increments, now=now)


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
