"""Delivery: deployments ended, the five DORA numbers and what went wrong (domain section 6)."""

from __future__ import annotations

from platform_meter.measures.delivery.counts import counting
from platform_meter.measures.delivery.numbers import GAUGES, Settled, count_incident
from platform_meter.model.catalogue.delivery import INCIDENTS
from platform_meter.model.facts.incidents import Incident, LinkedIncident
from platform_meter.model.measure import Counting, Deriving, Measures

MEASURES = Measures(
    standing=(GAUGES, Counting(event=LinkedIncident, metrics=(INCIDENTS,), count=count_incident)),
    declared=lambda definitions: (
        counting(definitions),
        Deriving(reads=frozenset({Incident}), gives=LinkedIncident, derive=Settled().derive),
    ),
)
