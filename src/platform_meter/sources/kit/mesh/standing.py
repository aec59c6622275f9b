"""What stands in a mesh: workloads by whether their pods have its proxy, and what people told it about services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

from msgspec import Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.traffic import MemberState, MeshMember, MeshPolicy
from platform_meter.model.source import Outside, Page, Stream, Unexpected
from platform_meter.sources.kit import clusters
from platform_meter.sources.kit.kubernetes_objects import Meta, Resource, Thing, served
from platform_meter.sources.kit.list_watch import pages
from platform_meter.sources.kit.mesh.config import MeshConfig
from platform_meter.sources.kit.parents import OWNED, Parents, controller
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.workloads import LASTING, SYSTEM, ownership, pod_owner

T = TypeVar("T", bound=Thing)
ENDED = ("Succeeded", "Failed")
"""Phases of pods that ended by themselves."""
CLUSTERS_OWN = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that no mesh takes in."""
NAMESPACES = Resource(name="namespaces", verbs=("list",))
PODS = Resource(name="pods", verbs=("list",))
_OK, _FORBIDDEN, _NOT_FOUND = 200, 403, 404


class Noted(Meta, rename="camel"):
    annotations: dict[str, str] = field(default_factory=dict)


class Space(Thing):
    becomes: ClassVar[str] = "MeshMember"
    metadata: Noted


class Container(Struct):
    name: str = ""


class PodSpec(Struct, rename="camel"):
    containers: list[Container] = []
    init_containers: list[Container] = []
    host_network: bool = False


class PodStatus(Struct):
    phase: str = ""


class Pod(Thing):
    becomes: ClassVar[str] = "MeshMember"
    metadata: Noted
    spec: PodSpec = field(default_factory=PodSpec)
    status: PodStatus = field(default_factory=PodStatus)

    def has(self, container: str) -> bool:
        """Whether a container of it is called so; one that starts first and stays (a sidecar) is an init container."""
        return any(one.name == container for one in (*self.spec.containers, *self.spec.init_containers))


class Policy(Thing):
    becomes: ClassVar[str] = "MeshPolicy"


NOWHERE = Space(metadata=Noted())
"""The namespace of a pod whose own was not there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one kind of mesh is seen in a cluster."""

    system: str
    inside: Callable[[Pod], bool]
    """Whether its traffic goes through the mesh."""
    stays_out: Callable[[Pod, Space], bool]
    """Whether it, or its namespace, says itself that it stays outside."""
    policies: Mapping[str, Resource]
    """By kind."""

    def streams(self, config: MeshConfig, outside: Outside) -> Iterator[Stream]:
        """Of a cluster that is entered: two looks, each now and then."""
        if not config.enters:
            return
        parents = Parents(outside, config.page_size)

        def members(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
            return Sieve.over(outside, lambda sieve: self._members(config, parents, sieve))

        def policies(_checkpoint: bytes | None, _since: datetime, _now: datetime) -> Iterator[Page]:
            return Sieve.over(outside, lambda sieve: self._policies(config, sieve))

        yield Stream(name="members", read=members, gives=frozenset({MeshMember}), every=config.resync)
        yield Stream(name="policies", read=policies, gives=frozenset({MeshPolicy}), every=config.resync)

    def lacking(self, config: MeshConfig, outside: Outside) -> Sequence[str]:
        """A line for each thing that may not be listed. Of policies those count that are installed.

        Raises:
            SourceError: the cluster does not answer.
        """
        if not config.enters:
            return ()
        found = clusters.lacking(outside, (NAMESPACES, PODS, *OWNED.values()))
        return (*found, *(text for resource in self.policies.values() if (text := _refused(outside, resource))))

    def _members(self, config: MeshConfig, parents: Parents, sieve: Sieve) -> Iterator[Page]:
        """Each workload that outlives its pods. It is in the mesh when all its pods are that do not stay out."""
        spaces = {space.metadata.name: space for space in _listed(sieve, NAMESPACES.only_path, Space, config)}
        found = defaultdict[str, list[tuple[Ref, MemberState]]](list)
        for pod in _listed(sieve, PODS.only_path, Pod, config):
            meta = pod.metadata
            if pod.status.phase in ENDED or config.skips(meta.namespace):
                continue
            about = pod_owner(meta, controller(meta), config.cluster, config.kept_labels, parents.of)
            if about.id.split("/")[2] in LASTING:
                found[about.id].append((about, self._state(pod, spaces.get(meta.namespace, NOWHERE))))
        readings = tuple(
            MeshMember(about=pods[0][0], cluster=config.cluster, state=together([state for _, state in pods]))
            for pods in found.values()
        )
        yield Page(facts=readings, complete=frozenset({MeshMember}))

    def _state(self, pod: Pod, space: Space) -> MemberState:
        if self.inside(pod):
            return MemberState.IN_MESH
        stays = pod.metadata.namespace in CLUSTERS_OWN or pod.spec.host_network or self.stays_out(pod, space)
        return MemberState.EXEMPT if stays else MemberState.OUTSIDE

    def _policies(self, config: MeshConfig, sieve: Sieve) -> Iterator[Page]:
        facts = tuple(
            self._policy(config, kind, thing)
            for kind, resource in self.policies.items()
            for thing in _installed(sieve, resource, config)
            if not config.skips(thing.metadata.namespace)
        )
        yield Page(facts=facts, complete=frozenset({MeshPolicy}))

    def _policy(self, config: MeshConfig, kind: str, thing: Policy) -> MeshPolicy:
        meta = thing.metadata
        about = Ref(
            system=self.system,
            kind="policy",
            id=f"{config.cluster}/{meta.namespace}/{kind}/{meta.name}",
            labels=ownership(meta.labels, config.kept_labels),
            links=(f"{SYSTEM}:{config.cluster}/{meta.namespace}",),
        )
        return MeshPolicy(about=about, since=meta.creation_timestamp, cluster=config.cluster, policy=kind)


def together(states: Sequence[MemberState]) -> MemberState:
    """How a workload stands by how its pods do: one that is not whole inside is outside, while some of it should be in."""
    if all(state is MemberState.EXEMPT for state in states):
        return MemberState.EXEMPT
    return MemberState.OUTSIDE if MemberState.OUTSIDE in states else MemberState.IN_MESH


def _listed(sieve: Sieve, path: str, shape: type[T], config: MeshConfig) -> Sequence[T]:
    """All objects there. A list that is begun again counts from there."""
    found: list[T] = []
    begun = 0
    for page, beginning in pages(sieve, path, shape, config.page_size):
        if beginning != begun:
            found, begun = [], beginning
        found += page.items or ()
    return found


def _installed(sieve: Sieve, resource: Resource, config: MeshConfig) -> Sequence[Policy]:
    """All of a kind; none where it is not installed."""
    for path in served(sieve, resource):
        try:
            return _listed(sieve, path, Policy, config)
        except Unexpected as error:
            if error.status != _NOT_FOUND:
                raise
    return ()


def _refused(outside: Outside, resource: Resource) -> str:
    """That a kind which is installed may not be listed; empty where it may, or is not there."""
    for path in served(outside, resource):
        status, text = outside.text(path, params={"limit": 1})
        if status == _FORBIDDEN:
            return clusters.missing("list", f'{resource.name} (apiGroups: ["{resource.group}"])')
        if status != _NOT_FOUND:
            return "" if status == _OK else f"{path} answered {status}: {text[:200]}"
    return ""
