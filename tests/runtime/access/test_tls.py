"""What `tls_server_config` makes of a handshake, between two ends in memory."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.http import Certificate

from platform_meter.runtime.access.tls import alternative_names, make_context
from platform_meter.runtime.access.web_config import TlsServerConfig

Certs = dict[str, Certificate]
WITH_AUTHORITY = ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert")


def shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """The server's end of a handshake.

    Raises:
        ssl.SSLError: one of both broke it off.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[1]


def client_of(certificate: Certificate | None = None, **settings: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, value in settings.items():
        setattr(context, name, value)
    if certificate is not None:
        context.load_cert_chain(certificate.cert, certificate.key)
    return context


def settings_of(certs: Certs, **more: Any) -> TlsServerConfig:
    return TlsServerConfig(cert_file=str(certs["server"].cert), key_file=str(certs["server"].key), **more)


def let_in(server: ssl.SSLContext, client: ssl.SSLContext) -> bool:
    try:
        return shaken(server, client).version() is not None
    except ssl.SSLError:
        return False


@pytest.mark.parametrize(
    ("how", "without", "known", "stranger"),
    [
        ("NoClientCert", True, True, True),
        ("RequestClientCert", True, True, True),
        ("RequireAnyClientCert", False, True, True),
        ("VerifyClientCertIfGiven", True, True, False),
        ("RequireAndVerifyClientCert", False, True, False),
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_is_let_in(
    certs: Certs, how: str, without: bool, known: bool, stranger: bool, version: ssl.TLSVersion
) -> None:
    """By each client_auth_type: without a certificate, with one of our authority, with one of another."""
    ca = str(certs["ca"].cert) if how in WITH_AUTHORITY else ""
    server = make_context(settings_of(certs, client_auth_type=how, client_ca_file=ca))
    shown = (None, certs["client"], certs["stranger"])
    found = [let_in(server, client_of(one, maximum_version=version)) for one in shown]
    assert found == [without, known, stranger]


@pytest.mark.parametrize(("how", "asked"), [("NoClientCert", False), ("RequestClientCert", True)])
def test_a_certificate_is_asked_for(certs: Certs, how: str, asked: bool) -> None:
    """RequestClientCert gets what the client has; NoClientCert does not ask."""
    end = shaken(make_context(settings_of(certs, client_auth_type=how)), client_of(certs["stranger"]))
    assert bool(end.getpeercert()) is asked


def test_names_are_told_as_people_write_them() -> None:
    """An IPv6 address in its shortest form, whatever OpenSSL makes of it; the common name is none of them."""
    peer = {
        "subject": ((("commonName", "prometheus"),),),
        "subjectAltName": (
            ("DNS", "a.example"),
            ("IP Address", "0:0:0:0:0:0:0:1"),
            ("email", "ops@a.example"),
            ("URI", "spiffe://a.example/prometheus"),
        ),
    }
    assert alternative_names(peer) == ["a.example", "::1", "ops@a.example", "spiffe://a.example/prometheus"]


@pytest.mark.parametrize(
    ("allowed", "admitted"), [(None, True), (("prometheus.example", "x"), True), (("client",), False), ((), False)]
)
def test_one_of_the_names_has_to_be_allowed(certs: Certs, allowed: tuple[str, ...] | None, admitted: bool) -> None:
    """Exactly, and a common name does not count; an empty list allows none."""
    context = make_context(settings_of(certs, client_auth_type="RequireAnyClientCert", client_allowed_sans=allowed))
    end = shaken(context, client_of(certs["client"]))
    assert context.admits(end.getpeercert()) is admitted


@pytest.mark.parametrize(
    ("settings", "client", "spoken"),
    [
        ({"min_version": "TLS13"}, ssl.TLSVersion.TLSv1_2, None),
        ({"min_version": "TLS13"}, ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ({"max_version": "TLS12"}, ssl.TLSVersion.TLSv1_3, "TLSv1.2"),
        ({"cipher_suites": ["TLS_AES_128_GCM_SHA256"]}, ssl.TLSVersion.TLSv1_2, None),
    ],
)
def test_versions(certs: Certs, settings: dict[str, Any], client: ssl.TLSVersion, spoken: str | None) -> None:
    """None outside of both bounds is spoken, nor TLS 1.2 where only suites of 1.3 are listed."""
    server, other = make_context(settings_of(certs, **settings)), client_of(maximum_version=client)
    if spoken is None:
        with pytest.raises(ssl.SSLError):
            shaken(server, other)
    else:
        assert shaken(server, other).version() == spoken


@pytest.mark.parametrize(
    ("prefers", "suite"), [(True, "ECDHE-ECDSA-AES256-SHA"), (False, "ECDHE-ECDSA-AES128-GCM-SHA256")]
)
def test_suites_are_those_that_are_listed(certs: Certs, prefers: bool, suite: str) -> None:
    """By Go's names, the server's order first unless the file says that the client's counts."""
    names = ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    server = make_context(settings_of(certs, cipher_suites=names, prefer_server_cipher_suites=prefers))
    client = client_of(maximum_version=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA")
    found = shaken(server, client).cipher()
    assert found is not None
    assert found[0] == suite


def test_what_stands_in_the_file_itself(certs: Certs) -> None:
    """Certificate, key and authority as text do what files do."""
    made = make_context(
        TlsServerConfig(
            cert=certs["server"].cert.read_text(),
            key=certs["server"].key.read_text(),
            client_ca=certs["ca"].cert.read_text(),
            client_auth_type="RequireAndVerifyClientCert",
        )
    )
    assert [let_in(made, client_of(certs[name])) for name in ("client", "stranger")] == [True, False]


def test_unusable_files_are_named(tmp_path: Path, certs: Certs) -> None:
    """A key that does not belong, a client authority that is none, and a key with a passphrase, which nobody is asked for."""
    cert, key, other = (str(path) for path in (certs["server"].cert, certs["server"].key, certs["client"].key))
    junk, locked = tmp_path / "junk", tmp_path / "locked"
    junk.write_text("junk")
    lock = ["openssl", "pkcs8", "-topk8", "-in", key, "-out", str(locked), "-passout", "pass:secret"]
    subprocess.run(lock, check=True, capture_output=True)
    cases = {
        TlsServerConfig(cert_file=cert, key_file=other): (
            f"certificate {cert} with key {other} can't be used: KEY_VALUES_MISMATCH; both must be PEM and belong together"
        ),
        TlsServerConfig(cert_file=cert, key_file=str(locked)): (
            f"certificate {cert} with key {locked} can't be used: the key has a passphrase, which nobody is there to say; "
            "both must be PEM and belong together"
        ),
        TlsServerConfig(
            cert_file=cert, key_file=key, client_ca_file=str(junk), client_auth_type="RequireAndVerifyClientCert"
        ): (f"client_ca_file {junk} can't be used: NO_CERTIFICATE_OR_CRL_FOUND; it must be PEM"),
    }
    for settings, says in cases.items():
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
            make_context(settings)
        assert str(caught.value) == says
