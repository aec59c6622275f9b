"""Whose failure a job of GitHub Actions was, in order (domain section 7)."""

from __future__ import annotations

from typing import Final

from platform_meter.model.facts.ci import Outcome
from platform_meter.model.outcomes import Rules, rule

QUEUE: Final = "queue"
"""The reason of a job that timed out before a runner took it."""
RUNNER_LOST: Final = "runner_lost"
"""The reason of one that ended in the middle with no step to blame."""

_PLATFORM_STEP = (
    r"(pre |post )?(set up (job|runner)|initialize containers|stop containers|complete (job|runner)"
    r"|run actions/(checkout|setup-[\w-]+|cache|upload-artifact|download-artifact)([@/].*)?"
    r"|check ?out( (the )?(code|repo|repository|sources?|source code))?|pull \S+:\S+)"
)
"""Steps the platform answers for, by their whole name: GitHub's own ones, and its actions for code, tools and artifacts."""

RULES: Rules = (
    rule("success", Outcome.SUCCESS, conclusion="success"),
    rule("cancelled", Outcome.CANCELLED, conclusion="cancelled"),
    rule("skipped", Outcome.SKIPPED, conclusion="skipped|neutral|stale|action_required"),
    rule("startup_failure", Outcome.USER_FAILURE, conclusion="startup_failure"),
    rule("platform_step", Outcome.INFRA_FAILURE, conclusion="failure|timed_out", step=_PLATFORM_STEP),
    rule("user_step", Outcome.USER_FAILURE, conclusion="failure|timed_out", step=".+"),
    rule("queue", Outcome.INFRA_FAILURE, reason=QUEUE),
    rule("runner_lost", Outcome.INFRA_FAILURE, reason=RUNNER_LOST),
)
