"""Calls of a credential itself, against a server on loopback."""

from __future__ import annotations

import threading

import pytest
from tests.support.http import Reply, Seen, serving
from tests.support.waiting import PATIENCE
from tests.support.ways import Time

from platform_meter.model.source import Limited, TimedOut, Unexpected, Unreachable
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.exchange import Exchange


class Kit:
    """Calls with time in the test's hands, and what they were counted as."""

    def __init__(self) -> None:
        self.time, self.stop, self.outcomes = Time(), threading.Event(), list[str]()
        exchange = Exchange(
            "cluster-eu", rate_headers=None, stop=self.stop, outcome=self.outcomes.append, max_bytes=1000
        )
        self.exchange = exchange
        self.calls = Calls(
            exchange,
            clock=self.time.clock,
            sleep=self.time.sleep,
            jitter=lambda: 0.5,
            stop=self.stop,
            timeout=5.0,
        )


@pytest.fixture
def kit() -> Kit:
    return Kit()


def test_what_was_signed_is_sent_as_it_is(kit: Kit) -> None:
    """Method, path, query, headers and body arrive; the answer comes back whole, a 4xx too."""
    with serving() as server:
        server.on("/token", Reply(400, headers={"X-Said": "no"}, body=b"{}"))
        said = kit.calls.send("POST", f"{server.url}/token?a=1", {"X-Amz-Date": "now"}, b"grant")
        (seen,) = server.seen
        kit.exchange.close()
    assert (seen.method, seen.query, seen.headers["x-amz-date"], seen.body) == ("POST", "a=1", "now", b"grant")
    assert (said.status, said.headers["x-said"], said.body) == (400, "no", b"{}")
    assert kit.outcomes == ["error"]


def test_failures_are_tried_again_and_all_counted(kit: Kit) -> None:
    """Three tries with longer waits between, or as many as are asked for."""
    with serving() as server:
        server.on("/", Reply(500), Reply(503), Reply(body=b"1"))
        assert kit.calls.send("GET", f"{server.url}/", {}).body == b"1"
        assert kit.outcomes == ["error", "error", "ok"]
        assert kit.time.slept == [0.5, 1.0]
        server.on("/", Reply(502))
        with pytest.raises(Unreachable, match=r"GET / of cluster-eu: 127\.0\.0\.1 answered 502 Bad Gateway"):
            kit.calls.send("GET", f"{server.url}/", {}, tries=1)
        assert len(kit.outcomes) == 4
        kit.exchange.close()


def test_nobody_there_is_unreachable(kit: Kit) -> None:
    """After three tries; once we stop there is no second one."""
    with pytest.raises(Unreachable, match=r"GET /x of cluster-eu: 127\.0\.0\.1:1: Connection refused"):
        kit.calls.send("GET", "http://127.0.0.1:1/x", {})
    assert kit.outcomes == ["error"] * 3
    kit.stop.set()
    with pytest.raises(Unreachable, match="we are stopping"):
        kit.calls.send("GET", "http://127.0.0.1:1/x", {})
    assert kit.outcomes == ["error"] * 4


def test_a_cloud_that_hangs_holds_nobody_up(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls have a shorter end than those of the source may have."""
    monkeypatch.setattr("platform_meter.runtime.outside.clouds.calls._LONGEST", 0.05)
    slow = Calls(
        kit.exchange, clock=kit.time.clock, sleep=kit.time.sleep, jitter=lambda: 0.5, stop=kit.stop, timeout=600.0
    )
    with serving() as server:

        def hanging(_: Seen) -> Reply:
            server.over.wait(PATIENCE)
            return Reply()

        server.on("/", hanging)
        with pytest.raises(TimedOut, match=r"GET / of cluster-eu: 127\.0\.0\.1:\d+: no answer in time"):
            slow.send("GET", f"{server.url}/", {}, tries=1, timeout=600.0)
        kit.exchange.close()


def test_too_many_calls_wait(kit: Kit) -> None:
    """As long as the cloud asks, a minute where it names no time."""
    with serving() as server:
        server.on("/", Reply(429, headers={"Retry-After": "90"}), Reply(429))
        for until in ("12:01:30", "12:01:00"):
            with pytest.raises(Limited, match=f"429, too many calls; the next one is made at {until} UTC"):
                kit.calls.send("GET", f"{server.url}/", {})
        kit.exchange.close()
    assert kit.outcomes == ["limited", "limited"]


def test_answers_are_bounded_and_secrets_hidden(kit: Kit) -> None:
    """A cloud may not fill our memory, nor have its own credential quoted."""
    with serving() as server:
        server.on("/", Reply(body=b"x" * 1001))
        with pytest.raises(Unexpected, match="larger than 1000 bytes"):
            kit.calls.send("GET", f"{server.url}/", {})
        raw = b"HTTP/1.1 503 Bearer t0p-s3cret\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        server.on("/", Reply(raw=lambda: [raw]))
        with pytest.raises(Unreachable, match=r"answered 503 \*\*\*") as caught:
            kit.calls.send("GET", f"{server.url}/", {"authorization": "Bearer t0p-s3cret"})
        assert "t0p" not in str(caught.value)
        kit.exchange.close()
