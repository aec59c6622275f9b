"""How many jobs wait for a runner and run now, by pool, over the projects of a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import PipelineActive
from platform_meter.sources.gitlab.facts import SYSTEM, pool_of
from platform_meter.sources.gitlab.rows import Asking, PipelineRow
from platform_meter.sources.kit.cursor import Cursor

QUEUED = "pending"
SCOPE = (QUEUED, "running")
"""States of jobs that wait for a runner, or have one."""
RESTING = frozenset({"success", "failed", "canceled", "skipped", "manual", "scheduled"})
"""States of pipelines in which no job waits for a runner or has one."""
STUCK = timedelta(days=7)
"""One that did not change for so long is deleted, or will never end."""
GOING_KEPT = 100
POOLS_KEPT = 20
"""Bounds of the checkpoint, per project: of pipelines that go on, and of pools that are idle."""


class Load(Struct, omit_defaults=True):
    queued: int = 0
    running: int = 0


class Pipelines(Cursor, omit_defaults=True):
    """The place in a project's list of pipelines, and what goes on in it."""

    going: dict[str, datetime] = field(default_factory=dict)
    """Pipelines that go on, and when each changed last: while there is one, the project's jobs are asked for."""
    pools: dict[str, Load] = field(default_factory=dict)
    """What the last poll found in each pool that its jobs ask for."""
    unread: bool = False
    """The last poll could not read that."""
    held: dict[str, list[datetime]] = field(default_factory=dict)
    """By pipeline, moments at which it waited for a person."""

    def goes_on(self, row: PipelineRow) -> None:
        """Remember it until it rests."""
        self.going.pop(str(row.id), None)
        if row.status not in RESTING:
            self.going[str(row.id)] = row.updated_at
            if len(self.going) > GOING_KEPT:
                del self.going[next(iter(self.going))]

    def forget_stuck(self, now: datetime) -> None:
        self.going = {id_: at for id_, at in self.going.items() if now - at < STUCK}

    def asked_for(self, jobs: Iterable[Asking]) -> None:
        """These pools are there, also while they are idle."""
        for job in jobs:
            self.pools.setdefault(pool_of(job), Load())

    def found(self, jobs: Iterable[Asking] | None) -> None:
        """Jobs that wait and run now; None where they could not be read."""
        self.unread = jobs is None
        queued, running = Counter[str](), Counter[str]()
        for job in jobs or ():
            (queued if job.status == QUEUED else running)[pool_of(job)] += 1
        busy = queued.keys() | running.keys()
        idle = [pool for pool in self.pools if pool not in busy][-POOLS_KEPT:]
        self.pools = {pool: Load(queued[pool], running[pool]) for pool in (*idle, *sorted(busy))}


def active(group: str, projects: Iterable[Pipelines]) -> list[PipelineActive]:
    """What waits and runs by pool; idle pools are 0. A pool of a project that could not be read is left out."""
    queued, running, lost = Counter[str](), Counter[str](), set[str]()
    for project in projects:
        if project.unread or project.failing:
            lost.update(project.pools)
        for pool, load in project.pools.items():
            queued[pool] += load.queued
            running[pool] += load.running
    return [
        PipelineActive(
            about=Ref(system=SYSTEM, kind="pool", id=f"{group}/{pool or '-'}"),
            pool=pool,
            queued=queued[pool],
            running=running[pool],
        )
        for pool in sorted(queued.keys() - lost)
    ]
