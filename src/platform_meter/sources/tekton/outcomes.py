"""Whose failure a run of Tekton was, in order (domain section 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from platform_meter.model.facts.ci import Outcome
from platform_meter.model.outcomes import Rules, rule

SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"

_CANCELLED = (
    "Cancelled|CancelledRunFinally|CancelledRunningFinally|StoppedRunFinally|StoppedRunningFinally|TaskRunCancelled"
)
_USERS = (
    "CELEvaluationFailed|CreateContainerConfigError|InvalidGraph|InvalidMatrixParameterTypes|InvalidParamValue"
    "|InvalidPipelineResultReference|InvalidServiceAccountMappings|InvalidTaskResultReference|InvalidTaskRunSpecs"
    "|InvalidWorkspaceBindings|ObjectParameterMissKeys|ParamArrayIndexingInvalid|ParamKeyNotFound|ParameterMissing"
    "|ParameterTypeMismatch|PipelineValidationFailed|RequiredWorkspaceMarkedOptional"
    "|TaskRunResultLargerThanAllowedLimit|TaskRunValidationFailed|TaskValidationFailed"
)
"""Reasons that speak of what the user wrote."""
_PLATFORM = "CreateRunFailed|PodCreationFailed|TaskRunStopSidecarFailed|PVCNotFound"
"""Reasons that speak of the cluster."""
_LOST = r"evict|low on resource|preempt|node .*(?:lost|shut ?down|not ready)|no space left"
_PULL = "TaskRunImagePullFailed"


def rules(registries: Iterable[str]) -> Rules:
    """The table; `registries` are beginnings of names of images that come from the platform's registry."""
    ours = "|".join(re.escape(f'"{registry}') for registry in registries)
    return (
        rule("succeeded", Outcome.SUCCESS, conclusion=SUCCEEDED),
        rule("cancelled", Outcome.CANCELLED, reason=_CANCELLED),
        rule("user_reason", Outcome.USER_FAILURE, reason=_USERS),
        rule("platform_reason", Outcome.INFRA_FAILURE, reason=_PLATFORM),
        rule("node_lost", Outcome.INFRA_FAILURE, log=_LOST),
        *([rule("own_registry", Outcome.INFRA_FAILURE, reason=_PULL, log=ours)] if ours else []),
        rule("image_pull", Outcome.UNKNOWN, reason=_PULL),
        rule("clone_task", Outcome.INFRA_FAILURE, conclusion=FAILED, step="git-clone"),
        rule("user_task", Outcome.USER_FAILURE, conclusion=FAILED, step=".+"),
        rule("no_step_ran", Outcome.INFRA_FAILURE, reason="TaskRunTimeout"),
    )
