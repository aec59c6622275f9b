"""Jira: every step of the tickets of some projects, from Cloud (API v3) and Data Center (v2).

One search, newest change first, so that an issue which changes meanwhile moves to the front: others may come twice
but none is pushed past the page being read, and its own change is newer than the poll, so the next one has it.
JQL knows whole minutes only, in the time zone of the account that asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct
from pydantic import AfterValidator, Field

from platform_meter.model.facts import TicketEvent
from platform_meter.model.source import (
    Access,
    Gap,
    Outside,
    Page,
    Refused,
    Secret,
    Source,
    SourceConfig,
    Stream,
    Unexpected,
)
from platform_meter.sources._jira_rows import (
    FIELDS,
    Comment,
    History,
    Issue,
    Reading,
    moment,
    ticket_events,
)

PAGE_ISSUES = 50
"""Issues in one page of facts: some 1,000 steps."""
_MINUTE = timedelta(minutes=1)
_FARTHEST_BEHIND, _FARTHEST_AHEAD = timedelta(hours=12), timedelta(hours=14)
"""The zones of the world lie between UTC-12 and UTC+14."""


def _no_order(value: str) -> str:
    if "order by" in " ".join(value.lower().split()):
        raise ValueError("the source sorts by itself; leave ORDER BY out of select")
    return value


Key = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Config(SourceConfig):
    url: str = Field(examples=["https://acme.atlassian.net"])
    email: str | None = None
    """Cloud: the account of the API token. Without it the token is a personal access token of Data Center."""
    token: Secret
    projects: tuple[Key, ...] = ()
    """Project keys; none means every project that the account may browse."""
    select: Annotated[str, AfterValidator(_no_order)] = ""
    """More JQL that a ticket must meet."""
    priorities: dict[str, str] = Field(default_factory=dict)
    """The tool's priorities in the words of the Ticketing files."""
    public_comments_only: bool = False
    """Leave out internal comments instead of giving them as not public."""
    bots: tuple[str, ...] = ()
    """Accounts that are no people: ids in Cloud, keys or names in Data Center. Apps are known without."""

    @property
    def overlap(self) -> timedelta:
        return self.lookback or max(2 * self.every, timedelta(minutes=15))

    @property
    def query(self) -> str:
        keys = ", ".join(f'"{key}"' for key in self.projects)
        parts = [f"project in ({keys})" if keys else "", f"({self.select})" if self.select.strip() else ""]
        return " AND ".join(part for part in parts if part)


class _State(Struct, omit_defaults=True):
    query: str
    """What was asked for; other settings start anew."""
    read: datetime | None = None
    """Every change before this moment was told."""
    began: datetime | None = None
    """When the read now under way began; None between reads."""
    start: datetime | None = None
    upper: datetime | None = None
    """How far it is: all that changed after this moment was told."""


class _Account(Struct, rename="camel"):
    time_zone: str = ""


class _Search(Struct, rename="camel"):
    issues: list[Issue] = []
    next_page_token: str | None = None
    is_last: bool = False
    total: int = 0
    """Data Center only."""


class _Changelog(Struct, rename="camel"):
    values: list[History] = []
    total: int = 0
    is_last: bool = False


def access(config: Config) -> Access:
    if config.email:
        return Access(url=config.url, basic=(config.email, config.token))
    return Access(url=config.url, token=config.token)


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


