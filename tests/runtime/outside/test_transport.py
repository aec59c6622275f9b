"""What requests is held to: where credentials go, how bodies become lines and text, and what a failure is called."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.exceptions import LocationParseError, MaxRetryError, NewConnectionError, ReadTimeoutError

from platform_meter.runtime.outside.sockets import Deadline
from platform_meter.runtime.outside.transport import (
    TooLong,
    bounded,
    decoded,
    elsewhere,
    lines,
    origin,
    ours,
    reason,
    session,
    timed_out,
)

BASE = "https://api.example.org/v3"
ONLY = "but credentials are only sent to https://api.example.org:443; if the system has moved, change its url"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.example.org/x", ("https", "api.example.org", 443)),
        ("http://api.example.org", ("http", "api.example.org", 80)),
        ("https://[::1]:6443/readyz", ("https", "[::1]", 6443)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: tuple[str, str, int]) -> None:
    """As the client will understand it: hosts in small letters, ports written out."""
    assert origin(url) == expected


def test_what_is_no_url_has_no_origin() -> None:
    """It is an error, not a guess."""
    with pytest.raises(LocationParseError):
        origin("https://host:port:1/")


@pytest.mark.parametrize("url", ["https://api.example.org/other", "https://API.EXAMPLE.ORG:443/v3?page=2"])
def test_credentials_go_to_their_own_origin(url: str) -> None:
    """Another path, other letters, the port written out: all the same place."""
    assert elsewhere(url, BASE) == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "https://evil.example/v3",
            f"leads to https://evil.example:443, {ONLY}",
        ),
        (
            "http://api.example.org/v3",
            f"leads to http://api.example.org:80, {ONLY}",
        ),
        ("https://u:p@api.example.org/v3", "leads to a URL with credentials in it, which are never sent"),
        ("https://host:port:1/", "leads to something that is no URL"),
    ],
    ids=["host", "scheme", "user", "no url"],
)
def test_credentials_go_nowhere_else(url: str, said: str) -> None:
    """Another host, plain HTTP or a URL with its own credentials: refused, with what to do."""
    assert elsewhere(url, BASE) == said


@given(st.lists(st.text("ab \r", max_size=5), max_size=6), st.integers(1, 7))
def test_lines_do_not_depend_on_how_they_arrive(told: list[str], size: int) -> None:
    """Cut anywhere, they are the same: stripped, blank ones left out, the last without its end."""
    body = "\n".join(told).encode()
    cut = [body[i : i + size] for i in range(0, len(body), size)]
    found = [line for group in lines(iter(cut), 1000, lambda _: False) for line in group]
    assert found == [line.strip().encode() for line in told if line.strip()]


def test_a_line_without_an_end_has_a_bound() -> None:
    """What came before it is given; then it is refused before it fills the memory."""
    found = lines(iter([b"one\n" + b"x" * 6, b"x" * 6]), 10, lambda _: True)
    assert next(found) == [b"one"]
    with pytest.raises(TooLong, match="a line is longer than 10 bytes"):
        next(found)


def test_lines_that_came_are_one_group() -> None:
    """What has arrived is gathered, 500 lines at most; once nothing more comes in time they are handed on."""
    waits: list[float] = []
    coming = iter([True, False, True, False, False])

    def more(seconds: float) -> bool:
        waits.append(seconds)
        return next(coming)

    found = lines(iter([b"1\n", b"2\n3", b"\n", b"4\n" * 3, b"5\n"]), 100, more)
    assert list(found) == [[b"1", b"2"], [b"3", b"4", b"4", b"4"], [b"5"]]
    assert waits[:2] == [0.0, 0.0]
    assert all(0.0 < wait <= 1.0 for wait in waits[2:])
    crowd = lines(iter([b"x\n" * 499, b"x\n", b"x\n"]), 100, lambda _: True)
    assert [len(group) for group in crowd] == [500, 1]


@pytest.mark.parametrize(
    ("error", "side"),
    [
        (ssl.SSLCertVerificationError("self-signed"), True),
        (requests.ConnectionError(socket.gaierror(-2, "Name or service not known")), True),
        (requests.exceptions.ProxyError("tunnel failed"), True),
        (requests.ConnectionError(OSError(errno.EHOSTUNREACH, "No route to host")), True),
        (OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /ca"), True),
        (requests.ConnectionError(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")), False),
        (requests.ConnectionError(ConnectionResetError(errno.ECONNRESET, "reset")), False),
        (requests.ReadTimeout("slow"), False),
        (ssl.SSLError(1, "wrong version number"), False),
    ],
    ids=["not trusted", "no name", "proxy", "no route", "no file", "refused", "reset", "slow", "no TLS"],
)
def test_our_side_of_a_connection_is_told_from_theirs(error: BaseException, side: bool) -> None:
    """What never left us tells nothing of the system; a refusal, a reset and silence do."""
    assert ours(error) is side


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ('text/plain; charset="utf-8"', b"caf\xc3\xa9", "café"),
        ("text/plain", b"caf\xc3\xa9", "café"),
        ("text/plain", b"caf\xe9", "caf\ufffd"),
        ("text/plain; charset=klingon", b"caf\xc3\xa9", "café"),
    ],
)
def test_text_is_in_the_charset_that_is_named(content_type: str, body: bytes, expected: str) -> None:
    """UTF-8 where none is, or one nobody knows; what can't be decoded is replaced, never raised."""
    assert decoded(body, content_type) == expected


