"""What the company's internal status page says of the platform's components, as its own people see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from platform_meter.demo.company.cluster import ClusterState
from platform_meter.demo.company.layout import CI, RUNTIME, SUPPORT
from platform_meter.demo.company.scenarios import Scenario, Trouble

UP, SLOW, PARTLY, DOWN = "operational", "degraded_performance", "partial_outage", "major_outage"
WELL = (UP, SLOW)
"""States in which a component does its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    id: str
    name: str
    team: str
    """Who answers for it."""


PORTAL = Component(id="portal", name="Developer portal", team=SUPPORT)
PIPELINES = Component(id="ci", name="Pipelines", team=CI)
GATEWAY = Component(id="api-gateway", name="API gateway", team=RUNTIME)


def components(clusters: Iterable[str]) -> tuple[Component, ...]:
    """All that the page tells of, with clusters by name."""
    return (PORTAL, PIPELINES, GATEWAY, *map(cluster_of, clusters))


def cluster_of(name: str) -> Component:
    return Component(id=f"cluster-{name}", name=f"Cluster {name}", team=RUNTIME)


def states(clusters: Mapping[str, ClusterState], scenario: Scenario, at: datetime) -> Iterator[tuple[Component, str]]:
    """How each stands: people write down what troubles it, and a machine whether a cluster is ready."""
    troubled = {PIPELINES: (Trouble.CI_OUTAGE, PARTLY), GATEWAY: (Trouble.SILENT_GATEWAY, SLOW)}
    for component in (PORTAL, PIPELINES, GATEWAY):
        trouble, then = troubled.get(component, (Trouble.NONE, UP))
        yield component, then if scenario.holds(trouble, at) else UP
    for name, cluster in clusters.items():
        yield cluster_of(name), UP if cluster.ready(at) else DOWN
