"""Promises: what was promised to whom, by calendar period (domain section 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

_BOUNDS = {"promise": "Promise files", "period": "running, last"}

PROMISE_MET = gauge(
    "platform_promise_met_ratio",
    "promise period",
    "Good / valid of what was promised, in the calendar period that runs and in the last whole one.",
    fold="",
    bounds=_BOUNDS,
)
PROMISE_TARGET = gauge("platform_promise_target_ratio", "promise", "Ratio promised.", fold="", bounds=_BOUNDS)
PROMISE_SINCE = gauge(
    "platform_promise_since_timestamp_seconds",
    "promise period",
    "From when on all of the period is known: its start, or later where history begins within it.",
    fold="",
    bounds=_BOUNDS,
)
