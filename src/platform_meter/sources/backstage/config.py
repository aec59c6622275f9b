"""What the config file says of a Backstage."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.scalars import Address, LocalPath
from platform_meter.model.source import SourceConfig

SYSTEM = "backstage"


class Required(StrEnum):
    """What an entry may be asked to have, beside its owner."""

    DESCRIPTION = "description"
    TITLE = "title"
    TAGS = "tags"
    LINKS = "links"
    TYPE = "type"
    LIFECYCLE = "lifecycle"
    SYSTEM = "system"
    DOMAIN = "domain"
    DOCS = "docs"
    """The annotation `backstage.io/techdocs-ref`."""


class Config(SourceConfig):
    """Settings of one Backstage."""

    url: Address = Field(examples=["https://backstage.example"])
    """Its backend: `/api/catalog` stands below it."""
    token: Secret
    """A static token of `backend.auth.externalAccess`, or a service token."""
    portal: Address | None = None
    """Where people open it, for links to its pages; `url` unless given."""
    ca_file: LocalPath | None = None
    catalog: bool = True
    """Entries, groups and who is in them are read."""
    templates: bool = True
    """Runs of software templates are read."""
    analytics: bool = False
    """Something sends the portal's analytics events to `/api/v1/events/<this source>`."""
    webhook: Secret | None = None
    """What who has no role signs these with, by Standard Webhooks."""
    required: tuple[Required, ...] = (Required.DESCRIPTION, Required.LIFECYCLE, Required.SYSTEM)
    """What a complete entry has beside an owner, as far as its kind can have it."""
    no_teams: tuple[str, ...] = ("business-unit", "product-area", "department", "organization", "root")
    """Types of groups that stand above teams: whoever is in one is in no team by that."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.catalog or self.templates or self.analytics):
            raise ValueError("nothing is read; write catalog: true, templates: true or analytics: true")
        if self.webhook is not None and not self.analytics:
            raise ValueError("webhook signs analytics events, which are not taken; write analytics: true")
        return self

    @property
    def access(self) -> Access:
        return Access(url=self.url, credential=Token(secret=self.token), ca_file=self.ca_file)
