"""Whose failure a build of Jenkins was, in order (domain section 7)."""

from __future__ import annotations

from platform_meter.model.facts.ci import Outcome
from platform_meter.model.outcomes import Rules, rule

_PLATFORM = (
    r"agent (?:was |went )?(?:offline|removed|disconnected)|Cannot contact |ChannelClosedException|Connection was broken"
    r"|marked offline|RequestAbortedException|hudson\.remoting\.|No space left on device|Unable to create live .*agent"
    r"|Could not resolve host|Error (?:cloning|fetching) remote repo|requested URL returned error: 5\d\d"
)
"""What the platform's own failures leave in a log: a lost agent, a full disk, a source that was not to be had."""
_USERS = r"marked build as failure|script returned exit code \d|^\+ exit [1-9]"
"""What a failed step of the user leaves there."""

RULES: Rules = (
    rule("success", Outcome.SUCCESS, conclusion="SUCCESS"),
    rule("unstable", Outcome.USER_FAILURE, conclusion="UNSTABLE"),
    rule("aborted", Outcome.CANCELLED, conclusion="ABORTED"),
    rule("not_built", Outcome.SKIPPED, conclusion="NOT_BUILT"),
    rule("platform_log", Outcome.INFRA_FAILURE, conclusion="FAILURE", log=_PLATFORM),
    rule("user_log", Outcome.USER_FAILURE, conclusion="FAILURE", log=_USERS),
)
