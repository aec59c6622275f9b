"""The way out, against a real server on loopback. Time and chance are the test's."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.http import Reply, Seen, Server, serving
from tests.support.waiting import PATIENCE
from tests.support.ways import NOON, Kit, write

from platform_meter import __version__
from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.source import (
    Answer,
    Expired,
    Forbidden,
    Gap,
    Limited,
    Outside,
    Refused,
    SourceError,
    TimedOut,
    Unexpected,
    Unreachable,
)

OK = Reply(body=b"[1, 2]")


class Item(msgspec.Struct):
    id: int


def test_a_way_is_what_sources_call_outside(kit: Kit, server: Server) -> None:
    """Way has the shape of the protocol that sources are written against."""
    outside: Outside = kit.way(Access(url=server.url))
    server.on("/items", OK)
    assert outside.get("/items", list[int]).body == [1, 2]


def test_get_decodes_what_it_got_and_says_who_asks(kit: Kit, server: Server) -> None:
    """A body becomes the asked type; parameters, own headers and the agent's name are sent, None is left out."""
    server.on("/api/items", Reply(headers={"ETag": '"a"', "Link": "next"}, body=b'[{"id": 7, "more": true}]'))
    way = kit.way(Access(url=f"{server.url}/api/", headers={"X-Api-Version": "2022-11-28"}))
    answer = way.get("/items", list[Item], params={"page": 2, "state": None}, headers={"Accept": "application/x"})
    assert answer.body == [Item(id=7)]
    assert (answer.changed, answer.etag, answer.headers["link"]) == (True, '"a"', "next")
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.query) == ("GET", "/api/items", "page=2")
    assert seen.headers["user-agent"] == f"platform-meter/{__version__}"
    assert seen.headers["x-api-version"] == "2022-11-28"
    assert seen.headers["accept"] == "application/x"
    assert "authorization" not in seen.headers
    assert kit.outcomes == ["ok"]


def test_post_sends_json_and_reads_the_answer(kit: Kit, server: Server) -> None:
    """A search is a POST with a JSON body."""
    server.on("/search", Reply(body=b'{"id": 1}'))
    assert kit.way(Access(url=server.url)).post("/search", Item, body={"jql": "project = PLAT"}).body == Item(id=1)
    (seen,) = server.seen
    assert (seen.method, seen.body) == ("POST", b'{"jql":"project = PLAT"}')
    assert seen.headers["content-type"] == "application/json"


def test_post_sends_a_form_where_that_is_what_is_read(kit: Kit, server: Server) -> None:
    """The words of an address, in the body."""
    server.on("/query", Reply(body=b'{"id": 1}'))
    way = kit.way(Access(url=server.url))
    assert way.post("/query", Item, body={"query": 'up{a="b"} or c', "time": 7}, form=True).body == Item(id=1)
    (seen,) = server.seen
    assert seen.body == b"query=up%7Ba%3D%22b%22%7D+or+c&time=7"
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(kit: Kit, server: Server, status: int) -> None:
    """Two failures are bridged with growing pauses; each request is counted."""
    server.on("/items", Reply(status), Reply(status), OK)
    assert kit.way(Access(url=server.url)).get("/items", list[int]).body == [1, 2]
    assert kit.time.slept == [0.5, 1.0]
    assert kit.outcomes == ["error", "error", "ok"]


def test_three_failures_are_the_end(kit: Kit, server: Server) -> None:
    """After three tries the source is unreachable; a POST is tried like a GET since it only reads."""
    server.on("/search", Reply(502, body=b"bad gateway"))
    with pytest.raises(Unreachable, match=r"^POST /search of github-main: the server answered 502 Bad Gateway$"):
        kit.way(Access(url=server.url)).post("/search", Item, body={})
    assert len(server.seen) == 3


