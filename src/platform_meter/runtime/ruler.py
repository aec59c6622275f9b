"""A ruler with the HTTP API of Mimir and Cortex: which groups it keeps, one that it shall keep, one that goes.

Written after the reference of Mimir's HTTP API, section "Ruler".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote, urlsplit, urlunsplit

import yaml

from platform_meter.model.access import Access, Basic, Secret, Token
from platform_meter.model.source import Unexpected
from platform_meter.runtime.outside.changing import Changing
from platform_meter.runtime.service import utc_now
from platform_meter.sources.kit.query_api import TENANT, is_one_tenant

RULER = "ruler"
API = "/prometheus/config/v1/rules"
"""Of Mimir, under its address. Cortex has it at `/api/v1/rules`."""
_NONE_YET = "no rule groups found"
"""How a ruler words its 404 for a tenant without rules; elsewhere a 404 says that there is no such API."""
_NOTHING = ("", "null", "~")
"""Namespaces without groups, and answers without namespaces, as text."""


def tenant_problem(tenant: str) -> str:
    """Why this is the name of no one tenant, and what to write instead; empty where it is."""
    if is_one_tenant(tenant):
        return ""
    return f"'{tenant}' is no tenant; write at most 150 letters, digits and signs of !-_.*'(), and one tenant alone"


class Ruler:
    """One tenant's rules. Close it at the end, or use it in a `with`.

    Args:
        url: of Mimir, or the whole address of the API where it ends in `/rules`.
        tenant: "" where there is only one.
        token: lets us in; None where everybody may.
        user: as whom, where the token is a password.
        ca_file: authority of the server's certificate, where this machine does not trust it.
        environ: where a token by variable stands.
        uninvited: what to do where it wants a token and there is none.

    Raises:
        ValueError: an address that is none; the text says why.
    """

    def __init__(
        self,
        url: str,
        *,
        tenant: str = "",
        token: Secret | None = None,
        user: str = "",
        ca_file: str | None = None,
        environ: Mapping[str, str],
        uninvited: str,
    ) -> None:
        base, self._api = _split(url)
        credential = None
        if token is not None:
            credential = Basic(user=user, password=token) if user else Token(secret=token)
        headers = {TENANT: tenant} if tenant else {}
        access = Access(url=base, credential=credential, headers=headers, ca_file=ca_file)
        self._way = Changing.to(access, instance=RULER, clock=utc_now, environ=environ, uninvited=uninvited)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._way.close()

    def groups(self) -> dict[str, list[dict[str, Any]]]:
        """All groups of the tenant by namespace. Every scalar is text, as it stands there.

        Raises:
            SourceError: it does not answer, or not as a ruler does.
        """
        status, text = self._way.send("GET", self._api, accepted={404})
        if status == 404:
            if _NONE_YET in text:
                return {}
            said = f"GET {self._api} of ruler: 404, there is no API of rules; write the address of Mimir, such as "
            raise Unexpected(f"{said}http://mimir:8080, or the whole one of the API, which ends in /rules", 404)
        try:
            found = yaml.load(text, yaml.CBaseLoader)  # noqa: S506 - it makes text, lists and mappings only
        except yaml.YAMLError:
            found = text
        if not found or found in _NOTHING:
            return {}
        if not _is_groups(found):
            raise Unexpected(f"GET {self._api} of ruler: the answer is no list of groups by namespace")
        return {namespace: [] if groups in _NOTHING else groups for namespace, groups in found.items()}

    def put(self, namespace: str, group: Mapping[str, Any]) -> None:
        """Keep this group, in place of one of the same name.

        Raises:
            SourceError: as `groups`; `Unexpected` where it refuses the group.
        """
        text = yaml.safe_dump(dict(group), sort_keys=False, allow_unicode=True, width=1000)
        self._way.send("POST", self._path(namespace), body=text.encode(), content="application/yaml")

    def drop(self, namespace: str, group: str) -> None:
        """Let this group go; that it is not there is as well.

        Raises:
            SourceError: as `groups`.
        """
        self._way.send("DELETE", self._path(namespace, group), accepted={404})

    def _path(self, *names: str) -> str:
        return "/".join([self._api, *(quote(name, safe="") for name in names)])


def _split(url: str) -> tuple[str, str]:
    """The address of the server, and the path of its API."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    api = path if path.endswith("/rules") else f"{path}{API}"
    return urlunsplit((parts.scheme, parts.netloc, "", parts.query, parts.fragment)), api


def _is_groups(found: object) -> bool:
    if not isinstance(found, dict):
        return False
    return all(
        groups in _NOTHING
        or (isinstance(groups, list) and all(isinstance(one, dict) and "name" in one for one in groups))
        for groups in found.values()
    )
