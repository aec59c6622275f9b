"""Roadmaps that stand in Jira: each issue of a query is an item, with the periods that its changelog tells.

Read whole at each poll, so that what left the roadmap is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.roadmap import KIND, ItemStatus, RoadmapItem, title
from platform_meter.model.facts.roadmap import Planned as Since
from platform_meter.model.periods import calendar_period
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.source import Forbidden, Outside, Stream, Unexpected
from platform_meter.model.typed import converted
from platform_meter.sources.jira.fields import NoField, found_field, words
from platform_meter.sources.jira.incidents import SCOPED_HOST
from platform_meter.sources.jira.lists import Lists
from platform_meter.sources.jira.rows import SYSTEM, Field, Fields, History, Item, Planned, Status, moment, project_of
from platform_meter.sources.kit.roadmaps import roadmap_stream
from platform_meter.sources.kit.rows import Sieve

PAGE_ITEMS = 50
_ASKED = (
    "summary", "status", "resolution", "resolutiondate", "created", "updated", "labels", "issuelinks", "project",
    "components",
)  # fmt: skip
_TARGET = "duedate"
_VERSIONS = "fixVersions"
DROPPED = frozenset(
    {
        "abandoned", "canceled", "cancelled", "cannot reproduce", "declined", "duplicate", "incomplete", "invalid",
        "obsolete", "rejected", "won't do", "won't fix", "wont do", "wont fix",
    }
)  # fmt: skip
"""Resolutions and statuses that end an item undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the items of one roadmap are read."""

    roadmap: RoadmapSource
    period: Field
    target: str
    """Id of the field."""
    instance: str
    """Name of the source, as items name its tickets."""
    address: str
    """The site's; empty where it has no pages for people."""
    done: frozenset[str] = frozenset()
    """Ids of the statuses that are done."""


def stream(roadmaps: Sequence[RoadmapSource], url: str, every: timedelta, outside: Outside, instance: str) -> Stream:
    """The one stream that reads these roadmaps."""

    def items(sieve: Sieve) -> Iterator[list[RoadmapItem]]:
        jira = Lists(sieve)
        done = _done(jira)
        for roadmap in roadmaps:
            plan = Plan(
                roadmap=roadmap,
                period=_field(roadmap, roadmap.period_field, jira),
                target=_field(roadmap, roadmap.target_field or _TARGET, jira).id,
                instance=instance,
                address="" if urlsplit(url).hostname == SCOPED_HOST else url.rstrip("/"),
                done=done,
            )
            asked = (*_ASKED, plan.period.id, plan.target)
            for issues in jira.planned(_query(roadmap), PAGE_ITEMS, tuple(dict.fromkeys(asked))):
                yield [item for issue in issues if (item := _item(issue, jira, plan)) is not None]
            if jira.lacking:
                raise Unexpected(f"roadmap {roadmap.id}: {jira.lacking}; the next poll reads it anew")

    return roadmap_stream(outside, every, items)


def unreadable(roadmaps: Sequence[RoadmapSource], jira: Lists) -> Iterator[str]:
    """One line for each roadmap that can't be read, with what to mend."""
    for roadmap in roadmaps:
        try:
            for name in (roadmap.period_field, roadmap.target_field or _TARGET):
                _field(roadmap, name, jira)
            next(jira.planned(_query(roadmap), 1, ["summary"]))
        except NoField as error:
            yield str(error)
        except (Forbidden, Unexpected) as error:
            if isinstance(error, Unexpected) and error.status not in {0, 400, 404}:
                raise
            yield f"roadmap {roadmap.id}: {error}; correct its project or select"


def _query(roadmap: RoadmapSource) -> str:
    source = roadmap.source
    parts = [f'(project = "{source.project}")' if source.project else "", f"({source.select})" if source.select else ""]
    return " AND ".join(part for part in parts if part) + " ORDER BY created ASC, key ASC"


def _field(roadmap: RoadmapSource, name: str, jira: Lists) -> Field:
    return found_field(f"roadmap {roadmap.id}", name, jira.fields)


def _done(jira: Lists) -> frozenset[str]:
    listed = jira.outside.get(f"/rest/api/{jira.version}/status", list[Status]).body or []
    return frozenset(one.id for one in listed if one.status_category and one.status_category.key == "done")


def _item(issue: Planned, jira: Lists, plan: Plan) -> RoadmapItem | None:
    try:
        fields = converted({name: issue.fields.get(name) for name in _ASKED}, Fields)
    except msgspec.ValidationError:
        jira.outside.reject(RoadmapItem)
        return None
    if moment(fields.created) is None:
        jira.outside.reject(RoadmapItem)
        return None
    return item(issue, fields, jira.histories(issue), plan)