def test_other_5xx_are_not_tried_again(kit: Kit, server: Server) -> None:
    """501 will not change by asking again: it says something of what was asked, as a 4xx does. 507 does of the server."""
    server.on("/items", Reply(501))
    with pytest.raises(Unexpected, match="501 Not Implemented") as caught:
        kit.way(Access(url=server.url)).get("/items", list[int])
    assert (len(server.seen), caught.value.status) == (1, 501)
    server.on("/items", Reply(507))
    with pytest.raises(Unreachable, match=r"507 Insufficient Storage$"):
        kit.way(Access(url=server.url)).get("/items", list[int])
    assert len(server.seen) == 2


def test_what_a_5xx_says_in_json_is_told(kit: Kit, server: Server) -> None:
    """Such as Prometheus's 503 for a query that takes too long; a proxy's page of HTML is not."""
    server.on("/slow", Reply(503, body=b'{"status":"error","errorType":"timeout","error":"query timed out"}'))
    with pytest.raises(Unreachable, match=r'503 Service Unavailable; the server says .*"query timed out"'):
        kit.way(Access(url=server.url)).get("/slow", list[int])
    server.on("/slow", Reply(503, body=b"<html>503</html>"))
    with pytest.raises(Unreachable, match=r"503 Service Unavailable$"):
        kit.way(Access(url=server.url)).get("/slow", list[int])


def test_who_may_not_post_may_still_get(kit: Kit, server: Server) -> None:
    """A proxy that lets only GET pass answers 403 to a form: the address stays open, and the form stays closed."""
    server.on("/query", lambda seen: Reply(403) if seen.method == "POST" else Reply(body=b"[1]"))
    way = kit.way(Access(url=server.url))
    for _ in range(2):
        with pytest.raises(Forbidden, match="POST /query of github-main: 403"):
            way.post("/query", list[int], body={"query": "up"}, form=True)
        assert way.get("/query", list[int]).body == [1]
    assert [seen.method for seen in server.seen] == ["POST", "GET", "GET"]


def test_nobody_there_is_unreachable(kit: Kit) -> None:
    """A refused connection is tried three times and told in the system's words."""
    with serving() as gone:
        url = gone.url
    with pytest.raises(
        Unreachable, match=r"GET /items of github-main: 127\.0\.0\.1:\d+: Connection refused$"
    ) as caught:
        kit.way(Access(url=url)).get("/items?key=1", list[int])
    assert not isinstance(caught.value, TimedOut)
    assert (kit.time.slept, kit.outcomes) == ([0.5, 1.0], ["error", "error", "error"])


