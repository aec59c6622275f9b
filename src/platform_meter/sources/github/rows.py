"""GitHub's REST answers, as far as they are read. Unknown fields are ignored; what the official schema lets be null may be.

Enumerations stay text: GitHub adds values, and a new conclusion must not stop a poll. Titles, bodies and names of
people are not declared here unless a rule needs them, so they are dropped while decoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import ClassVar

from msgspec import Struct, field

from platform_meter.sources.kit.rows import Row, sound


class User(Struct):
    login: str
    type: str = "User"


class Repo(Row):
    becomes: ClassVar[str] = "Repository"
    full_name: str
    id: int = 0
    """Stays when it is renamed. Absent in answers made by hand."""
    archived: bool = False
    topics: list[str] = field(default_factory=list)
    created_at: str | None = None
    has_issues: bool = True
    pushed_at: str | None = None

    def __post_init__(self) -> None:
        if self.created_at:
            sound(datetime.fromisoformat(self.created_at), "created_at")


class Content(Struct):
    """A file. Of a folder or a link to nowhere there is no content."""

    content: str = ""
    encoding: str = ""


class Permissions(Struct):
    admin: bool = False
    maintain: bool = False


class Team(Row):
    becomes: ClassVar[str] = "Repository"
    slug: str
    permission: str = ""
    """The older word, which lacks the newer roles."""
    permissions: Permissions | None = None

    @property
    def maintains(self) -> bool:
        if self.permissions is not None and (self.permissions.admin or self.permissions.maintain):
            return True
        return self.permission in {"admin", "maintain"}


class Run(Row):
    becomes: ClassVar[str] = "PipelineRun"
    id: int
    head_sha: str
    event: str
    status: str | None
    conclusion: str | None
    workflow_id: int
    created_at: datetime
    updated_at: datetime
    path: str = ""
    name: str | None = None
    run_attempt: int = 1
    run_started_at: datetime | None = None
    html_url: str = ""
    head_branch: str | None = None

    @property
    def ended(self) -> bool:
        return self.status == "completed"


class Runs(Struct):
    total_count: int
    workflow_runs: list[Run]


class Step(Struct):
    name: str
    conclusion: str | None = None


class Job(Row):
    becomes: ClassVar[str] = "PipelineJob"
    id: int
    run_id: int
    status: str
    conclusion: str | None
    started_at: datetime
    completed_at: datetime | None
    created_at: datetime | None = None
    """Absent in answers recorded before 2022."""
    run_attempt: int = 1
    name: str = ""
    labels: list[str] = field(default_factory=list)
    runner_id: int | None = None
    runner_name: str | None = None
    runner_group_name: str | None = None
    html_url: str | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def result(self) -> str:
        """The conclusion in lower case; empty while the job waits or runs."""
        return (self.conclusion or "").lower()


class Jobs(Struct):
    total_count: int
    jobs: list[Job]


class RunnerLabel(Struct):
    name: str
    type: str = ""


class Runner(Row):
    becomes: ClassVar[str] = "PipelineRunners"
    id: int
    status: str
    busy: bool = False
    labels: list[RunnerLabel] = field(default_factory=list)
    runner_group_id: int | None = None


class Runners(Struct):
    total_count: int
    runners: list[Runner]


class RunnerGroup(Row):
    becomes: ClassVar[str] = "PipelineRunners"
    id: int
    name: str


class RunnerGroups(Struct):
    total_count: int
    runner_groups: list[RunnerGroup]


class DeploymentRow(Row):
    becomes: ClassVar[str] = "Deployment"
    id: int
    sha: str
    ref: str
    task: str
    environment: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    transient_environment: bool = False


class StatusRow(Row):
    becomes: ClassVar[str] = "Deployment"
    id: int
    state: str
    created_at: datetime
    updated_at: datetime
    log_url: str | None = None
    target_url: str | None = None


class Label(Struct):
    name: str = ""


class Head(Struct):
    ref: str
    sha: str


class Compared(Row):
    """A commit of a comparison."""

    becomes: ClassVar[str] = "Deployment"
    sha: str


class Comparison(Struct):
    """Of two commits; `commits` are a page of those that are in the second alone, oldest first."""

    status: str
    total_commits: int
    commits: list[Compared]


class Pull(Row):
    becomes: ClassVar[str] = "Change"
    id: int
    number: int
    title: str
    user: User | None
    labels: list[Label]
    created_at: datetime
    updated_at: datetime
    merged_at: datetime | None
    merge_commit_sha: str | None
    head: Head
    base: Head | None = None
    """Absent in answers made by hand."""
    body: str | None = None
    """Read for the names of other changes in it."""
    html_url: str = ""


class CommitAuthor(Row):
    date: datetime | None = None


class CommitBody(Struct):
    author: CommitAuthor | None = None
    message: str = ""
    """Read for the names of other changes in it."""


class Commit(Row):
    becomes: ClassVar[str] = "Change"
    commit: CommitBody
    sha: str = ""


class Review(Row):
    becomes: ClassVar[str] = "Change"
    id: int
    state: str = ""
    user: User | None = None
    submitted_at: datetime | None = None
    """Absent while it is being written."""


class PullLink(Struct):
    """Its presence says that an item of the issue list is a pull request."""


class IssueType(Struct):
    name: str


class Issue(Row):
    becomes: ClassVar[str] = "TicketEvent"
    id: int
    number: int
    state: str
    user: User | None
    labels: list[Label | str]
    created_at: datetime
    updated_at: datetime
    pull_request: PullLink | None = None
    type: IssueType | None = None
    title: str | None = None
    """Looked through, as `body` is, for the names of other records where issues may be incidents."""
    body: str | None = None
    html_url: str | None = None
    closed_at: datetime | None = None
    state_reason: str | None = None

    def label_names(self) -> frozenset[str]:
        return frozenset(label if isinstance(label, str) else label.name for label in self.labels)


class TimelineItem(Row):
    """One of some twenty shapes; commits have neither id nor time and are passed over."""

    becomes: ClassVar[str] = "TicketEvent"
    event: str = ""
    id: int | None = None
    created_at: datetime | None = None
    actor: User | None = None
    user: User | None = None
    author_association: str = ""
    label: Label | None = None
    state_reason: str | None = None


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def stamp(moment: datetime) -> str:
    """As GitHub's `created` filter and `since` take it."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def more(headers: Mapping[str, str], got: int, per_page: int) -> bool:
    """Whether a page has a next one: its Link header says so; where a proxy dropped the header, a full page does."""
    links: Iterable[str] = (value for name, value in headers.items() if name.lower() == "link")
    for value in links:
        return 'rel="next"' in value
    return got >= per_page
