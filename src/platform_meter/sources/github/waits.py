"""Jobs that waited for a reviewer or another rule of their environment: neither their queue nor their run's time.

GitHub stamps such a job as created when the wait begins. When the word came its deployment alone tells, by its statuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from platform_meter.sources.github.rows import Job, StatusRow
from platform_meter.sources.github.state import Wait

WAITING = "waiting"
"""State of a deployment, and status of a run, that a rule of an environment holds."""
NEAR = timedelta(seconds=60)
"""A job and its deployment are made so soon after each other."""
KEPT = 100
"""Bound of the checkpoint, per repository."""
_OF = re.compile(r".*/actions/runs/(\d+)(?:/jobs?/(\d+))?(?:[/?#].*)?")
_NO_TIME = timedelta(0)

Held = Mapping[int, tuple[datetime, datetime | None]]
"""By job: when its wait began and when it ended, which may not be known."""
Span = tuple[datetime, datetime]


def wait_of(created: datetime, statuses: Iterable[StatusRow]) -> Wait | None:
    """The wait that a deployment's statuses tell of; None where it never waited."""
    ordered = sorted(statuses, key=lambda status: (status.created_at, status.id))
    last = max((at for at, status in enumerate(ordered) if status.state == WAITING), default=None)
    if last is None:
        return None
    links = (_OF.fullmatch(url) for status in ordered for url in (status.log_url or "", status.target_url or ""))
    run, job = next(((int(link[1]), int(link[2] or 0)) for link in links if link), (0, 0))
    until = next((status.created_at for status in ordered[last + 1 :]), None)
    return Wait(created=created, run=run, job=job, until=until)


def keep(waits: dict[str, Wait], id_: int, wait: Wait | None) -> None:
    """Keep what a deployment tells of its wait, for its run that may still go on."""
    if wait is not None:
        waits.pop(str(id_), None)
        waits[str(id_)] = wait
        while len(waits) > KEPT:
            del waits[next(iter(waits))]


def held_jobs(
    jobs: Iterable[Job],
    waits: Mapping[str, Wait],
    seen: datetime | None,
    again: Callable[[str, Wait], Wait | None],
) -> Held:
    """Which of these waited. `seen` is when a poll saw their run wait; `again` asks for a deployment that still waited."""
    held: dict[int, tuple[datetime, datetime | None]] = {}
    for job in jobs:
        if job.created_at is None:
            continue
        found = next(((id_, wait) for id_, wait in waits.items() if _is_of(wait, job, job.created_at)), None)
        if found and found[1].until is None:
            found = (found[0], again(*found) or found[1])
        if found:
            until = found[1].until
            held[job.id] = (job.created_at, until if until is None or until <= job.started_at else None)
        elif seen is not None and job.created_at <= seen <= job.started_at:
            held[job.id] = (job.created_at, None)
    return held


def _is_of(wait: Wait, job: Job, created: datetime) -> bool:
    """By the link its statuses have, or by its times where they have none."""
    if wait.job:
        return wait.job == job.id
    if wait.run and wait.run != job.run_id:
        return False
    ended = wait.until is None or created <= wait.until <= job.started_at
    return ended and abs(wait.created - created) <= NEAR and job.started_at - created > _NO_TIME


def approval(jobs: Sequence[Job], held: Held) -> timedelta | None:
    """How long nothing of a run waited or ran but for a rule; None where it did not wait so.

    Where nothing told when the word came, a job's wait ends with its start.
    """
    waits = [(held[job.id][0], held[job.id][1] or job.started_at) for job in jobs if job.id in held]
    busy = [(ready_since(job, held) or job.started_at, job.completed_at) for job in jobs if job.completed_at]
    took = _length([*waits, *busy]) - _length(busy)
    return took if took > _NO_TIME else None


def queued(job: Job, held: Held) -> timedelta | None:
    """How long it waited for a runner; None where that is not known.

    GitHub stamps some re-run jobs as started before they were created: no wait is known then.
    """
    ready = ready_since(job, held)
    waited = None if ready is None or job.created_at is None else job.started_at - ready
    return waited if waited is not None and waited >= _NO_TIME else None


def ready_since(job: Job, held: Held) -> datetime | None:
    """Since when nothing but a runner was missing; None where nothing told that the rule which held it let go."""
    return held[job.id][1] if job.id in held else job.created_at or job.started_at


def _length(spans: Iterable[Span]) -> timedelta:
    """Of their union."""
    total, covered = _NO_TIME, None
    for start, end in sorted(spans):
        begin = start if covered is None else max(start, covered)
        total += max(end - begin, _NO_TIME)
        covered = end if covered is None else max(covered, end)
    return total
