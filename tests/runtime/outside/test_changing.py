"""The way out for what is changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.support.http import Reply, serving

from platform_meter.model.access import Access
from platform_meter.model.source import Refused, Unexpected
from platform_meter.runtime.outside.changing import Changing


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - what this machine has


def way(url: str) -> Changing:
    return Changing.to(Access(url=url), instance="there", clock=now, environ={}, uninvited="give one")


def test_any_method_with_its_body() -> None:
    """What is sent is sent as it is, and the answer is text."""
    with serving() as server, way(server.url) as there:
        server.on("/a%2Fb", Reply(202, body="größer".encode()), Reply(204))
        assert there.send("POST", "/a%2Fb", body=b"x: 1", content="application/yaml") == (202, "größer")
        assert there.send("DELETE", "/a%2Fb") == (204, "")
        first, second = server.seen
        assert (first.method, first.body, first.headers["content-type"]) == ("POST", b"x: 1", "application/yaml")
        assert (second.method, second.body) == ("DELETE", b"")
        assert "content-type" not in second.headers


def test_a_status_that_is_no_answer() -> None:
    """Unless it was said to be one."""
    with serving() as server, way(server.url) as there:
        server.on("/a", Reply(404, body=b"none"))
        assert there.send("GET", "/a", accepted={404}) == (404, "none")
        with pytest.raises(Unexpected, match="GET /a of there: the server answered 404 Not Found; expected a success"):
            there.send("GET", "/a")


def test_without_a_credential() -> None:
    """It says where one is given."""
    with serving() as server, way(server.url) as there:
        server.on("/a", Reply(401))
        with pytest.raises(Refused, match="401, give one"):
            there.send("GET", "/a")
