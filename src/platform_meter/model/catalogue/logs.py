"""Where logs are kept (domain section 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import BOUNDS, gauge

LOG_INDEX_AGE = gauge(
    "platform_log_index_age_seconds",
    "source_instance index",
    "Age of the newest document of the indices that a declared pattern names, as of the last look at them.",
    bounds={**BOUNDS, "index": "configured patterns of indices"},
)
