"""The workloads of a cluster with what others select them by: labels of their pods, their namespace, their Services."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.practices import Practice
from platform_meter.model.source import Outside, SourceError, Unexpected
from platform_meter.sources.kit.clusters import ClusterConfig
from platform_meter.sources.kit.kubernetes_objects import Meta, Resource, Thing, served
from platform_meter.sources.kit.list_watch import pages
from platform_meter.sources.kit.workloads import ownership, workload_ref
from platform_meter.sources.kubernetes.rollouts import PodSpec
from platform_meter.sources.kubernetes.rows import Controller

T = TypeVar("T", bound=Thing)
EVERY = timedelta(minutes=10)
"""Time between two looks at what covers workloads."""
STANDS = EVERY / 2
"""A look at the workloads serves all practices that are read so long after it."""
QUIET = timedelta(minutes=1)
"""One that failed is the failure of all that are read so long after it."""
KINDS: Mapping[str, Resource] = {
    "Deployment": Resource(name="deployments", group="apps"),
    "StatefulSet": Resource(name="statefulsets", group="apps"),
    "DaemonSet": Resource(name="daemonsets", group="apps"),
    "CronJob": Resource(name="cronjobs", group="batch"),
}
"""Workloads by kind, and where they are served."""
NAMESPACES = Resource(name="namespaces")
SERVICES = Resource(name="services", verbs=("list",))
READ = (
    TRACKED := "argocd.argoproj.io/tracking-id",
    BASE := "org.opencontainers.image.base.name",
    SIDECAR := "sidecar.istio.io/inject",
    LINKERD := "linkerd.io/inject",
)
"""Annotations that tell what covers a workload."""
_NOT_FOUND = 404


class Expression(Struct):
    key: str
    operator: str
    values: list[str] = msgspec.field(default_factory=list)

    def fits(self, labels: Mapping[str, str]) -> bool:
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        return False


class Selector(Struct, rename="camel"):
    """A LabelSelector (meta/v1): all that it says must fit, and one that says nothing fits everything."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: list[Expression] = msgspec.field(default_factory=list)

    def fits(self, labels: Mapping[str, str]) -> bool:
        return self.match_labels.items() <= labels.items() and all(e.fits(labels) for e in self.match_expressions)


class Marks(Struct):
    """What an object says of itself."""

    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def read(self) -> Marks:
        """With those annotations alone that are read: others are large, such as what was applied last."""
        kept = {name: self.annotations[name] for name in READ if name in self.annotations}
        return Marks(labels=self.labels, annotations=kept)


class Annotated(Meta, rename="camel"):
    annotations: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def marks(self) -> Marks:
        return Marks(labels=self.labels, annotations=self.annotations).read


class Template(Struct):
    metadata: Marks = msgspec.field(default_factory=Marks)
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class _Job(Struct):
    template: Template = msgspec.field(default_factory=Template)


class _JobTemplate(Struct):
    spec: _Job = msgspec.field(default_factory=_Job)


class _Spec(Struct, rename="camel"):
    template: Template | None = None
    job_template: _JobTemplate = msgspec.field(default_factory=_JobTemplate)


class Templated(Controller):
    """A workload with the template of its pods."""

    becomes: ClassVar[str] = "Practice"
    metadata: Annotated
    spec: _Spec = msgspec.field(default_factory=_Spec)

    @property
    def template(self) -> Template:
        return self.spec.template or self.spec.job_template.spec.template


class Space(Thing):
    becomes: ClassVar[str] = "Practice"
    metadata: Annotated


class _ServiceSpec(Struct):
    selector: dict[str, str] = msgspec.field(default_factory=dict)