def chained(outer: BaseException, cause: BaseException) -> BaseException:
    outer.__cause__ = cause
    return outer


REFUSED = requests.ConnectionError(
    MaxRetryError(
        None,  # type: ignore[arg-type] # the pool is not read
        "/",
        chained(NewConnectionError(None, "x"), ConnectionRefusedError(111, "Connection refused")),  # type: ignore[arg-type]
    )
)


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (REFUSED, "Connection refused"),
        (
            chained(requests.exceptions.SSLError("https://u:secret@host"), untrusted()),
            "the server's certificate is not trusted (self-signed certificate); name its CA in ca_file",
        ),
        (chained(requests.exceptions.SSLError("x"), ssl.SSLError(1, "x")), "TLS failed (connection closed)"),
        (requests.ReadTimeout("https://u:secret@host"), "no answer in time"),
        (chained(OSError(), TimeoutError("timed out")), "no answer in time"),
        (requests.exceptions.ChunkedEncodingError("https://u:secret@host"), "ChunkedEncodingError"),
    ],
    ids=["refused", "untrusted", "tls", "timeout", "wrapped timeout", "other"],
)
def test_a_failure_is_said_in_few_words_without_its_url(error: BaseException, said: str) -> None:
    """The deepest cause that says something; a URL may hold a secret, and is never part of it."""
    assert reason(error) == said


def test_only_failures_of_time_are_time_outs() -> None:
    """However deep they are wrapped."""
    assert timed_out(requests.ConnectionError(ReadTimeoutError(None, "/", "x")))  # type: ignore[arg-type]
    assert timed_out(chained(OSError(), TimeoutError()))
    assert not timed_out(REFUSED)


def test_a_failure_that_causes_itself_ends() -> None:
    """Chains of causes may be rings."""
    one, other = ValueError("a"), KeyError("b")
    one.__cause__, other.__cause__ = other, one
    assert reason(one) == "KeyError"
    assert not timed_out(one)


def test_a_deadline_holds_for_its_block_alone() -> None:
    """Blocks may be nested; what was before is again after."""
    from platform_meter.runtime.outside.transport import _current

    outer, inner = Deadline(total=1, idle=1), Deadline(total=2, idle=2)
    with bounded(outer):
        with bounded(inner):
            assert _current.deadline is inner
        assert _current.deadline is outer
    assert _current.deadline is None


def tls(made: requests.Session) -> dict[str, object]:
    """What its HTTPS connections are made with."""
    adapter = made.get_adapter("https://10.0.0.1")
    assert isinstance(adapter, HTTPAdapter)
    return dict(adapter.poolmanager.connection_pool_kw)


def test_a_session_says_nothing_by_itself() -> None:
    """No header of requests' own and no cookie; a server name is what the certificate must carry."""
    with session() as plain, session("kubernetes.default") as named:
        assert dict(plain.headers) == {}
        assert list(plain.cookies) == []
        kept = tls(named)
        assert (kept["server_hostname"], kept["assert_hostname"]) == ("kubernetes.default", "kubernetes.default")
        assert "server_hostname" not in tls(plain)
