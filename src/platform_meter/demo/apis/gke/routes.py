"""The simulated Google: OAuth tokens for a key, and the container API with its one cluster."""

from __future__ import annotations

import base64
from collections.abc import Callable

from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.clouds import GKE_LOCATION, GKE_PROJECT
from platform_meter.demo.world import World

TOKEN = "ya29.demo"  # noqa: S105 - opens nothing but the simulation
LIVES = 3_600
"""Seconds."""
_ALL = f"/v1/projects/{GKE_PROJECT}/locations"


class GoogleApi(Api):
    """Clusters of the project.

    Args:
        world: holds the one.
        address: of its API server.
        authority: of that one's certificate, as PEM.
    """

    def __init__(self, world: World, address: Callable[[], str], authority: str) -> None:
        self._one, self._address, self._authority = world.company.clusters[1], address, authority
        super().__init__(
            {
                "POST /token": self._token,
                f"GET {_ALL}/-/clusters": self._list,
                f"GET {_ALL}/{GKE_LOCATION}/clusters/{self._one.name}": self._get,
            }
        )

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        if request.path != "/token" and request.header("Authorization") != f"Bearer {TOKEN}":
            raise _refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        return handle()

    def missing(self, request: Request) -> Reply:
        raise _refused(404, "NOT_FOUND", f"Not found: {request.path}")

    def _token(self, request: Request) -> Reply:
        del request
        return Reply(body=encode({"access_token": TOKEN, "expires_in": LIVES, "token_type": "Bearer"}))

    def _list(self, request: Request) -> Reply:
        del request
        return Reply(body=encode({"clusters": [self._cluster()]}))

    def _get(self, request: Request) -> Reply:
        del request
        return Reply(body=encode(self._cluster()))

    def _cluster(self) -> dict[str, object]:
        return {
            "name": self._one.name,
            "location": GKE_LOCATION,
            "status": "RUNNING",
            "currentMasterVersion": f"{self._one.version.removeprefix('v')}-gke.1000",
            "endpoint": self._address().removeprefix("https://"),
            "masterAuth": {"clusterCaCertificate": base64.b64encode(self._authority.encode()).decode()},
        }


def _refused(code: int, status: str, message: str) -> Refusal:
    return Refusal(Reply(body=encode({"error": {"code": code, "message": message, "status": status}}), status=code))
