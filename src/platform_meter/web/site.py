"""From a running service to what the application serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from platform_meter import measures
from platform_meter.explain import explain
from platform_meter.explain.words import as_json
from platform_meter.runtime.service import Service
from platform_meter.web.app import Site
from platform_meter.web.view import SourceExtra, View

GAPS_SHOWN = 50


def make_site(current: Callable[[], Service], reload: Callable[[], list[str] | None]) -> Site:
    """The site of whatever service is current; a reload may put another in its place.

    Args:
        current: the running service.
        reload: loads configuration and definitions again and says what is wrong with them.
    """

    @contextmanager
    def view() -> Iterator[View]:
        service = current()
        now = service.clock()
        with service.history() as history:
            yield View(
                now=now,
                zone=service.zone,
                definitions=service.definitions,
                history=history,
                rows=service.meter.rows,
                streams=history.stream_states(),
                gaps=[(g.source, g.start, g.end, g.reason, g.text) for g in history.gaps(GAPS_SHOWN)],
                extras={
                    i.name: SourceExtra(
                        quota=service.quota(i.name),
                        late=service.poller.late(i.name),
                        paused_until=service.poller.paused_until(i.name),
                        ends={s.name: ends for s in i.streams if (ends := service.imports.ends(i.name, s.name))},
                    )
                    for i in service.instances
                },
                problems=service.problems,
                plans=service.plans,
                slo_days=service.days,
                prometheus=service.prometheus,
                kept=service.meter.kept,
            )

    def explained(metric: str, labels: Mapping[str, str]) -> Mapping[str, Any]:
        service = current()
        with service.history() as history:
            scene = service.meter.scene(history, service.clock())
            # Measures of its own: those of the tick keep what they read, and are not for two threads.
            loaded = measures.load(service.definitions, service.config.exposition.on)
            found = explain(scene, loaded, service.store.counters, metric, labels, exposed=service.meter.rows)
            return as_json(scene, found)

    return Site(
        exposition=lambda: current().exposition,
        view=view,
        explain=explained,
        health=lambda: current().health(),
        unready=lambda: current().unready(),
        inbox=lambda: current().inbox,
        reload=reload,
    )
