"""What a deployment that succeeded brought, at a call for each two commits that nobody compared yet in this visit.

GitLab gives all commits between two at once, and says of no two that one goes back: it is where none are new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import attrgetter

from msgspec import Struct

from platform_meter.model.facts.delivery import MOST_CHANGES
from platform_meter.sources.gitlab.rows import Comparison
from platform_meter.sources.kit.change_sets import UNTOLD, ChangeSet, compared
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.served import Order, last_before


class Served(Struct):
    """A deployment that succeeded."""

    id: int
    sha: str


ORDER: Order[Served] = attrgetter("id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparisons:
    """Those of one project in one visit."""

    outside: Sieve
    path: str
    young: datetime
    """What began before is not worth a call."""
    found: dict[tuple[str, str], ChangeSet] = field(default_factory=dict)

    def brought(self, served: Sequence[Served], one: Served, began: datetime, *, again: bool) -> ChangeSet:
        """Against the last of those that served before it; `again` says that the poll before failed in this list.

        Raises:
            SourceError: the comparison failed for the first time, or the quota is used up.
        """
        base = last_before(served, one, ORDER)
        if base is None:
            return UNTOLD
        if base.sha == one.sha:
            return ChangeSet(after=base.sha)
        if began < self.young:
            return UNTOLD
        pair = (base.sha, one.sha)
        if pair not in self.found:
            self.found[pair] = compared(partial(self._compare, *pair), again=again)
        return self.found[pair]

    def _compare(self, base: str, head: str) -> ChangeSet:
        path = f"{self.path}/repository/compare"
        answer = self.outside.get(path, Comparison, params={"from": base, "to": head})
        if answer.body is None or answer.odd or len(answer.body.commits) > MOST_CHANGES:
            return UNTOLD
        commits = [commit.id for commit in answer.body.commits]
        if commits and commits[0] == head:
            # Nobody says in which order they come, but the last of them is where they lead to.
            commits.reverse()
        if commits and commits[-1] != head:
            return UNTOLD
        return ChangeSet(after=base, changes=tuple(commits), back=not commits)
