"""One look at an endpoint, on real sockets of loopback."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.http import Certificate, Reply, Server, expired, serving
from tests.support.processes import free_ports
from tests.support.waiting import PATIENCE
from tests.support.ways import Kit

from platform_meter.model.access import Access
from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.facts.probes import ProbeResult
from platform_meter.model.source import Refused, Severed, Unreachable
from platform_meter.runtime.outside.probing import LONGEST, look

SHORT = 0.3
"""Seconds of a look at what hangs."""
NOWHERE = ("255.255.255.255", 1)
"""No socket connects to the address of everybody."""
ERROR, TIMEOUT, OK = ProbeResult.ERROR, ProbeResult.TIMEOUT, ProbeResult.OK


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - OpenSSL goes by the real clock too


def seen(endpoint: Endpoint, seconds: float = PATIENCE, stop: threading.Event | None = None) -> Look:
    return look(endpoint, seconds, clock=now, stop=stop or threading.Event())


def at(url: str, path: str | None = "/healthz", ca: Path | None = None) -> Endpoint:
    parts = urlsplit(url)
    return Endpoint(
        host=parts.hostname or "",
        port=parts.port or 0,
        tls=parts.scheme == "https",
        path=path,
        ca_file=None if ca is None else str(ca),
    )


@contextmanager
def listening(*, full: bool = False) -> Iterator[int]:
    """Port of a server that takes connections and says nothing; a full one does not even take them."""
    with ExitStack() as held:
        server = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0 if full else 8))
        port: int = server.getsockname()[1]
        for _ in range(4 if full else 0):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


def test_an_answer_is_told_with_how_long_it_took(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status and its text in the charset that it names; straight, whatever proxy the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.on("/healthz", Reply(503, {"Content-Type": "text/plain; charset=latin-1"}, b"zur\xfcck"))
    began = time.monotonic()
    found = seen(at(server.url))
    assert 0 < found.seconds <= time.monotonic() - began
    assert replace(found, seconds=0.0) == Look(result=OK, seconds=0.0, status=503, text="zurück")
    (asked,) = server.seen
    assert asked.headers["host"] == urlsplit(server.url).netloc
    assert "authorization" not in asked.headers


def test_a_redirect_is_the_answer(server: Server) -> None:
    """Where it leads is another endpoint, which may be looked at for itself."""
    server.on("/healthz", Reply(302, {"Location": "/login"}))
    assert seen(at(server.url)).status == 302
    assert server.paths == ["/healthz"]


def test_each_look_is_a_connection_of_its_own(server: Server) -> None:
    """One that was kept would not show that no new ones are taken, nor a new certificate."""
    server.on("/healthz", Reply())
    for _ in range(2):
        assert seen(at(server.url)).status == 200
    assert len({one.client for one in server.seen}) == 2


def test_a_certificate_tells_its_end(certs: dict[str, Certificate]) -> None:
    """That of the server, by the authority that is named."""
    with serving(certs["server"]) as server:
        server.on("/healthz", Reply(body=b"ok"))
        found = seen(at(server.url, ca=certs["ca"].cert))
        alone = seen(at(server.url, path=None, ca=certs["ca"].cert))
    assert (found.result, found.text) == (OK, "ok")
    assert found.certificate_ends is not None
    assert timedelta(days=1) < found.certificate_ends - now() < timedelta(days=2)
    assert replace(alone, seconds=0.0) == Look(result=OK, seconds=0.0, certificate_ends=found.certificate_ends)


def test_an_expired_certificate_is_an_error_of_the_endpoint(certs: dict[str, Certificate], tmp_path: Path) -> None:
    """Whoever calls it is refused; its end is told, and nothing was asked over such a connection."""
    made = expired(tmp_path, certs["ca"], "late")
    with serving(made) as server:
        found = seen(at(server.url, ca=certs["ca"].cert))
        assert server.seen == []
    assert (found.result, found.why, found.status) == (ERROR, "the certificate has expired", 0)
    assert found.certificate_ends is not None
    assert timedelta(days=-2) < found.certificate_ends - now() < timedelta(0)


def test_a_clock_that_is_behind_leaves_an_expired_certificate_open(
    certs: dict[str, Certificate], tmp_path: Path
) -> None:
    """What is not past by our clock may be an authority's that has expired, and that may be our own file."""
    made = expired(tmp_path, certs["ca"], "late")
    with serving(made) as server, pytest.raises(Severed, match="certificate has expired"):
        look(
            at(server.url, ca=certs["ca"].cert),
            PATIENCE,
            clock=lambda: now() - timedelta(days=9),
            stop=threading.Event(),
        )


