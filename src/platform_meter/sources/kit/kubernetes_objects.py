"""What every object, list and watched line of a Kubernetes API has, and where a resource is served.

Names are the API's own (meta/v1); fields that are not read are left out, so that a list of 500 pods decodes to little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from msgspec import Raw, Struct, field

from platform_meter.model.source import Outside, Refused, Unexpected
from platform_meter.sources.kit.rows import Row


class Owner(Struct):
    kind: str
    name: str
    controller: bool = False
    uid: str = ""


class Meta(Row, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = field(default_factory=dict)
    owner_references: list[Owner] = field(default_factory=list)


class Thing(Row):
    """What every object has."""

    becomes: ClassVar[str] = ""
    metadata: Meta


T = TypeVar("T", bound=Thing)


class ListMeta(Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = field(name="continue", default="")


class Head(Struct):
    """Of a list how far it is; of any object, however odd, as well; all there is of a bookmark."""

    metadata: ListMeta = field(default_factory=ListMeta)


class Listing(Struct, Generic[T]):
    """One page of a list."""

    metadata: ListMeta
    items: list[T] | None


class Change(Struct):
    """One line of a watch."""

    type: str
    object: Raw


class Status(Struct):
    """What the API says of a call that failed; also the object of an ERROR event."""

    code: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of object in the API, and the verbs that reading it takes."""

    name: str
    """Its plural, as paths and roles have it."""
    group: str = ""
    """Empty for the core."""
    versions: tuple[str, ...] = ("v1",)
    """Those whose objects can be read; of several that are served, the one which the server prefers."""
    verbs: tuple[str, ...] = ("list", "watch")

    def __str__(self) -> str:
        return f"{self.name}.{self.group}" if self.group else self.name

    def path(self, version: str) -> str:
        return f"/apis/{self.group}/{version}/{self.name}" if self.group else f"/api/{version}/{self.name}"

    def path_in(self, namespace: str) -> str:
        """Where those of one namespace are, of a resource with one version."""
        group, _, name = self.only_path.rpartition("/")
        return f"{group}/namespaces/{namespace}/{name}"

    @property
    def only_path(self) -> str:
        """Where it is if it is there at all; empty where several versions can be read."""
        return self.path(self.versions[0]) if len(self.versions) == 1 else ""


class _Version(Struct):
    version: str


class _Group(Struct, rename="camel"):
    name: str
    versions: list[_Version]
    preferred_version: _Version


class _Groups(Struct):
    groups: list[_Group]


def served(outside: Outside, resource: Resource) -> Iterator[str]:
    """Paths at which the API may serve the resource, the best first; none where its group is not installed.

    Every account may ask that, but for those of a hardened cluster: then each version is one that may be served.

    Raises:
        Unexpected: only versions are served that can't be read.
    """
    try:
        groups = outside.get("/apis", _Groups).body
    except Refused:
        yield from map(resource.path, resource.versions)
        return
    found = next((group for group in groups.groups if group.name == resource.group), None) if groups else None
    if found is None:
        return
    there = {version.version for version in found.versions}
    fit = [version for version in (found.preferred_version.version, *resource.versions) if version in there]
    fit = [version for version in dict.fromkeys(fit) if version in resource.versions]
    if not fit:
        raise Unexpected(
            f"/apis: the cluster serves {', '.join(sorted(there))} of {resource.group}; "
            f"of {resource.name} only {', '.join(resource.versions)} can be read"
        )
    yield from map(resource.path, fit)
