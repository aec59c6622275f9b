"""Who asks, and what he may do: the one place where a request becomes roles."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from platform_meter.model.source import Refused
from platform_meter.runtime.access.addresses import is_among
from platform_meter.runtime.access.file import WebFile
from platform_meter.runtime.access.passwords import Passwords
from platform_meter.runtime.access.roles import EVERYTHING, Role, brought
from platform_meter.runtime.access.settings import AccessSettings, ProxySettings
from platform_meter.runtime.outside.credentials import SecretReader

log = logging.getLogger(__name__)

_NOBODY = frozenset[Role]()
_LONGEST = 4096
"""Characters of a credential; more is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sends a request."""

    roles: frozenset[Role]
    named: bool
    """Whether he has said who he is, so that saying so again would change nothing."""


class Doors:
    """Decides for each request. For any number of threads.

    Args:
        settings: the section `access` as it is now.
        web: the web configuration; None without one.
        environ: variables that tokens may stand in.
        alone: only this machine can reach us, so that without any access control everybody may do everything.
    """

    def __init__(
        self,
        settings: Callable[[], AccessSettings] = AccessSettings,
        *,
        web: WebFile | None = None,
        environ: Mapping[str, str] | None = None,
        alone: bool = True,
    ) -> None:
        self._settings, self._web, self._environ, self._alone = settings, web, environ or {}, alone
        self._passwords = Passwords()
        self._said: set[tuple[str, str]] = set()

    def caller(self, request: Mapping[str, Any]) -> Caller:
        """Who sends this request (a WSGI environ).

        A credential that is wrong makes nobody of him, also where everybody else may read.
        """
        settings = self._settings()
        users = self._users()
        if settings.proxy is not None and (named := _said_by_proxy(settings.proxy, request)):
            name, groups = named
            return _named(settings, name, groups)
        scheme, _, value = str(request.get("HTTP_AUTHORIZATION", "")).partition(" ")
        if scheme.lower() == "basic" and users:
            pair = _pair(value.strip())
            fits = pair is not None and self._passwords.fit(users, *pair)
            return _named(settings, pair[0]) if pair and fits else Caller(roles=_NOBODY, named=False)
        if scheme.lower() == "bearer" and settings.tokens:
            return self._bearer(settings, value.strip())
        if self._alone and not settings.tells_apart and (self._web is None or not self._web.current().config.lets_in):
            return Caller(roles=EVERYTHING, named=True)
        if not users and request.get("SSL_CLIENT_VERIFY") == "SUCCESS":
            return Caller(roles=brought([Role.VIEWER]), named=True)
        anonymous = [Role(settings.anonymous)] if settings.anonymous else []
        return Caller(roles=brought(anonymous), named=False)

    def challenges(self) -> list[str]:
        """What to ask of somebody who may not: values of WWW-Authenticate."""
        asked = ['Basic realm="platform-meter", charset="UTF-8"'] if self._users() else []
        return [*asked, *(['Bearer realm="platform-meter"'] if self._settings().tokens or not asked else [])]

    def headers(self) -> Mapping[str, str]:
        """Headers that the web configuration wants on every answer."""
        if self._web is None:
            return {}
        return {name: value for name, value in self._web.current().config.http_server_config.headers.items() if value}

    def has_room(self) -> bool:
        """Whether one more request is within the bound of the web configuration."""
        return self._web is None or self._web.has_room()

    def _users(self) -> Mapping[str, str]:
        return {} if self._web is None else self._web.current().config.basic_auth_users

    def _bearer(self, settings: AccessSettings, shown: str) -> Caller:
        # All are compared, each in constant time: how long it takes tells neither which fits nor how much of it.
        fits = [one.role for name, one in settings.tokens.items() if self._is(name, one.token, shown)]
        roles = brought(role for given in fits for role in given)
        return Caller(roles=roles, named=bool(fits))

    def _is(self, name: str, secret: Any, shown: str) -> bool:
        try:
            kept = SecretReader(secret, self._environ).read()
        except Refused as error:
            if (name, str(error)) not in self._said:  # once: a stranger could have it said with each request
                self._said.add((name, str(error)))
                log.warning("the token '%s' lets nobody in: %s", name, error)
            return False
        return hmac.compare_digest(_digest(kept), _digest(shown)) and len(shown) <= _LONGEST


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _pair(value: str) -> tuple[str, bytes] | None:
    """User and password of basic auth (RFC 7617); None where it is none."""
    if len(value) > _LONGEST:
        return None
    try:
        name, colon, password = base64.b64decode(value, validate=True).partition(b":")
        return (name.decode("utf-8"), password) if colon else None
    except (binascii.Error, ValueError):
        return None


def _said_by_proxy(proxy: ProxySettings, request: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """The user and his groups, where a declared proxy says them; two names at once are none."""
    name = _header(request, proxy.user)
    if not name or "," in name or not is_among(str(request.get("REMOTE_ADDR", "")), proxy.addresses):
        return None
    return name, [group.strip() for group in _header(request, proxy.groups).split(",") if group.strip()]


def _header(request: Mapping[str, Any], name: str) -> str:
    return str(request.get("HTTP_" + name.upper().replace("-", "_"), "")).strip()


def _named(settings: AccessSettings, name: str, groups: list[str] | None = None) -> Caller:
    given = settings.users.get(name, ())
    by_group = [role for group in groups or () for role in settings.groups.get(group, ())]
    return Caller(roles=brought([*given, *by_group] or [Role.VIEWER]), named=True)
