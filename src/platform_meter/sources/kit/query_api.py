"""How a server is entered, as settings say it; of a Prometheus, or what speaks its query API, with its address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, model_validator

from platform_meter.model.access import Access, Basic, Credential, Secret, Token
from platform_meter.model.scalars import Address, LocalPath


class WayIn(BaseModel):
    """A credential, and what else goes with each call."""

    model_config = {"extra": "forbid", "frozen": True}

    token: Secret | None = None
    """Bearer token."""
    user: str = ""
    """For basic auth, with `password`."""
    password: Secret | None = None
    """For basic auth, with `user`."""
    headers: Mapping[str, str] = {}
    """Sent with each call: `{X-Scope-OrgID: platform}`."""
    ca_file: LocalPath | None = None
    """Certificate authority of the server."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if bool(self.user) != (self.password is not None):
            raise ValueError("basic auth needs both user and password; add the other one")
        if self.user and self.token is not None:
            raise ValueError("token and user are two ways in; remove one")
        return self

    def access_to(self, url: str) -> Access:
        """The way to this address."""
        credential: Credential | None = None
        if self.token is not None:
            credential = Token(secret=self.token)
        elif self.password is not None:
            credential = Basic(user=self.user, password=self.password)
        return Access(url=url, credential=credential, headers=self.headers, ca_file=self.ca_file)


class QueryApi(WayIn):
    """Address and credential; what is read there stands beside them."""

    url: Address
    """Address of the API, with its path prefix (`https://mimir.example/prometheus`)."""

    @property
    def access(self) -> Access:
        return self.access_to(self.url)
