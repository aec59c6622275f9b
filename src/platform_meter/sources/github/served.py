"""What one version after the other is rolled out to, and whether one of them goes back to an earlier one."""

from __future__ import annotations

from datetime import datetime

from platform_meter.sources.github.state import Rollout
from platform_meter.sources.kit import served as kit

Served = dict[str, list[Rollout]]
"""By environment (and task), the last that served, oldest first."""


def goes_back(served: Served, rollout: Rollout) -> bool:
    """Whether it brings back a sha that served here before the one which serves now did; bringing that one back is none."""
    return kit.brings_back(served.get(_place(rollout), []), rollout, _order)


def last_before(served: Served, rollout: Rollout) -> Rollout | None:
    """What served here when it came; None for the first that is known."""
    return kit.last_before(served.get(_place(rollout), []), rollout, _order)


def remember(served: Served, rollout: Rollout) -> None:
    """It served."""
    one = Rollout(id=rollout.id, sha=rollout.sha, environment="", created=rollout.created)
    kit.remember(served, _place(rollout), one, _order)


def _order(rollout: Rollout) -> tuple[datetime, int]:
    return rollout.created, rollout.id


def _place(rollout: Rollout) -> str:
    """Services of one repository have tasks of their own."""
    return f"{rollout.environment} {rollout.task}".rstrip()
