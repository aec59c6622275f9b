"""A real Prometheus scrapes the exporter by TLS, with a client certificate and a password, while certificates are renewed."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import requests
from tests.support.http import Certificate, authority, certificate
from tests.support.processes import free_ports
from tests.support.prometheus import Prometheus, prometheus
from tests.support.waiting import PATIENCE, until

CONFIG = """\
listen: 127.0.0.1:{port}
tick: 1s
web_config: web.yml
access:
  users: {{ops: admin}}
  tokens: {{agent: {{role: viewer, token: {{file: agent-token}}}}}}
"""
WEB = """\
tls_server_config:
  cert_file: tls.crt
  key_file: tls.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: {ca}
  client_allowed_sans: [prometheus.example]
http_server_config:
  headers: {{Strict-Transport-Security: max-age=600}}
basic_auth_users:
  prometheus: {hash}
  ops: {hash}
"""
PASSWORD = "as long as it has to be"
TOKEN = "a-token-of-an-agent"
RENEWALS = 3
CLIENTS = 4


@dataclass(kw_only=True)
class Meter:
    folder: Path
    port: int
    certs: dict[str, Certificate]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def use(self, name: str) -> None:
        """Put another certificate in place as tools do: first the one file, then the other."""
        shutil.copy(self.certs[name].cert, self.folder / "tls.crt")
        shutil.copy(self.certs[name].key, self.folder / "tls.key")

    def ask(self, path: str, method: str = "GET", client: str = "prometheus", **how: Any) -> requests.Response:
        """One request on a connection of its own."""
        shown = self.certs[client]
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                method,
                f"{self.url}{path}",
                verify=str(self.certs["ca"].cert),
                cert=(str(shown.cert), str(shown.key)),
                timeout=PATIENCE,
                **how,
            )

    def job(
        self, name: str, *, password: str = PASSWORD, client: str = "prometheus", token: str = ""
    ) -> dict[str, Any]:
        """A job of Prometheus on this exporter."""
        tls = {"ca_file": str(self.certs["ca"].cert)}
        if client:
            tls |= {"cert_file": str(self.certs[client].cert), "key_file": str(self.certs[client].key)}
        credential: dict[str, Any] = {"basic_auth": {"username": "prometheus", "password": password}}
        if token:
            credential = {"authorization": {"credentials": token}}
        targets = [{"targets": [f"127.0.0.1:{self.port}"]}]
        return {"job_name": name, "scheme": "https", "tls_config": tls, "static_configs": targets, **credential}


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meter]:
    """`platform-meter serve` as an operator starts it."""
    folder = tmp_path_factory.mktemp("meter")
    ca = authority(folder)
    certs = {"ca": ca, "prometheus": certificate(folder, ca, "prometheus", san="DNS:prometheus.example")}
    certs |= {name: certificate(folder, ca, name) for name in ("other", *(f"server{n}" for n in range(RENEWALS + 1)))}
    (port,) = free_ports(1)
    made = Meter(folder=folder, port=port, certs=certs)
    made.use("server0")
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    (folder / "web.yml").write_text(WEB.format(ca=ca.cert, hash=hashed))
    (folder / "agent-token").write_text(TOKEN + "\n")
    (folder / "platform-meter.yaml").write_text(CONFIG.format(port=port))
    command = [sys.executable, "-c", "from platform_meter.cli import main; main()", "--log-format", "json", "serve"]
    log = (folder / "log").open("w")
    with (
        log,
        subprocess.Popen([*command, "-c", str(folder / "platform-meter.yaml")], stdout=log, stderr=log) as process,
    ):
        try:
            until(lambda: "serving https://" in (folder / "log").read_text())
            until(lambda: made.ask("/-/ready").status_code == 200)
            yield made
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def server(meter: Meter, programs: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus, of either release, that scrapes each second in every way that may and may not work."""
    jobs = [
        meter.job("password"),
        meter.job("token", token=TOKEN),
        meter.job("wrong-password", password="wrong"),
        meter.job("wrong-token", token="wrong"),
        meter.job("without-certificate", client=""),
        meter.job("name-not-allowed", client="other"),
    ]
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
    with prometheus(tmp_path_factory.mktemp("prometheus"), config, programs=programs) as running:
        yield running


