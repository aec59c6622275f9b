"""Kubernetes' API as far as the operator needs it: lists, watches, what it writes, and refusals in words."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import requests

from platform_meter.model.source import Refused
from platform_meter.operator.kinds import MANAGER, Kind
from platform_meter.runtime.outside.grants import Credentials, Grant
from platform_meter.runtime.outside.transport import session

_SECONDS = 20.0
"""The longest that the server may say nothing while it answers."""
_WATCH_SECONDS = 240
"""After so long the server ends a watch by itself."""
_PAGE = 500
_APPLY, _MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class ClusterError(Exception):
    """What the cluster refused, or why it could not be asked, in words."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status
        """HTTP's; 0 without an answer."""

    @property
    def missing(self) -> bool:
        """Whether there is no such thing, or no such kind."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def taken(self) -> bool:
        """Whether somebody else wrote first."""
        return self.status == HTTPStatus.CONFLICT

    @property
    def forbidden(self) -> bool:
        """Whether a right is missing."""
        return self.status == HTTPStatus.FORBIDDEN


class Cluster:
    """One cluster, by one credential. Each call reads the credential as it stands then."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._local = threading.local()

    def list(self, kind: Kind, namespace: str = "") -> list[Mapping[str, Any]]:
        """All of a kind, with the labels that those read have.

        Raises:
            ClusterError: they can't be had; `missing` where the kind is not installed.
        """
        found: list[Mapping[str, Any]] = []
        more = ""
        while True:
            params = {"limit": str(_PAGE), "continue": more, "labelSelector": kind.selector}
            params = {key: value for key, value in params.items() if value}
            page = self._call("GET", kind, namespace, verb="list", params=params)
            found += page.get("items") or ()
            more = (page.get("metadata") or {}).get("continue") or ""
            if not more:
                return found

    def get(self, kind: Kind, namespace: str, name: str) -> Mapping[str, Any] | None:
        """One object; None where there is none.

        Raises:
            ClusterError: it can't be had.
        """
        try:
            return self._call("GET", kind, namespace, name, verb="get")
        except ClusterError as error:
            if error.missing:
                return None
            raise

    def create(self, kind: Kind, body: Mapping[str, Any], namespace: str) -> None:
        """Write a new object.

        Raises:
            ClusterError: it was refused; `taken` where there is one of that name.
        """
        self._call("POST", kind, namespace, body=body)

    def replace(self, kind: Kind, body: Mapping[str, Any], namespace: str) -> None:
        """Write an object whose version is known.

        Raises:
            ClusterError: it was refused; `taken` where it is of another version now.
        """
        self._call("PUT", kind, namespace, str(body["metadata"]["name"]), body=body)

    def apply(self, kind: Kind, body: Mapping[str, Any]) -> None:
        """Server-side apply: our fields are as they stand in `body`, those of others as they were.

        Raises:
            ClusterError: it was refused.
        """
        meta = body["metadata"]
        params = {"fieldManager": MANAGER, "force": "true"}
        self._call("PATCH", kind, meta["namespace"], meta["name"], body=body, params=params, form=_APPLY)

    def say_status(self, kind: Kind, namespace: str, name: str, status: Mapping[str, Any]) -> None:
        """Write these fields of an object's status.

        Raises:
            ClusterError: it was refused.
        """
        params = {"fieldManager": MANAGER}
        self._call("PATCH", kind, namespace, name, "status", body={"status": status}, params=params, form=_MERGE)

    def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> None:
        """Delete this very object; where it is gone already nothing is to be done.

        Raises:
            ClusterError: it was refused.
        """
        try:
            self._call("DELETE", kind, namespace, name, body={"preconditions": {"uid": uid}})
        except ClusterError as error:
            if not (error.missing or error.taken):
                raise

    def watch(self, kind: Kind, namespace: str, changed: Callable[[], None]) -> None:
        """Call `changed` at each change of this kind, until the server ends the watch.

        Raises:
            ClusterError: there is no watch, or its connection broke.
        """
        params = {"watch": "1", "timeoutSeconds": str(_WATCH_SECONDS), "labelSelector": kind.selector}
        response = self._answer("GET", kind.path(namespace), params=params, stream=True, seconds=2 * _WATCH_SECONDS)
        with response:
            self._refuse(response, kind, namespace, "watch", "")
            try:
                for line in response.iter_lines():
                    if line:
                        changed()
            except (requests.RequestException, OSError) as error:
                raise ClusterError(f"the watch of {kind.called} broke: {type(error).__name__}") from error

    def _call(
        self,
        method: str,
        kind: Kind,
        namespace: str,
        name: str = "",
        part: str = "",
        *,
        verb: str = "",
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        form: str = "application/json",
    ) -> dict[str, Any]:
        path = kind.path(namespace, name, part)
        response = self._answer(method, path, params=params or {}, body=body, form=form)
        with response:
            self._refuse(response, kind, namespace, verb or _VERBS[method], part)
            try:
                found = response.json()
            except ValueError as error:
                raise ClusterError(f"{method} {path}: what came is no JSON; look for a proxy before the API") from error
        if not isinstance(found, dict):
            raise ClusterError(f"{method} {path}: what came is no object; look for a proxy before the API")
        return found

    def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        form: str = "",
        stream: bool = False,
        seconds: float = _SECONDS,
    ) -> requests.Response:
        try:
            grant = self._credentials.grant()
            response = self._session(grant).request(
                method,
                f"{grant.base}{path}",
                params=dict(params),
                data=None if body is None else json.dumps(body).encode(),
                headers={**grant.headers, **({"Content-Type": form} if body is not None else {})},
                verify=grant.verify,
                cert=grant.cert,
                proxies={"https": grant.proxy} if grant.proxy else {},
                allow_redirects=False,
                stream=stream,
                timeout=(_SECONDS, seconds),
            )
        except Refused as error:
            raise ClusterError(str(error)) from error
        except (requests.RequestException, OSError) as error:
            # Texts of connections may hold addresses with credentials in them.
            raise ClusterError(f"the API of the cluster can't be reached: {grant.line(str(error))}") from error
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._credentials.renew(grant)
        return response

    def _session(self, grant: Grant) -> requests.Session:
        """One for each thread: connections are kept."""
        if getattr(self._local, "name", None) != grant.server_name:
            self._local.session, self._local.name = session(grant.server_name), grant.server_name
        found: requests.Session = self._local.session
        return found

    def _refuse(self, response: requests.Response, kind: Kind, namespace: str, verb: str, part: str) -> None:
        if response.ok:
            return
        what = f"{kind.called}/{part}" if part else kind.called
        status, where = response.status_code, f" in namespace {namespace}" if namespace else ""
        if status == HTTPStatus.FORBIDDEN and "exceeded quota" not in response.text:
            text = f"may not {verb} {what}{where}; give the account that verb on that resource, as deploy/kubernetes/operator.yaml does"
        elif status == HTTPStatus.UNAUTHORIZED:
            text = "the cluster does not accept the credential; look whether it has expired"
        else:
            text = f"cannot {verb} {what}{where}: {_message(response)}"
        raise ClusterError(text, status)


def _message(response: requests.Response) -> str:
    """What the server says, or else its status."""
    try:
        found = response.json()
    except ValueError:
        found = None
    said = found.get("message") if isinstance(found, dict) else None
    return " ".join(str(said or f"HTTP {response.status_code}").split())