class Service(Thing):
    becomes: ClassVar[str] = "Practice"
    spec: _ServiceSpec = msgspec.field(default_factory=_ServiceSpec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One workload that may be covered."""

    about: Ref
    kind: str
    namespace: str
    name: str
    own: Marks
    pods: Marks
    space: Marks
    """Of its namespace."""
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Workloads at a moment."""

    at: datetime
    spaces: Mapping[str, Sequence[Subject]]
    """By namespace."""

    @property
    def all(self) -> Iterator[Subject]:
        for subjects in self.spaces.values():
            yield from subjects

    def selected(self, namespace: str, selector: Selector) -> Iterator[Subject]:
        """Those of a namespace whose pods fit."""
        return (one for one in self.spaces.get(namespace, ()) if selector.fits(one.pods.labels))

    def named(self, namespace: str, kind: str, name: str) -> Iterator[Subject]:
        found = self.spaces.get(namespace, ())
        return (one for one in found if (one.kind, one.name) == (kind, name))

    def behind(self, service: Service) -> Iterator[Subject]:
        """Those whose pods a Service leads to; none where it selects none by itself."""
        wanted = service.spec.selector
        return self.selected(service.metadata.namespace, Selector(match_labels=wanted)) if wanted else iter(())


@dataclass(slots=True, kw_only=True)
class Looks:
    """The last look at the workloads, for all practices together. Threads share it."""

    config: ClusterConfig
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: Look | None = None
    _failed: tuple[datetime, SourceError] | None = None

    def at(self, outside: Outside, now: datetime) -> Look:
        """The look of this moment or of one `STANDS` ago at most.

        Raises:
            SourceError: the cluster does not answer, or did not within the last minute: nobody waits for that again.
        """
        with self._lock:
            if self._last is not None and timedelta() <= now - self._last.at < STANDS:
                return self._last
            if self._failed is not None and timedelta() <= now - self._failed[0] < QUIET:
                raise self._failed[1].with_traceback(None)
            try:
                self._last = self._look(outside, now)
            except SourceError as error:
                self._failed = (now, error)
                raise
            return self._last

    def _look(self, outside: Outside, now: datetime) -> Look:
        size, found = self.config.page_size, defaultdict[str, list[Subject]](list)
        spaces = {space.metadata.name: space.metadata.marks for space in whole(outside, NAMESPACES, Space, size)}
        for kind, resource in KINDS.items():
            for thing in whole(outside, resource, Templated, size):
                if not self.config.skips(thing.metadata.namespace):
                    found[thing.metadata.namespace].append(self._subject(thing, kind, spaces))
        return Look(at=now, spaces=found)

    def _subject(self, thing: Templated, kind: str, spaces: Mapping[str, Marks]) -> Subject:
        meta, spec = thing.metadata, thing.template.spec
        labels = ownership(meta.labels, self.config.kept_labels)
        return Subject(
            about=workload_ref(self.config.cluster, meta.namespace, f"{kind}/{meta.name}", labels),
            kind=kind,
            namespace=meta.namespace,
            name=meta.name,
            own=meta.marks,
            pods=thing.template.metadata.read,
            space=spaces.get(meta.namespace, Marks()),
            images=tuple(one.image for one in (*spec.containers, *spec.init_containers)),
        )


Found = Iterable[tuple[Subject, str]]
"""Workloads, and the name of something that covers each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One practice: where it is read beside workloads and namespaces, and what covers which workload."""

    fact: type[Practice]
    resources: tuple[Resource, ...] = ()
    covers: Callable[[Lister, Look], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lister:
    """Reads resources whole, for one practice."""

    outside: Outside
    size: int

    def all(self, resource: Resource, shape: type[T]) -> Sequence[T]:
        return whole(self.outside, resource, shape, self.size)


def named(thing: Thing, subject: Subject) -> str:
    """What a workload calls something that covers it: its name, after its namespace where that is another one."""
    meta = thing.metadata
    return meta.name if meta.namespace == subject.namespace else f"{meta.namespace}/{meta.name}"


def whole(outside: Outside, resource: Resource, shape: type[T], size: int) -> Sequence[T]:
    """All objects of a resource; none where it is not installed.

    Raises:
        SourceError: they can't be read.
    """
    path = resource.only_path or next(iter(served(outside, resource)), "")
    if not path:
        return ()
    found: dict[tuple[str, str], T] = {}
    begun = 0
    try:
        for page, beginning in pages(outside, path, shape, size):
            if beginning != begun:
                found, begun = {}, beginning
            found.update(((thing.metadata.namespace, thing.metadata.name), thing) for thing in page.items or ())
    except Unexpected as error:
        if error.status != _NOT_FOUND or not resource.group:
            raise
        return ()
    return tuple(found.values())
