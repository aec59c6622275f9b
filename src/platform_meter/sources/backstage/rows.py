"""Backstage's answers, as far as they are read. Pure.

Of people only the mail address is declared, which becomes a hash at once; what they typed into a template is dropped
while decoding, but for the owner and the place of the repository.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct, field

from platform_meter.sources.kit.rows import Row

DEFAULT = "default"
"""The namespace of what names none."""


class Metadata(Struct):
    name: str
    namespace: str = DEFAULT
    title: str | None = None
    description: str | None = None
    annotations: dict[str, str] | None = None
    tags: list[Any] | None = None
    links: list[Any] | None = None


class Profile(Struct):
    email: str | None = None


class Spec(Struct, rename="camel"):
    type: str | None = None
    lifecycle: str | None = None
    owner: str | None = None
    system: str | None = None
    domain: str | None = None
    parent: str | None = None
    children: list[str] | None = None
    members: list[str] | None = None
    member_of: list[str] | None = None
    profile: Profile | None = None


class Relation(Struct, rename="camel"):
    type: str
    target_ref: str


def related(relations: Iterable[Relation] | None, type_: str) -> list[str]:
    """Whole names of what stands in this relation to an entry."""
    return [r.target_ref.lower() for r in relations or () if r.type == type_]


class EntityRow(Row):
    """One entry of the catalog."""

    becomes: ClassVar[str] = "CatalogEntity"
    kind: str
    metadata: Metadata
    spec: Spec | None = None
    relations: list[Relation] | None = None

    @property
    def ref(self) -> str:
        """Its whole name: `component:default/shop`."""
        return f"{self.kind}:{self.metadata.namespace}/{self.metadata.name}".lower()

    def related(self, type_: str) -> list[str]:
        """Whole names of what stands in this relation to it."""
        return related(self.relations, type_)


class PageInfo(Struct, rename="camel"):
    next_cursor: str | None = None


class Entities(Struct, rename="camel"):
    """Answer of `/entities/by-query`. Its total is no promise, and is not read."""

    items: list[EntityRow] = field(default_factory=list)
    page_info: PageInfo | None = None


class TemplateInfo(Struct, rename="camel"):
    entity_ref: str = ""


class Parameters(Struct, rename="camel"):
    """What somebody typed in; any template names them as it likes."""

    owner: Any = None
    repo_url: Any = None


class Made(Struct):
    """Who started a run, as an entry of the catalog."""

    relations: list[Relation] | None = None


class Starter(Struct):
    entity: Made | None = None


class TaskSpec(Struct, rename="camel"):
    template_info: TemplateInfo | None = None
    parameters: Parameters | None = None
    user: Starter | None = None


class TaskRow(Row, rename="camel"):
    """A run of a template."""

    becomes: ClassVar[str] = "TemplateRun"
    id: str
    status: str
    created_at: datetime
    last_heartbeat_at: datetime | None = None
    created_by: str | None = None
    spec: TaskSpec = field(default_factory=TaskSpec)


class Tasks(Struct, rename="camel"):
    tasks: list[TaskRow] = field(default_factory=list)
    total_tasks: int | None = None
    """Only releases that page tell it; others give all at once."""


class Output(Struct, rename="camel"):
    remote_url: Any = None


class Ended(Struct):
    output: Output | None = None


class Step(Struct):
    """One event of a run."""

    type: str = ""
    body: Ended | None = None
