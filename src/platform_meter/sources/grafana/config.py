"""What the config file says of a Grafana."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.scalars import Address, LocalPath
from platform_meter.model.source import SourceConfig

SYSTEM = "grafana"


class Config(SourceConfig):
    """Settings of one organisation of a Grafana."""

    url: Address = Field(examples=["https://grafana.example"])
    """Its address, with its path prefix."""
    token: Secret
    """Of a service account."""
    org: str | None = Field(default=None, pattern=r"^[0-9]+$", coerce_numbers_to_str=True, examples=["2"])
    """Number of the organisation, sent as `X-Grafana-Org-Id`; that of the token unless given."""
    ca_file: LocalPath | None = None
    dashboards: bool = True
    """Dashboards are read."""
    alert_rules: bool = True
    """Alert rules are read."""
    tags: tuple[str, ...] = ("team",)
    """Tags of dashboards and labels of alert rules that say whose they are, beside `service`."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.dashboards or self.alert_rules):
            raise ValueError("nothing is read; write dashboards: true or alert_rules: true")
        return self

    @property
    def access(self) -> Access:
        return Access(
            url=self.url,
            credential=Token(secret=self.token),
            headers={"X-Grafana-Org-Id": self.org} if self.org else {},
            ca_file=self.ca_file,
        )
