"""Deployments told by the cluster alone: another image in a workload's pod template, and its rollout completed.

A rollout is complete when the controller has seen the template and every pod runs it and is available, as
`kubectl rollout status` reckons. The cluster does not tell which image served before, so that is remembered from call to
call: a workload whose image is seen for the first time has deployed nothing.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Reading
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.sources.kit.kubernetes_objects import Meta
from platform_meter.sources.kit.rows import Row
from platform_meter.sources.kit.sayers import Inventory, Said
from platform_meter.sources.kit.served import goes_back
from platform_meter.sources.kit.workloads import ownership, workload_ref
from platform_meter.sources.kubernetes.rows import (
    Condition,
    Controller,
)

MOST_WORKLOADS = 5_000
"""Of so many workloads of one kind it is remembered what they serve; of more those that deployed longest ago are forgotten,
and their next rollout is taken for the first."""
VERSIONS = 4
"""So many images of a workload are remembered, those that served first of late."""
REVISION = "deployment.kubernetes.io/revision"
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Change(Row):
    """Who wrote a part of an object, and when."""

    subresource: str = ""
    time: datetime | None = None


class RolledMeta(Meta, rename="camel"):
    generation: int = 0
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    managed_fields: list[Change] = msgspec.field(default_factory=list)


class Container(Struct):
    image: str = ""


class PodSpec(Struct, rename="camel"):
    containers: list[Container] = msgspec.field(default_factory=list)
    init_containers: list[Container] = msgspec.field(default_factory=list)


class Template(Struct):
    spec: PodSpec = msgspec.field(default_factory=PodSpec)


class Strategy(Struct):
    type: str = "RollingUpdate"


class RolledSpec(Struct, rename="camel"):
    replicas: int = 1
    template: Template = msgspec.field(default_factory=Template)
    update_strategy: Strategy = msgspec.field(default_factory=Strategy)


class Progress(Condition, rename="camel"):
    last_update_time: datetime | None = None


class RolledStatus(Struct, rename="camel"):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    conditions: list[Progress] = msgspec.field(default_factory=list)


class RolledReplicated(Controller):
    """A Deployment or StatefulSet with its template and how far that has come."""

    metadata: RolledMeta
    spec: RolledSpec = msgspec.field(default_factory=RolledSpec)
    status: RolledStatus = msgspec.field(default_factory=RolledStatus)

    @property
    def progress(self) -> Progress | None:
        """How its rollout goes; a StatefulSet says no such thing, nor does a Deployment without a deadline."""
        return next((c for c in self.status.conditions if c.type == "Progressing"), None)

    @property
    def complete(self) -> bool:
        wanted, status = self.spec.replicas, self.status
        if self.progress is not None and self.progress.reason != "NewReplicaSetAvailable":
            return False
        if self.spec.update_strategy.type != "OnDelete" and status.current_revision != status.update_revision:
            return False
        return wanted > 0 and wanted == status.replicas == status.updated_replicas == status.available_replicas


class RolledDaemonStatus(Struct, rename="camel"):
    desired_number_scheduled: int = 0
    observed_generation: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0


class RolledDaemonSet(Controller):
    metadata: RolledMeta
    spec: RolledSpec = msgspec.field(default_factory=RolledSpec)
    status: RolledDaemonStatus = msgspec.field(default_factory=RolledDaemonStatus)

    @property
    def progress(self) -> Progress | None:
        return None

    @property
    def complete(self) -> bool:
        wanted, status = self.status.desired_number_scheduled, self.status
        return wanted > 0 and wanted == status.updated_number_scheduled == status.number_available


Rolled = RolledReplicated | RolledDaemonSet
R = TypeVar("R", bound=Rolled)


def images(thing: Rolled) -> tuple[str, ...]:
    """Images of the template, in its order."""
    pod = thing.spec.template.spec
    return tuple(one.image for one in (*pod.containers, *pod.init_containers))


def ended(thing: Rolled) -> tuple[DeployResult, datetime] | None:
    """How the rollout of the template ended and when; None while it goes on.

    A Deployment says when; of the others it is when their status was written last. One that was given up
    (`ProgressDeadlineExceeded`) has failed, and has succeeded all the same once its pods are available.
    """
    if thing.status.observed_generation < thing.metadata.generation:
        return None
    progress = thing.progress
    said = progress and (progress.last_update_time or progress.last_transition_time)
    written = (change.time for change in thing.metadata.managed_fields if change.subresource == "status")
    at = said or max((time for time in written if time is not None), default=None)
    if at is None:
        return None
    if thing.complete:
        return DeployResult.SUCCESS, at.astimezone(UTC)
    given_up = progress is not None and progress.reason == "ProgressDeadlineExceeded"
    return (DeployResult.FAILED, at.astimezone(UTC)) if given_up else None


def version(image: str) -> str:
    """What tells this image from another of its name: the digest, else the tag; empty where it has neither."""
    name, _, digest = image.partition("@")
    return digest or name.rpartition("/")[2].partition(":")[2]


def environment(rules: Sequence[tuple[str, str]], namespace: str) -> str | None:
    """Of the first glob that the namespace's name fits; None where nothing of it is a deployment."""
    return next((found for glob, found in rules if fnmatchcase(namespace, glob)), None)


