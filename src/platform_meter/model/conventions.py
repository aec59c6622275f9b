"""What OpenTelemetry's semantic conventions define for CI/CD and version control, and what of it is known here.

Names, units and attributes are those of opentelemetry.io/docs/specs/semconv/cicd/cicd-metrics, written as Prometheus has
them: dots become underscores, the unit follows the name.
"""

from __future__ import annotations

from dataclasses import dataclass

from platform_meter.model.catalogue.declare import gauge, histogram
from platform_meter.model.facts.ci import SECONDS_CI
from platform_meter.model.metric import Metric

SETTING = "opentelemetry"
"""Of `exposition` in the configuration: these metrics are served where it is on."""

RUN_DURATION = histogram(
    "cicd_pipeline_run_duration_seconds",
    "cicd_pipeline_name cicd_pipeline_run_state cicd_pipeline_result error_type",
    "Duration of a pipeline run while its tasks were executed.",
    buckets=SECONDS_CI,
    fold="cicd_pipeline_name",
    bounds={
        "cicd_pipeline_name": "pipelines, _other past the cap",
        "cicd_pipeline_run_state": "executing",
        "cicd_pipeline_result": "success, failure, error, cancellation",
        "error_type": "user_failure, infra_failure, unknown; empty where nothing failed",
    },
)
WORKERS = gauge(
    "cicd_worker_count",
    "cicd_worker_state",
    "Workers that run jobs, by state.",
    bounds={"cicd_worker_state": "available, busy, offline"},
)
REPOSITORIES = gauge(
    "vcs_repository_count",
    "vcs_provider_name vcs_owner_name",
    "Repositories that the sources' settings select.",
    fold="vcs_owner_name",
    bounds={"vcs_provider_name": "source types", "vcs_owner_name": "organisations and groups"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """One metric that the conventions define."""

    name: str
    unit: str
    said: str
    """From which numbers it is made, or why it is not."""
    metric: Metric | None = None
    """What it is served as; None where it is not known."""


CONVENTIONS = (
    Convention(
        name="cicd.pipeline.run.duration",
        unit="s",
        metric=RUN_DURATION,
        said="The runs of `platform_pipeline_runs_total` whose system tells when their first task started (GitHub with "
        "jobs read, GitLab, Jenkins), in the state `executing`: success; failure (of users, and unclassified); error (of "
        "the platform); cancellation. A time-out is the failure or error of whoever it was.",
    ),
    Convention(
        name="cicd.pipeline.run.active",
        unit="{run}",
        said="Runs that go on are counted by pool, `platform_pipeline_active`; which pipeline each is of is not kept.",
    ),
    Convention(
        name="cicd.pipeline.run.errors",
        unit="{error}",
        said="A failed run is classed by its first error; how many more it had is not known.",
    ),
    Convention(
        name="cicd.worker.count",
        unit="{count}",
        metric=WORKERS,
        said="The runners of `platform_pipeline_runners`, idle ones as `available`; only systems whose runners are read.",
    ),
    Convention(
        name="cicd.system.errors",
        unit="{error}",
        said="A failure of the platform is known by the run that it broke, not by the component.",
    ),
    Convention(name="vcs.repository.count", unit="{repository}", metric=REPOSITORIES, said="Repositories as listed."),
    Convention(
        name="vcs.change.count", unit="{change}", said="Merged changes are read, and only as far back as history."
    ),
    Convention(name="vcs.change.duration", unit="s", said="A series for each change: there is no bound on them."),
    Convention(
        name="vcs.change.time_to_approval", unit="s", said="A series for each change: there is no bound on them."
    ),
    Convention(name="vcs.change.time_to_merge", unit="s", said="A series for each change: there is no bound on them."),
    Convention(name="vcs.contributor.count", unit="{contributor}", said="Authors are not kept."),
    Convention(name="vcs.ref.count", unit="{ref}", said="Branches and tags are not read."),
    Convention(name="vcs.ref.lines_delta", unit="{line}", said="Branches are not read."),
    Convention(name="vcs.ref.revisions_delta", unit="{revision}", said="Branches are not read."),
    Convention(name="vcs.ref.time", unit="s", said="Branches are not read."),
)
"""All of them, in the order in which the page of metrics shows them."""
