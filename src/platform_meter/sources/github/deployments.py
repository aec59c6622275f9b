"""Deployments of one repository, told oldest first so that a rollback is seen against what served before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Deployment, DeployResult
from platform_meter.model.source import Answer
from platform_meter.sources.github.change_sets import brought, kind_of
from platform_meter.sources.github.facts import (
    deployment_fact,
    marked_kind,
    never_served,
    service_of,
    verdict,
    version_of,
)
from platform_meter.sources.github.poll import STEP, Visit
from platform_meter.sources.github.rows import DeploymentRow, StatusRow
from platform_meter.sources.github.runs import LONGEST
from platform_meter.sources.github.served import remember
from platform_meter.sources.github.state import Deployments, Rollout
from platform_meter.sources.github.waits import keep, wait_of
from platform_meter.sources.kit.change_sets import UNTOLD
from platform_meter.sources.kit.cursor import mark
from platform_meter.sources.kit.open_things import Watch, unless_gone

RETRIED = timedelta(days=1)
"""For so long after its creation one that failed is looked at again, at no cost while it stays so."""
PACE = 24
"""A deployment that is a day old is asked for once an hour: many are left as they are, and never end."""


def read_deployments(visit: Visit, state: Deployments) -> Iterator[list[Event]]:
    """Deployments that ended, in steps; after each, `state` holds exactly what was told so far."""
    answer: Answer[list[DeploymentRow]] | None = None
    handled: set[str] = set()
    visit.waits.update(state.waits)
    if state.began is None:
        answer = visit.page("deployments", list[DeploymentRow], 1, state.etag)
        if answer.changed:
            state.begin(visit.now, visit.start(state), answer.etag)
        else:
            state.unchanged(visit.now, visit.overlap)
    if state.began is not None:
        facts: list[Event] = []
        for row in _rows(visit, state, answer):
            told = state.told(row.id, mark(row.updated_at))
            if told or (state.at is not None and row.created_at < state.at):
                continue
            handled.add(str(row.id))
            state.open.pop(str(row.id), None)
            facts += _listed(visit, state, _rollout(row))
            state.at = row.created_at
            if row.updated_at >= visit.now - visit.overlap:
                state.done[str(row.id)] = mark(row.updated_at)
            if len(handled) % STEP == 0:
                yield facts
                facts = []
        state.end(visit.overlap)
        yield facts
    watch = Watch(
        outside=visit.outside,
        now=visit.now,
        what=f"{visit.ref.id}: deployment",
        becomes=Deployment,
        longest=LONGEST,
        pace=PACE,
    )
    state.open = {id_: held for id_, held in state.open.items() if not held.failed or _may_succeed(visit, held)}
    waiting = watch.look(state.open, partial(_statuses, visit), lambda id_, _: id_ not in handled)
    late = [fact for _, rollout, statuses in waiting for fact in _tell(visit, state, rollout, statuses)]
    visit.waits.update(state.waits)
    yield late


def _rows(visit: Visit, state: Deployments, answer: Answer[list[DeploymentRow]] | None) -> list[DeploymentRow]:
    """All deployments created since `state.start`, oldest first, and those still looked at that changed since then.

    A read that goes on lists them anew, which is cheap.
    """
    start = state.start or visit.since
    rows: dict[int, DeploymentRow] = {}
    for got in visit.pages("deployments", list[DeploymentRow], answer):
        changed = (row for row in got if str(row.id) in state.open and row.updated_at >= start)
        rows |= {row.id: row for row in (*changed, *(row for row in got if row.created_at >= start))}
        if got and got[-1].created_at < start:
            break
    return sorted(rows.values(), key=lambda row: (row.created_at, row.id))


def _rollout(row: DeploymentRow) -> Rollout:
    return Rollout(
        id=row.id,
        sha=row.sha,
        environment=row.environment,
        created=row.created_at,
        task=service_of(row.task),
        kind=marked_kind(row.task, row.ref),
        version=version_of(row.ref),
        transient=row.transient_environment,
    )


def _statuses(visit: Visit, _: str, rollout: Rollout) -> Answer[list[StatusRow]]:
    return visit.statuses(rollout.id, rollout.etag)


def _listed(visit: Visit, state: Deployments, rollout: Rollout) -> Iterator[Event]:
    answer = unless_gone(partial(_statuses, visit, "", rollout))
    if answer is not None:  # deleted, as previews are: it will never end
        rollout.etag, rollout.asked = answer.etag, visit.now
        state.open[str(rollout.id)] = rollout
        yield from _tell(visit, state, rollout, answer.body or [])


def _tell(visit: Visit, state: Deployments, rollout: Rollout, statuses: list[StatusRow]) -> Iterator[Event]:
    """The deployment where it ended; the `open` ones have it while it may still do so."""
    keep(state.waits, rollout.id, wait_of(rollout.created, statuses))
    ended = verdict(statuses)
    if ended is None:
        if never_served(statuses):
            del state.open[str(rollout.id)]
        return
    rollout.failed = ended[0] is DeployResult.FAILED
    if not (rollout.failed and _may_succeed(visit, rollout)):
        del state.open[str(rollout.id)]
    kind, what = kind_of(state.served, rollout), UNTOLD
    if ended[0] is DeployResult.SUCCESS:
        kind, what = brought(visit, state.served, rollout, again=state.failing is not None)
        if not rollout.transient:
            remember(state.served, rollout)
    yield deployment_fact(
        visit.ref,
        id_=rollout.id,
        sha=rollout.sha,
        environment=rollout.environment,
        created=rollout.created,
        kind=kind,
        ended=ended,
        task=rollout.task,
        version=rollout.version,
        brought=what,
    )


def _may_succeed(visit: Visit, rollout: Rollout) -> bool:
    """Whether one that failed may be tried again: what ever succeeded has served, whenever it is looked at."""
    return rollout.created >= visit.now - RETRIED
