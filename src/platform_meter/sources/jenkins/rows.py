"""Jenkins' answers as far as they are read; `tree` asks for no more. Hudson, its ancestor, has the same with less in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from msgspec import Raw, Struct, field

from platform_meter.sources.kit.rows import Row, sound

JOBS = "jobs[_class,name,lastBuild[number,timestamp],jobs[name]]"
BUILDS = (
    "[number,timestamp,result,building,duration,builtOn,queueId,actions[causes[_class,shortDescription],"
    "parameters[name,value],lastBuiltRevision[SHA1],remoteUrls,buildableTimeMillis]]"
)
QUEUE = "items[why,buildable]"
NODES = "computer[displayName,assignedLabels[name],executors[currentExecutable[number]]]"


def moment(milliseconds: int) -> datetime:
    """The time that Jenkins tells.

    Raises:
        ValueError: none that can be reckoned with.
    """
    try:
        return sound(datetime.fromtimestamp(milliseconds / 1000, UTC), "timestamp")
    except (OverflowError, OSError) as error:
        raise ValueError(f"`timestamp` {milliseconds} is an impossible time") from error


class Timed(Row):
    """What began at a time, in milliseconds."""

    number: int
    timestamp: int

    def __post_init__(self) -> None:
        moment(self.timestamp)

    @property
    def began(self) -> datetime:
        return moment(self.timestamp)


class Item(Row, rename="camel"):
    """A job, or what holds some: a folder, a multibranch project, an organisation."""

    name: str
    class_: str = field(name="_class", default="")
    last_build: Timed | None = None
    jobs: list[Raw] | None = None
    """Only what holds jobs has them, be it none."""


class Items(Struct):
    jobs: list[Item] = field(default_factory=list)


class Cause(Struct, rename="camel"):
    class_: str = field(name="_class", default="")
    short_description: str | None = None


class Parameter(Struct):
    name: str = ""
    value: Raw = Raw(b"null")


class Revision(Struct):
    sha: str = field(name="SHA1", default="")


class Action(Struct, rename="camel"):
    causes: list[Cause] | None = None
    parameters: list[Parameter] | None = None
    last_built_revision: Revision | None = None
    remote_urls: list[str] | None = None
    buildable_time_millis: int | None = None
    """Of the metrics plugin: how long it was ready and no executor was free."""


class Build(Timed, rename="camel"):
    becomes: ClassVar[str] = "PipelineRun"

    result: str | None = None
    building: bool = False
    duration: int = 0
    built_on: str | None = None
    queue_id: int = -1
    actions: list[Action | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        Timed.__post_init__(self)
        moment(self.timestamp + self.duration)

    @property
    def ended(self) -> datetime | None:
        """None while it goes on."""
        return None if self.building or self.result is None else self.began + timedelta(milliseconds=self.duration)


class Job(Struct, rename="camel"):
    """One job's builds, the newest first."""

    label_expression: str | None = None
    all_builds: list[Build] | None = None
    builds: list[Build] | None = None


class Stage(Struct, rename="camel"):
    name: str = ""
    status: str | None = None
    error: StageError | None = None


class StageError(Struct):
    message: str | None = None


class Stages(Struct, rename="camel"):
    """Of the stage view plugin."""

    stages: list[Stage] = field(default_factory=list)
    pause_duration_millis: int = 0
    """How long it waited for a person."""


class Waiting(Struct, rename="camel"):
    in_queue_since: int | None = None


class QueueItem(Struct):
    why: str | None = None
    buildable: bool = False


class Queue(Struct):
    items: list[QueueItem] = field(default_factory=list)


class Label(Struct):
    name: str = ""


class Running(Struct):
    number: int = 0


class Executor(Struct, rename="camel"):
    current_executable: Running | None = None


class Node(Struct, rename="camel"):
    display_name: str = ""
    assigned_labels: list[Label] = field(default_factory=list)
    executors: list[Executor] = field(default_factory=list)


class Nodes(Struct):
    computer: list[Node] = field(default_factory=list)
