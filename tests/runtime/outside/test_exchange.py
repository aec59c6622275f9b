"""One exchange on the wire: its host, its bounds, its secrets. A real server answers on loopback."""

from __future__ import annotations

import gzip
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.support.http import Answerer, Certificate, Reply, Server, authority, certificate, serving
from tests.support.waiting import PATIENCE
from tests.support.ways import Kit, write

from platform_meter.model.access import Access, Basic, Credential, Secret, SecretHeaders, Token
from platform_meter.model.source import Severed, SourceError, TimedOut, Unexpected, Unreachable
from platform_meter.runtime.outside.exchange import Call

OK = Reply(body=b"[1, 2]")


@pytest.mark.parametrize("path", ["/a/b", "a/b", "/a/b?page=2", "https://git.example/a/b?page=2", "HTTP://x:1/a/b"])
def test_a_call_is_known_by_its_path(path: str) -> None:
    """Whatever page it is of, relative or whole: breaker and quota take all of them for one thing."""
    assert Call(method="GET", path=path, headers={}, total=1.0).key == "/a/b"


class Item(msgspec.Struct):
    id: int


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certs")
    ca = authority(folder)
    return {"ca": ca, "server": certificate(folder, ca, "server"), "client": certificate(folder, ca, "client")}


def test_connections_are_kept(kit: Kit, server: Server) -> None:
    """Calls one after the other use one connection, also when an answer was an error."""
    server.on("/items", OK, Reply(404, body=b"{}"), OK)
    way = kit.way(Access(url=server.url))
    way.get("/items", list[int])
    with pytest.raises(Unexpected):
        way.get("/items", list[int])
    way.get("/items", list[int])
    assert len({s.client for s in server.seen}) == 1


def test_whole_urls_of_the_same_host_are_followed(kit: Kit, server: Server) -> None:
    """A next link may be a whole URL, with its query."""
    server.on("/items", OK)
    kit.way(Access(url=server.url)).get(f"{server.url}/items?page=3", list[int])
    assert (server.seen[0].path, server.seen[0].query) == ("/items", "page=3")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://127.0.0.1:1/items", "leads to http://127.0.0.1:1, but credentials are only sent to {here}"),
        ("https://127.0.0.1/items", "leads to https://127.0.0.1:443, but credentials are only sent to {here}"),
        ("http://evil.example/items", "leads to http://evil.example:80, but credentials are only sent to {here}"),
        ("http://[", "leads to something that is no URL"),
    ],
)
def test_other_hosts_are_not_asked(kit: Kit, server: Server, address: str, says: str) -> None:
    """Scheme, host and port must be those of the source; no request is made otherwise."""
    with pytest.raises(Unexpected) as caught:
        kit.way(Access(url=server.url)).get(address, list[int])
    assert says.format(here=server.url) in str(caught.value)
    assert (server.seen, kit.outcomes) == ([], [])


def test_a_user_in_a_link_is_refused(kit: Kit, server: Server) -> None:
    """A URL with credentials is not requested, and not quoted."""
    with pytest.raises(Unexpected, match="leads to a URL with credentials in it, which are never sent") as caught:
        kit.way(Access(url=server.url)).get(server.url.replace("//", "//me:hunter2@"), list[int])
    assert "hunter2" not in str(caught.value)


def test_redirects_stay_on_their_host(kit: Kit, server: Server) -> None:
    """A moved repository is followed, with the credential and without the parameters given twice."""
    server.on("/old", Reply(301, {"Location": "/new?x=1"}))
    server.on("/new", OK)
    kit.environ["TOKEN"] = "s3cret"
    way = kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN"))))
    assert way.get("/old", list[int], params={"x": 1}).body == [1, 2]
    assert [(s.path, s.query, s.headers["authorization"]) for s in server.seen] == [
        ("/old", "x=1", "Bearer s3cret"),
        ("/new", "x=1", "Bearer s3cret"),
    ]


def test_redirects_to_other_hosts_are_refused(kit: Kit, server: Server) -> None:
    """No request, and so no credential, ever reaches the other host."""
    kit.environ["TOKEN"] = "s3cret"
    with serving() as other:
        server.on("/old", Reply(302, {"Location": f"{other.url}/new?token=abc"}))
        with pytest.raises(
            Unexpected, match=f"a redirect leads to {other.url}, but credentials are only sent to"
        ) as caught:
            kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN")))).get("/old", list[int])
        assert other.seen == []
        assert (caught.value.status, "abc" in str(caught.value)) == (302, False)


