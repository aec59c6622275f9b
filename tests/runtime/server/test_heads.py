"""Requests that no honest client sends, against the real server with the real application behind it."""

from __future__ import annotations

import errno
import io
import logging
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.support.views import site, view
from tests.support.waiting import PATIENCE

from platform_meter.runtime.server.heads import Heads
from platform_meter.runtime.server.httpd import Server
from platform_meter.web.app import make_app

HOST = b"Host: localhost\r\n"
RELOAD = b"POST /-/reload HTTP/1.1\r\n" + HOST
CHUNKED = RELOAD + b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module", params=["loopback", "everywhere"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = site(view(datetime(2026, 6, 10, 12, tzinfo=UTC)))
    with Server(make_app(made, local=request.param == "loopback")) as running:
        yield running


def asked(line: bytes, headers: bytes = HOST) -> bytes:
    return line + b" HTTP/1.1\r\n" + headers + b"\r\n"


def statuses(server: Server, raw: bytes) -> list[int]:
    """Of each answer until the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as sock:
        answer = b""
        try:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            while chunk := sock.recv(65536):
                answer += chunk
        except OSError as error:
            # It was closed before all that we sent was read.
            assert error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN), error  # noqa: PT017 - any other is a failure
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d+)", answer, re.MULTILINE)]


LINES = {
    b"\r\n\r\n": 400,
    b" / HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"GET\r\n\r\n": 400,
    b"GET /\r\n\r\n": 400,
    b"GET / x HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"GET / HTTP/x\r\n" + HOST + b"\r\n": 400,
    b"GET / HTTP/9.9\r\n" + HOST + b"\r\n": 505,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 505,
    b"GET / FTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"GET / HTTP/1.1\nHost: localhost\n\n": 400,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n": 400,
    asked(b"G\xffT /"): 405,
    asked(b"G\0T /"): 405,
    asked(b"BREW /"): 405,
    asked(b"DELETE /"): 405,
    asked(b"CONNECT a:1"): 405,
    asked(b"GET *"): 400,
    asked(b"GET x"): 400,
    asked(b"GET //x/y"): 400,
    asked(b"GET /#a"): 400,
    asked(b"GET http://localhost/"): 400,
    asked(b"GET http://[::/"): 400,
    asked(b"GET http://localhost:99999999/"): 400,
    asked(b"GET /a\0b"): 404,
    asked(b"GET /\\..\\x"): 404,
    asked(b"GET /../../etc/passwd"): 404,
    asked(b"GET /slos/\xc3\xbc"): 400,
    asked(b"GET /slos/\xfc"): 400,
    asked(b"GET /%zz"): 404,
    asked(b"GET /slos/%"): 404,
    asked(b"GET /slos/%00"): 404,
    asked(b"GET /slos/%ff%fe"): 404,
    asked(b"GET /slos/%ed%a0%80"): 404,
    asked(b"GET /slos/a%2Fb"): 404,
    asked(b"GET /x%0d%0aSet-Cookie:a"): 404,
    asked(b"GET /" + b"a" * 30_000): 404,
    asked(b"GET /" + b"a" * 40_000): 414,
}

HEADERS = {
    HOST + b"X: " + b"a" * 40_000 + b"\r\n": 431,
    HOST + b"".join(b"X%d: a\r\n" % n for n in range(5_000)): 431,
    HOST + b"Nonsense\r\n": 400,
    HOST + b"Bad Name: a\r\n": 400,
    HOST + b"Accept : */*\r\n": 400,
    HOST + b": a\r\n": 400,
    HOST + b"X\0: a\r\n": 400,
    HOST + b"X: a\0b\r\n": 400,
    HOST + b"X: a\rb\r\n": 400,
    HOST + b"X: a\r\n folded\r\n": 400,
    b" folded\r\n" + HOST: 400,
    b"": 400,
    HOST + HOST: 400,
    HOST + b"host: other\r\n": 400,
    b"Host: \xc3\xbc.example\r\n": 400,
    b"Host: [::1\r\n": 400,
    b"Host: a b\r\n": 400,
    b"Host: localhost:abc\r\n": 400,
    b"Host: a@localhost\r\n": 400,
    b"Host: localhost/x\r\n": 400,
    HOST + b"Content-Length: -1\r\n": 400,
    HOST + b"Content-Length: 99999999999\r\n": 413,
}

BODIES = {
    RELOAD + b"Content-Length: x\r\n\r\n": 400,
    RELOAD + b"Content-Length: +1\r\n\r\na": 400,
    RELOAD + b"Content-Length: 1_0\r\n\r\n0123456789": 400,
    RELOAD + b"Content-Length: \xb2\r\n\r\n": 400,
    RELOAD + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n": 400,
    RELOAD + b"Content-Length:\r\n\r\n": 400,
    RELOAD + b"Content-Length: 1, 1\r\n\r\na": 400,
    RELOAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab": 400,
    RELOAD + b"Content-Length : 5\r\n\r\nhello": 400,
    CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n": 400,
    CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n": 400,
    CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n": 501,
    CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n": 501,
    CHUNKED + b"\r\n-3\r\nabc\r\n0\r\n\r\n": 501,
    CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n": 501,
    CHUNKED + b"\r\nffffffffffff\r\nabc": 501,
    CHUNKED + b"\r\n3;" + b"a" * 70_000 + b"\r\nabc\r\n0\r\n\r\n": 501,
    RELOAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n": 501,
    RELOAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n": 400,
    RELOAD + b"Transfer-Encoding:\r\n\r\n": 501,
    b"POST /-/reload HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 501,
}

CASES = [*LINES.items(), *((asked(b"GET /-/healthy", headers), status) for headers, status in HEADERS.items())]
CASES += BODIES.items()


def test_what_is_malformed_is_refused(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Each with a status that fits and nothing after it: no 500, no trace in the log, nobody kept waiting."""
    caplog.set_level(logging.DEBUG)
    found = [(raw[:60], statuses(server, raw)) for raw, _ in CASES]
    assert found == [(raw[:60], [status]) for raw, status in CASES]
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (asked(b"GET /-/healthy") + b"GARBAGE\r\n\r\n", [200, 400]),
        (asked(b"GET /-/healthy") + asked(b"GET /nope"), [200, 404]),
        (CHUNKED + b"\r\n0\r\n\r\n" + asked(b"GET /-/healthy"), [501]),
        (RELOAD + b"Content-Length: x\r\n\r\n" + asked(b"GET /-/healthy"), [400]),
        (
            asked(b"GET /-/healthy", HOST + b"Content-Length: 5\r\n")[:-2] + b"\r\nhello" + asked(b"GET /nope"),
            [200, 404],
        ),
    ],
)
def test_what_comes_behind_a_request(server: Server, raw: bytes, expected: list[int]) -> None:
    """The next one, where the first was sound; else nothing, since nobody can tell where it begins."""
    assert statuses(server, raw) == expected


