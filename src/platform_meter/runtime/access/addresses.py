"""Which addresses are this machine's own, and which are those of a declared proxy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
_LOOPBACK = re.compile(r"(.*\.)?localhost\.?|127\.[0-9.]+|\[?::1\]?")


def is_loopback(host: str) -> bool:
    """Whether this name or address can only be this machine."""
    return _LOOPBACK.fullmatch(host.lower()) is not None


def plain_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address; an IPv4 one that a socket for both families writes as `::ffff:192.0.2.1` is that IPv4 address."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def is_among(address: str, networks: Iterable[Network]) -> bool:
    """Whether this address is in one of the networks."""
    found = plain_address(address)
    return found is not None and any(found in network for network in networks)
