"""A roadmap made of a project: GitHub tells projects by GraphQL alone, a hundred items a call.

Of each field that is asked for by name it tells since when the item has that value, and no value that it had before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.roadmap import KIND, ItemStatus, Planned, RoadmapItem, title
from platform_meter.model.source import Answer, Forbidden, Unexpected
from platform_meter.sources.github.facts import SYSTEM
from platform_meter.sources.github.planning import Planning, ended, planned_for, status_of
from platform_meter.sources.github.rows import utc
from platform_meter.sources.kit.rows import Row, Sieve
from platform_meter.sources.kit.walk import Walk

_VALUE = """
  ... on ProjectV2ItemFieldSingleSelectValue { name updatedAt }
  ... on ProjectV2ItemFieldTextValue { text updatedAt }
  ... on ProjectV2ItemFieldIterationValue { title startDate updatedAt }
  ... on ProjectV2ItemFieldDateValue { date updatedAt }
  ... on ProjectV2ItemFieldMilestoneValue { milestone { title dueOn } }
"""
_THING = (
    "number title body url state createdAt closedAt repository { nameWithOwner } labels(first: 50) { nodes { name } }"
)
QUERY = f"""
query($owner: String!, $number: Int!, $period: String!, $target: String!, $after: String) {{
  repositoryOwner(login: $owner) {{
    ... on ProjectV2Owner {{
      projectV2(number: $number) {{
        items(first: 100, after: $after) {{
          pageInfo {{ hasNextPage endCursor }}
          nodes {{
            id
            createdAt
            isArchived
            period: fieldValueByName(name: $period) {{ {_VALUE} }}
            target: fieldValueByName(name: $target) {{ {_VALUE} }}
            status: fieldValueByName(name: "Status") {{ {_VALUE} }}
            content {{
              ... on Issue {{ {_THING} stateReason }}
              ... on PullRequest {{ {_THING} }}
              ... on DraftIssue {{ title body createdAt }}
            }}
          }}
        }}
      }}
    }}
  }}
}}
"""
_ENDS = frozenset({"done", "shipped", "released", "complete", "completed", "closed"})
_DROPS = frozenset({"dropped", "canceled", "cancelled", "won't do", "rejected"})
_WAITS = frozenset({"", "todo", "to do", "backlog", "planned", "new", "next", "later"})
"""Names of the field Status. Whether an issue is done it tells itself; of a draft this field alone does."""


class _Milestone(Struct, rename="camel"):
    title: str = ""
    due_on: datetime | None = None


class _Value(Struct, rename="camel"):
    """The value of a field, of whatever type it is."""

    name: str | None = None
    text: str | None = None
    title: str | None = None
    start_date: date | None = None
    on: str | None = msgspec.field(name="date", default=None)
    milestone: _Milestone | None = None
    updated_at: datetime | None = None

    @property
    def words(self) -> str:
        """What people read there. An iteration or milestone whose name is no calendar period is its quarter."""
        named = self.milestone.title if self.milestone else self.name or self.text or self.title or self.on or ""
        due = self.milestone.due_on.date() if self.milestone and self.milestone.due_on else self.start_date
        return planned_for(named, due)

    @property
    def day(self) -> date | None:
        if self.milestone:
            return self.milestone.due_on.date() if self.milestone.due_on else None
        try:
            return date.fromisoformat((self.on or self.text or "")[:10])
        except ValueError:
            return None


class _Name(Struct, rename="camel"):
    name: str = ""
    name_with_owner: str = ""


class _Names(Struct):
    nodes: list[_Name] = []


class _Content(Struct, rename="camel"):
    """An issue, a pull request or a draft; empty of what the token may not see."""

    number: int = 0
    title: str = ""
    body: str = ""
    """Looked through for the tickets that it names, and not kept."""
    url: str = ""
    state: str = ""
    state_reason: str | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None
    repository: _Name = msgspec.field(default_factory=_Name)
    labels: _Names | None = None


class _Item(Row, rename="camel"):
    becomes: ClassVar[str] = "RoadmapItem"
    id: str
    created_at: datetime
    is_archived: bool = False
    period: _Value | None = None
    target: _Value | None = None
    status: _Value | None = None
    content: _Content | None = None


class _Info(Struct, rename="camel"):
    has_next_page: bool = False
    end_cursor: str | None = None


class _Items(Struct, rename="camel"):
    nodes: list[_Item]
    page_info: _Info


class _Project(Struct):
    items: _Items


class _Owner(Struct, rename="camel"):
    project_v2: _Project | None = msgspec.field(name="projectV2", default=None)


class _Data(Struct, rename="camel"):
    repository_owner: _Owner | None = None


class _Problem(Struct):
    type: str = ""
    message: str = ""


class _Answer(Struct):
    data: _Data | None = None
    errors: list[_Problem] = []


def read_project(outside: Sieve, planning: Planning, url: str) -> Iterator[list[RoadmapItem]]:
    """All items, page by page.

    Raises:
        Forbidden: the token may not see projects.
        Unexpected: there is no such project, or GitHub tells why it can't be read.
    """
    roadmap = planning.roadmap
    owner, _, number = (roadmap.source.project or "").partition("/")
    asked = {
        "owner": owner,
        "number": int(number),
        "period": roadmap.period_field,
        "target": roadmap.target_field or "Target",
    }
    after: str | None = None
    walk = Walk(f"project {roadmap.source.project}")
    while True:
        body = {"query": QUERY, "variables": {**asked, "after": after}}
        answer = walk.page(_ids, partial(outside.post, graphql(url), _Answer, body=body))
        items = _items(answer, roadmap.source.project or "")
        yield [_item(one, planning) for one in items.nodes if not one.is_archived]
        if not items.page_info.has_next_page:
            return
        after = items.page_info.end_cursor


def graphql(url: str) -> str:
    """Where GraphQL is answered: beside the REST API of an Enterprise Server, below that of GitHub."""
    parts = urlsplit(url)
    server = parts.path.rstrip("/").endswith("/api/v3")
    return f"{parts.scheme}://{parts.netloc}/api/graphql" if server else "/graphql"


def _items(answer: Answer[_Answer], project: str) -> _Items:
    body = answer.body or _Answer()
    owner = body.data.repository_owner if body.data else None
    if owner is not None and owner.project_v2 is not None:
        return owner.project_v2.items
    said = "; ".join(problem.message for problem in body.errors)
    if any(problem.type in {"FORBIDDEN", "INSUFFICIENT_SCOPES"} for problem in body.errors):
        raise Forbidden(f"project {project}: {said}; give the token the organisation permission 'Projects: read'")
    raise Unexpected(f"project {project}: {said or 'there is none that the token may see'}")


def _ids(answer: Answer[_Answer]) -> tuple[str, ...]:
    owner = answer.body.data.repository_owner if answer.body and answer.body.data else None
    return tuple(one.id for one in owner.project_v2.items.nodes) if owner and owner.project_v2 else ()


def _item(item: _Item, planning: Planning) -> RoadmapItem:
    content = item.content or _Content()
    repo, since = content.repository.name_with_owner, utc(item.created_at)
    status, when = _status(item, content)
    period = title(item.period.words) if item.period else ""
    set_at = item.period.updated_at if item.period else None
    name = f"{repo}#{content.number}" if repo else title(content.title)[:40] or item.id
    return RoadmapItem(
        about=Ref(system=SYSTEM, kind=KIND, id=item.id, links=(f"{SYSTEM}:{repo}",) if repo else ()),
        since=since,
        roadmap=planning.roadmap.id,
        name=name,
        title=title(content.title),
        status=status,
        period=period,
        # A value that was there as the item was made is told with a moment a little later.
        periods=(Planned(max(utc(set_at), since), period),) if set_at else (),
        target=item.target.day if item.target else None,
        ended=ended(status, when),
        feedback=planning.feedback(content.body, repo),
        themes=planning.roadmap.feedback.themes(label.name for label in content.labels.nodes) if content.labels else (),
        url=content.url,
    )


def _status(item: _Item, content: _Content) -> tuple[ItemStatus, datetime | None]:
    """How it stands, and when it ended: an issue tells it itself, of a draft the field Status does."""
    word = item.status.words.lower() if item.status else ""
    if content.state:
        status = status_of(content.state, content.state_reason, started=word not in _WAITS | _ENDS | _DROPS)
        return status, utc(content.closed_at) if content.closed_at else None
    told = utc(item.status.updated_at) if item.status and item.status.updated_at else None
    if word in _ENDS | _DROPS:
        return (ItemStatus.DONE if word in _ENDS else ItemStatus.DROPPED), told
    return (ItemStatus.PLANNED if word in _WAITS else ItemStatus.STARTED), None