def head(raw: bytes) -> dict[bytes, bytes]:
    return Heads()(io.BytesIO(raw + b"\r\n"))


def test_a_header_has_one_way_of_being_said() -> None:
    """All values of one that comes twice are told; one with an underscore could pass for one that a proxy sets."""
    said = b"X-Forwarded-User: anna\r\nX_Forwarded_User: root\r\nx-forwarded-user: root \r\nAccept: a\r\nAccept: b\r\n"
    assert head(said) == {b"X-Forwarded-User": b"anna, root", b"Accept": b"a, b"}
    assert head(b"X_Forwarded_User: root\r\nX_Forwarded_User: root\r\n") == {}


@pytest.mark.parametrize(
    "raw",
    [
        asked(b"GET /-/healthy?%zz=%ff&=&&a"),
        asked(b"GET /-/healthy", b"host: localhost:9898\r\n"),
        asked(b"GET /-/healthy", b"Host: [::1]:9898\r\n"),
        asked(b"GET /-/healthy", HOST + b"Accept: \xff;q=zz,;;\r\nAccept: b\r\n"),
        asked(b"GET /-/healthy", HOST + b"Expect: nonsense\r\n"),
        b"GET /-/healthy HTTP/1.0\r\n\r\n",
    ],
)
def test_what_is_only_odd_is_answered(server: Server, raw: bytes) -> None:
    """A query that says nothing, a second header of a kind that may come twice, HTTP/1.0 without a host."""
    assert statuses(server, raw) == [200]
