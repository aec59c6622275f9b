"""The end of a certificate out of its DER."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.runtime.outside.der import ends

CERTIFICATE = base64.b64decode(
    "MIIBWjCCAQGgAwIBAgIBAjAKBggqhkjOPQQDAjANMQswCQYDVQQDDAJjYTAeFw0yNjA1MDQxMDIwMzBaFw0zMTA1MDQxMDIwMzBa"
    "MAwxCjAIBgNVBAMMAXMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQsDiGoH1DBSXDqzSwoO95OWghT+bVy4L9zZBID/YLh0vf2"
    "+4bEBzHTbS9m6uNv618CfRC6QXIxRrlg7NnVEbt3o1MwUTAPBgNVHREECDAGhwR/AAABMB0GA1UdDgQWBBTY7VmlC+XSn3QQBfzu"
    "bgYNREBV3zAfBgNVHSMEGDAWgBTQgTCcHH+/iVAXyQMycRIh4mzCfDAKBggqhkjOPQQDAgNHADBEAiAZI71kulXgrIrRKSeRR/g9"
    "P1kmi6aEgrZizPqFqe9ghAIgI1dccj3D4IuJ+8FO09TlSdwIPQyY/DPAPne7hI8Y51M="
)
"""Made by OpenSSL, until 2031-05-04 10:20:30 UTC."""


def test_the_end_is_read() -> None:
    """To the second, in UTC."""
    assert ends(CERTIFICATE) == datetime(2031, 5, 4, 10, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"\x17\x0d310504102030Z", datetime(2031, 5, 4, 10, 20, 30, tzinfo=UTC)),
        (b"\x17\x0d990504102030Z", datetime(1999, 5, 4, 10, 20, 30, tzinfo=UTC)),
        (b"\x18\x0f20550504102030Z", datetime(2055, 5, 4, 10, 20, 30, tzinfo=UTC)),
        (b"\x16\x0d310504102030Z", None),
        (b"\x17\x0d311304102030Z", None),
    ],
)
def test_both_forms_of_a_time(written: bytes, read: datetime | None) -> None:
    """Two digits of a year are 1950 to 2049, four are as they stand; another type or a month 13 is no time."""
    validity = b"\x17\x0d260504102030Z" + written
    fields = b"\x02\x01\x07" + b"\x30\x00" * 2 + b"\x30" + bytes([len(validity)]) + validity
    inner = b"\x30" + bytes([len(fields)]) + fields
    assert ends(b"\x30" + bytes([len(inner)]) + inner) == read


@given(st.binary(max_size=100), st.integers(min_value=0, max_value=len(CERTIFICATE) - 1))
def test_what_is_no_certificate_has_no_end(odd: bytes, cut: int) -> None:
    """Bytes of any kind, and a certificate that is cut off."""
    assert ends(odd) is None
    assert ends(CERTIFICATE[:cut]) is None
