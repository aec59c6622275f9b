"""The section `access` of the configuration: who has which role."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from platform_meter.model.access import Secret
from platform_meter.runtime.access.roles import Role

_HEADER = re.compile(r"[A-Za-z0-9-]+")
_OURS = frozenset({"authorization", "host", "cookie", "content-length", "content-type"})


def listed(value: Any) -> Any:
    """A list, also where one value stands without brackets.

    Raises:
        ValueError: it is empty.
    """
    if value is None or value in ("", [], ()):
        raise ValueError("empty; write at least one, or leave out the key")
    return value if isinstance(value, list | tuple | set | frozenset) else [value]


def parse_network(value: Any) -> IPv4Network | IPv6Network:
    """An address, or a network as `10.0.0.0/8`.

    Raises:
        ValueError: anything else, or all addresses there are.
    """
    try:
        network = ip_network(str(value))
    except ValueError:
        raise ValueError(
            f"'{value}' is no address; write one such as 10.1.2.3, or a network such as 10.1.2.0/24"
        ) from None
    if network.prefixlen == 0:
        raise ValueError(f"'{value}' is every address, so that anybody could say who he is; write the proxy's own")
    return network


def parse_header(value: str) -> str:
    """The name of a header that a proxy may set.

    Raises:
        ValueError: no such header can be, or it means something else.
    """
    if not _HEADER.fullmatch(value) or value.lower() in _OURS:
        raise ValueError(f"'{value}' cannot be the header of a proxy; write one such as X-Forwarded-User")
    return value


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(parse_network)]
Header = Annotated[str, AfterValidator(parse_header)]
Roles = Annotated[tuple[Role, ...], BeforeValidator(listed)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenSettings(_Settings):
    """A bearer token, for a program."""

    token: Secret
    """Where it stands."""
    role: Roles


class ProxySettings(_Settings):
    """A proxy in front that signs people in and says in headers who they are."""

    addresses: Annotated[tuple[Network, ...], BeforeValidator(listed)] = Field(alias="from")
    """Where it calls from; from all others the headers mean nothing."""
    user: Header = "X-Forwarded-User"
    """The header with the user's name."""
    groups: Header = "X-Forwarded-Groups"
    """The header with the user's groups, with commas between."""


class AccessSettings(_Settings):
    """Who has which role."""

    anonymous: Literal["viewer"] | None = None
    """The role of whoever shows nothing; none by default, so that nobody gets in without a credential."""
    users: dict[str, Roles] = Field(default_factory=dict)
    """By name, of `basic_auth_users` or as the proxy says it; a user who is not here is a viewer."""
    groups: dict[str, Roles] = Field(default_factory=dict)
    """By a group's name as the proxy says it: roles of its members."""
    tokens: dict[str, TokenSettings] = Field(default_factory=dict)
    """By a name of our choosing."""
    proxy: ProxySettings | None = None

    @property
    def tells_apart(self) -> bool:
        """Whether somebody can say by it who he is."""
        return bool(self.tokens or self.proxy)
