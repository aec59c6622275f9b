"""TLS of the server, from the wire: which files, which clients, which versions."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.runtime.server.test_httpd import app, connected, rest
from tests.support.http import Certificate
from tests.support.waiting import PATIENCE

from platform_meter.runtime.server.httpd import Server
from platform_meter.runtime.server.tls import TlsFiles


def serial(server: Server, certs: dict[str, Certificate]) -> str:
    context = ssl.create_default_context(cafile=str(certs["ca"].cert))
    with connected(server) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1") as spoken:
        found: Any = spoken.getpeercert()
        return str(found["subject"][-1][0][1])


def test_certificates_are_read_again(
    tmp_path: Path, certs: dict[str, Certificate], caplog: pytest.LogCaptureFixture
) -> None:
    """New connections get the renewed certificate; while the files don't fit together the old one stays."""
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    shutil.copy(certs["server"].cert, cert)
    shutil.copy(certs["server"].key, key)
    with Server(app, tls=TlsFiles(cert_file=str(cert), key_file=str(key))) as server:
        assert serial(server, certs) == "server"
        shutil.copy(certs["renewed"].cert, cert)
        assert serial(server, certs) == "server"
        assert "the certificate read before stays in use" in caplog.text
        shutil.copy(certs["renewed"].key, key)
        assert serial(server, certs) == "renewed"
        cert.unlink()
        assert serial(server, certs) == "renewed"


def test_client_certificates_are_required(certs: dict[str, Certificate]) -> None:
    """With a client CA only its holders get in, and the page learns their names; a stranger's is refused."""
    files = TlsFiles(
        cert_file=str(certs["server"].cert), key_file=str(certs["server"].key), client_ca_file=str(certs["ca"].cert)
    )
    with Server(app, tls=files) as server:
        known = (str(certs["client"].cert), str(certs["client"].key))
        strange = (str(certs["stranger"].cert), str(certs["stranger"].key))

        def get(**how: Any) -> requests.Response:
            return requests.get(f"{server.url}/names", timeout=PATIENCE, verify=str(certs["ca"].cert), **how)

        assert get(cert=known).text == "client,prometheus.example"
        for wrong in ({}, {"cert": strange}):
            with pytest.raises(requests.ConnectionError):
                get(**wrong)


def test_client_certificates_may_be_optional(certs: dict[str, Certificate]) -> None:
    """Not required, a certificate is still verified and named where it is given."""
    files = TlsFiles(
        cert_file=str(certs["server"].cert),
        key_file=str(certs["server"].key),
        client_ca_file=str(certs["ca"].cert),
        client_required=False,
    )
    with Server(app, tls=files) as server:
        known = (str(certs["client"].cert), str(certs["client"].key))
        assert requests.get(f"{server.url}/names", timeout=PATIENCE, verify=str(certs["ca"].cert)).text == ""
        assert (
            requests.get(f"{server.url}/names", timeout=PATIENCE, verify=str(certs["ca"].cert), cert=known).text != ""
        )


def test_plain_http_to_a_tls_port_is_told_so(certs: dict[str, Certificate]) -> None:
    """Who forgets the s gets a readable answer."""
    files = TlsFiles(cert_file=str(certs["server"].cert), key_file=str(certs["server"].key))
    with Server(app, tls=files) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert rest(sock).endswith(b"this port speaks https\n")


def test_old_tls_is_not_spoken(certs: dict[str, Certificate]) -> None:
    """With min_version TLS13 a client of TLS 1.2 gets nowhere."""
    files = TlsFiles(cert_file=str(certs["server"].cert), key_file=str(certs["server"].key), min_version="TLS13")
    context = ssl.create_default_context(cafile=str(certs["ca"].cert))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Server(app, tls=files) as server, connected(server) as sock, pytest.raises(ssl.SSLError):
        context.wrap_socket(sock, server_hostname="127.0.0.1")


def test_unusable_tls_files_are_named(tmp_path: Path, certs: dict[str, Certificate]) -> None:
    """A missing file, a key that does not belong and a client CA that is none."""
    cert, key = str(certs["server"].cert), str(certs["server"].key)
    none = tmp_path / "none"
    junk = tmp_path / "junk"
    junk.write_text("junk")
    cases = {
        TlsFiles(cert_file=str(none), key_file=key): f"TLS file {none} can't be read: No such file or directory",
        TlsFiles(
            cert_file=cert, key_file=str(certs["client"].key)
        ): f"TLS certificate {cert} with key {certs['client'].key} can't be used",
        TlsFiles(cert_file=cert, key_file=key, client_ca_file=str(junk)): f"client_ca_file {junk} can't be used",
    }
    for files, says in cases.items():
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
            Server(app, tls=files)
        assert str(caught.value).startswith(says)
