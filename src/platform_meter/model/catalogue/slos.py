"""SLOs over stored events (domain section 5)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

SLO_INFO = gauge(
    "platform_slo_info",
    "slo team capability kind profile",
    "1 for each SLO.",
    fold="",
    bounds={"kind": "events, slices"},
)
SLO_OBJECTIVE = gauge("platform_slo_objective_ratio", "slo", "Objective of the SLO.")
SLO_PERIOD = gauge("platform_slo_period_seconds", "slo", "Length of the SLO's period.")
SLO_WINDOW_EVENTS = gauge(
    "platform_slo_window_events", "slo window result", "Good and bad events in the window, exact.", fold=""
)
SLO_SLI = gauge("platform_slo_sli_ratio", "slo window", "Good / valid events in the window.", fold="")
SLO_BURN = gauge("platform_slo_burn_rate", "slo window", "Error ratio in the window / allowed error ratio.", fold="")
SLO_BUDGET_REMAINING = gauge(
    "platform_slo_budget_remaining_ratio", "slo period", "Error budget left; below 0 when overspent.", fold=""
)
SLO_DATA_AGE = gauge("platform_slo_data_age_seconds", "slo", "Age of the newest successful read of the SLO's source.")
