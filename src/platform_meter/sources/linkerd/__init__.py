"""Linkerd in one cluster: requests, durations and mutual TLS of its workloads, as its proxies count them; who is in it; policies."""

from __future__ import annotations

from collections.abc import Sequence

from platform_meter.model.facts.traffic import MeshLatency, MeshMember, MeshPolicy, MeshRequests, MeshSecurity
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Area, Outside, Source, Stream
from platform_meter.sources.kit.mesh import ways
from platform_meter.sources.kit.mesh.config import MeshConfig
from platform_meter.sources.linkerd.counters import MESH, SYSTEM
from platform_meter.sources.linkerd.standing import STANDING


class Config(MeshConfig):
    """Settings of the Linkerd of one cluster."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """Traffic from a Prometheus or from pages, and two looks at a cluster that is entered."""
    del instance
    return (*ways.streams(MESH, config, outside), *STANDING.streams(config, outside))


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line for each thing that is refused or lacking."""
    return (*ways.lacking(MESH, config, outside), *STANDING.lacking(config, outside))


def propose(around: Surroundings) -> Proposal:
    """A sample: nothing around tells of a mesh."""
    del around
    return Proposal(
        about="Linkerd's workloads in a cluster: requests, durations and mutual TLS by a Prometheus that scrapes its proxies.",
        sample=(SYSTEM, {"cluster": "prod", "prometheus": {"url": "http://localhost:9090"}}),
        fill_in="its address",
    )


SOURCE = Source(
    name=SYSTEM,
    title="Linkerd",
    area=Area.MESH,
    reads="requests, durations and mutual TLS of its workloads, by a Prometheus or pages of proxies; workloads in it, policies",
    needs="reading `/api/v1/query` and `/api/v1/query_range`; `list` on pods, namespaces and Linkerd's own resources",
    config=Config,
    gives=frozenset({MeshRequests, MeshLatency, MeshSecurity, MeshMember, MeshPolicy}),
    access=lambda config: config.access,
    connect=connect,
    check=check,
    propose=propose,
)
