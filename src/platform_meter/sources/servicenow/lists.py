"""Rows of one table after the other, by the Table API.

No list is read by its offset: a row that changes meanwhile would push others over the edge of a page. The next page begins
at the moment (or the id) that the last one ended with. Rows that an access rule hides are left out without a word,
after the page was cut: only the total in the header tells of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from msgspec import Struct

from platform_meter.model.source import Unexpected
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.servicenow.rows import Record, stamp

R = TypeVar("R", bound=Record)
_SECOND = timedelta(seconds=1)
_ORDER = "^ORDERBYDESCsys_updated_on^ORDERBYsys_id"


class Rows(Struct, Generic[R]):
    """An answer of the Table API."""

    result: list[R]


class Part(Struct, Generic[R], frozen=True):
    """One page, as far as the account may see it."""

    rows: list[R]
    more: bool
    hidden: int
    """Rows of it that an access rule hides."""


class Table(Generic[R]):
    """One table as one kind of row; `hidden` grows with each row that is hidden, which may come twice."""

    def __init__(self, outside: Sieve, name: str, answers: type[Rows[R]], fields: Collection[str], size: int) -> None:
        self._outside, self.name, self._answers, self._size = outside, name, answers, size
        self._fields = ",".join(fields)
        self.hidden = 0

    def page(self, query: str, offset: int = 0) -> Part[R]:
        size = self._size
        answer = self._outside.get(
            f"/api/now/table/{self.name}",
            self._answers,
            params={
                "sysparm_query": query,
                "sysparm_fields": self._fields,
                "sysparm_display_value": "all",
                "sysparm_limit": size,
                "sysparm_offset": offset,
            },
        )
        rows: list[R] = answer.body.result if answer.body else []
        came = len(rows) + answer.odd
        told = next((value for name, value in answer.headers.items() if name.lower() == "x-total-count"), "")
        if not told.isdigit():
            return Part(rows=rows, more=came >= size, hidden=0)
        left = int(told) - offset
        return Part(rows=rows, more=left > size, hidden=max(0, min(left, size) - came))

    def _seen(self, query: str) -> Part[R]:
        """The next page that has a row in it which the account may see."""
        offset = 0
        while True:
            part = self.page(query, offset)
            self.hidden += part.hidden
            if part.rows or not part.more:
                return part
            offset += self._size

    def changed(self, query: str, until: datetime | None) -> Iterator[list[R]]:
        """Rows that meet the query and changed no later than `until`, newest change first; some come twice.

        Raises:
            Unexpected: the instance gives rows that were not asked for.
        """
        while True:
            bound = f"^sys_updated_on<={stamp(until)}" if until else ""
            part = self._seen(f"{query}{bound}{_ORDER}")
            times = [at for row in part.rows if (at := row.updated)]
            if until and any(at >= until + _SECOND for at in times):
                raise self._ignored()
            yield part.rows
            if not part.more:
                return
            last = min(times)
            if until is None or last < until:
                until = last
                continue
            # One job changed more rows in this second than fit in a page.
            yield from self.all(f"{query}^sys_updated_on={stamp(last)}")
            until = last - _SECOND

    def all(self, query: str) -> Iterator[list[R]]:
        """Rows that meet the query, by their ids, which never change.

        Raises:
            Unexpected: the instance gives rows that were not asked for.
        """
        after = ""
        while True:
            part = self._seen(f"{query}{f'^sys_id>{after}' if after else ''}^ORDERBYsys_id")
            if part.rows and part.rows[-1].id <= after:
                raise self._ignored()
            yield part.rows
            if not part.more or not part.rows:
                return
            after = part.rows[-1].id

    def _ignored(self) -> Unexpected:
        return Unexpected(
            f"{self.name}: the instance gives rows that were not asked for: it leaves out the part of a query whose field the "
            "account may not read; let it read sys_id and sys_updated_on there"
        )
