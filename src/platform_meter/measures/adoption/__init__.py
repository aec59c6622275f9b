"""Adoption: who could use each capability, who does, and how that changes (domain section 11)."""

from __future__ import annotations

from platform_meter.measures.adoption.gauges import declared
from platform_meter.model.measure import Measures

MEASURES = Measures(declared=declared)
