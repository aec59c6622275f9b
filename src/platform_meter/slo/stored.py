"""Plans of SLOs over stored events, in the form that measures compute."""

from __future__ import annotations

from platform_meter.model.objective import Objective, StoredObjective, StoredSli, carried
from platform_meter.slo.plan import Plan


def stored_objective(plan: Plan) -> StoredObjective | None:
    """What the exporter computes for this SLO; None where Prometheus counts."""
    if not isinstance(plan.sli, StoredSli):
        return None
    return StoredObjective(**carried(plan, Objective), windows=tuple(w.length for w in plan.windows), sli=plan.sli)
