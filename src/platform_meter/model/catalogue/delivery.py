"""Delivery (domain section 6)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge

DEPLOYMENTS = counter(
    "platform_deployments_total",
    "team environment result kind",
    "Deployments ended.",
    fold="environment",
    bounds={"kind": "planned, rollback, hotfix, config"},
)

DEPLOYMENTS_SHADOW = counter(
    "platform_deployments_shadow_total",
    "team environment way",
    "Deployments that a better way tells too: they count there alone.",
    fold="environment",
)

INCIDENTS = counter(
    "platform_incidents_total",
    "team severity link",
    "Incidents, records that name each other counted as one, by what links them to a deployment.",
    bounds={"severity": "critical, major, minor, unknown", "link": "named, rollback, revert, near, none"},
)

DORA_DEPLOYMENTS = gauge(
    "platform_dora_deployments_per_day",
    "team window",
    "Successful deployments to production per day: one version of a service that reaches several environments within 24 h is one.",
)
DORA_DEPLOY_DAYS = gauge(
    "platform_dora_deploy_day_ratio",
    "team window",
    "Median over 13 full weeks of the days with a deployment to production, of 7; weeks without any are among them.",
)
DORA_FAILURE = gauge(
    "platform_dora_change_failure_ratio",
    "team window",
    "Deployments to production with at least one failure linked to them; those too young to judge are left out.",
)
DORA_REWORK = gauge(
    "platform_dora_rework_ratio",
    "team window",
    "Deployments to production that are a rollback, a hotfix or the remedy of an incident.",
)
DORA_LEAD_TIME = gauge(
    "platform_dora_lead_time_seconds",
    "team stage window quantile",
    "Time of merged changes to production, by stage; `deploy` is the platform's own share.",
    bounds={"stage": "coding, pickup, review, deploy, total", "quantile": "0.5, 0.9"},
)
DORA_RECOVERY = gauge(
    "platform_dora_recovery_time_seconds",
    "team window quantile",
    "Time from the first failure of a failed deployment to the last resolution or remedy; open ones are not among them.",
    bounds={"quantile": "0.5, 0.9"},
)
DORA_SAMPLES = gauge(
    "platform_dora_samples",
    "team metric window",
    "What stands behind each number: deployments, failures judged, changes, recoveries, changes dropped (negative times).",
    bounds={"metric": "deployments, change_failure, rework, lead_time, recovery, dropped"},
)
DORA_OPEN = gauge("platform_dora_open_failures", "team", "Failed deployments that nobody has recovered from yet.")
DORA_OLDEST = gauge(
    "platform_dora_oldest_open_failure_seconds", "team", "Age of the oldest failure that is open; absent where none is."
)
DORA_UNLINKED = gauge(
    "platform_dora_unlinked_incidents", "team", "Incidents of the last 28 days that no deployment is linked to."
)
