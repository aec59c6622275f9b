"""GitOps (domain section 8)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge, histogram
from platform_meter.model.facts.gitops import PROPAGATION_BUCKETS

GITOPS_APPS = gauge(
    "platform_gitops_apps",
    "source_instance sync health",
    "Applications by sync state and health, as they stand.",
    fold="",
)
GITOPS_SYNCS = counter(
    "platform_gitops_syncs_total",
    "source_instance result",
    "Sync operations ended, dry runs left out: success, failed, error.",
    fold="",
    bounds={"result": "success, failed, error"},
)
GITOPS_PROJECT_SYNCS = counter(
    "platform_gitops_project_syncs_total",
    "project cluster result reason",
    "Sync operations ended by project and destination cluster, dry runs left out, with the reason of those that failed.",
    fold="project",
    bounds={"result": "success, failed, error", "cluster": "destination clusters", "reason": "a closed list"},
)
GITOPS_PROPAGATION = histogram(
    "platform_gitops_propagation_seconds",
    "source_instance",
    "Merge of a change to its application synced at that revision and healthy; applications that sync by themselves.",
    buckets=PROPAGATION_BUCKETS,
    fold="",
)
GITOPS_ROLLOUTS = counter(
    "platform_gitops_rollouts_total",
    "source_instance result",
    "Progressive rollouts ended: promoted, aborted.",
    fold="",
    bounds={"result": "promoted, aborted"},
)
