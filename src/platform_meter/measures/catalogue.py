"""Every metric, declared once: name, type, help, labels, and what bounds each label's values (domain section 13)."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.model.facts import POD_START_BUCKETS
from platform_meter.model.metric import Metric, MetricType

SECONDS_CI = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0)
SECONDS_PROBE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SECONDS_POLL = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

_BOUNDS: Mapping[str, str] = {
    "source": "source types",
    "source_instance": "configured sources",
    "kind": "kinds of object or event of the source",
    "outcome": "success, user_failure, infra_failure, cancelled, skipped, unknown",
    "reason": "a closed list per source",
    "family": "declared metrics",
    "service": "services, _unowned",
    "team": "teams, _unowned",
    "system": "source types",
    "tier": "declared tiers",
    "org": "declared orgs",
    "persona": "declared personas",
    "pool": "runner pools, the first label of each job's runner",
    "state": "a closed list",
    "window": "windows of the metric",
    "environment": "Environment files and _other; without any, names of the sources, _other past the cap",
    "result": "a closed list",
    "target": "configured probes",
    "cluster": "configured clusters",
    "capability": "Capability files",
    "unit": "team, service, person",
    "mandated": "true, false",
    "transition": "5 transitions",
    "queue": "Ticketing files",
    "category": "components or labels of the queue, _other past the cap",
    "priority": "priorities of the queue",
    "age": "5 age classes",
    "sla": "SLAs of the queue",
    "quantile": "quantiles of the metric",
    "version": "1",
    "slo": "SLO files",
    "profile": "3 profiles",
    "period": "1 per SLO",
}

ALL: dict[str, Metric] = {}


def _declare(
    type_: MetricType,
    name: str,
    labels: str,
    help_: str,
    *,
    buckets: tuple[float, ...] = (),
    fold: str | None = None,
    cap: int = 10_000,
    bounds: Mapping[str, str] = _BOUNDS,
) -> Metric:
    """Declare one; `bounds` names those of its labels that mean something else here than elsewhere."""
    names = tuple(labels.split())
    metric = Metric(
        name=name,
        type=type_,
        help=help_,
        labels=names,
        bounds={n: bounds.get(n, _BOUNDS[n]) for n in names},
        buckets=buckets,
        fold=("team" if "team" in names else "") if fold is None else fold,
        cap=cap,
    )
    ALL[name] = metric
    return metric


_C, _G, _H = MetricType.COUNTER, MetricType.GAUGE, MetricType.HISTOGRAM

# The meter itself
BUILD_INFO = _declare(_G, "platform_meter_build_info", "version", "Version of platform-meter; always 1.")
SOURCE_UP = _declare(
    _G,
    "platform_meter_source_up",
    "source source_instance",
    "1 while all streams of the source succeed, 0 when one did not for `stale_after`: gauges that rest on it are absent.",
)
SOURCE_LAST_SUCCESS = _declare(
    _G,
    "platform_meter_source_last_success_timestamp_seconds",
    "source source_instance",
    "When the source last succeeded: of its streams the one whose success is the longest ago.",
)
SOURCE_POLL_DURATION = _declare(
    _H, "platform_meter_source_poll_duration_seconds", "source", "Duration of polls.", buckets=SECONDS_POLL
)
SOURCE_REQUESTS = _declare(
    _C,
    "platform_meter_source_requests_total",
    "source outcome",
    "Calls to the source's API: ok, error or limited.",
    bounds={"outcome": "ok, error, limited"},
)
SOURCE_RATE_LIMIT = _declare(
    _G,
    "platform_meter_source_rate_limit_remaining_ratio",
    "source",
    "Share of the API quota left; the least of all instances of the source.",
)
SOURCE_GAPS = _declare(
    _C, "platform_meter_source_gaps_total", "source reason", "Ranges of history that could not be read."
)
EVENTS = _declare(_C, "platform_meter_events_total", "source kind", "Events stored, imported history among them.")
EVENTS_REJECTED = _declare(_C, "platform_meter_events_rejected_total", "source kind reason", "Events refused.")
OBJECTS = _declare(_G, "platform_meter_objects", "source kind", "Objects seen within retention.")
UNOWNED_OBJECTS = _declare(_G, "platform_meter_unowned_objects", "source kind", "Objects without an owner.")
OWNERSHIP_CONFLICTS = _declare(
    _G, "platform_meter_ownership_conflicts", "source kind", "Objects whose ownership rules name different teams."
)
SERIES = _declare(_G, "platform_meter_series", "family", "Series exposed by family.")
SERIES_DROPPED = _declare(
    _C, "platform_meter_series_dropped_total", "family", "Label sets folded into _other or dropped past the cap."
)
CONFIG_VALID = _declare(
    _G, "platform_meter_config_valid", "", "1 when the last load of configuration and definitions found no problem."
)
STORE_BYTES = _declare(_G, "platform_meter_store_bytes", "", "Size of the event store.")

# Entities
SERVICE_INFO = _declare(
    _G,
    "platform_service_info",
    "service team system tier",
    "1 for each service that a file declares or ownership knows, to join on.",
    fold="",
    bounds={"system": "declared systems"},
)
TEAM_INFO = _declare(
    _G,
    "platform_team_info",
    "team org persona",
    "1 for each team that a file declares or ownership knows, to join on.",
    fold="",
)

# CI
PIPELINE_RUNS = _declare(_C, "platform_pipeline_runs_total", "system team outcome", "Pipeline runs ended, by attempt.")
PIPELINE_RUN_DURATION = _declare(
    _H,
    "platform_pipeline_run_duration_seconds",
    "system pool",
    "Start to end of a pipeline run; skipped runs have none.",
    buckets=SECONDS_CI,
    fold="pool",
)
PIPELINE_QUEUE_DURATION = _declare(
    _H,
    "platform_pipeline_queue_duration_seconds",
    "system pool",
    "Creation of a job to its start on a runner.",
    buckets=SECONDS_CI,
    fold="pool",
)
PIPELINE_FLAKY = _declare(
    _G,
    "platform_pipeline_flaky_ratio",
    "system team window",
    "Share of pipeline, commit and input groups that failed and later succeeded; a lower bound.",
)
PIPELINE_UNCLASSIFIED = _declare(
    _G,
    "platform_pipeline_unclassified_ratio",
    "system team window",
    "Share of failures that no rule could class; above 0.2 the platform SLI is not to be trusted.",
)
PIPELINE_ACTIVE = _declare(
    _G, "platform_pipeline_active", "system pool state", "Runs queued and running now.", fold="pool"
)

# Delivery
DEPLOYMENTS = _declare(
    _C,
    "platform_deployments_total",
    "team environment result kind",
    "Deployments ended.",
    fold="environment",
    bounds={"kind": "planned, rollback, hotfix, config"},
)

# Kubernetes
PROBE_CHECKS = _declare(
    _C, "platform_probe_checks_total", "target result", "Checks by our own probes: ok, error, timeout.", fold="target"
)
PROBE_DURATION = _declare(
    _H, "platform_probe_duration_seconds", "target", "Duration of our own probes.", buckets=SECONDS_PROBE, fold="target"
)
POD_START = _declare(
    _H,
    "platform_pod_start_seconds",
    "cluster kind",
    "Pod creation to Ready with image pull, as users feel it.",
    buckets=POD_START_BUCKETS,
    fold="cluster",
    bounds={"kind": "deployment, statefulset, daemonset, job, other"},
)
CLUSTER_NODES = _declare(
    _G, "platform_cluster_nodes", "cluster state", "Nodes by state: ready, not_ready, cordoned.", fold="cluster"
)

# Adoption
ADOPTION_UNITS = _declare(
    _G,
    "platform_adoption_units",
    "capability unit state",
    "Units by adoption state; exempt ones apart.",
    fold="",
)
ADOPTION_RATIO = _declare(
    _G,
    "platform_adoption_ratio",
    "capability unit mandated",
    "Units adopted and eligible / eligible.",
    fold="",
)
ADOPTION_ACTIVE_RATIO = _declare(
    _G, "platform_adoption_active_ratio", "capability unit mandated", "Units active / eligible.", fold=""
)
ADOPTION_DEPTH_RATIO = _declare(
    _G,
    "platform_adoption_depth_ratio",
    "capability unit mandated",
    "Mean over eligible teams of their deployables on the capability / their eligible deployables.",
    fold="",
)
ACTIVE_UNITS = _declare(
    _G,
    "platform_active_units",
    "capability unit window",
    "Eligible units with any use in the window.",
    fold="",
)
STICKINESS = _declare(
    _G,
    "platform_stickiness_ratio",
    "capability unit window",
    "Mean units with any use per business day / units with any use in the window.",
    fold="",
)
CHURN = _declare(
    _G,
    "platform_churn_ratio",
    "capability unit window",
    "Share of the units active a window ago, still eligible, that are not active now.",
    fold="",
)
ADOPTION_TRANSITIONS = _declare(
    _C,
    "platform_adoption_transitions_total",
    "capability transition",
    "Unit transitions between daily snapshots.",
    fold="",
)
TEAM_CAPABILITY_STATE = _declare(
    _G,
    "platform_team_capability_state",
    "team capability",
    "0 eligible, 1 idle, 2 active, 3 dormant, 4 churned.",
    fold="",
)

# Support
TICKETS_CREATED = _declare(
    _C, "platform_tickets_created_total", "queue category priority", "Tickets created.", fold="category"
)
TICKETS_OPEN = _declare(
    _G,
    "platform_tickets_open",
    "queue priority age",
    "Open tickets by calendar age: under 1d, 3d, 7d, 30d, older.",
    fold="priority",
)
TICKET_SLA_CYCLES = _declare(
    _C,
    "platform_ticket_sla_cycles_total",
    "queue sla priority result",
    "SLA cycles decided: met, breached.",
    fold="priority",
)
TICKET_SLA_MET = _declare(
    _G,
    "platform_ticket_sla_met_ratio",
    "queue sla priority window",
    "SLA cycles met / decided in the window.",
    fold="priority",
)
TICKET_SLA_SECONDS = _declare(
    _G,
    "platform_ticket_sla_seconds",
    "queue sla priority quantile",
    "Business time of SLA cycles stopped in 28 days.",
    fold="priority",
)
TICKET_AT_RISK = _declare(
    _G,
    "platform_ticket_at_risk",
    "queue sla priority",
    "Open, unpaused cycles with at most 20 % of the goal left.",
    fold="priority",
)
TICKET_EXPECTED_BREACHES = _declare(
    _G,
    "platform_ticket_expected_breaches",
    "queue sla priority",
    "Open cycles expected to breach, by Kaplan-Meier of the last 91 days.",
    fold="priority",
)
TICKET_BACKLOG_AGE = _declare(
    _G,
    "platform_ticket_backlog_age_seconds",
    "queue quantile",
    "Business time since creation of open tickets.",
    fold="queue",
)
TICKET_REOPEN = _declare(
    _G,
    "platform_ticket_reopen_ratio",
    "queue window",
    "Tickets resolved in the window and reopened since / resolved.",
    fold="queue",
)
TICKETS_PER_ACTIVE_TEAM = _declare(
    _G,
    "platform_tickets_per_active_team",
    "queue window",
    "Tickets created / teams with any pipeline run, deployment or merged change in the window.",
    fold="queue",
)

# SLOs of stored events
SLO_INFO = _declare(
    _G,
    "platform_slo_info",
    "slo team capability kind profile",
    "1 for each SLO.",
    fold="",
    bounds={"kind": "events, slices"},
)
SLO_OBJECTIVE = _declare(_G, "platform_slo_objective_ratio", "slo", "Objective of the SLO.")
SLO_PERIOD = _declare(_G, "platform_slo_period_seconds", "slo", "Length of the SLO's period.")
SLO_WINDOW_EVENTS = _declare(
    _G, "platform_slo_window_events", "slo window result", "Good and bad events in the window, exact.", fold=""
)
SLO_SLI = _declare(_G, "platform_slo_sli_ratio", "slo window", "Good / valid events in the window.", fold="")
SLO_BURN = _declare(
    _G, "platform_slo_burn_rate", "slo window", "Error ratio in the window / allowed error ratio.", fold=""
)
SLO_BUDGET_REMAINING = _declare(
    _G, "platform_slo_budget_remaining_ratio", "slo period", "Error budget left; below 0 when overspent.", fold=""
)
SLO_DATA_AGE = _declare(
    _G, "platform_slo_data_age_seconds", "slo", "Age of the newest successful read of the SLO's source."
)
