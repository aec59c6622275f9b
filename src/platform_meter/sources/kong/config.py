"""What the config file says of a Kong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from platform_meter.model.access import Secret
from platform_meter.model.scalars import Address, LocalPath
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit.slicing import Slice
from platform_meter.sources.kong.metrics import PATH


class Config(SourceConfig):
    url: Address = Field(examples=["http://kong-admin:8001"])
    """The Admin API."""
    token: Secret | None = None
    """Of a user of RBAC (Enterprise), sent as `Kong-Admin-Token`."""
    ca_file: LocalPath | None = None
    gateway: str = ""
    """Its name in the label `gateway` and before the names of its objects; that of the source unless given."""
    workspaces: tuple[str, ...] = ("*",)
    """Globs of workspaces (Enterprise)."""
    consumers: bool = True
    """Whether consumers are read: switch it off where they are people."""
    traffic: bool = True
    """Whether requests are counted."""
    metrics: tuple[Address, ...] = ()
    """Where nodes tell what they counted, each its own; `/metrics` of `url` unless given."""
    slice: Slice = timedelta(minutes=5)
    """Of requests, what was counted in so much time is told as one."""
    data_planes: int = Field(default=0, ge=0)
    """How many data planes there should be, for a control plane; with 0 nobody looks for them."""
    bad: Literal["all", "own"] = "all"
    """Which 5xx are bad: all, or those that Kong itself gave."""
    cluster: str = ""
    """The cluster in which this Kong runs, as its own source calls it."""

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        bare = tuple(address.rstrip("/").removesuffix(PATH) for address in addresses)
        names = [node_name(address) for address in bare]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands here twice, and its requests would count twice; write it once")
        return bare

    @property
    def nodes(self) -> Mapping[str, str]:
        """Addresses of nodes by name; both are empty for the Admin API's own."""
        return {node_name(address): address for address in self.metrics or ("",)} if self.traffic else {}


def node_name(address: str) -> str:
    """Host, port and path, in one word."""
    parts = urlsplit(address)
    return parts.netloc + parts.path.replace("/", "_")
