"""A client of OAuth 2.0 (RFC 6749): its secret, or a refresh token beside it, is exchanged for tokens that end.

The client and its secret go in the form's body, as section 2.3.1 allows and ServiceNow wants it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from platform_meter.model.access import OAuth
from platform_meter.model.source import Refused, Unexpected
from platform_meter.model.typed import decode
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.reader import Pass, Place

_UNTOLD = 300.0
"""Seconds that are taken as the life of a token whose end is not told."""
_LONGEST = 86_400.0
"""One that is said to live for longer is renewed all the same."""
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float | None = None
    """Seconds."""


class OAuthCloud:
    """`Cloud` of one client at one address.

    Args:
        secret: reads the client's secret, anew at each sign-in.
        refresh: reads the refresh token; None where the client speaks for itself.
    """

    def __init__(
        self, credential: OAuth, calls: Calls, *, secret: Callable[[], str], refresh: Callable[[], str] | None
    ) -> None:
        self._oauth, self._calls, self._secret, self._refresh = credential, calls, secret, refresh
        self._url = credential.url.rstrip("/")
        self._where = f"OAuth client {credential.client}"

    @property
    def identity(self) -> tuple[str, ...]:
        return ("oauth", self._url, self._oauth.client)

    def sign_in(self, now: datetime) -> Pass:
        secrets = {"client_secret": self._secret()}
        if self._refresh is not None:
            secrets["refresh_token"] = self._refresh()
        grant = "client_credentials" if self._refresh is None else "refresh_token"
        form = urlencode({"grant_type": grant, "client_id": self._oauth.client, **secrets})
        url = f"{self._url}{self._oauth.path}"
        said = self._calls.send("POST", url, _FORM, form.encode(), secrets=tuple(secrets.values()))
        if said.status in {400, 401, 403}:
            raise Refused(
                f"{self._where}: {self._oauth.path} gives it no token ({said.status}); look at {self._oauth.whence}"
            )
        if said.status != 200:
            raise Unexpected(f"{self._where}: {self._oauth.path} answered {said.status}", said.status)
        try:
            given = decode(said.body, _Token)
        except msgspec.DecodeError:
            raise Unexpected(f"{self._where}: the answer of {self._oauth.path} holds no token") from None
        life = _UNTOLD if given.expires_in is None else min(given.expires_in, _LONGEST)
        return Pass(token=given.access_token, ends=now + timedelta(seconds=max(0.0, life)))

    def place(self) -> Place:
        return Place(base=self._url)
