"""What the GitHub source remembers between polls: its checkpoint, as JSON.

Each list of each repository has a cursor of its own, so that a poll which ends half-way loses nothing it has told, and
a repository that was left out for a day is read from where it was left, not from where the others are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct, field

from platform_meter.model.typed import decode
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.open_things import Open
from platform_meter.sources.kit.open_tickets import OpenTickets


class OpenRun(Open, omit_defaults=True, kw_only=True):
    workflow: str
    state: str = ""
    """GitHub's word for what it does or waits for."""
    attempt: int = 1
    waited: datetime | None = None
    """When a poll last saw it wait for a rule of an environment."""


class Rollout(Open, omit_defaults=True, kw_only=True):
    """A deployment: one that has not ended yet, or one that served."""

    id: int
    sha: str
    environment: str
    task: str = ""
    kind: str = "planned"
    failed: bool = False
    """It was told as failed, and may be tried again."""
    transient: bool = False
    """An environment that goes away with its pull request: nothing is ever rolled back there."""
    version: str = ""
    """What its commit is called, where it has a tag."""


class Rolled(Rollout, omit_defaults=True, kw_only=True):
    """A deployment that a job or run is by a rule; `created` is its start."""

    key: str
    ended: datetime
    updated: datetime
    url: str = ""


class Runs(Cursor, omit_defaults=True):
    open: dict[str, OpenRun] = field(default_factory=dict)
    """Runs that had not ended when they were last seen, by id."""
    floor: datetime | None = None
    """Creation of the oldest run on the first page when there are more pages: a 304 vouches for what is newer."""
    rechecked: dict[str, datetime] = field(default_factory=dict)
    """When each span of `RECHECKS` was last read in full, to find re-runs of older runs."""
    pools: dict[str, str] = field(default_factory=dict)
    """The pool each workflow used last: where a run that has not ended waits or runs."""
    lacking: datetime | None = None
    """Where the first gap begins that no later read filled."""
    rollouts: list[Rolled] = field(default_factory=list)
    """Deployments by rule that this read found: runs come newest first, and what goes back is seen oldest first."""
    served: dict[str, list[Rollout]] = field(default_factory=dict)
    """As in `Deployments`."""


class Wait(Struct, omit_defaults=True):
    """A job that a rule of its environment held, as its deployment tells."""

    created: datetime
    run: int = 0
    job: int = 0
    """0 where no link names them."""
    until: datetime | None = None
    """When the word came."""


class Deployments(Cursor, omit_defaults=True):
    open: dict[str, Rollout] = field(name="waiting", default_factory=dict)
    """Those that had not ended when they were last seen, by id."""
    listed: list[Rollout] = field(name="open", default_factory=list)
    """The same in checkpoints of before they were kept by id."""
    served: dict[str, list[Rollout]] = field(default_factory=dict)
    """By environment (and task), the last that served, oldest first: what a rollback goes back to."""

    waits: dict[str, Wait] = field(default_factory=dict)
    """The last that waited for a rule of their environment, by id."""

    def __post_init__(self) -> None:
        self.open |= {str(rollout.id): rollout for rollout in self.listed}
        self.listed = []


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


LIVELY = timedelta(hours=1)
"""A repository that told something, or was pushed to, is looked at in each poll for this long."""


class RepoState(Struct, omit_defaults=True):
    id: int = 0
    """GitHub's number, which stays when it is renamed; 0 for one that was not listed since ids are kept."""
    lost: datetime | None = None
    """Since when it is not in the list."""
    stirred: datetime | None = None
    """The last poll that heard something new of it, a push or a fact."""
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

    def lively(self, now: datetime) -> bool:
        """Whether something may well have happened since the last visit: it is looked at in each poll."""
        if self.visited is None or self.archived or self.failing or self.runs.open or self.deployments.open:
            return True
        if any(cursor.began for cursor in self.cursors()):
            return True
        # What a push sets off may come a while after it.
        return self.stirred is not None and now - self.stirred <= LIVELY


class State(Struct, omit_defaults=True):
    first: datetime
    """The first poll of all: older runs are history, whose jobs are not worth a call each."""
    listed: datetime | None = None
    """When the list was asked for last."""
    swept: datetime | None = None
    """The last poll that went over repositories."""
    emptied: datetime | None = None
    """Since when the list is empty, which is not believed at once."""
    lost: dict[str, RepoState] = field(default_factory=dict)
    """Repositories that are not in the list, by id or name: their places are kept for a while."""
    listing: list[str] = []
    """Validators of the pages of the repository list."""
    globs: list[str] = []
    """The selection that `repos` was made with."""
    repos: dict[str, RepoState] = field(default_factory=dict)
    tickets: OpenTickets = field(default_factory=OpenTickets)
    incidents: str = ""
    """Which issues were incidents, as the settings said; by others all are read anew."""
    owners_after: datetime | None = None
    """The token may not read files: not tried before."""
    runners_after: datetime | None = None
    """The token may not list runners: not tried before."""
    teams_after: datetime | None = None
    """The token may not list teams: not tried before."""

    @property
    def whole(self) -> int:
        """Repositories that were looked at, and none of whose lists is read half-way."""
        return sum(
            repo.visited is not None and not any(cursor.began for cursor in repo.cursors())
            for repo in self.repos.values()
        )


def load(checkpoint: bytes | None, now: datetime) -> State:
    return State(first=now) if checkpoint is None else decode(checkpoint, State)


def dump(state: State) -> bytes:
    return msgspec.json.encode(state)
