"""Deployments of one repository, told oldest first so that a rollback is seen against what served before it."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import DeployKind, DeployResult
from platform_meter.model.source import Answer, Unexpected
from platform_meter.sources.github.facts import deployment_fact, marked_kind, verdict
from platform_meter.sources.github.poll import PER_PAGE, Visit
from platform_meter.sources.github.rows import DeploymentRow, StatusRow, more, stamp
from platform_meter.sources.github.runs import LONGEST
from platform_meter.sources.github.state import Deployments, Rollout

STEP = 50
"""Deployments between two steps: each costs a call for its statuses."""
SERVED_KEPT = 30
ENVIRONMENTS_KEPT = 20
"""Bounds of the checkpoint, per environment and per repository. A rollback further back counts as planned."""


def read_deployments(visit: Visit, state: Deployments) -> Iterator[list[Event]]:
    """Deployments that ended, in steps; after each, `state` holds exactly what was told so far."""
    answer: Answer[list[DeploymentRow]] | None = None
    handled: set[int] = set()
    if state.began is None:
        answer = visit.page("deployments", list[DeploymentRow], 1, state.etag)
        if answer.changed:
            state.begin(visit.now, visit.start(state), answer.etag)
        else:
            state.unchanged(visit.now, visit.overlap)
    if state.began is not None:
        facts: list[Event] = []
        for row in _rows(visit, state, answer):
            mark = stamp(row.updated_at)
            if stamp(row.created_at) < state.at or state.told(row.id, mark):
                continue
            handled.add(row.id)
            state.open = [rollout for rollout in state.open if rollout.id != row.id]
            facts += _tell(visit, state, _rollout(row))
            state.at = stamp(row.created_at)
            if row.updated_at >= visit.now - visit.overlap:
                state.done[str(row.id)] = mark
            if len(handled) % STEP == 0:
                yield facts
                facts = []
        state.end(visit.overlap)
        yield facts
    waiting, state.open = [r for r in state.open if r.id not in handled], [r for r in state.open if r.id in handled]
    facts = [fact for rollout in waiting for fact in _tell(visit, state, rollout)]
    yield facts


def _rows(visit: Visit, state: Deployments, answer: Answer[list[DeploymentRow]] | None) -> list[DeploymentRow]:
    """All deployments created since `state.start`, oldest first; a read that goes on lists them anew, which is cheap."""
    start = state.start or visit.since
    rows: dict[int, DeploymentRow] = {}
    for got in visit.pages("deployments", list[DeploymentRow], answer):
        rows |= {row.id: row for row in got if row.created_at >= start}
        if got and got[-1].created_at < start:
            break
    return sorted(rows.values(), key=lambda row: (row.created_at, row.id))


def _rollout(row: DeploymentRow) -> Rollout:
    return Rollout(
        id=row.id,
        sha=row.sha,
        environment=row.environment,
        created=row.created_at,
        kind=marked_kind(row),
        transient=row.transient_environment,
    )


def _tell(visit: Visit, state: Deployments, rollout: Rollout) -> Iterator[Event]:
    path = f"deployments/{rollout.id}/statuses"
    try:
        answer = visit.page(path, list[StatusRow], 1, rollout.etag)
    except Unexpected as error:
        if error.status == 404:  # deleted, as previews are: it will never end
            return
        raise
    if answer.changed:
        statuses = answer.body or []
        if more(answer.headers, len(statuses), PER_PAGE):
            statuses = visit.all(path, list[StatusRow])
        if ended := verdict(statuses):
            kind = DeployKind.ROLLBACK if _goes_back(state, rollout) else DeployKind(rollout.kind)
            if ended[0] is DeployResult.SUCCESS and not rollout.transient:
                _remember(state, rollout)
            yield deployment_fact(
                visit.ref,
                id_=rollout.id,
                sha=rollout.sha,
                environment=rollout.environment,
                created=rollout.created,
                kind=kind,
                ended=ended,
            )
            return
        rollout.etag = answer.etag
    if rollout.created >= visit.now - LONGEST:
        state.open.append(rollout)


def _goes_back(state: Deployments, rollout: Rollout) -> bool:
    """Whether it brings back a sha that served here before the one which serves now did; bringing that one back is none."""
    order = (rollout.created, rollout.id)
    before = [r.sha for r in state.served.get(rollout.environment, []) if (r.created, r.id) < order]
    return rollout.sha in before and before.index(rollout.sha) < before.index(before[-1])


def _remember(state: Deployments, rollout: Rollout) -> None:
    others = [r for r in state.served.pop(rollout.environment, []) if r.id != rollout.id]
    others.append(Rollout(id=rollout.id, sha=rollout.sha, environment="", created=rollout.created))
    others.sort(key=lambda r: (r.created, r.id))
    state.served[rollout.environment] = others[-SERVED_KEPT:]
    while len(state.served) > ENVIRONMENTS_KEPT:
        del state.served[next(iter(state.served))]
