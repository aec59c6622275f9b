"""Jira's lists: issues found by JQL, their changelogs and comments, from Cloud (API v3) and Data Center (v2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from platform_meter.model.source import Answer, Forbidden, Gap, Unexpected
from platform_meter.sources.jira.rows import FIELDS, Comment, Comments, Field, Found, History, Issue, Named, Planned
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

F = TypeVar("F", bound=Found)


_MINUTE = timedelta(minutes=1)
_FARTHEST_BEHIND, _FARTHEST_AHEAD = timedelta(hours=12), timedelta(hours=14)
"""The zones of the world lie between UTC-12 and UTC+14."""


def wall(at: datetime, zone: str, *, late: bool) -> str:
    """A moment as JQL writes it: a whole minute in the account's zone, never later than `at` (never earlier, if `late`).

    In the hour that comes twice when summer time ends, the text could mean either: it is moved out of it. An unknown
    zone is met by the widest one.
    """
    at = at.astimezone(UTC) + (_MINUTE if late else -_MINUTE)
    try:
        local = at.astimezone(ZoneInfo(zone or "/"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        local = at + (_FARTHEST_AHEAD if late else -_FARTHEST_BEHIND)
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    if first is not None and second is not None and first != second:
        local += abs(first - second) * (1 if late else -1)
    return local.strftime("%Y-%m-%d %H:%M")


class _Account(Struct, rename="camel"):
    time_zone: str = ""


class _Search(Struct, Generic[F], rename="camel"):
    issues: list[F] = []
    next_page_token: str | None = None
    total: int = 0
    """Data Center only."""


class _Changelog(Struct, rename="camel"):
    values: list[History] = []
    total: int = 0
    is_last: bool = False


_BY_TOKEN, _BY_OFFSET = "/rest/api/3/search/jql", "/rest/api/2/search"


def _ids(answer: Answer[_Search[F]]) -> tuple[str, ...]:
    return tuple(issue.id for issue in answer.body.issues) if answer.body else ()


def _history_ids(answer: Answer[_Changelog]) -> tuple[str, ...]:
    return tuple(history.id for history in answer.body.values) if answer.body else ()


def _comment_ids(answer: Answer[Comments]) -> tuple[str, ...]:
    return tuple(comment.id for comment in answer.body.comments) if answer.body else ()


class Lists:
    """One poll's way to one Jira, by the version of the API it speaks."""

    def __init__(self, outside: Sieve) -> None:
        self.outside = outside
        try:
            self.version = "3"
            account = outside.get("/rest/api/3/myself", _Account)
        except Unexpected as error:
            if error.status != 404:
                raise
            self.version = "2"  # Data Center knows no later one
            account = outside.get("/rest/api/2/myself", _Account)
        self.zone = account.body.time_zone if account.body else ""
        self.total = 0
        """Issues that the last page of a search promised."""
        self.lacking = ""
        """What a search promised and did not hold; empty where it held all."""

    def search(self, jql: str, size: int, fields: Sequence[str] = FIELDS) -> Iterator[list[Issue]]:
        """Pages of issues with their changelog; the same issue may come twice."""
        return self._search(_Search[Issue], jql, size, fields)

    def planned(self, jql: str, size: int, fields: Sequence[str]) -> Iterator[list[Planned]]:
        """As `search`, with the fields that people made."""
        return self._search(_Search[Planned], jql, size, fields)

    def _search(self, page: type[_Search[F]], jql: str, size: int, fields: Sequence[str]) -> Iterator[list[F]]:
        pages = self._by_offset if self.version == "2" else self._by_token
        return pages(page, jql, size, fields)

    def _by_token(self, page: type[_Search[F]], jql: str, size: int, fields: Sequence[str]) -> Iterator[list[F]]:
        """Cloud. A page may be empty and others follow it: only the missing token ends the list."""
        body: dict[str, Any] = {"jql": jql, "maxResults": size, "fields": [*fields], "expand": "changelog"}
        tokens: set[str] = set()
        walk = Walk(_BY_TOKEN)
        while True:
            found = walk.page(_ids, partial(self.outside.post, _BY_TOKEN, page, body=body)).body or page()
            yield found.issues
            token = found.next_page_token
            if not token:
                return
            if token in tokens:
                raise Unexpected(f"{_BY_TOKEN}: the same page again and again; the next poll goes on from here")
            tokens.add(token)
            body = {**body, "nextPageToken": token}

    def _by_offset(self, page: type[_Search[F]], jql: str, size: int, fields: Sequence[str]) -> Iterator[list[F]]:
        """Data Center. Each page begins with the last issue of the one before it.

        Another one in its place shows that issues left the list meanwhile (deleted, moved away) and those behind them
        moved up, past this page: then some are read again.
        """
        seen: set[str] = set()
        start = overlap = odd_ones = 0
        walk = Walk(_BY_OFFSET)
        while True:
            params: dict[str, Any] = {"jql": jql, "startAt": start, "maxResults": size}
            params |= {"fields": ",".join(fields), "expand": "changelog"}
            answer = walk.page(_ids, partial(self.outside.get, _BY_OFFSET, page, params=params), of=self.total - start)
            found = answer.body or page()
            ids, got, self.total = [issue.id for issue in found.issues], len(found.issues) + answer.odd, found.total
            # An odd issue has no id to be known by.
            if overlap and start and ids and not (odd_ones or answer.odd) and not seen.intersection(ids[:1]):
                start = max(0, start - size)
                walk = Walk(_BY_OFFSET)
                continue
            yield found.issues
            seen.update(ids)
            odd_ones = answer.odd
            if not got and start < found.total:
                self.lacking = f"{found.total} issues are promised, {len(seen)} can be read"
            # A total of fewer than have come is a slip: then the empty page is the end.
            if not got or start + got == found.total:
                return
            overlap = min(1, got - 1)
            start += got - overlap

    def histories(self, issue: Found) -> list[History]:
        """The whole changelog: as inlined where that is all of it, else page by page."""
        inlined = issue.changelog
        if inlined and inlined.total is not None and inlined.total <= len(inlined.histories):
            return inlined.histories
        found: list[History] = []
        path = f"/rest/api/{self.version}/issue/{issue.id}/changelog"
        walk, odd, total = Walk(path), 0, 0
        while True:
            params = {"startAt": len(found) + odd, "maxResults": 100}
            ask = partial(self.outside.get, path, _Changelog, params=params)
            answer = unless_gone(partial(walk.page, _history_ids, ask, of=total - len(found) - odd))
            if answer is None:
                self.gap(issue, "its changelog can't be read to the end")
                return inlined.histories if inlined else found
            body = answer.body or _Changelog(is_last=True)
            found += body.values
            odd, total = odd + answer.odd, body.total
            if not (body.values or answer.odd or body.is_last) and len(found) + odd < total:
                self.gap(issue, "its changelog can't be read to the end")
            if body.is_last or not (body.values or answer.odd) or len(found) + odd == total:
                return found

    def comments(self, issue: Issue) -> tuple[list[Comment], bool]:
        """Comments, oldest first, and whether these are all: a search inlines some of them only."""
        held = issue.inlined
        if held.total is None or held.total <= len(held.comments):
            return held.comments, True
        found: list[Comment] = []
        path = f"/rest/api/{self.version}/issue/{issue.id}/comment"
        walk, odd, total = Walk(path), 0, held.total
        while True:
            params = {"startAt": len(found) + odd, "maxResults": 100}
            ask = partial(self.outside.get, path, Comments, params=params)
            answer = unless_gone(partial(walk.page, _comment_ids, ask, of=total - len(found) - odd))
            page = (answer.body if answer else None) or Comments()
            odd += answer.odd if answer else 0
            found += page.comments
            total = total if page.total is None else page.total
            ended = not (page.comments or (answer and answer.odd))
            # A total of fewer than have come is a slip: then the empty page is the end.
            if ended and len(found) + odd < total:
                self.gap(issue, f"{len(found)} of {total} comments can be read")
                return found, False
            if ended or len(found) + odd == total:
                return found, True

    def listed(self, field: str) -> dict[str, str]:
        """Names by id of all that the Jira has of a field; nothing where it does not tell."""
        ask = partial(self.outside.get, f"/rest/api/{self.version}/{field}", list[Named])
        try:
            answer = unless_gone(ask)
        except Forbidden:
            return {}
        return {value.id: value.name for value in (answer and answer.body) or () if value.id and value.name}

    @cached_property
    def fields(self) -> Sequence[Field]:
        """All fields that the Jira has, its own and those that people made."""
        return self.outside.get(f"/rest/api/{self.version}/field", list[Field]).body or []

    def there(self, ids: Sequence[str], query: str) -> dict[str, str]:
        """Those of these issues that the query finds now, with their projects."""
        jql = " AND ".join([f"id in ({', '.join(ids)})", *([query] if query else [])])
        try:
            return {issue.id: issue.project for page in self.search(jql, len(ids), ["project"]) for issue in page}
        except Unexpected as error:
            if error.status != 400:
                raise
        # Most Jiras refuse the whole list for one issue that is not there. The others are somewhere at least.
        alone = ((id_, self._project(id_)) for id_ in ids)
        return {id_: project for id_, project in alone if project}

    def _project(self, id_: str) -> str:
        """Where an issue is; empty when there is none that the account may see."""
        path = f"/rest/api/{self.version}/issue/{id_}"
        answer = unless_gone(partial(self.outside.get, path, Issue, params={"fields": "project"}))
        return answer.body.project if answer and answer.body else ""

    def gap(self, issue: Found, text: str) -> None:
        """What is missing of one issue's history."""
        start, end = issue.span
        if start and end:
            self.outside.gap(Gap(start=start, end=end, reason="pruned", text=f"{issue.key}: {text}"))
