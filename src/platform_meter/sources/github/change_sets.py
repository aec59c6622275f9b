"""What a rollout that served brought, at a call for each two commits that nobody compared yet in this visit.

A commit never changes, so what two of them have between them is the same whenever it is asked for: a read that broke off
and goes on tells the same.
"""

from __future__ import annotations

from functools import partial

from platform_meter.model.facts.delivery import MOST_CHANGES, DeployKind
from platform_meter.model.source import Answer
from platform_meter.sources.github.poll import DETAIL, PER_PAGE, Visit
from platform_meter.sources.github.rows import Comparison, more
from platform_meter.sources.github.served import Served, goes_back, last_before
from platform_meter.sources.github.state import Rollout
from platform_meter.sources.kit.change_sets import UNTOLD, ChangeSet, compared
from platform_meter.sources.kit.walk import Walk

PAGES = MOST_CHANGES // PER_PAGE
_FORWARD = frozenset({"ahead", "diverged", "identical"})
"""Of what diverged, GitHub gives the commits that are ahead."""


def kind_of(served: Served, rollout: Rollout) -> DeployKind:
    """What it is by what served before it, or as it calls itself."""
    return DeployKind.ROLLBACK if goes_back(served, rollout) else DeployKind(rollout.kind)


def brought(visit: Visit, served: Served, rollout: Rollout, *, again: bool) -> tuple[DeployKind, ChangeSet]:
    """What a rollout that served is, and what it brought; `again` says that the poll before failed in this list.

    The first one and rollbacks bring nothing that could be compared, and what is older than `DETAIL` is not worth a call.

    Raises:
        SourceError: the comparison failed for the first time, or the quota is used up.
    """
    kind, base = kind_of(served, rollout), last_before(served, rollout)
    if kind is DeployKind.ROLLBACK or base is None or rollout.transient or not visit.change_sets:
        return kind, UNTOLD
    if base.sha == rollout.sha:
        return kind, ChangeSet(after=base.sha)
    if rollout.created < visit.now - DETAIL:
        return kind, UNTOLD
    pair = (base.sha, rollout.sha)
    if pair not in visit.compared:
        # Regions get the same version one after the other.
        visit.compared[pair] = compared(partial(_compare, visit, *pair), again=again)
    found = visit.compared[pair]
    return (DeployKind.ROLLBACK if found.back else kind), found


def _compare(visit: Visit, base: str, head: str) -> ChangeSet:
    path, commits = f"compare/{base}...{head}", list[str]()
    walk = Walk(f"/repos/{visit.ref.id}/{path}")
    for number in range(1, PAGES + 1):
        answer = walk.page(_shas, partial(visit.page, path, Comparison, number))
        body = answer.body
        if body is not None and body.status == "behind":
            return ChangeSet(after=base, back=True)
        if body is None or body.status not in _FORWARD or body.total_commits > MOST_CHANGES:
            return UNTOLD
        commits += _shas(answer)
        if not more(answer.headers, len(body.commits) + answer.odd, PER_PAGE):
            return ChangeSet(after=base, changes=tuple(commits)) if len(commits) == body.total_commits else UNTOLD
    return UNTOLD


def _shas(answer: Answer[Comparison]) -> tuple[str, ...]:
    return tuple(commit.sha for commit in answer.body.commits) if answer.body else ()
