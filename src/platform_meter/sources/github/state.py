"""What the GitHub source remembers between polls: its checkpoint, as JSON.

Each list of each repository has a cursor of its own, so that a poll which ends half-way loses nothing it has told, and
a repository that was left out for a day is read from where it was left, not from where the others are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct, field

from platform_meter.sources.kit.open_tickets import OpenTickets


class Cursor(Struct, omit_defaults=True):
    """One list, read from its newest item back to `start`."""

    read: datetime | None = None
    """Every change before this moment has been told."""
    etag: str = ""
    """Of the first page at that time."""
    done: dict[str, str] = field(default_factory=dict)
    """Items that changed of late and were told already: id -> when they changed."""

    began: datetime | None = None
    """When the read that is now under way began; None between reads."""
    start: datetime | None = None
    fresh: str = ""
    """Validator of the first page of the read under way."""
    at: str = ""
    """How far it is: the time of the last item told."""

    failing: tuple[datetime, datetime] | None = None
    """The range that the poll which first could not read this list would have read; None while it can be read."""

    def begin(self, now: datetime, start: datetime, etag: str) -> None:
        self.began, self.start, self.fresh, self.at = now, start, etag, ""

    def end(self, keep: timedelta) -> None:
        self.read, self.etag = self.began, self.fresh
        self.abandon()
        self.forget(keep)

    def abandon(self) -> None:
        """Give up the read under way; the next one begins with the newest item."""
        self.began, self.start, self.fresh, self.at = None, None, "", ""

    def unchanged(self, now: datetime, keep: timedelta) -> None:
        self.read = now
        self.forget(keep)

    def forget(self, keep: timedelta) -> None:
        if self.read is not None:
            since = self.read - keep
            self.done = {id_: at for id_, at in self.done.items() if datetime.fromisoformat(at.split(" ")[0]) >= since}

    def told(self, id_: int, mark: str) -> bool:
        return self.done.get(str(id_)) == mark


class OpenRun(Struct, omit_defaults=True):
    created: datetime
    workflow: str
    state: str = ""
    """GitHub's word for what it does or waits for."""
    attempt: int = 1
    etag: str = ""


class Runs(Cursor, omit_defaults=True):
    open: dict[str, OpenRun] = field(default_factory=dict)
    """Runs that had not ended when they were last seen, by id."""
    floor: datetime | None = None
    """Creation of the oldest run on the first page when there are more pages: a 304 vouches for what is newer."""
    rechecked: dict[str, datetime] = field(default_factory=dict)
    """When each span of `RECHECKS` was last read in full, to find re-runs of older runs."""
    pools: dict[str, str] = field(default_factory=dict)
    """The pool each workflow used last: where a run that has not ended waits or runs."""


class Rollout(Struct, omit_defaults=True):
    """A deployment: one that has not ended yet, or one that served."""

    id: int
    sha: str
    environment: str
    created: datetime
    kind: str = "planned"
    transient: bool = False
    """An environment that goes away with its pull request: nothing is ever rolled back there."""
    etag: str = ""


class Deployments(Cursor, omit_defaults=True):
    open: list[Rollout] = []
    served: dict[str, list[Rollout]] = field(default_factory=dict)
    """By environment, the last that served, oldest first: what a rollback goes back to."""


class RepoOwner(Struct, omit_defaults=True):
    """Whose a repository is by its own word."""

    team: str = ""
    """What it says: the team's slug."""
    named: str = ""
    """What CODEOWNERS alone says."""
    path: str = ""
    """Where that file stands; empty without one."""
    etag: str = ""
    """Of the file."""
    read: datetime | None = None
    """When it was asked last."""
    pushed: str = ""
    """The last push then."""


class RepoState(Struct, omit_defaults=True):
    topics: list[str] = []
    has_issues: bool = True
    archived: bool = False
    created: str | None = None
    pushed: str = ""
    visited: datetime | None = None
    """The last poll that came by, whatever it could read: the others come first then."""
    owner: RepoOwner = field(default_factory=RepoOwner)
    runs: Runs = field(default_factory=Runs)
    deployments: Deployments = field(default_factory=Deployments)
    pulls: Cursor = field(default_factory=Cursor)
    issues: Cursor = field(default_factory=Cursor)
    backlog: Cursor = field(default_factory=Cursor)

    def cursors(self) -> Iterator[Cursor]:
        yield from (self.runs, self.deployments, self.pulls, self.issues, self.backlog)

    @property
    def failing(self) -> bool:
        return any(cursor.failing for cursor in self.cursors())


class State(Struct, omit_defaults=True):
    first: datetime
    """The first poll of all: older runs are history, whose jobs are not worth a call each."""
    listing: list[str] = []
    """Validators of the pages of the repository list."""
    globs: list[str] = []
    """The selection that `repos` was made with."""
    repos: dict[str, RepoState] = field(default_factory=dict)
    tickets: OpenTickets = field(default_factory=OpenTickets)
    owners_after: datetime | None = None
    """The token may not read files: not tried before."""
    teams_after: datetime | None = None
    """The token may not list teams: not tried before."""


def load(checkpoint: bytes | None, now: datetime) -> State:
    return State(first=now) if checkpoint is None else msgspec.json.decode(checkpoint, type=State)


def dump(state: State) -> bytes:
    return msgspec.json.encode(state)
