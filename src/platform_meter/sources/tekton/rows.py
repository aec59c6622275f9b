"""Tekton's objects as far as they are read: PipelineRuns and TaskRuns of `tekton.dev`, v1 and v1beta1 alike."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from msgspec import Raw, Struct, field

from platform_meter.sources.kit.kubernetes_objects import Thing
from platform_meter.sources.kit.rows import Row

PENDING: Final = "PipelineRunPending"


class Condition(Struct, rename="camel"):
    type: str
    status: str
    """`True`, `False`, or `Unknown` while it goes on."""
    reason: str = ""
    message: str = ""


class Named(Struct):
    name: str = ""


class Started(Row, rename="camel"):
    started_at: datetime | None = None


class Terminated(Row, rename="camel"):
    exit_code: int = 0
    reason: str = ""
    started_at: datetime | None = None


class Step(Struct):
    name: str = ""
    running: Started | None = None
    terminated: Terminated | None = None

    @property
    def started(self) -> datetime | None:
        part = self.terminated or self.running
        return part.started_at if part else None


class RunStatus(Row, rename="camel"):
    conditions: list[Condition] = field(default_factory=list)
    start_time: datetime | None = None
    completion_time: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    """Of a TaskRun."""


class RunSpec(Struct, rename="camel"):
    pipeline_ref: Named = field(default_factory=Named)
    status: str = ""
    """What somebody wants of it: that it ends, or does not begin yet."""
    params: Raw = Raw(b"[]")
    """Read as they stand: only whether two runs had the same ones is asked."""


class Run(Thing, rename="camel"):
    """A PipelineRun or a TaskRun."""

    api_version: str = ""
    """Missing in lists of some servers, whose path tells it."""
    spec: RunSpec = field(default_factory=RunSpec)
    status: RunStatus = field(default_factory=RunStatus)

    @property
    def verdict(self) -> Condition | None:
        """How it ended; None while it has not."""
        found = next((c for c in self.status.conditions if c.type == "Succeeded"), None)
        return found if found and found.status in {"True", "False"} and self.status.completion_time else None


class PipelineRunRow(Run):
    becomes: ClassVar[str] = "PipelineRun"

    @property
    def pending(self) -> bool:
        """Whether it waits to begin: nobody took it yet, or it was told to wait."""
        return self.verdict is None and (self.spec.status == PENDING or self.status.start_time is None)


class TaskRunRow(Run):
    becomes: ClassVar[str] = "PipelineJob"