@dataclass(slots=True, kw_only=True)
class Rollouts(Generic[R]):
    """Says the inventory of one kind of workload, and of each the rollouts of another image that ended."""

    inventory: Inventory[R]
    told: Callable[[R, DeployResult, datetime, DeployKind], Deployment | None]
    """The fact of a rollout that ended; None where nothing in its namespace is a deployment."""
    before: tuple[str, ...]
    complete: frozenset[type[Reading]] = field(init=False)
    _served: dict[str, tuple[str, ...]] = field(init=False)
    """What each workload served by when that served first, and once more at the end what serves now where that is an older
    one: of workloads and images a hash."""
    _listed: set[str] | None = field(default=None, init=False)
    """Those of a list; what it lacks is there no more."""
    _failed: set[str] = field(default_factory=set, init=False)
    """Keys of failures that this call has said."""

    def __post_init__(self) -> None:
        self.complete = self.inventory.complete
        self._served = {name: tuple(served) for name, *served in (line.split(" ") for line in self.before)}

    @property
    def waiting(self) -> tuple[str, ...]:
        known = (item for item in self._served.items() if self._listed is None or item[0] in self._listed)
        return tuple(" ".join((name, *served)) for name, served in known)[-MOST_WORKLOADS:]

    def listed(self, thing: R) -> Said:
        if self._listed is None:
            self._listed = set()
        self._listed.add(_name(thing))
        return (*self.inventory.listed(thing), *self._ended(thing))

    def changed(self, thing: R) -> Said:
        return (*self.inventory.changed(thing), *self._ended(thing))

    def deleted(self, thing: R) -> Said:
        self._served.pop(_name(thing), None)
        return self.inventory.deleted(thing)

    def _ended(self, thing: R) -> Sequence[Deployment]:
        end = ended(thing)
        if end is None:
            return ()
        result, at = end
        name, ours = _name(thing), _hash("\n".join(images(thing)))
        served = self._served.get(name, ())
        if served and served[-1] == ours:
            return ()
        kind = DeployKind.ROLLBACK if goes_back(served, ours) else DeployKind.PLANNED
        if result is DeployResult.SUCCESS:
            self._failed.clear()
            self._served.pop(name, None)
            firsts = tuple(dict.fromkeys((*served, ours)))[-VERSIONS:]
            self._served[name] = firsts if firsts[-1] == ours else (*firsts, ours)
        if not served:
            return ()
        made = self.told(thing, result, at, kind)
        if made is None or made.key in self._failed:
            return ()
        if result is DeployResult.FAILED:
            self._failed.add(made.key)
        return (made,)


def deployment(
    thing: Rolled, how: tuple[DeployResult, datetime, DeployKind], place: tuple[str, str, str], keep: Sequence[str]
) -> Deployment:
    """A rollout that ended, as a fact; `place` is cluster, kind of workload, and environment.

    One rollout is one revision of its Deployment, or one generation of what has no revisions. Its version is that of its
    first container, which is the workload's own; a commit is known where that is one.
    """
    (result, at, kind), (cluster, workload_kind, environment_), meta = how, place, thing.metadata
    tag = version(next(iter(images(thing)), ""))
    return Deployment(
        key=f"rollout/{meta.uid}/{meta.annotations.get(REVISION) or f'generation-{meta.generation}'}",
        at=at,
        about=workload_ref(cluster, meta.namespace, f"{workload_kind}/{meta.name}", ownership(meta.labels, keep)),
        updated=at,
        environment=environment_,
        sha=tag if _COMMIT.fullmatch(tag) else "",
        result=result,
        kind=kind,
        version=tag,
        way=DeployWay.ROLLOUT,
    )


def _name(thing: Rolled) -> str:
    return _hash(f"{thing.metadata.namespace}/{thing.metadata.name}")


def _hash(text: str) -> str:
    """48 bits: of 5,000 two are the same once in 20 million."""
    return urlsafe_b64encode(blake2b(text.encode(), digest_size=6).digest()).decode()
