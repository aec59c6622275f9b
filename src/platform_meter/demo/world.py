"""One simulated company that lives: layout, story, clusters and the clock that all its APIs share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from platform_meter.demo.company.cluster import ClusterState
from platform_meter.demo.company.history import History
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    company: Company
    history: History
    clusters: MappingProxyType[str, ClusterState]
    clock: Callable[[], datetime]

    @classmethod
    def build(cls, company: Company, clock: Callable[[], datetime], *, scenario: Scenario | None = None) -> World:
        """The world of this company; `clock` gives the moment that counts as now, never before `company.start`."""
        history = History(company, scenario)
        history.extend(company.start)
        clusters = {c.name: ClusterState(c, history) for c in company.clusters}
        return cls(company=company, history=history, clusters=MappingProxyType(clusters), clock=clock)

    @property
    def scenario(self) -> Scenario:
        return self.history.scenario

    def now(self) -> datetime:
        """The moment, with the story known up to it; whole seconds, as the APIs tell time."""
        moment = self.clock().replace(microsecond=0)
        self.history.extend(moment)
        return moment
