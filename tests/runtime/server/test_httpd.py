"""The server, from the wire: what one client may take, and what it can't take from the others."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.http import Certificate, authority, certificate

from platform_meter.runtime.server.httpd import Server
from platform_meter.runtime.server.tls import CLIENT_NAMES, TlsFiles

BIG = b"x" * 5_000_000


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Says what was asked; /big is large, /broken fails, /names tells who the client is."""
    path = environ["PATH_INFO"]
    if path == "/broken":
        raise RuntimeError("a bug")
    told = {
        "/big": BIG,
        "/echo": environ["wsgi.input"].read() if path == "/echo" else b"",
        "/names": ",".join(environ.get(CLIENT_NAMES, ())).encode(),
        "/scheme": environ["wsgi.url_scheme"].encode(),
    }
    body = told.get(path, b"ok")
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certs")
    ca, other = authority(folder), authority(folder, "other")
    return {
        "ca": ca,
        "server": certificate(folder, ca, "server"),
        "renewed": certificate(folder, ca, "renewed"),
        "client": certificate(folder, ca, "client", san="DNS:prometheus.example"),
        "stranger": certificate(folder, other, "stranger"),
    }


@contextlib.contextmanager
def connected(server: Server, *, buffer: int | None = None) -> Iterator[socket.socket]:
    with socket.socket() as sock:
        if buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.settimeout(10)
        sock.connect(("127.0.0.1", server.port))
        yield sock


def rest(sock: socket.socket) -> bytes:
    """All that still comes until the server closes."""
    got = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            got += part
    return bytes(got)


def until(sock: socket.socket, end: bytes) -> bytes:
    """What comes until it ends with `end`."""
    got = b""
    while not got.endswith(end):
        part = sock.recv(65536)
        assert part, got
        got += part
    return got


def gone(server: Server) -> bool:
    """Whether all connections have ended within 10 s."""
    for _ in range(500):
        if not server._cheroot._held:
            return True
        threading.Event().wait(0.02)
    return False


def drip(sock: socket.socket, part: bytes) -> bytes:
    """Send `part` again and again until the server answers or closes."""
    sock.settimeout(0.02)
    for _ in range(500):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(part)
        try:
            first = sock.recv(65536)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return b""
        sock.settimeout(10)
        return first + rest(sock)
    raise AssertionError("the server went on listening")


def test_it_listens_on_loopback_by_default() -> None:
    """Only this machine reaches it unless a host is named."""
    with Server(app) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server._cheroot.socket.getsockname()[0] == "127.0.0.1"
        answer = requests.get(f"{server.url}/", timeout=10)
        assert (answer.text, answer.headers["Server"]) == ("ok", "platform-meter")


def test_a_taken_port_is_an_error_at_start() -> None:
    """The one who starts it learns it, not a thread."""
    with Server(app) as server, pytest.raises(OSError, match="Address already in use"):
        Server(app, port=server.port).start()


