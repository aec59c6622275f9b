"""Clusters that a cloud runs, as it lists them itself: those of EKS by account and region, those of GKE by project.

What is in them the `kubernetes` source reads, of each that it is told of; this one shows which nobody told it of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Self

from pydantic import model_validator

from platform_meter.model.access import Access, Aws, Google
from platform_meter.model.facts.kubernetes import CloudCluster
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.scalars import Address, Definition, LocalPath, Period
from platform_meter.model.source import Area, Outside, Page, Refused, Source, SourceConfig, Stream
from platform_meter.sources.clusters import eks, gke
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.ways import Named


class EksRegion(Definition):
    """One region of Amazon EKS, asked as whom boto3 finds in the environment."""

    region: Named
    """Such as `eu-central-1`."""
    role: str = ""
    """ARN of a role to assume."""
    profile: str = ""
    """Of the shared AWS configuration files."""


class GkeProject(Definition):
    """One project of Google, asked as whom google-auth finds in the environment."""

    project: Named
    """Its id."""
    key_file: LocalPath = ""
    """Path of a service account's key or of a workload identity federation."""
    api: Address = "https://container.googleapis.com"
    """Address of the container API."""


class Config(SourceConfig):
    """Settings of one account and region, or of one project."""

    eks: EksRegion | None = None
    """Clusters of Amazon EKS."""
    gke: GkeProject | None = None
    """Clusters of Google GKE."""
    every: Period = timedelta(hours=1)

    @model_validator(mode="after")
    def _one_cloud(self) -> Self:
        if (self.eks is None) == (self.gke is None):
            found = "both" if self.eks else "none"
            raise ValueError(
                f"{found} of eks and gke is set; write exactly one, such as `eks: {{region: eu-central-1}}` or "
                "`gke: {project: acme-prod}`, and a source of its own for each region and project"
            )
        return self


def access(config: Config) -> Access:
    if config.eks is not None:
        one = config.eks
        return Access(credential=Aws(service="eks", region=one.region, role=one.role, profile=one.profile))
    if config.gke is not None:
        return Access(credential=Google(url=config.gke.api, key_file=config.gke.key_file))
    raise AssertionError("settings name a cloud")


def _listed(config: Config, outside: Sieve, now: datetime) -> tuple[Sequence[CloudCluster], bool]:
    """Clusters, and whether these are all."""
    if config.gke is not None:
        return gke.clusters(outside, config.gke.project), True
    return eks.clusters(outside, now)


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One list. What is not on it is over only where it is whole."""
    del instance

    def pages(sieve: Sieve, now: datetime) -> Iterator[Page]:
        found, whole = _listed(config, sieve, now)
        yield Page(facts=found, complete=frozenset({CloudCluster} if whole else ()))

    return (
        Stream(
            name="clusters",
            read=lambda _checkpoint, _since, now: Sieve.over(outside, lambda sieve: pages(sieve, now)),
            gives=frozenset({CloudCluster}),
        ),
    )


def check(config: Config, outside: Outside) -> Sequence[str]:
    """The list, small, and one cluster of it: a line with what to allow where one is refused."""
    try:
        if config.gke is not None:
            gke.clusters(Sieve(outside), config.gke.project)
        else:
            eks.tried(Sieve(outside))
    except Refused as error:
        return [f"{error}; {eks.LACKS if config.gke is None else gke.LACKS}"]
    return []


def propose(around: Surroundings) -> Proposal:
    """A sample: which accounts a company has nothing around tells."""
    del around
    return Proposal(
        about="Which clusters a cloud runs, to see those that nobody measures; one section for each region or project.",
        sample=("clusters-eu", {"eks": {"region": "eu-central-1"}}),
        fill_in="your region, or write `gke: {project: ID}`",
        by_hand=True,
    )


SOURCE = Source(
    name="clusters",
    title="EKS and GKE",
    area=Area.CLUSTERS,
    reads="which clusters a cloud runs in an account and region, or in a project",
    needs="`eks:ListClusters` and `eks:DescribeCluster`; or `container.clusters.list`",
    config=Config,
    gives=frozenset({CloudCluster}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
