"""Whatever a server answers ends in an answer or in a declared error: on one line, without secrets, of some length."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.support.http import Reply, Server, serving
from tests.support.ways import Kit

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.source import SourceError, Unexpected, Unreachable
from platform_meter.runtime.outside.http import Way

SECRET = "ghp_TOPSECRET/value+0123456789"


@pytest.fixture
def way(server: Server, kit: Kit) -> Way:
    kit.environ["T"] = SECRET
    return kit.way(Access(url=server.url, credential=Token(secret=Secret(env="T"))), timeout=5.0)


def raw(text: bytes) -> Reply:
    return Reply(raw=lambda: [text])


def said(way: Way, path: str = "/x") -> str:
    with pytest.raises(Unexpected) as caught:
        way.get(path, list[int])
    return str(caught.value)


@pytest.mark.parametrize("there", ["http://[::1", "http://[::1]:x/", "http://a\u2100b/", "//[", "http://%"])
def test_a_redirect_to_no_address(way: Way, server: Server, there: str) -> None:
    """An address that nobody can parse is named as such."""
    server.on(
        "/x",
        raw(
            b"HTTP/1.1 302 Found\r\nLocation: " + there.encode() + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
    )
    assert "a redirect leads to " in said(way)


def test_deeply_nested_json(way: Way, server: Server) -> None:
    """It is more than the decoder can hold."""
    server.on("/x", Reply(body=b"[" * 200_000 + b"]" * 200_000))
    with pytest.raises(Unexpected, match=r"^GET /x of github-main: .*; expected JSON of Any, found '\[\[\["):
        way.get("/x", Any)


@pytest.mark.parametrize(
    "charset", ["idna", "punycode", "undefined", "unicode_escape", "hex", "IDNA", "no-such", "utf-16"]
)
def test_a_charset_that_is_none(way: Way, server: Server, charset: str) -> None:
    """Text is read as UTF-8 where the charset is none, and what can't be read is replaced."""
    server.on("/x", Reply(headers={"Content-Type": f"text/plain; charset={charset}"}, body=b"a\xff\xfe"))
    status, text = way.text("/x")
    assert (status, text[-1]) == (200, "\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (f"500 Bearer {SECRET}", "the server answered 500 Bearer ***"),
        (f"503 {SECRET.upper()}", "the server answered 503 ***"),
        (f"404 {quote(SECRET, safe='')}", "the server answered 404 ***; expected JSON of list[int], found nothing"),
        ("404 \x1b[31mNot\x00 Found\x07\u2028", "the server answered 404 [31mNot Found; expected JSON"),
        ("404 " + "x" * 900, f"the server answered 404 {'x' * 100}; expected JSON"),
        ("404", "the server answered 404; expected JSON"),
    ],
)  # fmt: skip
def test_a_reason_phrase(way: Way, server: Server, status: str, found: str) -> None:
    """It is the server's to write: secrets are hidden in it, it is printable and not long."""
    server.on("/x", raw(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()))
    with pytest.raises((Unexpected, Unreachable)) as caught:
        way.get("/x", list[int])
    assert found in str(caught.value)


def test_a_secret_in_the_address(way: Way, server: Server) -> None:
    """A path that a server made up, or a host that it leads to."""
    assert said(way, f"/repos/{SECRET}") == (
        "GET /repos/*** of github-main: the server answered 404 Not Found; expected JSON of list[int], "
        """found '{"message": "not written down"}'"""
    )
    host = SECRET.replace("/", "").replace("_", "").replace("+", "")
    way._exchange.close()
    server.on("/x", Reply(302, {"Location": f"http://{host}.example/"}))
    assert "a redirect leads to http://" in said(way)