def test_redirects_end(kit: Kit, server: Server) -> None:
    """A circle of redirects is left after five."""
    server.on("/old", Reply(302, {"Location": "/old"}))
    with pytest.raises(Unexpected, match="redirected more than 5 times; check the url"):
        kit.way(Access(url=server.url)).get("/old", list[int])
    assert len(server.seen) == 5


def _echo(status: int) -> Answerer:
    return lambda seen: Reply(status, body=("x" * 180 + str(sorted(seen.headers.items()))).encode())


BASIC = Basic(user="me", password=Secret(env="USER_PASSWORD"))
KEYS = SecretHeaders(headers={"DD-API-KEY": Secret(env="API_KEY"), "DD-APPLICATION-KEY": Secret(env="APP_KEY")})


@pytest.mark.parametrize("credential", [BASIC, KEYS], ids=["basic", "keys"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_secrets_are_in_no_text(
    kit: Kit, server: Server, status: int, credential: Credential, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that echoes all our headers can't bring a secret, or a part of one, into an error, a trace or the log."""
    kit.environ |= {
        "USER_PASSWORD": "correct-horse-battery-staple",
        "API_KEY": "api-0123456789-key",
        "APP_KEY": "app-0123456789-key",
    }
    server.on("/items", _echo(status))
    way = kit.way(Access(url=server.url, credential=credential))
    with pytest.raises(SourceError) as caught:
        way.get("/items", Item)
    (seen, *_) = server.seen
    names = ("authorization", "dd-api-key", "dd-application-key")
    assert [seen.headers[name] for name in names if name in seen.headers] == (
        ["Basic bWU6Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ=="]
        if credential is BASIC
        else ["api-0123456789-key", "app-0123456789-key"]
    )
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(vars(way)) + repr(way)
    for part in ("correct-horse", "battery", "api-012", "app-012", "bWU6Y29"):
        assert part not in told


def test_secrets_from_the_network_are_in_no_text(kit: Kit) -> None:
    """A failed connection shows no header either."""
    kit.environ["TOKEN"] = "s3cret-token"
    with serving() as gone:
        url = gone.url
    with pytest.raises(Unreachable) as caught:
        kit.way(Access(url=url, credential=Token(secret=Secret(env="TOKEN")))).get("/items", list[int])
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_answers_have_a_bound(kit: Kit, server: Server) -> None:
    """What is larger is not read to its end; the text names the bound."""
    server.on("/items", Reply(body=b"[" + b"1," * 2000 + b"1]"))
    with pytest.raises(Unexpected, match="the answer is larger than 1000 bytes, the bound; ask for smaller pages"):
        kit.way(Access(url=server.url), max_bytes=1000).get("/items", list[int])


def test_a_gzip_bomb_is_bounded_by_what_it_unpacks_to(kit: Kit, server: Server) -> None:
    """100 MB of blanks packed into 100 kB stop at the bound; gzip as such is read."""
    server.on("/bomb", Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b" " * 100_000_000, 9)))
    server.on("/items", Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"[1, 2]")))
    way = kit.way(Access(url=server.url))
    with pytest.raises(Unexpected, match="the answer is larger than 1000000 bytes"):
        way.get("/bomb", list[int])
    assert way.get("/items", list[int]).body == [1, 2]
    assert server.seen[0].headers["accept-encoding"] == "gzip"


def _drip(server: Server, head: bytes, part: bytes) -> Reply:
    def parts() -> Iterator[bytes]:
        yield head
        while not server.over.wait(0.02):
            yield part

    return Reply(raw=parts)


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n[", b" "),
        (b"", b""),
    ],
    ids=["dripping headers", "dripping body", "silence"],
)
def test_a_slow_answer_ends_with_its_time(kit: Kit, server: Server, head: bytes, part: bytes) -> None:
    """The time of a request bounds all of it: bytes that keep coming don't prolong it."""
    server.on("/items", _drip(server, head, part))
    with pytest.raises(TimedOut, match=r"GET /items of github-main: 127.0.0.1:\d+: no answer in time"):
        kit.way(Access(url=server.url), timeout=0.5).get("/items", list[int])
    assert len(server.seen) == 3


def test_text_does_not_follow_a_login_page_elsewhere(kit: Kit, server: Server) -> None:
    """A redirect to another host is the answer; one on the host is followed."""
    server.on("/", Reply(302, {"Location": "https://login.example/"}))
    server.on("/metrics", Reply(301, {"Location": "/metrics/"}))
    server.on("/metrics/", Reply(body=b"up 1\n"))
    way = kit.way(Access(url=server.url))
    assert way.text("/") == (302, "")
    assert way.text("/metrics") == (200, "up 1\n")


