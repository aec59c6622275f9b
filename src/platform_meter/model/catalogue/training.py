"""Training (domain section 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

_BOUNDS = {"course": "courses of the sources, _other past the cap"}

TRAINING_COMPLETED = gauge(
    "platform_training_completed_ratio",
    "course",
    "People who got through a course / people who began it, of all that are stored; absent under 5.",
    fold="course",
    bounds=_BOUNDS,
)
TRAINING_PEOPLE = gauge(
    "platform_training_people",
    "course",
    "People who began a course, each once, of all that are stored.",
    fold="course",
    bounds=_BOUNDS,
)
