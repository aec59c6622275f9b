"""Error budgets that other tools reckon themselves (domain section 14)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

TOLD_SLI = gauge(
    "platform_slo_told_sli_ratio",
    "source_instance slo",
    "Good / valid events of the SLO's window as the source itself reckons them; beside platform_slo_sli_ratio.",
    fold="",
)
TOLD_BUDGET = gauge(
    "platform_slo_told_budget_remaining_ratio",
    "source_instance slo",
    "Error budget left as the source itself reckons it; beside platform_slo_budget_remaining_ratio.",
    fold="",
)
