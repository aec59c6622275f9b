"""CI (domain section 7)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge, histogram
from platform_meter.model.facts.ci import SECONDS_CI

PIPELINE_RUNS = counter("platform_pipeline_runs_total", "system team outcome", "Pipeline runs ended, by attempt.")
PIPELINE_RUN_DURATION = histogram(
    "platform_pipeline_run_duration_seconds",
    "system pool",
    "Start to end of a pipeline run; skipped runs have none.",
    buckets=SECONDS_CI,
    fold="pool",
)
PIPELINE_QUEUE_DURATION = histogram(
    "platform_pipeline_queue_duration_seconds",
    "system pool",
    "Creation of a job to its start on a runner.",
    buckets=SECONDS_CI,
    fold="pool",
)
PIPELINE_APPROVAL = histogram(
    "platform_pipeline_approval_seconds",
    "system",
    "Wait of a pipeline run for a person: neither queue nor run time.",
    buckets=(*SECONDS_CI[3:], 86400.0, 259200.0),
)
PIPELINE_FLAKY = gauge(
    "platform_pipeline_flaky_ratio",
    "system team window",
    "Share of pipeline, commit and input groups that failed and later succeeded; a lower bound.",
)
PIPELINE_UNCLASSIFIED = gauge(
    "platform_pipeline_unclassified_ratio",
    "system team window",
    "Share of failures that no rule could class; above 0.2 the platform SLI is not to be trusted.",
)
PIPELINE_ACTIVE = gauge("platform_pipeline_active", "system pool state", "Runs queued and running now.", fold="pool")
PIPELINE_RUNNERS = gauge(
    "platform_pipeline_runners",
    "system pool state",
    "Runners of one's own that are idle, busy or offline now.",
    fold="pool",
)
