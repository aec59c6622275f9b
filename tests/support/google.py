"""Google on loopback: OAuth and the container API in their documented forms, and a key to sign in with."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.support.http import Reply, Seen, Server
from tests.support.ways import write

from platform_meter.model.access import Access, Gke

CLUSTER = "/v1/projects/acme/locations/europe-west1/clusters/prod"


def json_of(value: Any) -> bytes:
    return json.dumps(value).encode()


class Google:
    """A server that is Google: hands out the tokens `token-1`, `token-2`, ..., each for an hour, and knows one cluster.

    With `token` that one is handed out each time.
    """

    def __init__(self, server: Server, folder: Path, token: str = "") -> None:
        self.server, self.tokens, self.cluster, self._given = server, 0, dict[str, Any](), token
        server.on("/token", self._token)
        server.on(CLUSTER, lambda _: Reply(body=json_of(self.cluster)))
        key = {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": "1",
            "private_key": _key(),
            "client_email": "meter@acme.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{server.url}/token",
        }
        self.key_file = write(folder / "key.json", json.dumps(key))

    def _token(self, _: Seen) -> Reply:
        self.tokens += 1
        return Reply(
            body=json_of(
                {"access_token": self._given or f"token-{self.tokens}", "expires_in": 3600, "token_type": "Bearer"}
            )
        )

    def put(self, url: str, ca: bytes) -> None:
        """The cluster stands at this address, under this authority."""
        host = url.removeprefix("https://")
        self.cluster = {
            "name": "prod",
            "status": "RUNNING",
            "endpoint": host,
            "masterAuth": {"clusterCaCertificate": base64.b64encode(ca).decode()},
        }

    def access(self, **more: Any) -> Access:
        named = {"key_file": self.key_file, **more}
        return Access(
            credential=Gke(project="acme", location="europe-west1", cluster="prod", api=f"{self.server.url}/", **named)
        )


@cache
def _key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
