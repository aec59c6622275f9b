"""What OpenSSL is told past `ssl`. That all certificates are taken is seen in test_tls.py."""

from __future__ import annotations

import ssl
import sys
from types import SimpleNamespace

import pytest
from tests.runtime.access.test_tls import client_of, let_in, settings_of
from tests.support.http import Certificate

from platform_meter.runtime.access import openssl
from platform_meter.runtime.access.openssl import prefer_curves
from platform_meter.runtime.access.tls import make_context


@pytest.mark.parametrize(
    ("curves", "client", "shaken"),
    [
        (("CurveP384",), "secp384r1", True),
        (("CurveP384",), "prime256v1", False),
        (("X25519", "CurveP256"), "prime256v1", True),
    ],
)
def test_only_the_curves_that_are_listed(
    certs: dict[str, Certificate], curves: tuple[str, ...], client: str, shaken: bool
) -> None:
    """A client that has none of them gets nowhere."""
    other = client_of()
    other.set_ecdh_curve(client)
    assert let_in(make_context(settings_of(certs, curve_preferences=curves)), other) is shaken


def test_a_curve_that_openssl_has_not() -> None:
    """Is said, not left out."""
    with pytest.raises(ValueError, match="OpenSSL does not take the curves P-0"):
        prefer_curves(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ["P-0"])


def test_a_python_that_keeps_its_openssl_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told what to write instead; nothing is tried on memory that may be laid out otherwise."""
    openssl._library.cache_clear()
    monkeypatch.setattr(sys, "implementation", SimpleNamespace(name="pypy"))
    with pytest.raises(ValueError, match="use RequireAndVerifyClientCert, and no curve_preferences"):
        prefer_curves(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ["X25519"])
