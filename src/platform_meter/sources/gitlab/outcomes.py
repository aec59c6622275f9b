"""Whose failure a job of GitLab CI was, in order (domain section 7)."""

from __future__ import annotations

from typing import Final

from platform_meter.model.facts.ci import Outcome
from platform_meter.model.outcomes import Rules, rule

CONFIGURATION: Final = "configuration"
"""The reason of a pipeline whose file has errors."""

_PLATFORM = (
    "api_failure|data_integrity_failure|runner_system_failure|runner_unsupported|scheduler_failure"
    "|stuck_or_timeout_failure"
)
"""No runner took it, or what should run it broke."""
_USERS = (
    "archived_failure|downstream_bridge_project_not_found|forward_deployment_failure|insufficient_bridge_permissions"
    "|invalid_bridge_trigger|job_execution_timeout|protected_environment_failure|script_failure|user_blocked"
)

RULES: Rules = (
    rule("success", Outcome.SUCCESS, conclusion="success"),
    rule("canceled", Outcome.CANCELLED, conclusion="canceled"),
    rule("skipped", Outcome.SKIPPED, conclusion="skipped"),
    rule("platform_reason", Outcome.INFRA_FAILURE, reason=_PLATFORM),
    rule("user_reason", Outcome.USER_FAILURE, reason=_USERS),
    rule("configuration", Outcome.USER_FAILURE, reason=CONFIGURATION),
)