def test_headers_that_are_none_are_not_logged(way: Way, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """They may echo the secret."""
    server.on(
        "/x",
        raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n no: header\r\n"
            + SECRET.encode()
            + b"\r\n\r\n[]"
        ),
    )
    with caplog.at_level(logging.INFO):
        assert way.get("/x", list[int]).body == []
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Retry-After", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"),
        ("Retry-After", "0001-01-01T00:00:00+14:00"),
        ("X-RateLimit-Remaining", "nan"),
        ("X-RateLimit-Remaining", "1e-300"),
        ("X-RateLimit-Limit", "inf"),
    ],
)
def test_a_quota_that_is_no_number(server: Server, kit: Kit, name: str, value: str) -> None:
    """What a header says of the quota never breaks the calls to come."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    told = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "60", name: value}
    server.on("/x", Reply(headers=told, body=b"[]"), Reply(429, headers=told), Reply(body=b"[]"))
    way = kit.way(Access(url=server.url, rate_headers=names))
    for _ in range(3):
        assert way.get("/x", list[int]).body == []
        kit.time.pass_(minutes=10)


def test_a_validator_that_cannot_be_sent_back(way: Way, server: Server) -> None:
    """An ETag that is no header's text is forgotten, or the next call would fail, and each one after it."""
    server.on("/x", raw(b'HTTP/1.1 200 OK\r\nETag: "\xc3\xa9\x01"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]'))
    assert way.get("/x", Any).etag == ""


@pytest.fixture(scope="module")
def whole() -> Iterator[Server]:
    """One server for all examples."""
    with pytest.MonkeyPatch.context() as patch, serving() as made:
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield made


SECRETS = st.sampled_from([SECRET, SECRET.upper(), quote(SECRET, safe=""), f"Bearer {SECRET}"])
WORDS = st.one_of(SECRETS, st.text(max_size=20), st.just("x" * 5_000))
LINE = st.one_of(
    st.builds("HTTP/1.{} {} {}".format, st.sampled_from("0129"), st.integers(0, 1_100), WORDS),
    st.builds("HTTP/1.1 {} {}".format, st.sampled_from([200, 204, 301, 304, 308, 400, 401, 403, 404, 410, 429, 500, 503]), WORDS),
    WORDS,
)  # fmt: skip
HEADER = st.one_of(
    st.builds("Location: {}{}".format, st.sampled_from(["", "http://", "http://[", "//", "ftp:", "http://127.0.0.1:"]), WORDS),
    st.builds("Content-Type: text/plain; charset={}".format, st.one_of(st.sampled_from(["idna", "punycode", "undefined", "utf-7"]), WORDS)),
    st.builds("Content-Encoding: {}".format, st.sampled_from(["gzip", "deflate", "br", "gzip, gzip", "x"])),
    st.builds("Content-Length: {}".format, st.one_of(st.integers(-1, 100), WORDS)),
    st.builds("Transfer-Encoding: {}".format, st.sampled_from(["chunked", "x"])),
    st.builds("{}: {}".format, st.sampled_from(["Retry-After", "ETag", "X-RateLimit-Remaining", "X-RateLimit-Reset"]), st.one_of(WORDS, st.floats().map(str))),
    WORDS,
)  # fmt: skip
BODY = st.one_of(st.binary(max_size=60), WORDS.map(str.encode), st.just(b"[" * 20_000), st.just(b'{"a": ["x"]}'))


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@example("HTTP/1.1 302 x", ["Location: http://[::1"], b"")
@example("HTTP/1.1 200 x", ["Content-Length: 40000"], b"[" * 40_000)
@example(f"HTTP/1.1 403 {SECRET}", [f"X: {SECRET}"], SECRET.encode())
@given(line=LINE, headers=st.lists(HEADER, max_size=4), body=BODY)
def test_any_answer(whole: Server, line: str, headers: list[str], body: bytes) -> None:
    """Status lines, headers and bodies of any kind, read as JSON, as text and as a stream."""
    head = "\r\n".join([line, *headers]).encode("utf-8", "surrogatepass")
    kit = Kit(environ={"T": SECRET})
    access = Access(url=whole.url, credential=Token(secret=Secret(env="T")))
    whole.on("/x", raw(head + b"\r\n\r\n" + body))
    try:
        for call in ("get", "post", "text", "lines"):
            kit.time.pass_(days=2)
            way = kit.way(access, timeout=5.0)
            try:
                match call:
                    case "get":
                        way.get("/x", dict[str, list[int]], etag='"a"')
                    case "post":
                        way.post("/x", list[int], body={})
                    case "text":
                        way.text("/x")
                    case _:
                        list(way.lines("/x"))
            except SourceError as error:
                text = str(error)
                assert text.isprintable()
                assert len(text) < 1_000
                assert SECRET.lower() not in text.lower()
                assert quote(SECRET, safe="").lower() not in text.lower()
    finally:
        kit.close()
