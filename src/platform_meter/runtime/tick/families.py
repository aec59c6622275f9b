"""What `/metrics` holds: counters, and gauges within their caps. Only families that changed are rendered."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain

from platform_meter import measures
from platform_meter.model.catalogue.meter import SERIES_EXPOSED
from platform_meter.model.metric import Metric, MetricType, Sample
from platform_meter.runtime.tick.cardinality import fold, levels
from platform_meter.runtime.tick.exposition import Buckets, Exposition
from platform_meter.runtime.tick.failures import Failures
from platform_meter.store import CounterRow

log = logging.getLogger(__name__)

Labels = tuple[str, ...]
_REMEMBERED = 100_000
"""Folded label sets kept to count each once; past it they are forgotten and may be counted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Cardinality and first exposure (config `caps`, `zero_for`)."""

    total: int = 60_000
    families: Mapping[str, int] = field(default_factory=dict)
    keep: Mapping[str, frozenset[str]] = field(default_factory=dict)
    zero_for: timedelta = timedelta(seconds=60)
    silent: frozenset[str] = frozenset()
    """Families that are not exposed, whatever the store has of them."""

    def cap(self, metric: Metric) -> int:
        return self.families.get(metric.name, metric.cap)


class Families:
    """Keeps an exposition true to what measures and the store say. One thread changes it, any may read `rows`."""

    def __init__(self, exposition: Exposition, limits: Limits, failures: Failures) -> None:
        self._exposition, self._limits, self._failures = exposition, limits, failures
        self._said: dict[int, Mapping[str, Sequence[Sample]]] = {}
        self._changed: set[str] = set()
        self._metrics: dict[str, Metric] = {}
        self._samples: dict[str, Sequence[Sample]] = {}
        self._caps: dict[str, int | None] = {}
        """Caps by which families were cut when they were rendered last; None where all found room."""
        self._counters: dict[str, int] = {}
        self._gauges: dict[str, int] = {}
        self._past: set[tuple[str, Labels]] = set()
        self._misfits: set[str] = set()
        self.rows: Mapping[str, Sequence[tuple[Labels, float]]] = {}
        """Gauge rows by metric name, as they are exposed."""

    @property
    def series(self) -> int:
        """Series exposed, but for those of this process and their own count."""
        return sum(self._counters.values()) + sum(self._gauges.values())

    def say(self, place: int, samples: Iterable[Sample]) -> None:
        """What one measure says now takes the place of what it said before. Several may speak of one family."""
        said: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            said[sample.metric.name].append(sample)
            self._metrics[sample.metric.name] = sample.metric
        changed = said.keys() | self._said.get(place, {}).keys()
        self._said[place] = said
        for name in changed:
            parts = [one[name] for one in self._said.values() if name in one]
            self._samples[name] = parts[0] if len(parts) == 1 else list(chain.from_iterable(parts))
        self._changed |= changed

    def count(self, rows: Iterable[CounterRow]) -> None:
        """All rows of some families of counters and histograms, as they are to be exposed now; other families stay as they are."""
        found: dict[str, list[tuple[Labels, float | Buckets]]] = defaultdict(list)
        for row in rows:
            if row.metric in self._limits.silent:
                continue
            if problem := _misfit(row):
                if row.metric not in self._misfits:
                    self._misfits.add(row.metric)
                    log.warning("%s stays in the store and is not exposed: %s", row.metric, problem)
            elif row.buckets is None:
                found[row.metric].append((row.labels, row.value))
            else:
                found[row.metric].append((row.labels, Buckets(counts=row.buckets, sum=row.sum)))
        for name, of_it in found.items():
            self._counters[name] = self._exposition.put(measures.metrics()[name], of_it)

    def show(self) -> dict[str, int]:
        """Render the gauges that changed. Gives how many label sets were cut off for the first time, by family."""
        sizes = {name: len(samples) for name, samples in self._samples.items()}
        own = {name: self._limits.cap(self._metrics[name]) for name in sizes}
        caps = levels(sizes, own, self._limits.total - sum(self._counters.values()))
        cut: dict[str, int] = {}
        rows = dict(self.rows)
        for name, size in sizes.items():
            cap = caps[name] if size > caps[name] else None
            if name in self._changed or cap != self._caps[name]:
                rows[name], past = self._put(self._metrics[name], self._samples[name], caps[name])
                self._caps[name] = cap
                cut[name] = self._first_time(name, past)
        self.rows, self._changed = rows, set()
        counts = {**self._counters, **self._gauges}
        self._exposition.put(SERIES_EXPOSED, [((name,), float(n)) for name, n in counts.items() if n])
        return {name: n for name, n in cut.items() if n}

    def _put(
        self, metric: Metric, samples: Sequence[Sample], cap: int
    ) -> tuple[Sequence[tuple[Labels, float]], Sequence[Labels]]:
        # Samples that can't be written are their measure's bug; the other families must not wait for its end.
        with self._failures.alone(f"rendering {metric.name}"):
            rows, past = fold(metric, samples, cap, self._limits.keep.get(metric.fold, frozenset()))
            self._gauges[metric.name] = self._exposition.put(metric, rows)
            return rows, past
        self._gauges[metric.name] = self._exposition.put(metric, [])
        return [], []

    def _first_time(self, name: str, past: Sequence[Labels]) -> int:
        fresh = {(name, labels) for labels in past} - self._past
        if len(self._past) + len(fresh) > _REMEMBERED:
            self._past.clear()
        self._past |= fresh
        return len(fresh)


def _misfit(row: CounterRow) -> str:
    """Why a stored row can't be exposed: another version of platform-meter declared its metric otherwise."""
    metric = measures.metrics().get(row.metric)
    if metric is None:
        return "this version does not know it"
    if metric.type is MetricType.GAUGE:
        return "in this version it is a gauge"
    if len(row.labels) != len(metric.labels):
        return f"a row has {len(row.labels)} labels, this version has {len(metric.labels)}"
    bounds = len(metric.buckets) + 1 if metric.type is MetricType.HISTOGRAM else None
    if (None if row.buckets is None else len(row.buckets)) != bounds:
        return "a row has other buckets than this version"
    return ""
