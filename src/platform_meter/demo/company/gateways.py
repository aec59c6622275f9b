"""What the gateways serve: Kong the public API of two orgs, NGINX the websites, Amazon's API Gateway the mobile org's.

Their requests are pure functions of the time since the company began. The k-th request to a route takes as long as the
k-th of `DURATIONS`, which begin again after the last, so that any stretch of requests has a histogram of its own.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from statistics import NormalDist

from platform_meter.demo.company.layout import Company, Service
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.company.traffic import NOT_FOUND, Traffic, runs_in, traffic
from platform_meter.model.metric import UNOWNED

KONG, NGINX, AWS = "kong", "nginx", "aws-eu"
"""What each is called, in the meter's settings too."""
PUBLIC, MOBILE = frozenset({"shop", "logistics"}), "mobile"
"""Whose the services behind Kong and behind Amazon's gateway are."""
MOST = {KONG: 12, NGINX: 10, AWS: 6}
"""Routes of owners; in a small company there are fewer."""
NOBODYS = {KONG: ("legacy-status", "partner-hook"), NGINX: ("monitoring/dashboards",), AWS: ("campaign-2023",)}
"""Routes that nothing says the owner of."""
NODES = ("kong-1", "kong-2")
"""Kong's data planes; they take the requests of a route in turn."""
SIGNS = timedelta(seconds=30)
"""Between two signs of life of a data plane."""
VERBS = ("GET", "POST")
"""Of the routes of each API at Amazon."""
COUNT = 1_000
DURATIONS = tuple(
    round(math.exp(NormalDist(math.log(0.04), 1.1).inv_cdf((k * 617 % COUNT + 0.5) / COUNT)), 3) for k in range(COUNT)
)
"""Seconds; one in two takes at most 40 ms, and one in 500 more than a second."""
_SUMS = tuple(accumulate(DURATIONS, initial=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Requests to one route so far, or in a stretch of time."""

    good: int
    missing: int
    """404, for which the client answers."""
    failed: int

    @property
    def all(self) -> int:
        return self.good + self.missing + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One route of a gateway."""

    gateway: str
    name: str
    """As the gateway calls it; of NGINX namespace and Ingress, of Amazon the API."""
    service: Service | None
    """None: it is nobody's."""
    traffic: Traffic

    @property
    def owner(self) -> tuple[str, str]:
        """(service, team) as the meter must find them."""
        return (self.service.id, self.service.team) if self.service else (UNOWNED, UNOWNED)

    def answered(self, at: datetime) -> Answered:
        return answered(self.traffic, at)


def answered(of: Traffic, at: datetime) -> Answered:
    """Since the company began; none of the three ever falls."""
    requests, failing = of.requests(at), of.failing(at)
    # Each grows by itself, so that a look in between finds none smaller than before.
    return Answered(
        good=int((1 - NOT_FOUND) * requests - failing), missing=int(NOT_FOUND * requests), failed=int(failing)
    )


def within(count: int, seconds: float) -> int:
    """How many of the first so many requests to a route took at most so many seconds."""
    whole, rest = divmod(count, COUNT)
    places = _quick(seconds)
    return whole * len(places) + bisect_right(places, rest - 1)


def took(count: int) -> float:
    """Seconds that the first so many requests to a route took together."""
    whole, rest = divmod(count, COUNT)
    return whole * _SUMS[-1] + _SUMS[rest]


@cache
def _quick(seconds: float) -> tuple[int, ...]:
    """The places of the durations that are no longer than this."""
    return tuple(place for place, duration in enumerate(DURATIONS) if duration <= seconds)


def part(of: Answered, node: str) -> Answered:
    """What one node of Kong answered of it."""

    def taken(count: int) -> int:
        return (count + len(NODES) - 1 - NODES.index(node)) // len(NODES)

    return Answered(good=taken(of.good), missing=taken(of.missing), failed=taken(of.failed))


def last_sign(scenario: Scenario, node: str, at: datetime) -> datetime:
    """When Kong's control plane heard from a data plane last: twice a minute, and of the silent one not since it fell silent."""
    silent = node == NODES[-1] and scenario.holds(Trouble.SILENT_GATEWAY, at)
    until = scenario.begin if silent and scenario.begin else at
    return until - timedelta(seconds=until.timestamp() % SIGNS.total_seconds())


def routes(company: Company, scenario: Scenario) -> tuple[Served, ...]:
    """Every route of every gateway."""
    cluster = company.clusters[0].name

    def stands(service: Service) -> bool:
        return runs_in(company, service, cluster)

    def org(service: Service) -> str:
        return company.team[service.team].org

    found = {
        KONG: (s for s in company.services if s.type == "service" and org(s) in PUBLIC and stands(s)),
        NGINX: (s for s in company.services if s.type == "website" and stands(s)),
        AWS: (s for s in company.services if s.type == "service" and org(s) == MOBILE and not stands(s)),
    }
    called: dict[str, Callable[[Service], str]] = {NGINX: lambda service: f"{service.team}/{service.id}"}
    return tuple(
        Served(gateway=gateway, name=name, service=service, traffic=requests)
        for gateway, services in found.items()
        for name, service, requests in (
            *((called.get(gateway, _id)(s), s, traffic(company, scenario, s)) for s in _first(services, MOST[gateway])),
            *((name, None, _steady(company, name)) for name in NOBODYS[gateway]),
        )
    )


def _id(service: Service) -> str:
    return service.id


def _first(services: Iterable[Service], most: int) -> list[Service]:
    return [service for service, _ in zip(services, range(most), strict=False)]


def _steady(company: Company, name: str) -> Traffic:
    began = datetime.combine(company.epoch, time(0), tzinfo=UTC)
    return Traffic(service=name, rate=0.5, began=began, trouble=None)


def served(company: Company, scenario: Scenario, gateway: str) -> tuple[Served, ...]:
    """The routes of one gateway."""
    return tuple(route for route in routes(company, scenario) if route.gateway == gateway)
