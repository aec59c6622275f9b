"""The exporter's metrics of itself: polls, calls and process, kept by prometheus_client like everybody's."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client import generate_latest as text
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

from platform_meter.model.catalogue.meter import SOURCE_POLL_DURATION, SOURCE_PUSHES, SOURCE_REQUESTS

_EOF = b"# EOF\n"


OUTCOMES = ("ok", "error", "limited")
"""How a call to a source's API ends."""
PUSHED = ("ok", "unreadable", "refused", "failed")
"""How something pushed to a source ends."""


class OwnMetrics:
    """Counts polls, calls and deliveries of this process; they begin at 0 with it, unlike what the store keeps.

    Args:
        sources: source types in use. All they may count is there at 0 from the start, else `increase()` would lose the
            first error of each.
        pushed: the same of what is pushed to: source type and name.
    """

    def __init__(self, sources: Iterable[str], pushed: Iterable[tuple[str, str]] = ()) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        polls, requests = SOURCE_POLL_DURATION, SOURCE_REQUESTS
        self._polls = Histogram(polls.name, polls.help, polls.labels, registry=self._registry, buckets=polls.buckets)
        self._requests = Counter(requests.name, requests.help, requests.labels, registry=self._registry)
        pushes = SOURCE_PUSHES
        self._pushes = Counter(pushes.name, pushes.help, pushes.labels, registry=self._registry)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._lock = threading.Lock()
        for source in sources:
            self._polls.labels(source)
            for outcome in OUTCOMES:
                self._requests.labels(source, outcome)
        for source, instance in pushed:
            for outcome in PUSHED:
                self._pushes.labels(source, instance, outcome)

    def polled(self, source: str, seconds: float) -> None:
        """One poll of a source type took so long."""
        self._polls.labels(source).observe(seconds)

    def requested(self, source: str, outcome: str) -> None:
        """One call to a source type's API ended: ok, error or limited."""
        self._requests.labels(source, outcome).inc()

    def pushed(self, source: str, instance: str, outcome: str) -> None:
        """One delivery to a source ended: ok, unreadable, refused or failed."""
        self._pushes.labels(source, instance, outcome).inc()

    def render(self) -> tuple[bytes, bytes]:
        """Text 0.0.4, and OpenMetrics without its end mark."""
        with self._lock:
            return text(self._registry), bytes(openmetrics(self._registry)).removesuffix(_EOF)
