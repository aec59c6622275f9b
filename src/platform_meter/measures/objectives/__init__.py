"""SLOs over stored events: exact windows, and what a page shows beside them (domain section 5)."""

from __future__ import annotations

from platform_meter.measures.objectives.windows import configured
from platform_meter.model.measure import Measures

MEASURES = Measures(declared=configured)
