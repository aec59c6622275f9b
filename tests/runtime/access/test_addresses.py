"""Addresses: this machine's own, and a proxy's."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from platform_meter.runtime.access.addresses import is_among, is_loopback, plain_address


@pytest.mark.parametrize(
    ("host", "yes"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("", False), ("0.0.0.0", False)],
)
def test_what_is_loopback(host: str, yes: bool) -> None:
    """All of 127.0.0.0/8; every address is not."""
    assert is_loopback(host) is yes


@pytest.mark.parametrize(
    ("address", "among"),
    [
        ("10.1.2.3", True),
        ("10.1.3.3", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:10.1.3.3", False),
        ("fd00::7", True),
        ("fd00::7%eth0", True),
        ("fd01::7", False),
        ("", False),
        ("proxy.example", False),
    ],
)
def test_what_is_among_networks(address: str, among: bool) -> None:
    """Whichever way a socket for both families writes an IPv4 address; what is no address is nobody's."""
    assert is_among(address, [ip_network("10.1.2.0/24"), ip_network("fd00::/64")]) is among


def test_an_address_in_its_shortest_form() -> None:
    """As names of certificates are compared."""
    assert str(plain_address("0:0:0:0:0:0:0:1")) == "::1"
    assert plain_address("a.example") is None
