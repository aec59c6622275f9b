"""Zendesk's lists: exports of tickets by cursor, the audits of one, people, what queues and statuses are called.

An export goes on from a cursor for ever and leaves out what changed in the last minute, so nothing is read twice and
nothing is passed over; it may give a ticket again that nobody changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from platform_meter.model.source import Answer, Forbidden, Unexpected
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk
from platform_meter.sources.zendesk.config import LISTS, Queue
from platform_meter.sources.zendesk.rows import (
    Audit,
    Audits,
    CustomStatus,
    CustomStatuses,
    Export,
    Found,
    One,
    Paged,
    Ticket,
    User,
    Users,
)

PER_PAGE = 100
CURSOR = "/api/v2/incremental/tickets/cursor"
SEARCH = "/api/v2/search/export"
STATUSES = "/api/v2/custom_statuses"
_LOST = frozenset({400, 404, 422})
"""How a cursor is refused that is not known any more."""
P = TypeVar("P", bound=Paged)


def paged(
    outside: Sieve, path: str, type_: type[P], params: Mapping[str, Any], ids: Callable[[Answer[P]], tuple[int, ...]]
) -> Iterator[P]:
    """Pages of a list that goes on behind a cursor; `ids` are those of what one holds."""
    walk, after = Walk(path), None
    while True:
        where = {**params, "page[size]": PER_PAGE, "page[after]": after}
        page = walk.page(ids, partial(outside.get, path, type_, params=where)).body or type_()
        yield page
        after = page.after
        if after is None:
            return


class Lists:
    """Of one poll."""

    def __init__(self, outside: Sieve) -> None:
        self.outside = outside

    def changed(self, cursor: str, start: datetime) -> Iterator[tuple[list[Ticket], str]]:
        """Pages of tickets that changed behind a cursor, or since then, the one longest ago first; and the next cursor."""
        walk, more = Walk(CURSOR), 0
        while True:
            where = {"cursor": cursor} if cursor else {"start_time": int(start.timestamp())}
            ask = partial(self.outside.get, CURSOR, Export, params={**where, "per_page": PER_PAGE})
            try:
                answer = walk.page(_exported, ask, of=more)
            except Unexpected as error:
                if not cursor or error.status not in _LOST:
                    raise
                cursor = ""
                continue
            page = answer.body or Export(end_of_stream=True)
            cursor, more = page.after_cursor or cursor, 1
            yield page.tickets, cursor
            if page.end_of_stream:
                return

    def waiting(self, before: datetime) -> Iterator[list[Ticket]]:
        """Pages of tickets that nobody has solved and nobody has changed since then."""
        query = f"status<solved updated<={before:%Y-%m-%dT%H:%M:%SZ}"
        pages = paged(self.outside, SEARCH, Found, {"query": query, "filter[type]": "ticket"}, _found)
        return (page.results for page in pages)

    def audits(self, ticket: int) -> tuple[list[Audit], Mapping[int, User]] | None:
        """A ticket's whole history and the people in it; None where it is there no more."""
        found, users = list[Audit](), dict[int, User]()
        path = f"/api/v2/tickets/{ticket}/audits"
        walk, number = Walk(path), 1
        while True:
            params = {"include": "users", "page": number, "per_page": PER_PAGE}
            ask = partial(self.outside.get, path, Audits, params=params)
            answer = unless_gone(partial(walk.page, _audited, ask, of=number - 1))
            if answer is None:
                return None
            page = answer.body or Audits()
            found += page.audits
            users |= {user.id: user for user in page.users}
            if not page.next_page:
                return found, users
            number += 1

    def users(self, ids: Collection[int]) -> Mapping[int, User]:
        """Those of them that are there."""
        found = dict[int, User]()
        ordered = sorted(ids)
        for first in range(0, len(ordered), PER_PAGE):
            params = {"ids": ",".join(map(str, ordered[first : first + PER_PAGE]))}
            body = self.outside.get("/api/v2/users/show_many", Users, params=params).body or Users()
            found |= {user.id: user for user in body.users}
        return found

    def queue(self, queue: Queue, id_: str) -> str:
        """The name of one; empty where it is not there any more, or may not be read."""
        try:
            answer = unless_gone(partial(self.outside.get, f"/api/v2/{LISTS[queue]}/{id_}", One))
        except Forbidden:
            return ""
        return answer.body.name if answer and answer.body else ""

    def statuses(self) -> Mapping[str, CustomStatus]:
        """All that a ticket may have, by id; none where the account has only Zendesk's own."""
        try:
            answer = unless_gone(partial(self.outside.get, STATUSES, CustomStatuses))
        except Forbidden:
            return {}
        return {str(made.id): made for made in answer.body.custom_statuses} if answer and answer.body else {}


def _exported(answer: Answer[Export]) -> tuple[object, ...]:
    """A page of the export: the same tickets behind another cursor are no page that came before."""
    page = answer.body
    return (*((t.id, t.updated_at) for t in page.tickets), page.after_cursor) if page and page.tickets else ()


def _found(answer: Answer[Found]) -> tuple[int, ...]:
    return tuple(ticket.id for ticket in answer.body.results) if answer.body else ()


def _audited(answer: Answer[Audits]) -> tuple[int, ...]:
    return tuple(audit.id for audit in answer.body.audits) if answer.body else ()
