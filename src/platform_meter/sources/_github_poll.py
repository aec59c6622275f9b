"""One poll of one repository: what every list reader shares, and the lists that are sorted by their last change.

All lists are read newest first. Whatever changes meanwhile moves to the front: it pushes others towards pages not yet
read, so they may come twice but can't be missed, and its own change is newer than `began`, so the next read has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from platform_meter.model.facts import Event, Ref
from platform_meter.model.source import Answer, Outside, Unexpected
from platform_meter.sources._github_facts import change_fact
from platform_meter.sources._github_rows import Commit, Issue, Pull, TimelineItem, more, stamp
from platform_meter.sources._github_state import Cursor
from platform_meter.sources._github_tickets import ticket_events

PER_PAGE = 100
DETAIL = timedelta(days=28)
"""Details that cost a call each are read for what is this young: failed jobs, earlier attempts, first commits."""

T = TypeVar("T")


class Row(Protocol):
    id: int
    updated_at: datetime


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One repository in one poll."""

    outside: Outside
    ref: Ref
    now: datetime
    since: datetime
    """Where a list that was never read starts."""
    overlap: timedelta
    first: datetime
    """The first poll of all."""
    jobs: str
    infra_steps: tuple[str, ...]
    bots: tuple[str, ...]

    def start(self, cursor: Cursor) -> datetime:
        return self.since if cursor.read is None else cursor.read - self.overlap

    def page(self, path: str, type_: type[T], page: int, etag: str = "", **params: Any) -> Answer[T]:
        """One page of a list of this repository."""
        params = {**params, "per_page": PER_PAGE, "page": page}
        return self.outside.get(f"/repos/{self.ref.id}/{path}", type_, params=params, etag=etag)

    def all(self, path: str, type_: type[list[T]]) -> list[T]:
        """Every page of a list that belongs to one object; empty when the object is gone."""
        rows: list[T] = []
        for number in range(1, 1_000):
            try:
                answer = self.page(path, type_, number)
            except Unexpected as error:
                if error.status == 404:  # deleted since it was listed
                    return rows
                raise
            got = answer.body or []
            rows += got
            if not more(answer.headers, len(got), PER_PAGE):
                break
        return rows


def read_updated(
    visit: Visit,
    cursor: Cursor,
    path: str,
    type_: type[list[R]],
    *,
    params: dict[str, str],
    tell: Callable[[R], Iterable[Event]],
) -> Iterator[list[Event]]:
    """A list sorted by last change, newest first; one step per page. The cursor counts pages."""
    answer: Answer[list[R]] | None = None
    if cursor.began is None:
        answer = visit.page(path, type_, 1, cursor.etag, **params)
        if not answer.changed:
            cursor.unchanged(visit.now, visit.overlap)
            return
        cursor.begin(visit.now, visit.start(cursor), answer.etag)
    while cursor.began is not None and cursor.start is not None:
        number = int(cursor.at or 1)
        answer = answer or visit.page(path, type_, number, **params)
        rows = answer.body or []
        facts: list[Event] = []
        for row in rows:
            mark = stamp(row.updated_at)
            if row.updated_at < cursor.start or cursor.told(row.id, mark):
                continue
            facts += tell(row)
            if row.updated_at >= cursor.began - visit.overlap:
                cursor.done[str(row.id)] = mark
        old = bool(rows) and rows[-1].updated_at < cursor.start
        if old or not more(answer.headers, len(rows), PER_PAGE):
            cursor.end(visit.overlap)
        else:
            cursor.at = str(number + 1)
        answer = None
        yield facts


def read_pulls(visit: Visit, cursor: Cursor) -> Iterator[list[Event]]:
    """Merged pull requests. The commits of a young one cost a call, for the time of the first."""

    def tell(pull: Pull) -> Iterator[Event]:
        if pull.merged_at is None:
            return
        commits: list[Commit] = []
        if pull.merged_at >= visit.now - DETAIL:
            commits = visit.all(f"pulls/{pull.number}/commits", list[Commit])
        yield change_fact(visit.ref, pull, pull.merged_at, commits, visit.bots)

    params = {"state": "closed", "sort": "updated", "direction": "desc"}
    return read_updated(visit, cursor, "pulls", list[Pull], params=params, tell=tell)


def read_issues(visit: Visit, cursor: Cursor) -> Iterator[list[Event]]:
    """Issues with their whole history; pull requests, which the same list holds, are passed over."""

    def tell(issue: Issue) -> Iterable[Event]:
        if issue.pull_request is not None:
            return ()
        timeline = visit.all(f"issues/{issue.number}/timeline", list[TimelineItem])
        return ticket_events(visit.ref, issue, timeline, visit.bots)

    params = {"state": "all", "sort": "updated", "direction": "desc"}
    return read_updated(visit, cursor, "issues", list[Issue], params=params, tell=tell)
