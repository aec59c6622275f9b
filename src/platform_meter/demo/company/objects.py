"""What stands in a cluster, as values: which objects there are and how they are, not how an API writes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

Labels = tuple[tuple[str, str], ...]
Key = tuple[str, str]
"""(namespace, name), the order in which lists are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A team's, or the system's where nothing says whose it is."""

    name: str
    labels: Labels
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node as it is since a moment."""

    name: str
    version: str
    created: datetime
    since: datetime
    ready: bool
    cordoned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What pods carry beside what selects them."""

    labels: Labels = ()
    annotations: Labels = ()
    proxy: str = ""
    """Container of a mesh's proxy; empty outside of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod, and when it becomes Ready."""

    name: str
    namespace: str
    owner_kind: str
    """As paths say it: deployments, statefulsets, daemonsets; jobs for a run of a CronJob."""
    owner: str
    labels: Labels
    node: str
    created: datetime
    ready: datetime
    marks: Marks


@dataclass(frozen=True, slots=True, kw_only=True)
class PodState:
    """A pod before or after it became Ready for the first time."""

    pod: Pod
    ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A controller and how many pods it wants."""

    kind: str
    """As the path says it: deployments, statefulsets, daemonsets, cronjobs."""
    namespace: str
    name: str
    labels: Labels
    wanted: int
    created: datetime
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadState:
    """A controller with the number of its pods that are ready."""

    workload: Workload
    ready: int


Object = Namespace | Node | PodState | WorkloadState


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How an object came to be what it is at this version."""

    version: int
    type: str
    """ADDED, MODIFIED or DELETED."""
    kind: str
    object: Object
