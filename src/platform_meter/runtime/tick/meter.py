"""The tick: from the store to `/metrics`. Polls wake it, and every 15 s it moves windows and ages sources.

One thread: first what time alone caused is written (passed goals, daily states), then gauges whose facts changed
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

from platform_meter.model.catalogue.meter import SERIES_DROPPED
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact
from platform_meter.model.history import History
from platform_meter.model.kept import Kept
from platform_meter.model.measure import Derived, Deriving, Gauging, Measure, Scene, StateDay, Stating
from platform_meter.model.metric import Increment, Sample
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.runtime.tick.failures import Failures
from platform_meter.runtime.tick.families import Families, Limits
from platform_meter.runtime.tick.first_zero import FirstZero
from platform_meter.store import COUNTERS, Configured, Store

log = logging.getLogger(__name__)

_FOLD = timedelta(hours=1)
"""After a crash a process reads again what came in so long; one that ends keeps all."""
_REST = 20
"""A measure that took a second rests for 20: heavy ones on a big store take at most a twentieth of a core."""
_Fresh = frozenset[tuple[type[Fact] | None, str]]
"""Kinds of fact with the instances that give them, where these are fresh."""
_WHOLE: frozenset[type[Fact] | None] = frozenset({None})
_OWN = -1
"""The place of the process's own samples among those of measures."""


class Meter:
    """Keeps `exposition` true to `store`. `tick` is called by one thread at a time.

    Args:
        own: samples of the process itself at each tick (quota, validity, store size), rendered like all others.
        own_text: further families already rendered, as (text 0.0.4, OpenMetrics without EOF).
        stopwatch: seconds from any origin, by which measures rest.
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
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._exposition = store, exposition
        self._gaugings = [m for m in measures if isinstance(m, Gauging)]
        self._derivings = [m for m in measures if isinstance(m, Deriving)]
        self._statings = [m for m in measures if isinstance(m, Stating)]
        self._definitions, self._configured, self._zone = definitions, tuple(configured), zone
        self._clock, self._own, self._own_text, self._refresh = clock, own, own_text, refresh
        self._stopwatch = stopwatch
        self.kept = Kept()
        """What measures keep between ticks; pages share it."""
        self._failures = Failures()
        self._families = Families(exposition, limits, self._failures)
        self._zero_for, self._started = limits.zero_for, clock()
        self._zero: FirstZero | None = None
        self._released: datetime | None = None
        self._version: Mapping[str, int] = {}
        self._rests_on = [gauging.reads or _WHOLE for gauging in self._gaugings]
        """Kinds of fact whose age a measure is due by; None is all of a source, for those that read no facts."""
        self._fresh: dict[int, _Fresh] = {}
        """What was fresh when a measure was computed."""
        self._computed: dict[int, datetime] = {}
        self._waiting: set[int] = set()
        """Measures whose facts changed since they were computed; one that rests is due when it has rested."""
        self._rested: dict[int, float] = {}
        """Reading of the stopwatch from which on a measure has rested."""
        self._pruned: datetime | None = None
        self._folded: datetime | None = None
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
        return Scene(history=history, definitions=self._definitions, now=now, zone=self._zone, kept=self.kept)

    def tick(self, *, rested: bool = False) -> int:
        """Write what time caused, recompute what changed, render. Returns the number of series exposed.

        With `rested` no measure has to rest first: all that changed is shown.
        """
        now = self._clock()
        if rested:
            self._rested.clear()
        self._derive(now)
        self._state(now)
        # Read before the view that gauges are computed from: what comes between the two is new again at the next tick.
        version = self._store.version()
        changed = {k for k, v in version.items() if self._version.get(k) != v}
        with self._store.history(now, self._configured) as history:
            scene = self.scene(history, now)
            by_kind = {
                kind: frozenset((kind, s.instance) for s in history.sources(kind) if s.fresh)
                for kind in frozenset[type[Fact] | None]().union(*self._rests_on)
            }
            for place, gauging in enumerate(self._gaugings):
                fresh = _Fresh().union(*(by_kind[kind] for kind in self._rests_on[place]))
                if self._due(place, gauging, changed, fresh, now):
                    self._compute(place, gauging, scene)
                    self._fresh[place] = fresh
        self._render(now, {name.removeprefix(COUNTERS) for name in changed if name.startswith(COUNTERS)})
        if self._pruned is None or now - self._pruned >= timedelta(days=1):
            self._store.prune(now)
            self._pruned = now
        if self._folded is None or now - self._folded >= _FOLD:
            self.keep()
            self._folded = now
        self._version = version
        self.ticked = now
        return self.series

    def keep(self) -> None:
        """Store what measures made of events, so that the next process need not begin with all of them."""
        for folding in self.kept.foldings():
            fold = folding.dump()
            if fold is not None:
                self._store.put_fold(folding.name, fold)

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
        self._rested[place] = self._stopwatch() + _REST * (time.thread_time() - began)

    def _due(self, place: int, gauging: Gauging, changed: set[str], fresh: _Fresh, now: datetime) -> bool:
        reasons = {"owners", "states"}
        if gauging.at_once:
            reasons |= {kind.__name__ for kind in gauging.reads}
        if reasons & changed:
            self._waiting.add(place)
        last, then = self._computed.get(place), self._fresh.get(place, _Fresh())
        if last is None or last > now:  # the clock was ahead then
            return True
        if then - fresh:  # some of what it gives is true no longer; what is known again can wait
            return True
        if self._stopwatch() < self._rested.get(place, 0.0):
            return False
        return place in self._waiting or fresh != then or now >= last + gauging.every

    def _state(self, now: datetime) -> None:
        """Keep every day of named states that has become due, oldest first."""
        for stating in self._statings:
            while days := self._days(stating, now):
                for day in days:
                    self._store.put_states(day, now=now)

    def _days(self, stating: Stating, now: datetime) -> Sequence[StateDay]:
        """Those that are due now; none where that fails, so that they are due at the next tick."""
        with (
            self._store.history(now, self._configured) as history,
            self._failures.alone(f"keeping the daily states of {stating.name}"),
        ):
            return stating.take(self.scene(history, now))
        return ()

    def _render(self, now: datetime, counted: set[str]) -> None:
        """Render what changed; of counters the families `counted`, and those in which one stood at 0 for long enough."""
        if self._zero is None:
            # Not before: the service that a reload replaces shows more and more values until this one takes over.
            self._released = self._store.exposed_before()
            self._zero = FirstZero(self._zero_for, self._released or self._started - self._zero_for)
        zero = self._zero
        families = None if self.ticked is None else counted | zero.due(now)
        rows = zero.rows(self._store.counters(families), now) if families is None or families else []
        if zero.released != self._released:
            # Kept before it is true: a value that was shown and forgotten would fall back to 0 after a crash.
            self._store.set_exposed_before(zero.released)
            self._released = zero.released
        self._families.count(rows)
        self._families.say(_OWN, self._own())
        cut = self._families.show()
        self._exposition.put_raw("~process", *self._own_text())
        zero.rendered(now, self._clock())
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