def up(server: Prometheus) -> dict[str, float]:
    return {labels["job"]: value for labels, value in server.query("up")}


def test_who_is_let_in_scrapes_and_nobody_else(server: Prometheus) -> None:
    """By password and by token, each with the right certificate; all others are down, and nothing of them is stored."""
    until(lambda: len(up(server)) == 6 and up(server)["password"])
    assert up(server) == {
        "password": 1.0,
        "token": 1.0,
        "wrong-password": 0.0,
        "wrong-token": 0.0,
        "without-certificate": 0.0,
        "name-not-allowed": 0.0,
    }
    stored = {labels["job"] for labels, _ in server.query("platform_meter_config_valid")}
    assert stored == {"password", "token"}


def test_certificates_are_renewed_under_load_without_a_failed_scrape(meter: Meter, server: Prometheus) -> None:
    """Clients that begin a new connection each time see one certificate after the other, and not one failure."""
    until(lambda: up(server).get("password"))
    seen: Counter[str] = Counter()
    failures: list[str] = []
    over, lock = threading.Event(), threading.Lock()

    def one() -> tuple[int, str]:
        context = ssl.create_default_context(cafile=str(meter.certs["ca"].cert))
        context.load_cert_chain(meter.certs["prometheus"].cert, meter.certs["prometheus"].key)
        status = meter.ask("/metrics", auth=("prometheus", PASSWORD)).status_code
        with (
            socket.create_connection(("127.0.0.1", meter.port), timeout=PATIENCE) as sock,
            context.wrap_socket(sock, server_hostname="127.0.0.1") as spoken,
        ):
            peer: Any = spoken.getpeercert()
        return status, str(peer["subject"][-1][0][1])

    def load() -> None:
        while not over.is_set():
            try:
                status, name = one()
            except (OSError, requests.RequestException) as error:
                with lock:
                    failures.append(repr(error))
                return
            with lock:
                seen[name] += 1
                if status != 200:
                    failures.append(str(status))

    def served(name: str) -> bool:
        return bool(failures) or seen[name] >= 2 * CLIENTS

    threads = [threading.Thread(target=load) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        for name in [f"server{n}" for n in range(RENEWALS + 1)]:
            meter.use(name)
            until(partial(served, name))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert sorted(seen) == ["server0", "server1", "server2", "server3"]
    lowest = {labels["job"]: value for labels, value in server.query("min_over_time(up[1h])")}
    assert (lowest["password"], lowest["token"]) == (1.0, 1.0)


def test_only_an_admin_reloads(meter: Meter) -> None:
    """Who scrapes does not; the header of the web configuration stands on every answer."""
    refused = meter.ask("/-/reload", "POST", auth=("prometheus", PASSWORD))
    done = meter.ask("/-/reload", "POST", auth=("ops", PASSWORD))
    assert [(a.status_code, a.headers["Strict-Transport-Security"]) for a in (refused, done)] == [
        (403, "max-age=600"),
        (200, "max-age=600"),
    ]


def test_a_bad_web_configuration_is_a_metric(meter: Meter, server: Prometheus) -> None:
    """What was read before stays in force, Prometheus learns that it is old, and so does it that it is mended."""
    web = meter.folder / "web.yml"
    before = web.read_text()

    def valid() -> list[float]:
        return [value for labels, value in server.query("platform_meter_config_valid") if labels["job"] == "password"]

    until(lambda: valid() == [1.0])
    web.write_text(before + "  eve: hunter2\n")
    until(lambda: valid() == [0.0])
    web.write_text(before)
    until(lambda: valid() == [1.0])
    assert "hunter2" not in (meter.folder / "log").read_text()
