"""GitLab's answers as far as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from msgspec import Struct, field

from platform_meter.sources.kit.rows import Row


class Project(Row):
    becomes: ClassVar[str] = "Repository"

    id: int
    path_with_namespace: str
    created_at: datetime | None = None
    last_activity_at: datetime | None = None
    topics: list[str] = field(default_factory=list)
    builds_access_level: str = "enabled"
    environments_access_level: str = "enabled"
    merge_requests_access_level: str = "enabled"

    @property
    def lists(self) -> tuple[str, ...]:
        """What it has not switched off: asking for that is refused, whoever asks. Without CI it has no deployments."""
        on = {
            "pipelines": self.builds_access_level != "disabled",
            "deployments": "disabled" not in (self.builds_access_level, self.environments_access_level),
            "merge_requests": self.merge_requests_access_level != "disabled",
        }
        return tuple(name for name, there in on.items() if there)


class PipelineRow(Row):
    """One of the list, which tells neither when it ran nor for how long."""

    becomes: ClassVar[str] = "PipelineRun"

    id: int
    status: str
    created_at: datetime
    updated_at: datetime
    source: str | None = None


class Pipeline(PipelineRow):
    sha: str = ""
    ref: str | None = None
    finished_at: datetime | None = None
    duration: float | None = None
    """Seconds that its jobs ran: no queue, no waiting for a person, no attempt before the last."""
    yaml_errors: str | None = None
    web_url: str = ""


class Runner(Struct):
    description: str | None = None
    is_shared: bool = False


class Asking(Row):
    """A job that waits for a runner, or has one."""

    becomes: ClassVar[str] = "PipelineActive"

    id: int
    status: str
    tag_list: list[str] = field(default_factory=list)
    runner: Runner | None = None


class JobRow(Asking, kw_only=True):
    becomes: ClassVar[str] = "PipelineJob"

    name: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration: float | None = None
    queued_duration: float | None = None
    """Seconds from the moment it could run; a manual job's wait for a person is no part of it."""
    allow_failure: bool = False
    failure_reason: str | None = None


class Environment(Struct):
    name: str


class Deployable(Row):
    """The job that deployed."""

    finished_at: datetime | None = None
    tag: bool = False
    """Whether its ref is a tag."""
    web_url: str | None = None


class DeploymentRow(Row):
    becomes: ClassVar[str] = "Deployment"

    id: int
    sha: str
    created_at: datetime
    environment: Environment
    updated_at: datetime
    status: str = ""
    ref: str | None = None
    deployable: Deployable | None = None


class Person(Struct):
    id: int
    username: str


class MergeRequest(Row):
    becomes: ClassVar[str] = "Change"

    id: int
    iid: int
    title: str
    created_at: datetime
    updated_at: datetime
    merged_at: datetime | None = None
    author: Person | None = None
    labels: list[str] = field(default_factory=list)
    description: str | None = None
    """Read for the names of other changes in it."""
    source_branch: str = ""
    target_branch: str = ""
    web_url: str = ""
    sha: str | None = None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None


class Commit(Row):
    id: str = ""
    authored_date: datetime | None = None
    message: str = ""
    """Read for the names of other changes in it."""


class Compared(Row):
    """A commit of a comparison."""

    becomes: ClassVar[str] = "Deployment"
    id: str


class Comparison(Struct):
    """Of two commits: those that are in the second alone."""

    commits: list[Compared]


class Note(Row):
    created_at: datetime
    author: Person
    body: str = ""
    system: bool = False


def more(headers: Mapping[str, str], got: int, per_page: int) -> bool:
    """Whether a page has a next one: its Link header says so; where a proxy dropped the header, a full page does."""
    links: Iterable[str] = (value for name, value in headers.items() if name.lower() == "link")
    for value in links:
        return 'rel="next"' in value
    return got >= per_page