def item(issue: Planned, fields: Fields, histories: Sequence[History], plan: Plan) -> RoadmapItem:
    """An issue as an item; `fields` are those of it that every Jira has."""
    changes = sorted(((at, h) for h in histories if (at := moment(h.created))), key=lambda change: change[0])
    whole = issue.changelog is None or (issue.changelog.total or 0) <= len(histories)
    status = _status(fields)
    project = fields.project.key if fields.project and fields.project.key else project_of(issue.key)
    components = sorted(component.name for component in fields.components or ())
    now = words(issue.fields.get(plan.period.id))
    return RoadmapItem(
        about=Ref(
            system=SYSTEM,
            kind=KIND,
            id=issue.id,
            links=tuple(f"{SYSTEM}:{project}{rest}" for rest in (*(f"/{name}" for name in components), "")),
        ),
        since=moment(fields.created),
        roadmap=plan.roadmap.id,
        name=issue.key,
        title=title(fields.summary or ""),
        status=status,
        period=_chosen(now),
        periods=_periods(now, changes, moment(fields.created) if whole else None, plan.period),
        target=_day(issue.fields.get(plan.target)),
        ended=_ended(fields, changes, plan.done) if status in {ItemStatus.DONE, ItemStatus.DROPPED} else None,
        feedback=_feedback(fields, project, plan) if plan.roadmap.feedback.links else (),
        themes=plan.roadmap.feedback.themes(fields.labels or ()),
        url=f"{plan.address}/browse/{issue.key}" if plan.address else "",
    )


def _status(fields: Fields) -> ItemStatus:
    category = fields.status.status_category.key if fields.status and fields.status.status_category else ""
    if category == "done":
        names = {value.name.lower().replace("\u2019", "'") for value in (fields.resolution, fields.status) if value}
        return ItemStatus.DROPPED if names & DROPPED else ItemStatus.DONE
    return ItemStatus.STARTED if category == "indeterminate" else ItemStatus.PLANNED


def _ended(fields: Fields, changes: Sequence[tuple[datetime, History]], done: frozenset[str]) -> datetime | None:
    """When it came into the statuses that are done and stayed in them; of one that was never in another its resolution."""
    ended = None
    for at, history in changes:
        for change in history.items or ():
            if change.what == "status":
                ended = (ended or at) if change.after in done else None
    return ended or moment(fields.resolutiondate)


def _periods(
    now: Sequence[str], changes: Sequence[tuple[datetime, History]], created: datetime | None, period: Field
) -> tuple[Since, ...]:
    """What it was planned for and from when on; from `created` on where the whole changelog is known."""
    moves = [(at, change) for at, history in changes for change in history.items or () if _is_of(change, period)]
    standing = list(now)
    back: list[tuple[datetime, list[str]]] = []
    for at, change in reversed(moves):
        back.append((at, list(standing)))
        standing = _undone(standing, change, period)
    told = [(created, standing)] if created else []
    told += reversed(back)
    found: list[Since] = []
    for at, stood in told:
        chosen = _chosen(stood)
        if found and found[-1].at == at:
            found.pop()
        if not found or found[-1].period != chosen:
            found.append(Since(at, chosen))
    return tuple(found)


def _is_of(change: Item, period: Field) -> bool:
    if change.field_id:
        return change.field_id == period.id
    return change.field.lower() in {period.name.lower(), "fix version" if period.id == _VERSIONS else period.id.lower()}


def _undone(standing: list[str], change: Item, period: Field) -> list[str]:
    """What stood there before a change. Of versions each change tells one that came or went, of other fields all of it."""
    if period.id != _VERSIONS:
        return [word for word in (change.from_string or "").split(", ") if word]
    gone, come = change.from_string, change.to_string
    return [word for word in standing if word != come] + ([gone] if gone else [])


def _chosen(words: Sequence[str]) -> str:
    """Of several the last that is a calendar period, else the last."""
    return next((word for word in reversed(words) if calendar_period(word)), words[-1] if words else "")


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _feedback(fields: Fields, project: str, plan: Plan) -> tuple[str, ...]:
    """Tickets that it is linked to; what is linked within its own project is part of the plan itself."""
    keys = {
        other.key
        for link in fields.issuelinks or ()
        for other in (link.inward_issue, link.outward_issue)
        if other and other.key and project_of(other.key) != project
    }
    return tuple(sorted(f"{plan.instance}:{key}" for key in keys))
