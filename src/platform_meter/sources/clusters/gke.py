"""Clusters of one project in all of its locations, as Google lists them (`projects.locations.clusters.list` of container v1)."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from msgspec import Struct, field

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import CloudCluster, Provider
from platform_meter.model.source import Unreachable
from platform_meter.sources.clusters.eks import SYSTEM
from platform_meter.sources.kit.rows import Row, Sieve

LACKS = "grant container.clusters.list (roles/container.clusterViewer) on the project, and enable the API there"
ISSUERS = "https://container.googleapis.com/v1"
"""Where the issuer of every cluster of GKE begins; the rest is the cluster's own name there."""


class _Cluster(Row, rename="camel"):
    becomes: ClassVar[str] = "CloudCluster"

    name: str
    location: str
    current_master_version: str = ""


class _Clusters(Struct, rename="camel"):
    clusters: list[_Cluster] = field(default_factory=list)
    missing_zones: list[str] = field(default_factory=list)


def clusters(outside: Sieve, project: str) -> tuple[CloudCluster, ...]:
    """Every cluster of the project; one is what its cloud calls it, so its issuer need not be asked for.

    Raises:
        Unreachable: some zones did not answer: then nobody knows which clusters there are.
        SourceError: the API does not answer, or does not allow it.
    """
    path = f"/v1/projects/{quote(project, safe='')}/locations/-/clusters"
    found = outside.get(path, _Clusters).body or _Clusters()
    if found.missing_zones:
        raise Unreachable(f"{path}: nothing is told of {', '.join(sorted(found.missing_zones))}")
    return tuple(_reading(row, project) for row in found.clusters)


def _reading(row: _Cluster, project: str) -> CloudCluster:
    return CloudCluster(
        about=Ref(system=SYSTEM, kind="cluster", id=f"{Provider.GKE}/{project}/{row.location}/{row.name}"),
        provider=Provider.GKE,
        account=project,
        region=row.location,
        name=row.name,
        version=row.current_master_version,
        issuer=f"{ISSUERS}/projects/{project}/locations/{row.location}/clusters/{row.name}",
    )