def test_a_broken_off_body_is_tried_again(kit: Kit, server: Server) -> None:
    """A connection that ends in the middle of an answer is a passing failure."""
    broken = Reply(raw=lambda: [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,"])
    server.on("/items", broken, OK)
    assert kit.way(Access(url=server.url)).get("/items", list[int]).body == [1, 2]


def test_stopping_ends_retries(kit: Kit, server: Server) -> None:
    """Once we stop, nothing is tried again, and nothing new is sent."""

    def stop(_seen: Seen) -> Reply:
        kit.stop.set()
        return Reply(503)

    server.on("/items", stop)
    way = kit.way(Access(url=server.url))
    for _ in range(2):
        with pytest.raises(Unreachable):
            way.get("/items", list[int])
    assert len(server.seen) == 1
    assert kit.time.slept == []


@pytest.mark.parametrize("status", [429, 403])
@pytest.mark.parametrize("after", ["30", format_datetime(NOON + timedelta(seconds=30), usegmt=True)])
def test_a_short_retry_after_is_waited_for(kit: Kit, server: Server, status: int, after: str) -> None:
    """Seconds and dates are understood, on 429 and on GitHub's 403; jitter comes on top."""
    server.on("/items", Reply(status, {"Retry-After": after}), OK)
    assert kit.way(Access(url=server.url)).get("/items", list[int]).body == [1, 2]
    assert kit.time.slept == [30.5]
    assert kit.outcomes == ["limited", "ok"]


def test_a_long_retry_after_ends_the_poll(kit: Kit, server: Server) -> None:
    """More than a minute is the runner's to wait; until then no request is made, by any instance with that credential."""
    kit.environ["TOKEN"] = "s3cret"
    server.on("/items", Reply(429, {"Retry-After": "61"}), OK)
    way, other = (
        kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN"))), instance=i) for i in "ab"
    )
    with pytest.raises(
        Limited, match=r"GET /items of a: 429, the quota is used up until 2026-05-04 12:01:01 UTC"
    ) as caught:
        way.get("/items", list[int])
    assert caught.value.until == NOON + timedelta(seconds=61)
    for each in (way, other):
        with pytest.raises(Limited, match="the server asked us to wait until 12:01:01 UTC"):
            each.get("/items", list[int])
    assert len(server.seen) == 1
    kit.time.pass_(seconds=61)
    assert other.get("/items", list[int]).body == [1, 2]


def test_a_used_up_quota_on_403_waits_for_its_reset(kit: Kit, server: Server) -> None:
    """GitHub says 403 with nothing remaining: that is the quota, not the permission."""
    reset = NOON + timedelta(minutes=20)
    server.on("/items", Reply(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(reset.timestamp()))}))
    with pytest.raises(Limited) as caught:
        kit.way(Access(url=server.url)).get("/items", list[int])
    assert caught.value.until == reset


def test_a_refused_token_closes_all_paths_until_it_changes(kit: Kit, server: Server, tmp_path: Path) -> None:
    """After a 401 nothing is asked with that token, by any instance; a new token works at once."""
    path = tmp_path / "token"
    secret = Secret(file=write(path, "old-token\n"))

    def only_new(seen: Seen) -> Reply:
        return (
            OK
            if seen.headers["authorization"] == "Bearer new-token"
            else Reply(401, body=b'{"message": "Bad credentials"}')
        )

    server.on("/items", only_new)
    one, two = (kit.way(Access(url=server.url, credential=Token(secret=secret)), instance=i) for i in ("one", "two"))
    with pytest.raises(Refused) as caught:
        one.get("/items", list[int])
    assert str(caught.value) == (
        "GET /items of one: 401, the credential is not accepted: it has expired, is wrong or is of another system; "
        f'look at the secret file {path}; the server says \'{{"message": "Bad credentials"}}\''
    )
    assert caught.value.retry == NOON + timedelta(minutes=5)
    for way in (one, two):
        with pytest.raises(Refused) as again:
            way.get("/other", list[int])
        assert (str(again.value), again.value.retry) == (str(caught.value), NOON + timedelta(minutes=5))
    assert len(server.seen) == 1
    write(path, "new-token\n")
    assert two.get("/items", list[int]).body == [1, 2]
    assert kit.outcomes == ["error", "ok"]


def test_a_refused_token_is_tried_again_slowly(kit: Kit, server: Server) -> None:
    """One call after 5 min, then after 10, 20, 40 and every 60; success closes the breaker."""
    kit.environ["TOKEN"] = "s3cret"
    server.on("/items", *[Reply(401)] * 6, OK)
    way = kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN"))))
    asked_after: list[int] = []
    for minute in range(200):
        before = len(server.seen)
        with contextlib.suppress(Refused):
            way.get("/items", list[int])
        if len(server.seen) > before:
            asked_after.append(minute)
        kit.time.pass_(minutes=1)
    assert asked_after[:7] == [0, 5, 15, 35, 75, 135, 195]
    assert asked_after[7:] == [196, 197, 198, 199]


