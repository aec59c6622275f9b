"""Monitors, dashboards and alert rules of other tools (domain section 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

ALERT_RULES = gauge(
    "platform_alert_rules",
    "source_instance team",
    "Alert rules that stand in a tool and are not paused, by the owner of each.",
)
DASHBOARDS = gauge(
    "platform_dashboards",
    "source_instance team used",
    "Dashboards that stand in a tool, by the owner of each and whether anybody looked at them of late, as the tool tells.",
    bounds={"used": "yes, no, unknown"},
)
MONITORS = gauge(
    "platform_monitors",
    "source_instance team state",
    "Monitors that a tool runs, by the owner of each and how it stands.",
    bounds={"state": "ok, alert, warn, no_data, ignored, skipped, unknown"},
)
