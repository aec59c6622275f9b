"""Pipelines that waited for a person: for a manual job that holds them, or for the approval of a deployment.

GitLab does not say of a job that a person started it. It says of a pipeline that it waits, while it does; when a person
let it go, the job that became ready next tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from platform_meter.sources.gitlab.rows import JobRow

WAITING = "manual"
"""State of a pipeline that nothing but a person lets go on."""
HELD_KEPT = 50
SEEN_KEPT = 10
"""Bounds of the checkpoint: of pipelines of a project, and of moments of one."""


def keep(held: dict[str, list[datetime]], id_: int, at: datetime) -> None:
    """It waited at that moment."""
    seen = held.pop(str(id_), [])
    held[str(id_)] = [*seen, *([] if at in seen else [at])][-SEEN_KEPT:]
    while len(held) > HELD_KEPT:
        del held[next(iter(held))]


def waited(jobs: Sequence[JobRow], retried: Iterable[JobRow], seen: Iterable[datetime]) -> timedelta | None:
    """How long an attempt waited for a person; None where it did not, or nobody let it go, or that is not known.

    `seen` are moments at which its pipeline waited. A wait goes from the first of them to the moment at which the next
    job could run: what that then waits for is a runner. What was before the last retry belongs to an attempt before.
    """
    began = max((job.finished_at for job in retried if job.finished_at), default=None)
    ready = sorted((_ready(job), job.queued_duration is not None) for job in jobs if job.started_at is not None)
    waits: dict[datetime, timedelta] = {}
    for at in sorted(seen):
        until, known = next((one for one in ready if one[0] >= at), (at, False))
        if known and (began is None or at >= began):
            waits.setdefault(until, until - at)
    return sum(waits.values(), timedelta()) or None


def _ready(job: JobRow) -> datetime:
    """When it could run; of one whose queue nobody knows, when it ran."""
    start = job.started_at or job.created_at
    return start - timedelta(seconds=job.queued_duration or 0)