def test_a_repository_that_may_not_be_read_stops_no_other(kit: Kit, server: Server) -> None:
    """A 403 on one repository's runs: its sisters are read on, and so is the list of all."""
    kit.environ["TOKEN"] = "s3cret"
    runs = "/repos/acme/{}/actions/runs".format
    server.on(runs("secret"), Reply(403, body=b'{"message": "Resource not accessible by personal access token"}'))
    for path in (runs("api"), runs("web"), "/orgs/acme/repos"):
        server.on(path, OK)
    way = kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN"))))
    for _ in range(2):
        with pytest.raises(Refused, match="GET /repos/acme/secret/actions/runs of github-main: 403"):
            way.get(runs("secret"), list[int], params={"page": 1})
        for path in (runs("api"), runs("web"), "/orgs/acme/repos"):
            assert way.get(path, list[int]).body == [1, 2]
    assert server.paths.count(runs("secret")) == 1


def test_a_missing_permission_closes_only_its_path(kit: Kit, server: Server) -> None:
    """A 403 speaks of one path: the others are still read, the refused one is left alone for 5 min."""
    kit.environ["TOKEN"] = "s3cret"
    server.on("/secret", Reply(403, body=b"no"))
    server.on("/items", OK)
    way = kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN"))))
    for _ in range(2):
        with pytest.raises(
            Forbidden, match="GET /secret of github-main: 403, the credential lacks a permission; the server says 'no'"
        ):
            way.get("/secret", list[int])
    assert way.get("/items", list[int]).body == [1, 2]
    assert server.paths == ["/secret", "/items"]


def test_a_missing_permission_is_named_where_the_system_names_it(kit: Kit, server: Server) -> None:
    """As GitHub does; no credential is called bad for it."""
    kit.environ["TOKEN"] = "s3cret"
    named = {"X-Accepted-GitHub-Permissions": "actions=read; metadata=read"}
    server.on("/secret", Reply(403, named, body=b"no"))
    with pytest.raises(Forbidden) as caught:
        kit.way(Access(url=server.url, credential=Token(secret=Secret(env="TOKEN")))).get("/secret", list[int])
    assert str(caught.value) == (
        "GET /secret of github-main: 403, the credential lacks a permission (any of: actions=read; metadata=read); "
        "the server says 'no'"
    )


def test_410_starts_again(kit: Kit, server: Server) -> None:
    """A cursor the server no longer knows is Expired."""
    server.on("/pods", Reply(410, body=b"{}"))
    with pytest.raises(Expired, match="GET /pods of github-main: 410"):
        kit.way(Access(url=server.url)).get("/pods", list[int])


def test_304_is_an_answer_without_a_body(kit: Kit, server: Server) -> None:
    """With the last answer's ETag the server may say that nothing changed."""

    def conditional(seen: Seen) -> Reply:
        return (
            Reply(304, {"ETag": '"a"'})
            if seen.headers.get("if-none-match") == '"a"'
            else Reply(200, {"ETag": '"a"'}, b"[1]")
        )

    server.on("/items", conditional)
    way = kit.way(Access(url=server.url))
    first = way.get("/items", list[int])
    second: Answer[list[int]] = way.get("/items", list[int], etag=first.etag)
    assert (second.changed, second.body, second.etag) == (False, None, '"a"')
    assert kit.outcomes == ["ok", "ok"]


@pytest.mark.parametrize(
    ("reply", "status", "says"),
    [
        (
            Reply(404, body=b'{"message":\n "Not Found"}'),
            404,
            'GET /items of github-main: the server answered 404 Not Found; expected JSON of list[int], found \'{"message": "Not Found"}\'',
        ),
        (
            Reply(body=b'["one"]'),
            0,
            "GET /items of github-main: Expected `int`, got `str` - at `$[0]`; expected JSON of list[int], found '[\"one\"]'",
        ),
        (
            Reply(body=b"<html>" + b"x" * 500),
            0,
            "GET /items of github-main: JSON is malformed: invalid character (byte 0); expected JSON of list[int], found '<html>"
            + "x" * 194
            + "'",
        ),
        (
            Reply(304),
            304,
            "GET /items of github-main: the server answered 304 Not Modified; expected JSON of list[int], found nothing",
        ),
    ],
)
def test_what_can_not_be_read_is_quoted(kit: Kit, server: Server, reply: Reply, status: int, says: str) -> None:
    """The error names the call, what was found (200 characters at most) and what was expected."""
    server.on("/items", reply)
    with pytest.raises(Unexpected) as caught:
        kit.way(Access(url=server.url)).get("/items?page=2", list[int])
    assert (str(caught.value), caught.value.status) == (says, status)
    assert len(server.seen) == 1


