"""Journeys: funnels with drop-off by stage, and the time to first X (domain section 11)."""

from __future__ import annotations

from datetime import timedelta

from platform_meter.measures.journeys.gauges import METRICS, behind, compute
from platform_meter.measures.journeys.help import ASKED
from platform_meter.measures.journeys.reading import journeys, kinds
from platform_meter.model.definitions import Definitions
from platform_meter.model.measure import Gauging, Measure, Measures


def declared(definitions: Definitions) -> tuple[Measure, ...]:
    """The gauges of these journeys."""
    chosen = journeys(definitions.capabilities)
    return (
        Gauging(
            metrics=METRICS,
            reads=frozenset(kind for capability in chosen for kind in kinds(capability))
            | (ASKED if any(capability.tickets for capability in chosen) else frozenset()),
            compute=compute,
            behind=behind,
            # Half a year does not move by minutes, and all of its use is read.
            every=timedelta(hours=1),
            at_once=False,
        ),
    )


MEASURES = Measures(declared=declared)
