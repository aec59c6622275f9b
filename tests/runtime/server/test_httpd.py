"""The server, from the wire: what one client may take, and what it can't take from the others."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import requests
from tests.support.http import Certificate, contexts
from tests.support.waiting import PATIENCE, until

from platform_meter.runtime.server.httpd import Server
from platform_meter.runtime.server.tls import CLIENT_NAMES

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


@contextlib.contextmanager
def connected(server: Server, *, buffer: int | None = None) -> Iterator[socket.socket]:
    with socket.socket() as sock:
        if buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", server.port))
        yield sock


def rest(sock: socket.socket) -> bytes:
    """All that still comes until the server closes."""
    got = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            got += part
    return bytes(got)


def read_until(sock: socket.socket, end: bytes) -> bytes:
    """What comes until it ends with `end`."""
    got = b""
    while not got.endswith(end):
        part = sock.recv(65536)
        assert part, got
        got += part
    return got


class Clock:
    """What the server takes for the time that goes by: the real one, and what the test adds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("platform_meter.runtime.outside.sockets.time", made)
    return made


def heard(server: Server) -> int:
    """From how many of its connections something has been read."""
    return sum(conn.rfile._source.taken > 0 for conn in set(server._cheroot._held))


def all_gone(server: Server) -> None:
    """Wait until all connections have ended."""
    until(lambda: not server._cheroot._held)


def drip(sock: socket.socket, part: bytes, clock: Clock) -> bytes:
    """Send `part` again and again, seconds apart as the server sees it, until it answers or closes."""
    sock.settimeout(0.02)
    for _ in range(500):
        clock.ahead += PATIENCE / 10
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.sendall(part)
        try:
            first = sock.recv(65536)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return b""
        sock.settimeout(PATIENCE)
        return first + rest(sock)
    raise AssertionError("the server went on listening")


def test_it_listens_on_loopback_by_default() -> None:
    """Only this machine reaches it unless a host is named."""
    with Server(app) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server._cheroot.socket.getsockname()[0] == "127.0.0.1"
        answer = requests.get(f"{server.url}/", timeout=PATIENCE)
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
        answer = requests.get(f"{server.url}/broken", timeout=PATIENCE)
        assert (answer.status_code, "a bug" in answer.text) == (500, False)
        assert requests.get(f"{server.url}/", timeout=PATIENCE).status_code == 200
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a bug"


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_slow_headers_are_cut(tls: bool, certs: dict[str, Certificate], clock: Clock) -> None:
    """A client that sends a header byte now and then has the header's time in all, not for each byte."""
    files = contexts(certs["server"]) if tls else None
    with Server(app, tls=files, header_timeout=PATIENCE) as server, connected(server) as sock:
        spoken: socket.socket = sock
        if tls:
            spoken = ssl.create_default_context(cafile=str(certs["ca"].cert)).wrap_socket(
                sock, server_hostname="127.0.0.1"
            )
        spoken.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert drip(spoken, b"x", clock).startswith(b"HTTP/1.1 408 Request Timeout")
        spoken.close()


def test_slow_headers_are_cut_on_the_second_request_too(clock: Clock) -> None:
    """The time starts with each request's first byte; resting before it is not counted."""
    with Server(app, header_timeout=PATIENCE) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_until(sock, b"ok").startswith(b"HTTP/1.1 200 OK")
        clock.ahead += PATIENCE + 1  # longer than the header's time: resting is allowed
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_until(sock, b"ok").startswith(b"HTTP/1.1 200 OK")
        sock.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert drip(sock, b"x", clock).startswith(b"HTTP/1.1 408 Request Timeout")


def test_slow_bodies_are_cut(clock: Clock) -> None:
    """A body has its time in all."""
    with Server(app, header_timeout=100 * PATIENCE, body_timeout=PATIENCE) as server, connected(server) as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert drip(sock, b"x", clock).startswith(b"HTTP/1.1 408 Request Timeout")


def test_resting_connections_are_closed() -> None:
    """After the idle time the connection ends without a word."""
    with Server(app, idle_timeout=0.3) as server, connected(server) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert rest(sock).endswith(b"ok")


