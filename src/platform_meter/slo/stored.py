"""Plans of SLOs over stored events, in the form that measures compute."""

from __future__ import annotations

from platform_meter.model.objective import StoredObjective, StoredSli
from platform_meter.slo.plan import Plan


def stored_objective(plan: Plan) -> StoredObjective | None:
    """What the exporter computes for this SLO; None where Prometheus counts."""
    if not isinstance(plan.sli, StoredSli):
        return None
    return StoredObjective(
        slo=plan.slo,
        service=plan.service,
        owner=plan.owner,
        capability=plan.capability,
        kind=plan.counts,
        profile=plan.profile,
        objective=plan.objective,
        period=plan.period,
        period_label=plan.period_label,
        windows=tuple(w.length for w in plan.windows),
        sli=plan.sli,
        slice=plan.slice,
        slice_target=plan.slice_target,
        no_data=plan.no_data,
    )
