"""Endpoints as texts name them."""

from __future__ import annotations

import pytest

from platform_meter.model.endpoint import Endpoint


@pytest.mark.parametrize(
    ("host", "place"), [("portal.example", "portal.example:443"), ("10.0.0.1", "10.0.0.1:443"), ("::1", "[::1]:443")]
)
def test_a_place_is_written_as_in_addresses(host: str, place: str) -> None:
    """An IPv6 address in brackets, which tell its colons from that of the port."""
    assert Endpoint(host=host, port=443).place == place
