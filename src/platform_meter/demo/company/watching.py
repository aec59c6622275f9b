"""The one team that watches its service with Datadog: requests, monitors, an SLO of Datadog's own, incidents.

Requests are those that the service's own counters tell a Prometheus of, by the minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from platform_meter.demo.company.layout import FOREVER, PLATFORM_TEAMS, Company, Service
from platform_meter.demo.company.records import Incident
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.company.traffic import Traffic, serving, traffic

ALERTING = timedelta(minutes=5)
"""How far back monitors look."""
SICK, BUSY = 0.01, 1.5
"""Share of errors that is an alert, and how many times the mean traffic is a warning."""
TARGET = 0.999
BEFORE = timedelta(hours=3)
"""So long before live time began the service broke."""
DECLARED = timedelta(minutes=1)
"""So long after those on call are told, somebody declares the incident in Datadog."""


class Metric(StrEnum):
    """What Datadog's tracing counts of a service."""

    HITS = "trace.http.request.hits"
    ERRORS = "trace.http.request.errors"


class Check(StrEnum):
    """What a monitor looks at."""

    ERRORS = "errors"
    LATENCY = "latency"
    LOAD = "load"
    HOST = "host"
    """Of a machine that was switched off long ago."""
    DRAFT = "draft"
    """It looks at nothing yet."""


OWNED = frozenset({Check.ERRORS, Check.LATENCY, Check.LOAD})
"""Those that say whose they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The service, and what it answers."""

    service: Service
    traffic: Traffic

    @property
    def slo(self) -> str:
        """What its SLO and SLI are called."""
        return f"{self.service.id}-requests"

    def counted(self, metric: Metric, start: datetime, end: datetime) -> int:
        """Of the requests after `start`, up to `end`."""
        if metric is Metric.HITS:
            return int(self.traffic.requests(end)) - int(self.traffic.requests(start))
        return self.traffic.failed(end) - self.traffic.failed(start)

    def state(self, check: Check, at: datetime) -> str:
        """How a monitor stands, in Datadog's words."""
        hits, errors = (self.counted(metric, at - ALERTING, at) for metric in Metric)
        match check:
            case Check.ERRORS:
                return "Alert" if errors > SICK * hits else "OK"
            case Check.LOAD:
                return "Warn" if hits > BUSY * self.traffic.rate * ALERTING.total_seconds() else "OK"
            case Check.HOST | Check.DRAFT:
                return "No Data"
            case _:
                return "OK"


def watched_service(company: Company) -> Service:
    """The first that answers requests and is a team's that uses the platform and stays; in a company without one any."""

    def unfit(service: Service) -> bool:
        return service.team in PLATFORM_TEAMS or company.team[service.team].until != FOREVER

    return min(serving(company), key=unfit)


def watched(company: Company, scenario: Scenario) -> Watched:
    service = watched_service(company)
    return Watched(service=service, traffic=traffic(company, scenario, service))


def told_there(company: Company, incidents: Iterable[Incident], at: datetime) -> Iterator[Incident]:
    """Incidents that the team has in Datadog too by then: those of its service, each once."""
    name = watched_service(company).id
    return (one for one in incidents if one.repo.name == name and not one.into and one.begun + DECLARED <= at)
