"""Interventions and campaigns: whether a change helped, and whom it reached (domain section 12)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

_BOUNDS = {
    "intervention": "Intervention files, and as campaign/ID those of campaigns for a capability",
    "metric": "what these files name",
    "bound": "low, point, high",
    "side": "before, after",
    "campaign": "Campaign files",
}

EFFECT = gauge(
    "platform_intervention_effect_ratio",
    "intervention metric bound",
    "Change from before to after, and its interval of 95 %: of durations and weekly series a share of what was before, of "
    "ratios a difference. Absent without enough data.",
    fold="",
    bounds=_BOUNDS,
)
SAMPLES = gauge(
    "platform_intervention_samples",
    "intervention metric side",
    "What the change is computed of: values, or weeks of a series, of the units it touched.",
    fold="",
    bounds=_BOUNDS,
)
CAMPAIGN_REACH = gauge("platform_campaign_reach_ratio", "campaign", "Attended / invited.", fold="", bounds=_BOUNDS)
