"""Names of all series and labels that rules write: alerts and dashboards read only these (domain section 5)."""

from __future__ import annotations

from datetime import timedelta

BAD = "slo:bad_events:count"
"""{slo, window}: bad events in the window."""
TOTAL = "slo:total_events:count"
"""{slo, window}: valid events in the window."""
BURN = "slo:burn:rate"
"""{slo, window}: error ratio / allowed error ratio; absent without events."""
SLI = "slo:sli:ratio"
"""{slo, window}: good / valid over the period."""
BUDGET = "slo:budget_remaining:ratio"
"""{slo, period}: 1 - burn over the period; below 0 when overspent."""
COVERAGE = "slo:data_coverage:ratio"
"""{slo, period}: share of the period, or of the SLO's life where that is shorter, of which there are data (0 to 1)."""
OBJECTIVE = "slo:objective:ratio"
"""{slo}: T."""
INFO = "slo:info"
"""{slo, service, owner, capability, ...}: 1."""

BURN_ALERT = "SLOBurn"
NO_DATA_ALERT = "SLONoData"
BUDGET_ALERT = "SLOBudgetExhausted"
CONTRADICTION_ALERT = "SLOCountsContradict"


def tile(kind: str, length: timedelta) -> str:
    """Tiles of bad or total events: `slo:bad_events:tile5m`."""
    return f"slo:{kind}_events:tile{int(length / timedelta(minutes=1))}m"