def test_text_takes_every_status_in_one_try(kit: Kit, server: Server) -> None:
    """A probe wants to know what the server said, once."""
    server.on("/readyz", Reply(503, body="é not ready".encode()))
    server.on("/latin", Reply(200, {"Content-Type": "text/plain; charset=ISO-8859-1"}, "é".encode("latin-1")))
    way = kit.way(Access(url=server.url))
    assert way.text("/readyz") == (503, "é not ready")
    assert way.text("/latin", params={"verbose": 1}) == (200, "é")
    assert way.text("/gone")[0] == 404
    assert server.paths == ["/readyz", "/latin", "/gone"]
    assert kit.outcomes == ["error", "ok", "error"]


def _drip(server: Server, head: bytes, part: bytes) -> Reply:
    def parts() -> Iterator[bytes]:
        yield head
        while not server.over.wait(0.02):
            yield part

    return Reply(raw=parts)


def test_text_tells_silence_from_absence(kit: Kit, server: Server) -> None:
    """A probe distinguishes a timeout from a refused connection, each after one try."""
    server.on("/readyz", _drip(server, b"", b""))
    with pytest.raises(TimedOut):
        kit.way(Access(url=server.url)).text("/readyz", timeout=0.1)
    with serving() as gone:
        url = gone.url
    with pytest.raises(Unreachable, match="Connection refused") as caught:
        kit.way(Access(url=url)).text("/readyz")
    assert not isinstance(caught.value, TimedOut)
    assert kit.time.slept == []


def test_a_breaker_does_not_silence_probes(kit: Kit, server: Server) -> None:
    """For a probe 401 is an answer like any other."""
    server.on("/readyz", Reply(401))
    way = kit.way(Access(url=server.url))
    assert [way.text("/readyz")[0] for _ in range(2)] == [401, 401]


def test_lines_come_as_they_are_sent(kit: Kit, server: Server) -> None:
    """A stream gives each line at once, also one cut across chunks or without an end; blank lines are dropped."""
    read = threading.Event()

    def parts() -> Iterator[bytes]:
        yield b'{"a": 1}\n{"b"'
        assert read.wait(PATIENCE)  # the first line must arrive before the second is complete
        yield b": 2}\n\r\n"
        yield b'{"c": 3}'

    server.on("/watch", Reply(body=parts))
    lines = kit.way(Access(url=server.url)).lines("/watch", params={"watch": "true"})
    assert next(lines) == [b'{"a": 1}']
    read.set()
    assert [line for group in lines for line in group] == [b'{"b": 2}', b'{"c": 3}']
    assert server.seen[0].query == "watch=true"


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (Reply(410, body=b"{}"), Expired, "410"),
        (Reply(404, body=b"no such thing"), Unexpected, "404 Not Found; expected a stream, found 'no such thing'"),
        (
            Reply(403, body=b"no watch verb"),
            Refused,
            "403, the credential lacks a permission; the server says 'no watch verb'",
        ),
    ],
)
def test_a_stream_that_does_not_begin_says_why(
    kit: Kit, server: Server, reply: Reply, error: type[SourceError], says: str
) -> None:
    """Errors before the first line are those of every call."""
    server.on("/watch", reply)
    with pytest.raises(error, match=re.escape(says)):
        list(kit.way(Access(url=server.url)).lines("/watch"))