def test_what_fails_on_our_side_is_no_look(certs: dict[str, Certificate], tmp_path: Path) -> None:
    """An authority that we do not trust, another name than the certificate's, a name nobody knows, a file that is not there."""
    (tmp_path / "odd.pem").write_text("no certificate")
    with serving(certs["server"]) as server, serving(certs["named"]) as named:
        for endpoint, says in (
            (at(server.url), "the server's certificate is not trusted"),
            (at(named.url, ca=certs["ca"].cert), "the server's certificate is not trusted (IP address mismatch"),
            (Endpoint(host="nowhere.invalid", port=1), "nowhere.invalid:1: its name is not known here"),
            (
                at(server.url, ca=tmp_path / "none.pem"),
                f"the authorities in {tmp_path}/none.pem can't be read (No such",
            ),
            (at(server.url, ca=tmp_path / "odd.pem"), f"the authorities in {tmp_path}/odd.pem can't be read"),
        ):
            with pytest.raises(Severed, match=re.escape(says)):
                seen(endpoint)


def test_another_authority_in_the_file_counts_at_once(certs: dict[str, Certificate], tmp_path: Path) -> None:
    """It is read once, and again when it changed."""
    trusted = tmp_path / "ca.pem"
    shutil.copy(certs["client"].cert, trusted)
    with serving(certs["server"]) as server:
        server.on("/healthz", Reply())
        with pytest.raises(Severed):
            seen(at(server.url, ca=trusted))
        trusted.write_bytes(certs["ca"].cert.read_bytes() + b"\n")
        assert seen(at(server.url, ca=trusted)).status == 200


def test_a_connection_is_enough_without_a_path() -> None:
    """Taken is good and refused is an error."""
    (closed,) = free_ports(1)
    with listening() as port:
        assert seen(Endpoint(host="localhost", port=port)).result is OK
    found = seen(Endpoint(host="127.0.0.1", port=closed))
    assert (found.result, found.why) == (ERROR, "Connection refused")


def test_the_first_address_that_takes_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name with several; where none does, the one that refuses tells more than one to which there is no route."""
    (closed,) = free_ports(1)
    with listening() as port:
        refuses, takes = (("127.0.0.1", at) for at in (closed, port))

        def known(*addresses: tuple[str, int]) -> None:
            """No resolver of this machine has such a name."""
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        known(refuses, takes)
        assert seen(Endpoint(host="gateway.example", port=1)).result is OK
        for both in ((refuses, NOWHERE), (NOWHERE, refuses)):
            known(*both)
            assert seen(Endpoint(host="gateway.example", port=1)).why == "Connection refused"


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_what_hangs_has_timed_out(certs: dict[str, Certificate], full: bool, tls: bool) -> None:
    """Where it does not take the connection, does not shake hands, does not answer: in time, and that long it took."""
    ca = str(certs["ca"].cert)
    with listening(full=full) as port:
        began = time.monotonic()
        found = seen(Endpoint(host="127.0.0.1", port=port, path="/", tls=tls, ca_file=ca), SHORT)
    assert (found.result, found.why) == (TIMEOUT, "no answer in time")
    assert SHORT <= found.seconds <= time.monotonic() - began < PATIENCE


def test_what_drips_has_timed_out_too(server: Server) -> None:
    """Each byte comes soon after the last one, and the end never; the status was seen all the same."""

    def drip() -> Iterable[bytes]:
        while not server.over.wait(0.02):
            yield b"."

    server.on("/healthz", Reply(body=drip))
    found = seen(at(server.url), SHORT)
    assert (found.result, found.status, found.text) == (TIMEOUT, 200, "")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "RemoteDisconnected"),
        (b"SSH-2.0-OpenSSH\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "the answer broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", "IncompleteRead"),
    ],
)
def test_no_whole_answer_is_an_error(server: Server, raw: bytes, why: str) -> None:
    """Nothing, another protocol, or an answer that breaks off."""
    server.on("/healthz", Reply(raw=lambda: [raw]))
    found = seen(at(server.url))
    assert (found.result, found.why, found.text) == (ERROR, why, "")


def test_of_a_long_answer_the_first_is_read(server: Server) -> None:
    """Up to a bound: it was an answer."""
    server.on("/healthz", Reply(body=b"x" * (LONGEST + 1)))
    found = seen(at(server.url))
    assert (found.result, len(found.text)) == (OK, LONGEST)


def test_it_ends_when_we_stop() -> None:
    """Within half a second, and says nothing of the endpoint."""
    stop = threading.Event()
    with listening() as port:
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(Unreachable, match="ended, we are stopping"):
            seen(at(f"http://127.0.0.1:{port}"), stop=stop)


def test_a_way_without_an_address_looks_all_the_same(kit: Kit, server: Server) -> None:
    """Each look is counted, as one that was answered or not; there is nothing else to call."""
    server.on("/healthz", Reply(500))
    (closed,) = free_ports(1)
    way = kit.way(Access())
    assert way.look(at(server.url), timeout=PATIENCE).status == 500
    assert way.look(Endpoint(host="127.0.0.1", port=closed), timeout=PATIENCE).result is ERROR
    with pytest.raises(Severed):
        way.look(Endpoint(host="nowhere.invalid", port=1), timeout=PATIENCE)
    assert kit.outcomes == ["ok", "error", "error"]
    with pytest.raises(Refused, match="this source has no address to call"):
        way.get("/x", dict[str, int])
