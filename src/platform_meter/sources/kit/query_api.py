"""How a server is entered, as settings say it; of a Prometheus, or what speaks its query API, with its address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from platform_meter.model.access import Access, Basic, Credential, Secret, Token
from platform_meter.model.scalars import Address, Definition, LocalPath


class WayIn(Definition):
    """A credential, and what else goes with each call."""

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


TENANT = "X-Scope-OrgID"
"""The header in which Mimir, Cortex and Loki are told whose data is meant."""


def is_one_tenant(text: str) -> bool:
    """Whether this is the name of a tenant as Mimir takes it."""
    return re.fullmatch(r"[A-Za-z0-9!_.*'()-]{1,150}", text) is not None and text not in {".", ".."}


def is_tenant(text: str) -> str:
    """Names of tenants as Mimir takes them, several with `|` between.

    Raises:
        ValueError: another form.
    """
    for name in text.split("|"):
        if not is_one_tenant(name):
            raise ValueError(
                f"'{name}' is no tenant; write letters, digits and ! - _ . * ' ( ), at most 150, and | between several"
            )
    return text


class TenantApi(QueryApi):
    """A query API that may be that of many tenants."""

    tenant: Annotated[str, AfterValidator(is_tenant)] | None = None
    """Whose series are meant, where the server keeps those of several apart (Mimir, Cortex): sent as `X-Scope-OrgID`."""

    @model_validator(mode="after")
    def _one_tenant(self) -> Self:
        if self.tenant is not None and any(name.lower() == TENANT.lower() for name in self.headers):
            raise ValueError(f"tenant is sent as the header {TENANT}, which headers have too; remove one")
        return self

    @property
    def access(self) -> Access:
        way = self.access_to(self.url)
        return way if self.tenant is None else replace(way, headers={**way.headers, TENANT: self.tenant})
