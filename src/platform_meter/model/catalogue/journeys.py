"""Journeys: how far newcomers come, and how long it takes (domain section 11)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

_BOUNDS = {
    "journey": "capabilities with a journey",
    "stage": "its stages, and before them entered",
    "state": "mature, pending",
    "milestone": "its stages",
    "quantile": "0.5, 0.9",
}

FUNNEL_UNITS = gauge(
    "platform_funnel_units",
    "journey stage state",
    "Entrants of the last 182 days who came at least so far; pending while their window is not over.",
    fold="",
    bounds=_BOUNDS,
)
FUNNEL_DROPOFF = gauge(
    "platform_funnel_dropoff_ratio",
    "journey stage",
    "Of the mature entrants who came to the stage before, the share that did not come to this one.",
    fold="",
    bounds=_BOUNDS,
)
TIME_TO_FIRST = gauge(
    "platform_time_to_first_seconds",
    "journey milestone quantile",
    "From entering to the stage, by Kaplan-Meier over entrants of the last 182 days; who is not there yet is counted so far.",
    fold="",
    bounds=_BOUNDS,
)
TIME_TO_FIRST_REACHED = gauge(
    "platform_time_to_first_reached_ratio",
    "journey milestone",
    "Entrants of the last 182 days who have come to the stage / all of them.",
    fold="",
    bounds=_BOUNDS,
)