def in_time(scene: Callable[[float], bool]) -> None:
    """Play a scene with more and more time, until it is over before its time is: a busy machine may need long for it."""
    assert any(scene(seconds) for seconds in (1.0, 10.0, PATIENCE))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_slow_readers_do_not_block_others_and_are_cut(tls: bool, certs: dict[str, Certificate]) -> None:
    """Clients that ask for 5 MB and don't read hold only their own thread, for the answer's time."""
    files = contexts(certs["server"]) if tls else None
    context = ssl.create_default_context(cafile=str(certs["ca"].cert))

    def scene(seconds: float) -> bool:
        with Server(app, tls=files, answer_timeout=seconds) as server, contextlib.ExitStack() as stack:
            began = time.monotonic()
            slow: list[socket.socket] = []
            for _ in range(20):
                sock = stack.enter_context(connected(server, buffer=4096))
                spoken = stack.enter_context(context.wrap_socket(sock, server_hostname="127.0.0.1")) if tls else sock
                spoken.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
                slow.append(spoken)
            close = {"Connection": "close"}
            answer = requests.get(f"{server.url}/", timeout=PATIENCE, verify=str(certs["ca"].cert), headers=close)
            held, took = len(server._cheroot._held), time.monotonic() - began
            assert answer.text == "ok"
            assert held >= 20 or took > seconds, "answered while all of them still hold on"
            all_gone(server)
            got = b""
            with contextlib.suppress(OSError):  # cut: TLS calls it a violation, TCP may call it a reset
                got = rest(slow[0])
            assert len(got) < len(BIG)
            return took < seconds

    in_time(scene)


def test_silent_tls_handshakes_do_not_block_others(certs: dict[str, Certificate]) -> None:
    """A client that connects and says nothing does not keep the next one from its handshake."""
    files = contexts(certs["server"])

    def scene(seconds: float) -> bool:
        with Server(app, tls=files, header_timeout=seconds) as server, contextlib.ExitStack() as stack:
            began = time.monotonic()
            silent = [stack.enter_context(connected(server)) for _ in range(10)]
            try:
                answer = requests.get(f"{server.url}/scheme", timeout=PATIENCE, verify=str(certs["ca"].cert))
                silent[-1].setblocking(False)
                with pytest.raises(BlockingIOError):  # answered while the silent ones still hold on
                    silent[-1].recv(1)
            except (requests.ConnectionError, pytest.fail.Exception):
                assert time.monotonic() - began > seconds
                return False
            assert answer.text == "https"
            assert rest(silent[0]) == b""  # cut after the handshake's time
            return True

    in_time(scene)


def test_connections_have_a_cap() -> None:
    """The third of two takes the place of the one that lets us wait longest; the other goes on."""
    with Server(app, max_connections=2) as server:
        with connected(server) as first, connected(server) as second:
            for place, sock in enumerate((first, second), 1):
                sock.sendall(b"GET / HTTP/1.1\r\n")
                until(lambda: heard(server) == place)  # noqa: B023 - called here
            assert requests.get(f"{server.url}/", timeout=PATIENCE, headers={"Connection": "close"}).text == "ok"
            assert rest(first) == b""
            second.sendall(b"Host: x\r\nConnection: close\r\n\r\n")
            assert rest(second).endswith(b"ok")
        all_gone(server)
        assert requests.get(f"{server.url}/", timeout=PATIENCE).text == "ok"


def test_resting_connections_leave_room() -> None:
    """Only half of the cap may rest; the others are closed after their answer."""
    with Server(app, max_connections=4) as server, contextlib.ExitStack() as stack:
        resting, selector = 0, vars(server._cheroot)["_connections"]
        for _ in range(8):
            sock = stack.enter_context(connected(server))
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_until(sock, b"ok")
            assert answer.startswith(b"HTTP/1.1 200 OK")
            if b"Connection: close" in answer:
                assert rest(sock) == b""
            else:
                resting += 1
                until(lambda: selector._num_connections == resting)  # noqa: B023 - called here
        assert resting == 2
        assert requests.get(f"{server.url}/", timeout=PATIENCE).text == "ok"


def test_sizes_have_bounds() -> None:
    """Long request lines, headers and bodies are refused."""
    with Server(app, max_header_bytes=1000, max_body_bytes=1000) as server:
        long = "x" * 2000
        assert requests.get(f"{server.url}/{long}", timeout=PATIENCE).status_code == 414
        assert requests.get(f"{server.url}/", headers={"X-Long": long}, timeout=PATIENCE).status_code == 431
        assert requests.post(f"{server.url}/echo", data="x" * 1001, timeout=PATIENCE).status_code == 413
        assert requests.post(f"{server.url}/echo", data="x" * 1000, timeout=PATIENCE).text == "x" * 1000


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
