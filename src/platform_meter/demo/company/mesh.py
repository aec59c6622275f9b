"""The meshes: Istio in the first cluster, Linkerd in the second; who is in them, and what their proxies count.

Requests are pure functions of the time since the company began, as are those of `company.traffic`. Proxies count them as
whole ones; here they are not rounded, since the growth that a Prometheus tells is no whole number either.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import NormalDist

from platform_meter.demo.company.layout import Company, Service
from platform_meter.demo.company.lots import drawn
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.traffic import NOT_FOUND, Traffic, runs_in, traffic
from platform_meter.model.facts.traffic import MemberState

ISTIO, LINKERD = "istio", "linkerd"
PROXIES = {ISTIO: "istio-proxy", LINKERD: "linkerd-proxy"}
"""Container of the proxy in each pod of a member."""
MOST = 30
"""Members of one mesh."""
SHARES = (0.7, 0.3)
"""Of a service's requests, by cluster, where it runs in both."""
PLAIN = 0.1
"""Share of requests without mutual TLS, to one service in four: some of their clients are outside."""
_SECONDS = NormalDist(math.log(0.04), 1.1)
"""Of the logarithm: one request in two takes at most 40 ms, and one in 500 more than a second."""
MEAN_SECONDS = math.exp(_SECONDS.mean + _SECONDS.variance / 2)
_HIT = frozenset({Trouble.MESH_OUTAGE, Trouble.CLUSTER_SLOW})


def meshes(company: Company) -> Mapping[str, str]:
    """Mesh by cluster."""
    return dict(zip((cluster.name for cluster in company.clusters), (ISTIO, LINKERD), strict=True))


def standing(company: Company, cluster: str) -> Mapping[str, MemberState]:
    """How each service of the cluster stands to its mesh. Stateful ones stay outside, and of the others one in ten says so."""
    found: dict[str, MemberState] = {}
    for service in company.services:
        if runs_in(company, service, cluster):
            full = sum(state is MemberState.IN_MESH for state in found.values()) == MOST
            found[service.id] = MemberState.OUTSIDE if full else _state(service, cluster)
    return found


def _state(service: Service, cluster: str) -> MemberState:
    lot = drawn(cluster, service.id) % 10
    if stateful(service) or lot in {1, 2}:
        return MemberState.OUTSIDE
    return MemberState.IN_MESH if lot else MemberState.EXEMPT


def stateful(service: Service) -> bool:
    """Whether it is a StatefulSet; the others are Deployments."""
    return service.id.endswith("-search")


def within(seconds: float) -> float:
    """Share of requests that took at most so many seconds."""
    return _SECONDS.cdf(math.log(seconds)) if seconds > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Requests so far, or in a stretch of time, by what was answered."""

    good: float
    missing: float
    """404, for which the client answers."""
    failed: float

    @property
    def valid(self) -> float:
        """Those that an SLO counts."""
        return self.good + self.failed

    def since(self, before: Counted) -> Counted:
        return Counted(
            good=self.good - before.good, missing=self.missing - before.missing, failed=self.failed - before.failed
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A service whose requests go through a mesh."""

    mesh: str
    cluster: str
    service: Service
    traffic: Traffic
    plain: float
    """Share of its requests that come without mutual TLS."""

    def counted(self, at: datetime) -> Counted:
        """Since the company began; none of the three ever falls."""
        requests, failed = self.traffic.requests(at), self.traffic.failing(at)
        missing = NOT_FOUND * requests
        return Counted(good=requests - missing - failed, missing=missing, failed=failed)

    def between(self, start: datetime, end: datetime) -> Counted:
        return self.counted(end).since(self.counted(start))


def members(company: Company, scenario: Scenario, cluster: str) -> Iterator[Member]:
    """Who is in the mesh of this cluster. Troubles of meshes and clusters are the first one's."""
    names = [one.name for one in company.clusters]
    hit = scenario.trouble in _HIT and cluster == names[0]
    states = standing(company, cluster)
    for service in company.services:
        if states.get(service.id) is MemberState.IN_MESH:
            whole = traffic(company, scenario, service)
            share = SHARES[names.index(cluster)] if len(service.regions) > 1 else 1.0
            yield Member(
                mesh=meshes(company)[cluster],
                cluster=cluster,
                service=service,
                traffic=replace(
                    whole, rate=whole.rate * share, trouble=(scenario.begin or company.start) if hit else None
                ),
                plain=0.0 if drawn(cluster, service.id) % 4 else PLAIN,
            )
