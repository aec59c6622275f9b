"""What may be set for PagerDuty, and how its API is reached and how fast."""

from __future__ import annotations

from pydantic import Field

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.facts.incidents import Severity
from platform_meter.model.scalars import Address
from platform_meter.model.source import SourceConfig
from platform_meter.sources.pagerduty.facts import Conventions
from platform_meter.sources.pagerduty.lists import Filters


class Config(SourceConfig):
    url: Address = Field("https://api.pagerduty.com", examples=["https://api.eu.pagerduty.com"])
    token: Secret
    """A read-only API key."""
    services: tuple[str, ...] = ()
    """Ids of services whose incidents are read; none means all."""
    teams: tuple[str, ...] = ()
    """Ids of teams, likewise."""
    severities: dict[str, Severity] = Field(default_factory=dict, examples=["{P1: critical, low: minor}"])
    """What the account's priorities and urgencies mean, before the table of the documentation."""
    details: bool = False
    """Read the first alert of each incident too, for the names of other records in it, at a call each."""
    webhook: Secret | None = None
    """The secret of a webhook subscription that sends to us."""

    @property
    def conventions(self) -> Conventions:
        return Conventions(severities=self.severities, services=self.services, teams=self.teams)

    @property
    def filters(self) -> Filters:
        wanted = {"service_ids[]": sorted(self.services), "team_ids[]": sorted(self.teams)}
        return {name: ids for name, ids in wanted.items() if ids}


def access(config: Config) -> Access:
    """developer.pagerduty.com, "REST API Rate Limits": 960 calls a minute for a key."""
    return Access(
        url=config.url,
        credential=Token(secret=config.token, prefix="Token token="),
        headers={"Accept": "application/vnd.pagerduty+json;version=2"},
        rate_headers=("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    )
