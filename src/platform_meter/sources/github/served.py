"""What one version after the other is rolled out to, and whether one of them goes back to an earlier one."""

from __future__ import annotations

from platform_meter.sources.github.state import Rollout
from platform_meter.sources.kit import served as kit

SERVED_KEPT = 30
ENVIRONMENTS_KEPT = 20
"""Bounds of the checkpoint, per environment and per repository. A rollback further back counts as planned."""

Served = dict[str, list[Rollout]]
"""By environment (and task), the last that served, oldest first."""


def goes_back(served: Served, rollout: Rollout) -> bool:
    """Whether it brings back a sha that served here before the one which serves now did; bringing that one back is none."""
    order = (rollout.created, rollout.id)
    before = [r.sha for r in served.get(_place(rollout), []) if (r.created, r.id) < order]
    return kit.goes_back(before, rollout.sha)


def remember(served: Served, rollout: Rollout) -> None:
    """It served."""
    others = [r for r in served.pop(_place(rollout), []) if r.id != rollout.id]
    others.append(Rollout(id=rollout.id, sha=rollout.sha, environment="", created=rollout.created))
    others.sort(key=lambda r: (r.created, r.id))
    served[_place(rollout)] = others[-SERVED_KEPT:]
    while len(served) > ENVIRONMENTS_KEPT:
        del served[next(iter(served))]


def _place(rollout: Rollout) -> str:
    """Services of one repository have tasks of their own."""
    return f"{rollout.environment} {rollout.task}".rstrip()
