"""Slow and silent clients lose their place to honest ones, and a machine without room for more says so once."""

from __future__ import annotations

import contextlib
import errno
import logging
import resource
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import requests
from tests.support.waiting import PATIENCE

from platform_meter.runtime.server.httpd import Server

BIG = b"x" * 5_000_000
SLOW = {
    "headers": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "silent": b"",
    "body": b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
    "reader": b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n",
}


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read() if environ["PATH_INFO"] == "/echo" else b""
    body = BIG if environ["PATH_INFO"] == "/big" else body or b"ok"
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@contextlib.contextmanager
def flood(server: Server, kind: str, count: int) -> Iterator[None]:
    """`count` connections that are slow in this way, each opened again once it is cut, until the block ends."""
    over = threading.Event()

    def opened() -> socket.socket | None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(SLOW[kind])
        except OSError:
            sock.close()
            return None
        sock.setblocking(False)
        return sock

    def cut(sock: socket.socket) -> bool:
        try:
            if kind in {"headers", "body"}:
                sock.send(b"a")
            return kind != "reader" and sock.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def hold() -> None:
        held = [opened() for _ in range(count)]
        while not over.wait(0.05):
            for place, sock in enumerate(held):
                if sock is None or cut(sock):
                    if sock is not None:
                        sock.close()
                    held[place] = opened()
        for sock in held:
            if sock is not None:
                sock.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        while len(server._cheroot._held) < server._cheroot.limits.connections:
            over.wait(0.01)
        yield
    finally:
        over.set()
        thread.join()


def asked(server: Server) -> int:
    """The status of an honest request; 0 where the connection was cut."""
    try:
        return requests.get(server.url, timeout=PATIENCE, headers={"Connection": "close"}).status_code
    except requests.ConnectionError:
        return 0


@pytest.mark.parametrize("kind", SLOW)
def test_honest_requests_are_answered_among_slow_clients(kind: str) -> None:
    """Of four times as many slow clients as there are places, none keeps an honest request from its answer.

    On a machine so busy that an honest client is as slow as they are for a moment, it is answered when it tries again.
    """
    with Server(app, max_connections=16) as server, flood(server, kind, 64):
        tries = [next((n for n in range(1, 6) if asked(server) == 200), 6) for _ in range(20)]
    assert max(tries) < 6
    assert sum(tries) <= 40


def test_nobody_is_cut_while_being_answered() -> None:
    """Where every place is worked for, the next one is told 503 at once, and the others get their answers."""
    started, go = threading.Semaphore(0), threading.Event()

    def slow_app(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        started.release()
        go.wait(PATIENCE)
        start("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    answers: list[str] = []
    with Server(slow_app, max_connections=2) as server:
        threads = [
            threading.Thread(target=lambda: answers.append(requests.get(server.url, timeout=PATIENCE).text))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert started.acquire(timeout=PATIENCE)
        refused = requests.get(server.url, timeout=PATIENCE)
        go.set()
        for thread in threads:
            thread.join()
    assert (refused.status_code, refused.text) == (503, "too many connections; try again\n")
    assert answers == ["ok", "ok"]


def _refuse() -> None:
    raise OSError(errno.EMFILE, "Too many open files")


def test_without_files_it_says_so_once_and_pauses(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A thousand accepts that fail are one line in the log, with a pause after each."""
    pauses: list[float] = []
    server = Server(app)._cheroot
    monkeypatch.setattr("platform_meter.runtime.server.httpd.time.sleep", pauses.append)
    for _ in range(1000):
        with contextlib.suppress(OSError):
            try:
                _refuse()
            finally:
                server.error_log("Error in HTTPServer.serve", logging.ERROR, traceback=True)
    assert [r.getMessage() for r in caplog.records] == [
        "no room for another connection: Too many open files; raise the limit of open files"
    ]
    assert pauses == [0.05] * 1000


@pytest.mark.parametrize(
    ("allowed", "served"), [(1024, 64), (128, 64), (100, 36), (64, 16), (resource.RLIM_INFINITY, 64)]
)
def test_connections_fit_into_the_limit_of_open_files(
    allowed: int, served: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Fewer are served where the rest of the process needs the files, and a warning says so."""
    monkeypatch.setattr("platform_meter.runtime.server.httpd.resource.getrlimit", lambda _: (allowed, allowed))
    assert Server(app)._cheroot.limits.connections == served
    said = [f"only {allowed} files may be open, so at most {served} connections are served instead of 64"]
    assert [r.getMessage() for r in caplog.records] == (said if served < 64 else [])
