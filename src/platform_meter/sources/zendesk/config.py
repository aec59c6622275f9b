"""Settings of the Zendesk source, and how it is let in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import Field

from platform_meter.model.access import Access, Basic, Pace, Secret, Token
from platform_meter.model.scalars import Address
from platform_meter.model.source import SourceConfig

Queue = Literal["group", "brand", "form"]
FIELDS: Mapping[Queue, str] = {"group": "group_id", "brand": "brand_id", "form": "ticket_form_id"}
"""The field of a ticket that says in which queue it is."""
LISTS: Mapping[Queue, str] = {"group": "groups", "brand": "brands", "form": "ticket_forms"}
"""Where all queues are listed, and what each is called in a `Ref`."""


class Config(SourceConfig):
    url: Address = Field(examples=["https://acme.zendesk.com"])
    email: str | None = None
    """The account of the API token. Without it the token is an OAuth access token."""
    token: Secret
    queue: Queue = "group"
    """What a queue is: the group that a ticket is assigned to, its brand, or its form."""
    priorities: dict[str, str] = Field(default_factory=dict)
    """Zendesk's priorities in the words of the Ticketing files: `{urgent: P1}`."""
    bots: tuple[str, ...] = ()
    """Users that are no people, by id or mail address. Triggers, automations and the system are known without."""
    sla_clocks: bool = False
    """Read the metric events too: the clocks of SLA policies, one call for each ticket of which they tell something new."""
    ratings: bool = False
    """Read the satisfaction ratings too."""
    calls_per_minute: int = Field(default=100, ge=10, le=2500)
    """How many calls of the account's quota this source may take: half of what the smallest plan has."""


def access(config: Config) -> Access:
    # Of an API token the user is the account's mail address with `/token` behind it.
    basic = Basic(user=f"{config.email}/token", password=config.token) if config.email else None
    return Access(
        url=config.url,
        credential=basic or Token(secret=config.token),
        rate_headers=("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
        pace=Pace(points=config.calls_per_minute, per=timedelta(minutes=1)),
    )