def test_connections_are_kept_and_requests_pipelined() -> None:
    """Three requests sent at once are answered in turn on one connection."""
    with Server(app) as server, connected(server) as sock:
        one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        sock.sendall(one + one + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert rest(sock).count(b"HTTP/1.1 200 OK") == 3


def test_a_bug_in_a_page_is_a_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The trace goes to the log, not to the client; the server goes on."""
    with Server(app) as server:
        answer = requests.get(f"{server.url}/broken", timeout=10)
        assert (answer.status_code, "a bug" in answer.text) == (500, False)
        assert requests.get(f"{server.url}/", timeout=10).status_code == 200
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a bug"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_slow_headers_are_cut(tls: bool, certs: dict[str, Certificate]) -> None:
    """A client that sends a header byte now and then has the header's time in all, not for each byte."""
    files = TlsFiles(cert_file=str(certs["server"].cert), key_file=str(certs["server"].key)) if tls else None
    with Server(app, tls=files, header_timeout=0.3) as server, connected(server) as sock:
        spoken: socket.socket = sock
        if tls:
            spoken = ssl.create_default_context(cafile=str(certs["ca"].cert)).wrap_socket(
                sock, server_hostname="127.0.0.1"
            )
        spoken.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert drip(spoken, b"x").startswith(b"HTTP/1.1 408 Request Timeout")
        spoken.close()


def test_slow_headers_are_cut_on_the_second_request_too() -> None:
    """The time starts with each request's first byte; resting before it is not counted."""
    with Server(app, header_timeout=0.3) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert until(sock, b"ok").startswith(b"HTTP/1.1 200 OK")
        threading.Event().wait(0.5)  # longer than the header's time: resting is allowed
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert until(sock, b"ok").startswith(b"HTTP/1.1 200 OK")
        sock.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert drip(sock, b"x").startswith(b"HTTP/1.1 408 Request Timeout")


def test_slow_bodies_are_cut() -> None:
    """A body has its time in all."""
    with Server(app, body_timeout=0.3) as server, connected(server) as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert drip(sock, b"x").startswith(b"HTTP/1.1 408 Request Timeout")


def test_resting_connections_are_closed() -> None:
    """After the idle time the connection ends without a word."""
    with Server(app, idle_timeout=0.3) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert rest(sock).endswith(b"ok")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_slow_readers_do_not_block_others_and_are_cut(tls: bool, certs: dict[str, Certificate]) -> None:
    """Clients that ask for 5 MB and don't read hold only their own thread, for the answer's time."""
    files = TlsFiles(cert_file=str(certs["server"].cert), key_file=str(certs["server"].key)) if tls else None
    context = ssl.create_default_context(cafile=str(certs["ca"].cert))
    with Server(app, tls=files, answer_timeout=3.0) as server, contextlib.ExitStack() as stack:
        slow: list[socket.socket] = []
        for _ in range(20):
            sock = stack.enter_context(connected(server, buffer=4096))
            spoken = stack.enter_context(context.wrap_socket(sock, server_hostname="127.0.0.1")) if tls else sock
            spoken.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.append(spoken)
        close = {"Connection": "close"}
        answer = requests.get(f"{server.url}/", timeout=10, verify=str(certs["ca"].cert), headers=close)
        assert (answer.text, len(server._cheroot._held) >= 20) == (
            "ok",
            True,
        )  # answered while all of them still hold on
        assert gone(server)
        got = b""
        with contextlib.suppress(OSError):  # cut: TLS calls it a violation, TCP may call it a reset
            got = rest(slow[0])
        assert len(got) < len(BIG)


def test_silent_tls_handshakes_do_not_block_others(certs: dict[str, Certificate]) -> None:
    """A client that connects and says nothing does not keep the next one from its handshake."""
    files = TlsFiles(cert_file=str(certs["server"].cert), key_file=str(certs["server"].key))
    with Server(app, tls=files, header_timeout=2.0) as server, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connected(server)) for _ in range(10)]
        assert requests.get(f"{server.url}/scheme", timeout=10, verify=str(certs["ca"].cert)).text == "https"
        silent[-1].setblocking(False)
        with pytest.raises(BlockingIOError):  # answered while the silent ones still hold on
            silent[-1].recv(1)
        assert rest(silent[0]) == b""  # cut after the handshake's time


def test_connections_have_a_cap() -> None:
    """The third of two is told 503 at once; when one of the two ends there is room again."""
    with Server(app, max_connections=2) as server:
        with connected(server) as first, connected(server) as second:
            for sock in (first, second):
                sock.sendall(b"GET / HTTP/1.1\r\n")
            with connected(server) as third:
                answer = rest(third)
            assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert answer.endswith(b"\r\n\r\ntoo many connections; try again\n")
            first.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
            assert rest(first).endswith(b"ok")
        assert gone(server)
        assert requests.get(f"{server.url}/", timeout=10).text == "ok"


def test_resting_connections_leave_room() -> None:
    """Only half of the cap may rest; the others are closed after their answer."""
    with Server(app, max_connections=4) as server, contextlib.ExitStack() as stack:
        for _ in range(8):
            sock = stack.enter_context(connected(server))
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert until(sock, b"ok").startswith(b"HTTP/1.1 200 OK")
        assert requests.get(f"{server.url}/", timeout=10).text == "ok"


def test_sizes_have_bounds() -> None:
    """Long request lines, headers and bodies, announced or in chunks, are refused."""
    with Server(app, max_header_bytes=1000, max_body_bytes=1000) as server:
        long = "x" * 2000
        assert requests.get(f"{server.url}/{long}", timeout=10).status_code == 414
        assert requests.get(f"{server.url}/", headers={"X-Long": long}, timeout=10).status_code == 413
        assert requests.post(f"{server.url}/echo", data="x" * 1001, timeout=10).status_code == 413
        assert requests.post(f"{server.url}/echo", data="x" * 1000, timeout=10).text == "x" * 1000
        chunked = requests.post(f"{server.url}/echo", data=iter([b"x" * 600, b"x" * 600]), timeout=10)
        assert chunked.status_code == 413


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
        get: Any = lambda **how: requests.get(f"{server.url}/names", timeout=10, verify=str(certs["ca"].cert), **how)  # noqa: E731 - said once, used thrice
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
        assert requests.get(f"{server.url}/names", timeout=10, verify=str(certs["ca"].cert)).text == ""
        assert requests.get(f"{server.url}/names", timeout=10, verify=str(certs["ca"].cert), cert=known).text != ""


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


def test_stopping_cuts_what_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never reads its answer does not keep the server from stopping, and the port is free again."""
    monkeypatch.setattr("platform_meter.runtime.server.httpd._GRACE", 0.2)
    server = Server(app)
    server._cheroot.shutdown_timeout = 0
    server.start()
    with connected(server, buffer=4096) as sock:
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(10) == b"HTTP/1.1 2"
        server.stop()
    server.stop()  # a second time is nothing
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