@pytest.mark.parametrize(
    ("access", "says"),
    [
        (Access(url="https://me:hunter2@git.example"), "the url of git.example carries credentials; leave them out"),
        (Access(url="ftp://git.example"), "url 'ftp://git.example' is no http address; write https://HOST"),
        (Access(url="git.example"), "url 'git.example' is no http address"),
        (Access(url="https://git.example?key=1"), "the url of git.example has a query or fragment"),
    ],
)
def test_unusable_settings_are_named(kit: Kit, access: Access, says: str) -> None:
    """What can never work is said when the way is made, without showing a password."""
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        kit.way(access)
    assert "hunter2" not in str(caught.value)


def test_people_are_hashed_with_the_salt(kit: Kit) -> None:
    """16 bytes of HMAC-SHA-256: the same for the same person, and nothing like the name."""
    way = kit.way(Access(url="http://127.0.0.1:1"))
    assert way.hashed("octocat") == "b1d56c59947aceac4f08c6b22163f5d0"
    assert way.hashed("Octocat") != way.hashed("octocat")


@pytest.mark.parametrize("salt", [b"", b"x" * 15])
def test_the_salt_must_be_usable(kit: Kit, salt: bytes) -> None:
    """Under less than 128 bits names could be tried out."""
    from platform_meter.runtime.outside.http import Way

    unused: Any = None
    with pytest.raises(ValueError, match=f"the salt has {len(salt)} bytes; it must have 16 or more"):
        Way(
            Access(url="http://127.0.0.1:1"),
            instance="a",
            source_type="b",
            budgets=kit.budgets,
            clock=unused,
            sleep=unused,
            salt=salt,
            stop=kit.stop,
            outcome=unused,
            on_gap=unused,
            on_filled=unused,
        )


def test_a_gap_is_told_once(kit: Kit) -> None:
    """Each poll finds the same gap again; another range is another gap."""
    way = kit.way(Access(url="http://127.0.0.1:1"))
    gap = Gap(start=NOON, end=NOON + timedelta(hours=1), reason="result_cap", text="1,000 runs")
    later = Gap(start=NOON, end=NOON + timedelta(hours=2), reason="result_cap")
    for each in (gap, gap, later):
        way.gap(each)
    assert kit.gaps == [gap, later]


def test_a_gap_that_was_filled_is_none_any_more(kit: Kit) -> None:
    """What was read after all is passed on, and whose it is."""
    way = kit.way(Access(url="http://127.0.0.1:1"))
    way.filled("acme/api runs", NOON, NOON + timedelta(hours=1))
    assert kit.filled == [("acme/api runs", NOON, NOON + timedelta(hours=1))]


def test_another_address_is_entered_with_its_own_credential(kit: Kit, server: Server) -> None:
    """What is beside has its own address and secret, and a credential goes nowhere else."""
    kit.environ |= {"OURS": "one", "THEIRS": "two"}
    server.on("/items", OK)
    server.on("/far/items", OK)
    other = Access(url=f"{server.url}/far", credential=Token(secret=Secret(env="THEIRS")))
    way = kit.way(Access(url=server.url, credential=Token(secret=Secret(env="OURS")), beside={"far": other}))
    way.get("/items", list[int])
    way.beside("far").get("/items", list[int])
    way.beside("far").get("/items", list[int])
    assert [(seen.path, seen.headers["authorization"]) for seen in server.seen] == [
        ("/items", "Bearer one"),
        ("/far/items", "Bearer two"),
        ("/far/items", "Bearer two"),
    ]
    assert kit.outcomes == ["ok", "ok", "ok"]


def test_threads_may_share_a_way(kit: Kit, server: Server) -> None:
    """Calls from several threads at once are all answered and all counted."""
    server.on("/items", OK)
    way = kit.way(Access(url=server.url))
    threads = [threading.Thread(target=lambda: [way.get("/items", list[int]) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kit.outcomes == ["ok"] * 80
