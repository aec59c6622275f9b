"""An app installed in an organisation of GitHub: what its key signs is exchanged for a token of an hour.

docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from platform_meter.model.access import GithubApp
from platform_meter.model.source import Refused, SourceError, Unexpected
from platform_meter.model.typed import decode
from platform_meter.runtime.outside.clouds.calls import Calls, Said
from platform_meter.runtime.outside.clouds.reader import Pass, Place

_CLOCKS_DIFFER = timedelta(minutes=1)
"""What is signed is valid since then already: GitHub refuses what begins in the future."""
_SIGNED_FOR = timedelta(minutes=9)
"""GitHub takes at most ten minutes."""


class _Installation(msgspec.Struct, frozen=True):
    id: int


class _Token(msgspec.Struct, frozen=True):
    token: str
    expires_at: datetime


T = TypeVar("T", _Installation, _Token)


class GithubAppCloud:
    """`Cloud` of one installation. The key is read anew at each sign-in."""

    def __init__(self, credential: GithubApp, calls: Calls) -> None:
        self._app, self._calls = credential, calls
        self._url = credential.url.rstrip("/")
        self._where = f"GitHub App {credential.app}"

    @property
    def identity(self) -> tuple[str, ...]:
        return ("github app", self._url, self._app.app, self._app.org)

    def sign_in(self, now: datetime) -> Pass:
        signed = self._signed(now)
        installation = self._ask("GET", f"/orgs/{quote(self._app.org, safe='')}/installation", signed, _Installation)
        given = self._ask("POST", f"/app/installations/{installation.id}/access_tokens", signed, _Token)
        if given.expires_at.tzinfo is None:
            raise Unexpected(f"{self._where}: the end of its token has no time zone")
        return Pass(token=given.token, ends=given.expires_at)

    def place(self) -> Place:
        return Place(base=self._url)

    def _ask(self, method: str, path: str, signed: str, type_: type[T]) -> T:
        headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {signed}"}
        said = self._calls.send(method, f"{self._url}{path}", headers)
        if said.status not in {200, 201}:
            raise self._refused(path, said)
        try:
            return decode(said.body, type_)
        except msgspec.DecodeError:
            raise Unexpected(f"{self._where}: the answer to {method} {path} is not GitHub's") from None

    def _refused(self, path: str, said: Said) -> SourceError:
        if said.status == 401:
            return Refused(
                f"{self._where}: GitHub does not take its signature (401); correct `id` or `key_file`, or the clock here"
            )
        if said.status in {403, 404}:
            return Refused(
                f"{self._where} is not installed in {self._app.org}, or suspended there ({said.status}); install it"
            )
        return Unexpected(f"{self._where}: {path} answered {said.status}", said.status)

    def _signed(self, now: datetime) -> str:
        """A JSON web token, RS256 (RFC 7519, RFC 7515)."""
        claims = {
            "iat": int((now - _CLOCKS_DIFFER).timestamp()),
            "exp": int((now + _SIGNED_FOR).timestamp()),
            "iss": self._app.app,
        }
        parts = [_text(msgspec.json.encode(part)) for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
        return ".".join([*parts, _text(self._signature(".".join(parts).encode()))])

    def _signature(self, text: bytes) -> bytes:
        try:
            from cryptography.hazmat.primitives.asymmetric import padding, rsa
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.serialization import load_pem_private_key
        except ImportError:
            raise Refused("a GitHub App needs cryptography: pip install platform-meter[github-app]") from None
        try:
            pem = Path(self._app.key_file).expanduser().read_bytes()
        except OSError as error:
            raise Refused(f"{self._where}: its key {self._app.key_file} can't be read: {error.strerror}") from None
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):  # of both the text may quote what was read
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Refused(
                f"{self._where}: {self._app.key_file} holds no RSA key without a password; "
                "make one in the app's settings, under private keys"
            )
        return key.sign(text, padding.PKCS1v15(), SHA256())


def _text(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
