"""TLS of the server, from the wire: renewed certificates, who the client is, and who is turned away."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.runtime.server.test_httpd import app, connected, rest
from tests.support.http import Certificate, contexts
from tests.support.waiting import PATIENCE

from platform_meter.runtime.access.file import WebFile
from platform_meter.runtime.server.httpd import Server


def serial(server: Server, certs: dict[str, Certificate]) -> str:
    context = ssl.create_default_context(cafile=str(certs["ca"].cert))
    with connected(server) as sock, context.wrap_socket(sock, server_hostname="127.0.0.1") as spoken:
        found: Any = spoken.getpeercert()
        return str(found["subject"][-1][0][1])


def names(server: Server, certs: dict[str, Certificate], client: str = "") -> str:
    """What the application is told of the client; with the certificate of that name."""
    cert = (str(certs[client].cert), str(certs[client].key)) if client else None
    answer = requests.get(f"{server.url}/names", timeout=PATIENCE, verify=str(certs["ca"].cert), cert=cert)
    return answer.text


def test_certificates_are_read_again(
    tmp_path: Path, certs: dict[str, Certificate], caplog: pytest.LogCaptureFixture
) -> None:
    """New connections get the renewed certificate; while the files don't fit together the old one stays."""
    cert, key, web = tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "web.yml"
    web.write_text("tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n")
    shutil.copy(certs["server"].cert, cert)
    shutil.copy(certs["server"].key, key)
    with Server(app, tls=WebFile(str(web)).contexts) as server:
        assert serial(server, certs) == "server"
        shutil.copy(certs["renewed"].cert, cert)
        assert serial(server, certs) == "server"
        assert "what was read before stays in force" in caplog.text
        shutil.copy(certs["renewed"].key, key)
        assert serial(server, certs) == "renewed"
        cert.unlink()
        assert serial(server, certs) == "renewed"


def test_the_application_knows_verified_clients(certs: dict[str, Certificate]) -> None:
    """Their names are told; where certificates are only asked for and not verified, none is: anybody can make one."""
    ca = str(certs["ca"].cert)
    verified = contexts(certs["server"], client_auth_type="RequireAndVerifyClientCert", client_ca_file=ca)
    with Server(app, tls=verified) as server:
        assert names(server, certs, "client") == "client,prometheus.example"
    with Server(app, tls=contexts(certs["server"], client_auth_type="RequireAnyClientCert")) as server:
        assert names(server, certs, "client") == ""
        assert names(server, certs, "stranger") == ""


def test_a_name_that_is_not_allowed_gets_nowhere(certs: dict[str, Certificate]) -> None:
    """A certificate of our authority does not do: one of its names must be on the list."""
    how: dict[str, Any] = {
        "client_auth_type": "RequireAndVerifyClientCert",
        "client_ca_file": str(certs["ca"].cert),
        "client_allowed_sans": ["prometheus.example"],
    }
    with Server(app, tls=contexts(certs["server"], **how)) as server:
        assert names(server, certs, "client") == "client,prometheus.example"
        with pytest.raises(requests.ConnectionError):
            names(server, certs, "renewed")


def test_plain_http_to_a_tls_port_is_told_so(certs: dict[str, Certificate]) -> None:
    """Who forgets the s gets a readable answer."""
    with Server(app, tls=contexts(certs["server"])) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert rest(sock).endswith(b"this port speaks https\n")
