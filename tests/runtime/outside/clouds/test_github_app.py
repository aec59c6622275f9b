"""Apps of GitHub, against a server that gives tokens as GitHub does."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from tests.support.http import Reply, Seen, Server, serving
from tests.support.ways import NOON, Kit, write

from platform_meter.model.access import Access, GithubApp
from platform_meter.model.source import Refused, Unexpected, Unreachable
from platform_meter.runtime.outside.clouds.github_app import GithubAppCloud

INSTALLATION, TOKENS = "/orgs/acme/installation", "/app/installations/7/access_tokens"


class Hub:
    """A server that is GitHub: one installation, which gives `token-1`, `token-2`, ..., each for an hour."""

    def __init__(self, server: Server, kit: Kit, folder: Path) -> None:
        self.server, self.kit, self.given = server, kit, 0
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_file = write(folder / "app.pem", _pem(self.key))
        server.on(INSTALLATION, Reply(body=b'{"id": 7, "account": {"login": "acme"}}'))
        server.on(TOKENS, self._token)

    def _token(self, _: Seen) -> Reply:
        self.given += 1
        ends = (self.kit.time.now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Reply(201, body=json.dumps({"token": f"token-{self.given}", "expires_at": ends}).encode())

    def access(self, **more: Any) -> Access:
        named = {"app": "Iv1.abc", "key_file": self.key_file, "org": "acme", "url": self.server.url, **more}
        return Access(url=self.server.url, credential=GithubApp(**named), headers={"X-Api": "1"})

    def used(self) -> list[str]:
        """What let in to the lists."""
        return [seen.headers["authorization"] for seen in self.server.seen if seen.path == "/runs"]


def _pem(key: Any) -> str:
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return str(key.private_bytes(serialization.Encoding.PEM, form, plain).decode())


@pytest.fixture
def hub(kit: Kit, tmp_path: Path) -> Iterator[Hub]:
    with serving() as server:
        yield Hub(server, kit, tmp_path)


def _part(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_what_its_key_signs_is_exchanged_for_a_token(kit: Kit, hub: Hub) -> None:
    """Signed for ten minutes in all, a minute of which is past; the headers of the source go with each request."""
    hub.server.on("/runs", Reply(body=b"[1]"))
    assert kit.way(hub.access()).get("/runs", list[int]).body == [1]
    asked, exchanged, used = hub.server.seen
    assert (asked.path, exchanged.path, exchanged.method) == (INSTALLATION, TOKENS, "POST")
    assert (used.headers["authorization"], used.headers["x-api"]) == ("Bearer token-1", "1")
    signed = asked.headers["authorization"].removeprefix("Bearer ")
    head, claims, signature = signed.split(".")
    assert _part(head) == {"alg": "RS256", "typ": "JWT"}
    assert _part(claims) == {"iat": int(NOON.timestamp()) - 60, "exp": int(NOON.timestamp()) + 540, "iss": "Iv1.abc"}
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    hub.key.public_key().verify(raw, f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())
    assert exchanged.headers["authorization"] == asked.headers["authorization"]


def test_a_token_is_renewed_five_minutes_before_it_ends(kit: Kit, hub: Hub) -> None:
    """No call of a long poll is ever refused for it."""
    hub.server.on("/runs", Reply(body=b"[1]"))
    way = kit.way(hub.access())
    for minutes in (0, 54, 2, 50):
        kit.time.pass_(minutes=minutes)
        way.get("/runs", list[int])
    assert hub.used() == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-2"]


def test_a_token_that_ends_in_the_middle_of_a_list_loses_nothing(kit: Kit, hub: Hub) -> None:
    """It was revoked: the page is asked for once more with a new one. Where that is refused too, the source is."""

    def page(seen: Seen) -> Reply:
        if seen.query == "page=2" and seen.headers["authorization"] == "Bearer token-1":
            return Reply(401)
        return Reply(body=b"[2]" if seen.query else b"[1]")

    hub.server.on("/runs", page)
    way = kit.way(hub.access())
    rows = list(way.get("/runs", list[int]).body or [])
    kit.time.pass_(minutes=5)
    rows += way.get("/runs", list[int], params={"page": 2}).body or []
    assert rows == [1, 2]
    assert hub.used() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    kit.time.pass_(minutes=5)
    hub.server.on("/runs", Reply(401))
    with pytest.raises(Refused, match=r"look at the key .*app\.pem of the GitHub App Iv1\.abc"):
        way.get("/runs", list[int])


def test_a_key_that_was_replaced_is_taken_at_the_next_renewal(kit: Kit, hub: Hub) -> None:
    """It is read from its file each time."""
    hub.server.on("/runs", Reply(body=b"[1]"))
    way = kit.way(hub.access())
    way.get("/runs", list[int])
    newer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write(Path(hub.key_file), _pem(newer))
    kit.time.pass_(hours=1)
    way.get("/runs", list[int])
    *_, exchanged, _ = hub.server.seen
    head, claims, signature = exchanged.headers["authorization"].removeprefix("Bearer ").split(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    newer.public_key().verify(raw, f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())


@pytest.mark.parametrize(
    ("path", "reply", "error", "words"),
    [
        (INSTALLATION, Reply(401), Refused, "does not take its signature .401.; correct `id` or `key_file`, or the clock"),
        (INSTALLATION, Reply(404), Refused, "is not installed in acme, or suspended there .404.; install it"),
        (TOKENS, Reply(403), Refused, "is not installed in acme, or suspended there .403.; install it"),
        (TOKENS, Reply(422), Unexpected, "answered 422"),
        (TOKENS, Reply(201, body=b"<html>"), Unexpected, "the answer to POST .* is not GitHub's"),
        (TOKENS, Reply(201, body=b'{"token": "secret", "expires_at": "2026-05-04T13:00:00"}'), Unexpected, "no time zone"),
        (TOKENS, Reply(502), Unreachable, "answered 502"),
    ],
)  # fmt: skip
def test_what_goes_wrong_says_what_to_mend(
    kit: Kit, hub: Hub, path: str, reply: Reply, error: type[Exception], words: str
) -> None:
    """And shows neither signature nor token."""
    hub.server.on(path, reply)
    with pytest.raises(error, match=words) as caught:
        kit.way(hub.access()).get("/runs", list[int])
    assert "secret" not in str(caught.value)
    assert "eyJ" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "no key", _pem(ec.generate_private_key(ec.SECP256R1()))])
def test_a_file_without_a_fitting_key_is_refused(kit: Kit, hub: Hub, text: str) -> None:
    """Its text is not shown."""
    write(Path(hub.key_file), text)
    with pytest.raises(Refused, match=r"app\.pem holds no RSA key without a password; make one in the app's settings"):
        kit.way(hub.access()).get("/runs", list[int])


def test_a_file_that_is_missing_is_named(kit: Kit, hub: Hub) -> None:
    """With the system's own word for it."""
    with pytest.raises(Refused, match=r"its key /nowhere/app\.pem can't be read: No such file"):
        kit.way(hub.access(key_file="/nowhere/app.pem")).get("/runs", list[int])


def test_each_token_is_of_the_same_credential() -> None:
    """So that quota and breaker know it again after each renewal; an app of another organisation is another one."""
    unused: Any = None
    app = GithubApp(app="7", key_file="/a.pem", org="acme", url="https://api.github.com/")
    renewed, other = replace(app, key_file="/b.pem"), replace(app, org="acme-asia")
    identity, *others = (GithubAppCloud(one, unused).identity for one in (app, renewed, other))
    assert [identity == one for one in others] == [True, False]
