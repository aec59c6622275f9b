"""From a running service to what the application serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from platform_meter import measures
from platform_meter.explain import explain
from platform_meter.explain.words import as_json
from platform_meter.runtime.forms import Forms
from platform_meter.runtime.service import Service
from platform_meter.web.app import Site
from platform_meter.web.view import SourceExtra, View


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
                records=history,
                holder=service.holder,
                extras={
                    i.name: SourceExtra(
                        late=service.poller.late(i.name),
                        paused_until=service.poller.paused_until(i.name),
                        streams={s.name: i.expected(s) for s in i.streams},
                        next={s.name: due for s in i.streams if (due := service.poller.next(i.name, s.name))},
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

    def forms() -> Forms:
        service = current()
        return Forms(service.store, service.history, service.definitions, zone=service.zone, clock=service.clock)

    return Site(
        exposition=lambda: current().exposition,
        view=view,
        explain=explained,
        health=lambda: current().health(),
        unready=lambda: current().unready(),
        inbox=lambda: current().inbox,
        forms=forms,
        reload=reload,
    )
