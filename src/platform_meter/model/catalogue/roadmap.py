"""Roadmap and feedback: what was committed and delivered, what people asked for and were told (domain section 12)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

_BOUNDS = {
    "period": "calendar periods that items are planned for, _none",
    "status": "planned, started, done, dropped",
    "result": "delivered, late, open, moved, dropped, added",
    "theme": "themes of feedback, _none, _other past the cap",
    "persona": "declared personas, _none",
    "pain_point": "Persona files",
    "window": "28d, 91d",
}

ROADMAP_ITEMS = gauge(
    "platform_roadmap_items",
    "period status",
    "Items by the calendar period that they are planned for now; _none without one.",
    fold="",
    bounds=_BOUNDS,
)
ROADMAP_COMMITMENTS = gauge(
    "platform_roadmap_commitments",
    "period result",
    "Items committed when the period began, each once: delivered within it, done late, still open, moved to another "
    "period, dropped; and beside them those added later and done within it.",
    fold="",
    bounds=_BOUNDS,
)
ROADMAP_DELIVERY = gauge(
    "platform_roadmap_delivery_ratio",
    "period",
    "Items committed when the period began and done within it / items committed; of the running period so far.",
    fold="",
    bounds=_BOUNDS,
)
ROADMAP_LINKED = gauge(
    "platform_roadmap_linked_ratio",
    "period",
    "Items with feedback behind them / items of the period, dropped ones left out.",
    fold="",
    bounds=_BOUNDS,
)
FEEDBACK_OPEN = gauge(
    "platform_feedback_open",
    "theme persona",
    "Feedback that nobody has closed: its ticket is open, its item is not shipped or its reporter was not told.",
    fold="theme",
    bounds=_BOUNDS,
)
FEEDBACK_CLOSED_LOOP = gauge(
    "platform_feedback_closed_loop_ratio",
    "theme",
    "Feedback whose reporter was told after its item shipped / feedback whose item shipped.",
    fold="theme",
    bounds=_BOUNDS,
)
PAIN_POINT_REPORTS = gauge(
    "platform_pain_point_reports",
    "persona pain_point window",
    "Feedback of the window that matches a persona's pain point.",
    fold="",
    bounds=_BOUNDS,
)
