"""One simulated company that lives: layout, story, clusters and the clock that all its APIs share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from platform_meter.demo.company.cluster import ClusterState
from platform_meter.demo.company.history import History
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario

JIRA_USER = "meter@acme.test"
GITHUB_LIMIT = 15_000
"""Calls per hour and token: what GitHub gives an enterprise's App. A personal token has 5,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a test may want otherwise."""

    github_limit: int = GITHUB_LIMIT
    github_token: str = "ghs_demo"  # noqa: S105 - opens nothing but the simulation
    jira_token: str = "jira_demo"  # noqa: S105
    kubernetes_token: str = "kube_demo"  # noqa: S105
    kubernetes_log: int = 2_000
    """Changes a cluster remembers; a watch from before them gets 410."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    company: Company
    history: History
    clusters: MappingProxyType[str, ClusterState]
    clock: Callable[[], datetime]
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def build(
        cls,
        company: Company,
        clock: Callable[[], datetime],
        *,
        scenario: Scenario | None = None,
        settings: Settings | None = None,
    ) -> World:
        """The world of this company; `clock` gives the moment that counts as now, never before `company.start`."""
        history = History(company, scenario)
        history.extend(company.start)
        chosen = settings or Settings()
        clusters = {c.name: ClusterState(c, history, log=chosen.kubernetes_log) for c in company.clusters}
        return cls(company=company, history=history, clusters=MappingProxyType(clusters), clock=clock, settings=chosen)

    @property
    def scenario(self) -> Scenario:
        return self.history.scenario

    def now(self) -> datetime:
        """The moment, with the story known up to it; whole seconds, as the APIs tell time."""
        moment = self.clock().replace(microsecond=0)
        self.history.extend(moment)
        return moment