class _Jira:
    """One poll's way to one Jira, by the version of the API it speaks."""

    def __init__(self, outside: Outside) -> None:
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

    def search(self, jql: str, size: int) -> Iterator[list[Issue]]:
        """Pages of issues with their changelog."""
        token: str | None = None
        got = 0
        while True:
            found = self._page(jql, size, token, got)
            got += len(found.issues)
            yield found.issues
            if found.next_page_token and found.next_page_token == token:
                raise Unexpected(
                    "/rest/api/3/search/jql: the same page again and again; the next poll goes on from here"
                )
            token = found.next_page_token
            more = got < found.total if self.version == "2" else bool(token) and not found.is_last
            if not more or not found.issues:
                return

    def _page(self, jql: str, size: int, token: str | None, got: int) -> _Search:
        if self.version == "2":
            params: dict[str, Any] = {"jql": jql, "startAt": got, "maxResults": size}
            params |= {"fields": ",".join(FIELDS), "expand": "changelog"}
            return self.outside.get("/rest/api/2/search", _Search, params=params).body or _Search()
        body: dict[str, Any] = {"jql": jql, "maxResults": size, "fields": [*FIELDS], "expand": "changelog"}
        body |= {"nextPageToken": token} if token else {}
        return self.outside.post("/rest/api/3/search/jql", _Search, body=body).body or _Search()

    def histories(self, issue: Issue) -> list[History]:
        """The whole changelog: as inlined where that is all of it, else page by page."""
        inlined = issue.changelog
        if inlined and inlined.total is not None and inlined.total <= len(inlined.histories):
            return inlined.histories
        found: list[History] = []
        while True:
            path = f"/rest/api/{self.version}/issue/{issue.id}/changelog"
            try:
                answer = self.outside.get(path, _Changelog, params={"startAt": len(found), "maxResults": 100})
            except Unexpected as error:
                if error.status != 404:
                    raise
                self._gap(issue, "its changelog can't be read to the end")
                return inlined.histories if inlined else found
            body = answer.body or _Changelog(is_last=True)
            found += body.values
            if body.is_last or not body.values or len(found) >= body.total:
                return found

    def comments(self, issue: Issue) -> list[Comment]:
        """All comments: a search inlines the first ones only."""
        held = issue.inlined
        if held.total is None or held.total <= len(held.comments):
            return held.comments
        path = f"/rest/api/{self.version}/issue/{issue.id}"
        try:
            whole = self.outside.get(path, Issue, params={"fields": "comment"}).body
        except Unexpected as error:
            if error.status != 404:
                raise
            whole = None  # deleted since it was listed
        found = whole.inlined.comments if whole else held.comments
        if len(found) < held.total:
            self._gap(issue, f"{len(found)} of {held.total} comments can be read")
        return found

    def _gap(self, issue: Issue, text: str) -> None:
        start, end = moment(issue.fields.created), moment(issue.fields.updated)
        if start and end:
            self.outside.gap(Gap(start=start, end=end, reason="pruned", text=f"{issue.key}: {text}"))


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del instance
    reading = Reading(
        priorities=config.priorities,
        bots=frozenset(config.bots),
        public_comments_only=config.public_comments_only,
    )

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        state = msgspec.json.decode(checkpoint, type=_State) if checkpoint else _State(query=config.query)
        if state.query != config.query:
            state = _State(query=config.query)
        if state.began is None or state.start is None:
            state.began, state.upper = now, None
            state.start = since if state.read is None else state.read - config.overlap
        jira = _Jira(outside)
        changed = [f'updated >= "{wall(state.start, jira.zone, late=False)}"']
        if state.upper is not None:
            changed.append(f'updated <= "{wall(state.upper, jira.zone, late=True)}"')
        jql = " AND ".join([*([config.query] if config.query else []), *changed]) + " ORDER BY updated DESC"
        seen: set[str] = set()
        for issues in jira.search(jql, PAGE_ISSUES):
            facts: list[TicketEvent] = []
            for issue in issues:
                if issue.id in seen:  # it changed meanwhile and stands on two pages
                    continue
                seen.add(issue.id)
                if moment(issue.fields.created) is None:
                    text = f"{issue.key}: the account may not see its field 'created'"
                    outside.gap(Gap(start=state.start, end=state.began, reason="forbidden", text=text))
                    continue
                facts += ticket_events(issue, jira.histories(issue), jira.comments(issue), reading)
            state.upper = min((at for issue in issues if (at := moment(issue.fields.updated))), default=state.upper)
            yield Page(facts=facts, checkpoint=msgspec.json.encode(state), progress=_progress(state))
        state.read, state.began, state.start, state.upper = state.began, None, None, None
        yield Page(checkpoint=msgspec.json.encode(state))

    return [Stream(name="issues", read=read)]


def _progress(state: _State) -> str:
    return f"issues changed since {state.upper:%Y-%m-%d}" if state.upper else ""


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per project that the account may not browse."""
    try:
        jira = _Jira(outside)
    except Refused as error:
        return [
            f"{error}; give a valid token (Cloud: email and API token with scopes read:jira-work and read:jira-user)"
        ]
    lines = []
    for key in config.projects:
        try:
            next(jira.search(f'project = "{key}"', 1))
        except (Refused, Unexpected) as error:
            if isinstance(error, Unexpected) and error.status not in {400, 404}:
                raise
            lines.append(f"project {key}: {error}; give the account the permission 'Browse projects' in it")
    if config.select and not lines:
        try:
            next(jira.search(config.query, 1))
        except Unexpected as error:
            if error.status != 400:
                raise
            lines.append(f"select: {error}; correct the JQL")
    return lines


SOURCE = Source(
    name="jira",
    config=Config,
    gives=frozenset({TicketEvent}),
    access=access,
    connect=connect,
    check=check,
)
