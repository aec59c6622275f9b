"""One poll of one repository: what every list reader shares, and the lists that are sorted by their last change.

All lists are read newest first. Whatever changes meanwhile moves to the front: it pushes others towards pages not yet
read, so they may come twice but can't be missed, and its own change is newer than `began`, so the next read has it.
What leaves a list pulls others the other way, past the reader: `Visit.pages` looks for that.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from platform_meter.model.facts import Event, Ref
from platform_meter.model.outcomes import Rules
from platform_meter.model.source import Answer
from platform_meter.sources.github.config import DeploymentRule
from platform_meter.sources.github.facts import change_fact
from platform_meter.sources.github.rows import Commit, Pull, Review, StatusRow, more
from platform_meter.sources.github.state import Wait
from platform_meter.sources.kit.change_sets import ChangeSet
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.incidents import Incidents
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.open_tickets import Sightings
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

PER_PAGE = 100
DETAIL = timedelta(days=28)
"""Details that cost a call each are read for what is this young: failed jobs, earlier attempts, first commits, reviews,
change sets."""

STEP = 50
"""Deployments between two steps: each costs a call or two."""
_BACKS = 100
"""Times a reader goes back in a list that never stands still."""

T = TypeVar("T")


class Item(Protocol):
    id: int


class Row(Item, Protocol):
    updated_at: datetime


N = TypeVar("N", bound=Item)
R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One repository in one poll."""

    outside: Sieve
    ref: Ref
    now: datetime
    since: datetime
    """Where a list that was never read starts."""
    overlap: timedelta
    first: datetime
    """The first poll of all."""
    jobs: str
    rules: Rules
    bots: tuple[str, ...]
    agents: tuple[str, ...]
    deployments: tuple[DeploymentRule, ...]
    tickets: Sightings
    incidents: Incidents | None = None
    """Which issues are incidents too."""
    reviews: bool = True
    change_sets: bool = True
    compared: dict[tuple[str, str], ChangeSet] = field(default_factory=dict)
    """What each two commits have between them, as far as it was asked in this visit."""
    waits: dict[str, Wait] = field(default_factory=dict)
    """What deployments told of waits, once they were read: runs are read behind them."""

    def start(self, cursor: Cursor) -> datetime:
        return cursor.next_start(self.since, self.overlap)

    def page(self, path: str, type_: type[T], page: int, etag: str = "", **params: Any) -> Answer[T]:
        """One page of a list of this repository."""
        params = {**params, "per_page": PER_PAGE, "page": page}
        return self.outside.get(f"/repos/{self.ref.id}/{path}", type_, params=params, etag=etag)

    def pages(self, path: str, type_: type[list[N]], first: Answer[list[N]] | None, **params: Any) -> Iterator[list[N]]:
        """Every page of a list, from its `first`, which may be at hand. Pages may come again, with other rows.

        What leaves a page while the next one is read pulls rows of that one over to it. So each page is looked at again
        behind the next, for free while it is the same. Where it ends with a row that did not come, the reader goes back
        to a page that begins with one which did.
        """
        held, number, backs = first or self.page(path, type_, 1, **params), 1, 0
        seen: set[int] = set()
        walk = Walk(f"/repos/{self.ref.id}/{path}")
        while True:
            rows = held.body or []
            seen.update(row.id for row in rows)
            walk.saw(_ids(held))
            yield rows
            if not more(held.headers, len(rows) + held.odd, PER_PAGE):
                return
            following = self.page(path, type_, number + 1, **params)
            again = self.page(path, type_, number, held.etag, **params)
            if not again.changed or _ids(again) == _ids(held):
                # This page stands still, so the next one may not be one that came before.
                following = walk.other(following, _ids, partial(self.page, path, type_, number + 1, **params))
            if not again.changed or _known(again, -1, seen) or backs == _BACKS:
                held, number = following, number + 1
                continue
            backs += 1
            while number > 1 and not _known(again, 0, seen):
                number -= 1
                again = self.page(path, type_, number, **params)
            held = again

    def statuses(self, id_: int, etag: str = "") -> Answer[list[StatusRow]]:
        """All statuses of a deployment."""
        path = f"deployments/{id_}/statuses"
        answer = self.page(path, list[StatusRow], 1, etag)
        if answer.body is not None and more(answer.headers, len(answer.body), PER_PAGE):
            return replace(answer, body=self.all(path, list[StatusRow]))
        return answer

    def all(self, path: str, type_: type[list[T]]) -> list[T]:
        """Every page of a list that belongs to one object; empty when the object is gone."""
        rows: list[T] = []
        walk = Walk(f"/repos/{self.ref.id}/{path}")
        for number in range(1, 1_000):
            answer = unless_gone(partial(walk.page, _rows, partial(self.page, path, type_, number)))
            if answer is None:  # deleted since it was listed
                return rows
            got = answer.body or []
            rows += got
            if not more(answer.headers, len(got) + answer.odd, PER_PAGE):
                break
        return rows


def _ids(answer: Answer[list[N]]) -> tuple[int, ...]:
    return tuple(row.id for row in answer.body or ())


def _rows(answer: Answer[list[T]]) -> bytes:
    return msgspec.json.encode(answer.body) if answer.body else b""


def _known(answer: Answer[list[N]], index: int, seen: Container[int]) -> bool:
    rows = answer.body or []
    return bool(rows) and rows[index].id in seen


def read_updated(
    visit: Visit,
    cursor: Cursor,
    path: str,
    type_: type[list[R]],
    *,
    params: dict[str, str],
    tell: Callable[[R], Iterable[Event]],
) -> Iterator[list[Event]]:
    """A list sorted by last change, newest first; one step per page. One that goes on lists all anew, which is cheap."""
    answer: Answer[list[R]] | None = None
    if cursor.began is None:
        answer = visit.page(path, type_, 1, cursor.etag, **params)
        if not answer.changed:
            cursor.unchanged(visit.now, visit.overlap)
            return
        cursor.begin(visit.now, visit.start(cursor), answer.etag)
    pages = visit.pages(path, type_, answer, **params)
    for rows in cursor.changed(pages, lambda row: (row.id, row.updated_at), visit.overlap, floor=cursor.start):
        yield [fact for row in rows for fact in tell(row)]


def read_pulls(visit: Visit, cursor: Cursor) -> Iterator[list[Event]]:
    """Merged pull requests. Of a young one commits and reviews cost a call each, for the time of the first of both."""

    def tell(pull: Pull) -> Iterator[Event]:
        if pull.merged_at is None:
            return
        commits, reviews, path = list[Commit](), list[Review](), f"pulls/{pull.number}"
        if pull.merged_at >= visit.now - DETAIL:
            commits = visit.all(f"{path}/commits", list[Commit])
            reviews = visit.all(f"{path}/reviews", list[Review]) if visit.reviews else []
        yield change_fact(visit.ref, pull, pull.merged_at, commits, visit.bots, reviews)

    params = {"state": "closed", "sort": "updated", "direction": "desc"}
    return read_updated(visit, cursor, "pulls", list[Pull], params=params, tell=tell)
