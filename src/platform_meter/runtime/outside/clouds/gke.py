"""A cluster of Google GKE: found by the container API, entered with an OAuth token of google-auth."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

import msgspec

from platform_meter.model.access import Gke
from platform_meter.model.source import Refused, Unexpected
from platform_meter.model.typed import decode
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.google import GoogleIdentity
from platform_meter.runtime.outside.clouds.reader import Pass, Place


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
    """`Cloud` of one GKE cluster. Its API is asked as whom google-auth finds."""

    def __init__(self, credential: Gke, calls: Calls) -> None:
        self._gke, self._calls = credential, calls
        self._where = f"GKE cluster {credential.cluster} in {credential.location} of project {credential.project}"
        self._google = GoogleIdentity(credential.key_file, calls, where=self._where)
        self._token = ""

    @property
    def identity(self) -> tuple[str, ...]:
        return ("gke", self._gke.project, self._gke.location, self._gke.cluster, self._gke.key_file)

    def sign_in(self, now: datetime) -> Pass:
        given = self._google.sign_in(now)
        self._token = given.token
        return given

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
            cluster = decode(said.body, _Cluster)
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
