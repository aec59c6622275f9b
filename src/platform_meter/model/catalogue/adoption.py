"""Adoption (domain section 11)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge

ADOPTION_UNITS = gauge(
    "platform_adoption_units",
    "capability unit state",
    "Units by adoption state; exempt ones apart.",
    fold="",
)
ADOPTION_RATIO = gauge(
    "platform_adoption_ratio",
    "capability unit mandated",
    "Units adopted and eligible / eligible.",
    fold="",
)
ADOPTION_ACTIVE_RATIO = gauge(
    "platform_adoption_active_ratio", "capability unit mandated", "Units active / eligible.", fold=""
)
ADOPTION_DEPTH_RATIO = gauge(
    "platform_adoption_depth_ratio",
    "capability unit mandated",
    "Mean over eligible teams of their deployables on the capability / their eligible deployables.",
    fold="",
)
ADOPTION_SELF_SERVICE = gauge(
    "platform_adoption_self_service_ratio",
    "capability unit mandated",
    "Mature journeys completed without a ticket of the capability's category on the way / those completed; last 182 days.",
    fold="",
)
ACTIVE_UNITS = gauge(
    "platform_active_units",
    "capability unit window",
    "Eligible units with any use in the window.",
    fold="",
)
STICKINESS = gauge(
    "platform_stickiness_ratio",
    "capability unit window",
    "Mean units with any use per business day / units with any use in the window.",
    fold="",
)
CHURN = gauge(
    "platform_churn_ratio",
    "capability unit window",
    "Share of the units active a window ago, still eligible, that are not active now.",
    fold="",
)
ADOPTION_TRANSITIONS = counter(
    "platform_adoption_transitions_total",
    "capability transition",
    "Unit transitions between daily snapshots.",
    fold="",
)
TEAM_CAPABILITY_STATE = gauge(
    "platform_team_capability_state",
    "team capability",
    "0 eligible, 1 idle, 2 active, 3 dormant, 4 churned.",
    fold="",
)
TEAM_BREADTH = gauge(
    "platform_team_breadth_ratio",
    "team mandated",
    "Capabilities that a team is active in / those that it could use; mandated ones apart.",
    fold="",
)
TEAM_DEPTH = gauge(
    "platform_team_depth_ratio",
    "team capability",
    "A team's deployables on a capability / its eligible deployables.",
    fold="",
)
TEAM_INDEX = gauge(
    "platform_team_adoption_index_ratio",
    "team mandated",
    "Mean of a team's depth over the capabilities it could use, weighted by eligible deployables; mandated ones apart.",
    fold="",
)
STANDARD_UNITS = gauge(
    "platform_standard_units",
    "capability unit state",
    "Units of a standard, which is a mandated capability of standing objects, by whether they keep to it.",
    fold="",
    bounds={"state": "passes, fails, exempt, unknown"},
)
TEAM_STANDARD_RATIO = gauge(
    "platform_team_standard_ratio",
    "team capability",
    "A team's units that pass a standard / those that pass or fail.",
    fold="",
    bounds={"team": "teams, _unowned"},
)
_GOALS = {
    "by": "days of the goals declared",
    "state": "on_track, at_risk, reached, missed",
    "horizon": "4w, 8w, 13w",
    "bound": "low, point, high",
}
ADOPTION_GOAL = gauge(
    "platform_adoption_goal_ratio",
    "capability by",
    "Share of the eligible units that is to be reached by the end of the day `by`.",
    fold="",
    bounds=_GOALS,
)
ADOPTION_GOAL_GAP = gauge(
    "platform_adoption_goal_gap_ratio",
    "capability by",
    "What of the goal is not reached: goal - share now; below 0 past it.",
    fold="",
    bounds=_GOALS,
)
ADOPTION_GOAL_STATE = gauge(
    "platform_adoption_goal_state",
    "capability by state",
    "1 for the state of the goal, 0 for the others.",
    fold="",
    bounds=_GOALS,
)
ADOPTION_GOAL_NEEDED = gauge(
    "platform_adoption_goal_needed_ratio",
    "capability by",
    "The goal; of one more than 13 weeks away the share that an even pace from now on has in 13 weeks.",
    fold="",
    bounds=_GOALS,
)
ADOPTION_GOAL_FORECAST = gauge(
    "platform_adoption_goal_forecast_ratio",
    "capability by bound",
    "Forecast of the share at the moment that is asked for: the goal's day, or in 13 weeks.",
    fold="",
    bounds=_GOALS,
)
ADOPTION_FORECAST = gauge(
    "platform_adoption_forecast_units",
    "capability horizon bound",
    "Forecast of adopted units; four futures in five lie between low and high.",
    fold="",
    bounds=_GOALS,
)
COHORT_RETENTION = gauge(
    "platform_cohort_retention_ratio",
    "capability cohort age",
    "Units that began in this month and were active in the month so many months later / units that began in it.",
    fold="",
    bounds={"cohort": "13 months", "age": "1 to 12"},
)
