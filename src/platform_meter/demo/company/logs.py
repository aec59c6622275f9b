"""What is logged: the requests of the gateway, and those of the services of some teams, in a data stream for each.

One team's shipper stopped some hours before live time began, and nobody saw it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.demo.company.gateways import KONG, Answered, answered, served
from platform_meter.demo.company.layout import FOREVER, PLATFORM_TEAMS, RUNTIME, Company, Team
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.company.traffic import Traffic, serving, traffic

GATEWAY = "logs-gateway.access-prod"
"""The data stream of the gateway's access log."""
QUIET = timedelta(hours=9)
"""So long before live time began nothing was logged any more by the one that fell silent."""
EVERY, MOST = 3, 12
"""One team in three logs there, and no more than so many."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """The documents of one data stream: one for each request."""

    name: str
    team: str
    requests: tuple[Traffic, ...]
    until: datetime | None = None
    """From when on nothing came in any more."""

    @property
    def pattern(self) -> str:
        """What names its indices."""
        return f"{self.name.removesuffix('-prod')}-*"

    def answered(self, at: datetime) -> Answered:
        """Of all its documents that are dated up to then."""
        moment = at if self.until is None else min(at, self.until)
        found = [answered(one, moment) for one in self.requests]
        return Answered(
            good=sum(one.good for one in found),
            missing=sum(one.missing for one in found),
            failed=sum(one.failed for one in found),
        )

    def newest(self, at: datetime) -> datetime:
        """The second that the newest document until `at` is dated in."""
        second = (at if self.until is None else min(at, self.until)).replace(microsecond=0)
        known = self.answered(second)
        while self.answered(second - _SECOND) == known:
            second -= _SECOND
        return second


def logged(company: Company, scenario: Scenario) -> tuple[Logged, ...]:
    """Every data stream: the gateway's, then those of teams in order, of which the last fell silent."""
    gateway = tuple(route.traffic for route in served(company, scenario, KONG))
    teams, until = _teams(company), company.start - QUIET
    return (
        Logged(name=GATEWAY, team=RUNTIME, requests=gateway),
        *(
            Logged(
                name=f"logs-{team.id}-prod",
                team=team.id,
                requests=tuple(traffic(company, scenario, s) for s in serving(company) if s.team == team.id),
                until=until if team is teams[-1] else None,
            )
            for team in teams
        ),
    )


def found(streams: Iterable[Logged], pattern: str) -> list[Logged]:
    """Those that a pattern with a star behind it, or a whole name, names."""
    star, begin = pattern.endswith("*"), pattern.removesuffix("*")
    return [one for one in streams if (one.name.startswith(begin) if star else one.name == pattern)]


def _teams(company: Company) -> list[Team]:
    owners = {service.team for service in serving(company)}
    here = [t for t in company.teams if t.id not in PLATFORM_TEAMS and t.until == FOREVER and t.id in owners]
    return here[::EVERY][:MOST]
