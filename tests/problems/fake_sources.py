"""Source types for tests of configuration and definitions: shapes only, nothing is ever connected."""

from __future__ import annotations

from typing import Any

from platform_meter.model.access import Access, Secret
from platform_meter.model.facts import Fact
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.delivery import Deployment, Repository
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.portal import CatalogEntity
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.facts.use import Usage
from platform_meter.model.scalars import Address, LocalPath
from platform_meter.model.source import Source, SourceConfig


class GitHub(SourceConfig):
    org: str
    token: Secret
    repositories: tuple[str, ...] = ("*",)


class Tracker(SourceConfig):
    type: str
    url: Address
    token: Secret | None = None


class Cluster(SourceConfig):
    cluster: str
    context: str = ""
    kubeconfig: LocalPath = ""


class Portal(SourceConfig):
    url: str = "http://127.0.0.1:7007"


def _source(name: str, config: type[SourceConfig], *gives: type[Fact]) -> Source[Any]:
    return Source(
        name=name,
        title=name.title(),
        reads="nothing",
        needs="nothing",
        config=config,
        gives=frozenset(gives),
        access=lambda _: Access(),
        connect=lambda _config, _outside, _instance: (),
        check=lambda _config, _outside: (),
    )


TYPES = {
    s.name: s
    for s in (
        _source("github", GitHub, PipelineRun, Deployment, Repository, TicketEvent),
        _source("jira", Tracker, TicketEvent),
        _source("kubernetes", Cluster, Workload),
        _source("backstage", Portal, CatalogEntity, Usage),
        _source("kong", Portal, Usage, Workload),
    )
}
CONFIGS: dict[str, type[SourceConfig]] = {name: source.config for name, source in TYPES.items()}
