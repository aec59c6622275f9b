"""Clients of OAuth 2.0, against a server that gives tokens as ServiceNow does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.support.http import Reply, Seen, Server, serving
from tests.support.ways import Kit

from platform_meter.model.access import Access, OAuth, Secret
from platform_meter.model.source import Refused, SourceError, Unexpected, Unreachable
from platform_meter.runtime.outside.clouds.oauth import OAuthCloud

TOKENS = "/oauth_token.do"
ECHO = b"HTTP/1.1 503 no s3cr+t\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
"""A server that repeats what it was sent."""


class Desk:
    """A server that gives `token-1`, `token-2`, ..., each for half an hour."""

    def __init__(self, server: Server, kit: Kit) -> None:
        self.server, self.given = server, 0
        kit.environ |= {"SECRET": "s3cr+t", "REFRESH": "r3fresh"}
        server.on(TOKENS, self._token)
        server.on("/rows", Reply(body=b"[1]"))

    def _token(self, _: Seen) -> Reply:
        self.given += 1
        said = {
            "access_token": f"token-{self.given}",
            "expires_in": 1800,
            "token_type": "Bearer",
            "scope": "useraccount",
        }
        return Reply(body=json.dumps(said).encode())

    def access(self, **more: Any) -> Access:
        client = OAuth(client="c1", secret=Secret(env="SECRET"), url=self.server.url, path=TOKENS, **more)
        return Access(url=self.server.url, credential=client)

    def asked(self) -> list[dict[str, list[str]]]:
        return [parse_qs(seen.body.decode()) for seen in self.server.seen if seen.path == TOKENS]

    def used(self) -> list[str]:
        return [seen.headers["authorization"] for seen in self.server.seen if seen.path == "/rows"]


@pytest.fixture
def desk(kit: Kit) -> Iterator[Desk]:
    with serving() as server:
        yield Desk(server, kit)


@pytest.mark.parametrize(
    ("more", "grant"),
    [
        ({}, {"grant_type": ["client_credentials"]}),
        ({"refresh": Secret(env="REFRESH")}, {"grant_type": ["refresh_token"], "refresh_token": ["r3fresh"]}),
    ],
)
def test_a_secret_is_exchanged_for_a_token(
    kit: Kit, desk: Desk, more: dict[str, Any], grant: dict[str, list[str]]
) -> None:
    """In a form, and the token goes with each request."""
    assert kit.way(desk.access(**more)).get("/rows", list[int]).body == [1]
    assert desk.asked() == [{"client_id": ["c1"], "client_secret": ["s3cr+t"], **grant}]
    assert desk.server.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert desk.used() == ["Bearer token-1"]


def test_a_token_is_renewed_before_it_ends_and_when_it_is_refused(kit: Kit, desk: Desk) -> None:
    """Half an hour less five minutes; one that the server takes back before is asked for anew."""
    way = kit.way(desk.access())
    for minutes in (0, 24, 2):
        kit.time.pass_(minutes=minutes)
        way.get("/rows", list[int])
    assert desk.used() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    kit.time.pass_(minutes=5)

    def once(seen: Seen) -> Reply:
        return Reply(401) if seen.headers["authorization"] == "Bearer token-2" else Reply(body=b"[2]")

    desk.server.on("/rows", once)
    assert way.get("/rows", list[int]).body == [2]


@pytest.mark.parametrize(
    ("said", "kind", "text"),
    [
        (
            Reply(401, body=b'{"error": "s3cr+t"}'),
            Refused,
            "gives it no token (401); look at the OAuth client c1, its secret",
        ),
        (Reply(raw=lambda: [ECHO]), Unreachable, "127.0.0.1 answered 503 no ***"),
        (Reply(404), Unexpected, "/oauth_token.do answered 404"),
        (Reply(body=b"<html>"), Unexpected, "the answer of /oauth_token.do holds no token"),
    ],
)
def test_what_gives_no_token_is_said(kit: Kit, desk: Desk, said: Reply, kind: type[SourceError], text: str) -> None:
    """With what to look at, and without a secret."""
    desk.server.on(TOKENS, said)
    with pytest.raises(kind) as caught:
        kit.way(desk.access()).get("/rows", list[int])
    assert text in str(caught.value)
    assert "s3cr" not in str(caught.value)


def test_a_client_stays_the_same_from_token_to_token(desk: Desk) -> None:
    """So that the breaker knows it."""
    credential = desk.access().credential
    assert isinstance(credential, OAuth)
    cloud = OAuthCloud(credential, None, secret=str, refresh=None)  # type: ignore[arg-type]  # it makes no call here
    assert cloud.identity == ("oauth", desk.server.url, "c1")
