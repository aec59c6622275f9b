"""A cluster of Google GKE: found by the container API, entered with an OAuth token of google-auth."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from platform_meter.model.access import Gke
from platform_meter.model.source import Refused, SourceError, Unexpected, Unreachable
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.reader import Pass, Place

SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")
"""What gke-gcloud-auth-plugin asks for: the first for the container API, the second so that RBAC may name us by e-mail."""
_UNTOLD = timedelta(minutes=30)
"""Taken as the life of a token whose end is not told; Google's live an hour."""


class _Ips(msgspec.Struct, frozen=True, rename="camel"):
    public_endpoint: str = ""
    private_endpoint: str = ""


class _Dns(msgspec.Struct, frozen=True):
    endpoint: str = ""


class _Endpoints(msgspec.Struct, frozen=True, rename="camel"):
    dns_endpoint_config: _Dns = _Dns()
    ip_endpoints_config: _Ips = _Ips()


class _Master(msgspec.Struct, frozen=True, rename="camel"):
    cluster_ca_certificate: str = ""


class _Cluster(msgspec.Struct, frozen=True, rename="camel"):
    """`projects.locations.clusters.get` of container v1, as far as it is read."""

    status: str = "of unknown status"
    endpoint: str = ""
    master_auth: _Master = _Master()
    private_cluster_config: _Ips = _Ips()
    control_plane_endpoints_config: _Endpoints = _Endpoints()

    def addresses(self) -> Mapping[str, str]:
        """Host by the word of our settings; empty where there is none."""
        told = self.control_plane_endpoints_config
        return {
            "public": told.ip_endpoints_config.public_endpoint or self.endpoint,
            "private": told.ip_endpoints_config.private_endpoint or self.private_cluster_config.private_endpoint,
            "dns": told.dns_endpoint_config.endpoint,
        }


class GkeCloud:
    """`Cloud` of one GKE cluster. google-auth finds the identity: a key file, gcloud's, or the metadata server."""

    def __init__(self, credential: Gke, calls: Calls) -> None:
        self._gke, self._calls = credential, calls
        self._where = f"GKE cluster {credential.cluster} in {credential.location} of project {credential.project}"
        self._token = ""

    @property
    def identity(self) -> tuple[str, ...]:
        return ("gke", self._gke.project, self._gke.location, self._gke.cluster, self._gke.key_file)

    def sign_in(self, now: datetime) -> Pass:
        with self._told():
            found = self._found()
            found.refresh(_Carrier(self._calls))
            self._token, expiry = str(found.token), found.expiry
        ends = now + _UNTOLD if expiry is None else expiry.replace(tzinfo=UTC)
        return Pass(token=self._token, ends=ends)

    def place(self) -> Place:
        gke = self._gke
        parts = "/".join(
            f"{word}/{quote(name, safe='')}"
            for word, name in (("projects", gke.project), ("locations", gke.location), ("clusters", gke.cluster))
        )
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self._token}"}
        said = self._calls.send("GET", f"{gke.api.rstrip('/')}/v1/{parts}", headers)
        if said.status in {401, 403}:
            raise Refused(
                f"{self._where}: the container API answered {said.status}; grant our identity container.clusters.get "
                "(roles/container.clusterViewer) on the project, and enable the API there"
            )
        if said.status == 404:
            raise Unexpected(f"{self._where} does not exist; correct project, location or name", 404)
        if said.status != 200:
            raise Unexpected(f"{self._where}: the container API answered {said.status}", said.status)
        try:
            cluster = msgspec.json.decode(said.body, type=_Cluster)
            authority = base64.b64decode(cluster.master_auth.cluster_ca_certificate, validate=True).decode()
        except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error):
            raise Unexpected(f"{self._where}: the container API's answer is no cluster") from None
        there = cluster.addresses()
        host = there[gke.endpoint]
        if not host:
            ways = " or ".join(word for word, address in there.items() if address)
            hint = f"write endpoint: {ways}" if ways else "wait until it is RUNNING"
            raise Unexpected(f"{self._where} is {cluster.status} and has no {gke.endpoint} endpoint; {hint}")
        # The certificate of the DNS endpoint is of a public authority, not of the cluster's.
        return Place(base=f"https://{host}", authority="" if gke.endpoint == "dns" else authority)

    def _found(self) -> Any:
        """Credentials as they stand now."""
        import google.auth
        from google.oauth2 import service_account

        if self._gke.key_file:
            path = str(Path(self._gke.key_file).expanduser())
            return service_account.Credentials.from_service_account_file(path, scopes=SCOPES)
        request: Any = _Carrier(
            self._calls, looking=True
        )  # its base class would have to be imported before it is needed
        return google.auth.default(scopes=SCOPES, request=request)[0]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong in here is told as an error of ours, with what to mend."""
        try:
            from google.auth.exceptions import GoogleAuthError
        except ImportError:
            raise Refused("gke needs google-auth: pip install platform-meter[gcp]") from None
        try:
            yield
        except SourceError:
            raise
        except (GoogleAuthError, ValueError, KeyError, OSError) as error:
            # Of others the text may quote what was read.
            why = type(error).__name__
            if isinstance(error, GoogleAuthError) and error.args:
                why = str(error.args[0])[:300]
            elif isinstance(error, OSError) and error.filename:
                why = f"{error.filename}: {error.strerror}"
            raise Refused(
                f"{self._where}: google-auth can't sign in ({why}); name a key in key_file or "
                "GOOGLE_APPLICATION_CREDENTIALS, or let the pod's service account be a Google one by workload identity"
            ) from None


class _Answer:
    """`google.auth.transport.Response`."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status, self.headers, self.data = status, headers, data


class _Carrier:
    """`google.auth.transport.Request`.

    Args:
        looking: whether anybody is there is only being found out: one try, and no answer is an answer to google-auth.
    """

    def __init__(self, calls: Calls, *, looking: bool = False) -> None:
        self._calls, self._looking = calls, looking

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Answer:
        from google.auth.exceptions import TransportError

        try:
            tries = {"tries": 1} if self._looking else {}
            said = self._calls.send(method, url, headers or {}, body, timeout=timeout, **tries)
        except Unreachable as error:
            if self._looking:
                raise TransportError(str(error)) from None
            raise
        return _Answer(said.status, said.headers, said.body)
