"""Services and teams, to join on."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

SERVICE_INFO = gauge(
    "platform_service_info",
    "service team system tier",
    "1 for each service that a file declares or ownership knows, to join on.",
    fold="",
    bounds={"system": "declared systems"},
)
TEAM_INFO = gauge(
    "platform_team_info",
    "team org persona",
    "1 for each team that a file declares or ownership knows, to join on.",
    fold="",
)
