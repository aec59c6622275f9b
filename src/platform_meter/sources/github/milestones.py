"""A roadmap made of milestones: each issue of a repository that has one is an item.

It is planned for what its milestone is called, where that is a calendar period, else for the quarter in which that is due.
What it was planned for before, the list of issues does not tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import ClassVar

from platform_meter.model.facts import Ref
from platform_meter.model.facts.roadmap import KIND, RoadmapItem, title
from platform_meter.model.source import Answer
from platform_meter.sources.github.facts import SYSTEM
from platform_meter.sources.github.planning import Planning, ended, planned_for, status_of
from platform_meter.sources.github.poll import PER_PAGE
from platform_meter.sources.github.rows import Label, PullLink, more, utc
from platform_meter.sources.kit.rows import Row, Sieve
from platform_meter.sources.kit.walk import Walk


class _Milestone(Row):
    becomes: ClassVar[str] = "RoadmapItem"
    title: str = ""
    due_on: datetime | None = None


class _Issue(Row):
    becomes: ClassVar[str] = "RoadmapItem"
    id: int
    number: int
    state: str
    labels: list[Label | str]
    created_at: datetime
    milestone: _Milestone | None = None
    pull_request: PullLink | None = None
    title: str | None = None
    body: str | None = None
    """Looked through for the tickets that it names, and not kept."""
    html_url: str | None = None
    closed_at: datetime | None = None
    state_reason: str | None = None


def read_milestones(outside: Sieve, planning: Planning) -> Iterator[list[RoadmapItem]]:
    """All items, page by page, the oldest first, so that what comes meanwhile is on the last page."""
    repo = planning.roadmap.source.project or ""
    path, number = f"/repos/{repo}/issues", 1
    asked = {"milestone": "*", "state": "all", "sort": "created", "direction": "asc", "per_page": PER_PAGE}
    walk = Walk(path)
    while True:
        ask = partial(outside.get, path, list[_Issue], params={**asked, "page": number})
        answer = walk.page(_ids, ask)
        got = answer.body or []
        yield [_item(one, one.milestone, repo, planning) for one in got if one.milestone and one.pull_request is None]
        if not more(answer.headers, len(got) + answer.odd, PER_PAGE):
            return
        number += 1


def _ids(answer: Answer[list[_Issue]]) -> tuple[int, ...]:
    return tuple(issue.id for issue in answer.body or ())


def _item(issue: _Issue, milestone: _Milestone, repo: str, planning: Planning) -> RoadmapItem:
    status = status_of(issue.state, issue.state_reason)
    due = utc(milestone.due_on).date() if milestone.due_on else None
    return RoadmapItem(
        about=Ref(system=SYSTEM, kind=KIND, id=f"{repo}#{issue.number}", links=(f"{SYSTEM}:{repo}",)),
        since=utc(issue.created_at),
        roadmap=planning.roadmap.id,
        name=f"{repo}#{issue.number}",
        title=title(issue.title or ""),
        status=status,
        period=title(planned_for(milestone.title, due)),
        target=due,
        ended=ended(status, utc(issue.closed_at) if issue.closed_at else None),
        feedback=planning.feedback(issue.body, repo),
        themes=planning.roadmap.feedback.themes(
            label if isinstance(label, str) else label.name for label in issue.labels
        ),
        url=issue.html_url or "",
    )
