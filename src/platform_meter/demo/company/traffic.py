"""What the services answer: requests by code and by time, pure functions of the time since the company began.

Counters follow the rhythm of the day and never fall; in cluster-slow they count errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from math import cos, pi, tau

from platform_meter.demo.company.layout import Company, Service, active
from platform_meter.demo.company.lots import drawn
from platform_meter.demo.company.scenarios import Scenario, Trouble

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SHARES = (0.08, 0.22, 0.5, 0.72, 0.86, 0.95, 0.985, 0.995, 0.999)
"""Share of requests at or under each bucket's bound."""
MEAN_SECONDS = 0.068
ERRORS, NOT_FOUND = 0.0006, 0.012
TROUBLE_ERRORS = 0.2
"""Share of requests that fail while the cluster is slow."""
DAY = 86_400.0
SWING = 0.75
"""How far traffic rises and falls around its mean in a day; it is highest at 13:00 UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests that one service has answered since the company began."""

    service: str
    rate: float
    """Mean requests per second."""
    began: datetime
    trouble: datetime | None
    """From when on it answers with errors."""
    calm: datetime | None = None
    """From when on it does so no more."""

    def requests(self, at: datetime) -> float:
        """The integral of `rate * (1 - SWING * cos(...))` since `began`."""
        seconds = (at - self.began).total_seconds()
        if seconds <= 0:
            return 0.0

        def swung(moment: datetime) -> float:
            hour = (moment - datetime.combine(moment.date(), time(1), tzinfo=UTC)).total_seconds()
            return tau * hour / DAY

        # the integral of the cosine over whole days is zero, so the phases of both ends are all that matters
        low, high = swung(self.began), swung(at)
        return self.rate * (seconds - SWING * DAY / tau * (cos(high - pi / 2) - cos(low - pi / 2)))

    def failing(self, at: datetime) -> float:
        """Requests that failed, before they are counted as whole ones."""
        extra = 0.0
        if self.trouble is not None and at > self.trouble:
            until = at if self.calm is None else min(at, max(self.calm, self.trouble))
            extra = self.requests(until) - self.requests(self.trouble)
        return ERRORS * self.requests(at) + TROUBLE_ERRORS * extra

    def failed(self, at: datetime) -> int:
        return int(self.failing(at))

    def codes(self, at: datetime) -> dict[str, int]:
        """Requests by status code; none of them ever falls."""
        total, failed = int(self.requests(at)), self.failed(at)
        missing = int(NOT_FOUND * self.requests(at))
        return {"200": max(0, total - failed - missing), "404": missing, "500": failed}

    def buckets(self, at: datetime) -> list[tuple[str, int]]:
        total = int(self.requests(at))
        found = [(f"{bound:g}", int(share * self.requests(at))) for bound, share in zip(BUCKETS, SHARES, strict=True)]
        return [*found, ("+Inf", total)]


def traffic(company: Company, scenario: Scenario, service: Service) -> Traffic:
    """Its rate follows from how busy the service is; services in the slow cluster get the errors."""
    troubled = scenario.trouble is Trouble.CLUSTER_SLOW and runs_in(company, service, company.clusters[0].name)
    return Traffic(
        service=service.id,
        rate=0.2 + min(service.weight, 8.0) * (1 + drawn(service.id) % 5) / 2,
        began=datetime.combine(company.epoch, time(0), tzinfo=UTC),
        trouble=(scenario.begin or company.start) if troubled else None,
        calm=scenario.end,
    )


def runs_in(company: Company, service: Service, cluster: str) -> bool:
    return cluster in service.regions and active(service.kubernetes, company.day(company.start))


def serving(company: Company) -> list[Service]:
    """The services that answer requests: libraries don't."""
    return [service for service in company.services if service.type != "library"]