def test_lines_have_a_bound(kit: Kit, server: Server) -> None:
    """A line that does not end is not kept."""
    server.on("/watch", Reply(body=lambda: [b"ok\n", b"x" * 600, b"x" * 600]))
    lines = kit.way(Access(url=server.url), max_bytes=1000).lines("/watch")
    assert next(lines) == [b"ok"]
    with pytest.raises(Unexpected, match="a line is longer than 1000 bytes, the bound; select less"):
        next(lines)


def test_stop_ends_a_silent_stream(kit: Kit, server: Server) -> None:
    """A watch on which nothing happens ends cleanly, soon after we stop."""

    def parts() -> Iterator[bytes]:
        yield b"first\n"
        server.over.wait()

    server.on("/watch", Reply(body=parts))
    lines = kit.way(Access(url=server.url)).lines("/watch")
    assert next(lines) == [b"first"]
    rest: list[Sequence[bytes]] = []
    thread = threading.Thread(target=lambda: rest.extend(lines))
    thread.start()
    kit.stop.set()
    thread.join(PATIENCE)
    assert (thread.is_alive(), rest) == (False, [])


def test_a_stream_may_last_longer_than_a_request(kit: Kit, server: Server) -> None:
    """Only silence ends a stream, not its length."""

    def parts() -> Iterator[bytes]:
        for number in range(60):
            server.over.wait(0.02)
            yield b"%d\n" % number

    server.on("/watch", Reply(body=parts))
    way = kit.way(Access(url=server.url), timeout=1.0)
    assert sum(map(len, way.lines("/watch"))) == 60


def test_a_stream_that_falls_silent_times_out(kit: Kit, server: Server) -> None:
    """A watch on a dead connection is given up and can be begun anew."""

    def parts() -> Iterator[bytes]:
        yield b"first\n"
        server.over.wait()

    server.on("/watch", Reply(body=parts))
    lines = kit.way(Access(url=server.url)).lines("/watch", timeout=1.0)
    assert next(lines) == [b"first"]
    with pytest.raises(TimedOut):
        next(lines)


def test_lines_that_keep_coming_are_gathered(kit: Kit, server: Server) -> None:
    """The first at once; those of the next second come together, though nothing follows them."""
    read = threading.Event()

    def parts() -> Iterator[bytes]:
        yield b"first\n"
        assert read.wait(PATIENCE)
        for number in range(3):
            yield b"%d\n" % number
        server.over.wait()

    server.on("/watch", Reply(body=parts))
    groups = kit.way(Access(url=server.url)).lines("/watch")
    assert next(groups) == [b"first"]
    read.set()
    assert next(groups) == [b"0", b"1", b"2"]


def test_tls_is_verified(kit: Kit, certs: dict[str, Certificate]) -> None:
    """An unknown CA is no way in; with ca_file it is."""
    with serving(certs["server"]) as server:
        server.on("/items", OK)
        with pytest.raises(Severed, match=r"the server's certificate is not trusted \(.*\); name its CA in ca_file"):
            kit.way(Access(url=server.url)).get("/items", list[int])
        assert server.seen == []
        way = kit.way(Access(url=server.url, ca_file=str(certs["ca"].cert)))
        assert way.get("/items", list[int]).body == [1, 2]


def test_tls_holds_to_the_time_and_the_stream_too(kit: Kit, certs: dict[str, Certificate]) -> None:
    """Deadlines and stopping work on encrypted connections as on plain ones."""
    with serving(certs["server"]) as server:
        server.on("/items", _drip(server, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[", b" "))

        def parts() -> Iterator[bytes]:
            yield b"first\n"
            server.over.wait()

        server.on("/watch", Reply(body=parts))
        access = Access(url=server.url, ca_file=str(certs["ca"].cert))
        with pytest.raises(TimedOut):
            kit.way(access, timeout=0.2).get("/items", list[int])
        lines = kit.way(access).lines("/watch")
        assert next(lines) == [b"first"]
        kit.stop.set()
        assert list(lines) == []


def test_cookies_are_not_kept(kit: Kit, server: Server) -> None:
    """A session begun by one answer must not follow the next call."""
    server.on("/items", Reply(200, {"Set-Cookie": "session=1; Path=/"}, b"[]"))
    way = kit.way(Access(url=server.url))
    for _ in range(2):
        way.get("/items", list[int])
    assert "cookie" not in server.seen[1].headers


def test_netrc_is_not_read(kit: Kit, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only configured credentials are sent, not those of whoever runs the exporter."""
    monkeypatch.setenv("NETRC", write(tmp_path / "netrc", "machine 127.0.0.1 login me password hunter2\n"))
    server.on("/items", OK)
    kit.way(Access(url=server.url)).get("/items", list[int])
    assert "authorization" not in server.seen[0].headers
