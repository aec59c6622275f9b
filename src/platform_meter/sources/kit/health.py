"""One probe of a system by the way in that its source has: whether it answers, and says that it is well."""

from __future__ import annotations

from collections.abc import Callable

from platform_meter.model.facts.probes import ProbeResult
from platform_meter.model.source import Outside, Refused, Severed, TimedOut, Unreachable

REFUSALS = (401, 403)
"""Statuses that say that it is up, and it is we who lack something."""
_OK = 200


def probed(outside: Outside, path: str, *, timeout: float, sound: Callable[[str], bool], lacks: str) -> ProbeResult:
    """How it answers. No answer is a fact about it, and not a failure of its source.

    Args:
        outside: the way in.
        path: what is asked.
        timeout: seconds after which there is no answer.
        sound: whether a body says that all is well.
        lacks: what to grant, where it is refused.

    Raises:
        Refused: the credential is not let in.
        Severed: the call did not get as far as the system.
    """
    try:
        status, text = outside.text(path, timeout=timeout)
    except Severed:
        raise
    except TimedOut:
        return ProbeResult.TIMEOUT
    except Unreachable:
        return ProbeResult.ERROR
    if status in REFUSALS:
        raise Refused(f"{path} answered {status}: {lacks}")
    return ProbeResult.OK if status == _OK and sound(text) else ProbeResult.ERROR
