"""Support: tickets, SLA cycles, backlog and load of the queues that people declare (domain section 9)."""

from __future__ import annotations

from platform_meter.measures.support.tickets import configured
from platform_meter.model.measure import Measures

MEASURES = Measures(declared=configured)
