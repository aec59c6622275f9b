"""The simulated EKS: ListClusters and DescribeCluster, and the tokens that its clusters take."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from platform_meter.demo.apis.signed import SignedApi, refused
from platform_meter.demo.apis.wsgi import Reply, Request, encode
from platform_meter.demo.company.clouds import EKS_ACCOUNT, EKS_REGION, FORGOTTEN, FORGOTTEN_VERSION, eks_issuer
from platform_meter.demo.world import World

KEY, SECRET = "AKIADEMOEKS", "eks_demo"
PREFIX = "k8s-aws-v1."


class EksApi(SignedApi):
    """Clusters of the account in its region.

    Args:
        world: holds the one that is measured.
        address: of its API server.
        authority: of that one's certificate, as PEM.
    """

    def __init__(self, world: World, address: Callable[[], str], authority: str) -> None:
        self._one, self._address, self._authority = world.company.clusters[0], address, authority
        super().__init__(KEY, {"GET /clusters": self._list, "GET /clusters/<name>": self._describe})

    def _list(self, request: Request) -> Reply:
        del request  # there are fewer of them than a page has
        return Reply(body=encode({"clusters": [self._one.name, FORGOTTEN]}))

    def _describe(self, request: Request, name: str) -> Reply:
        del request
        if name not in {self._one.name, FORGOTTEN}:
            raise refused(404, "ResourceNotFoundException", f"No cluster found for name: {name}.")
        measured = name == self._one.name
        version = self._one.version.removeprefix("v").rpartition(".")[0] if measured else FORGOTTEN_VERSION
        # Of the other one the meter knows no way in; its address answers nobody.
        endpoint = self._address() if measured else f"https://{name}.eks.acme.test"
        cluster = {
            "name": name,
            "arn": f"arn:aws:eks:{EKS_REGION}:{EKS_ACCOUNT}:cluster/{name}",
            "status": "ACTIVE",
            "version": version,
            "endpoint": endpoint,
            "certificateAuthority": {"data": base64.b64encode(self._authority.encode()).decode()},
            "identity": {"oidc": {"issuer": eks_issuer(name)}},
        }
        return Reply(body=encode({"cluster": cluster}))


def takes(token: str) -> bool:
    """Whether it is a signed question of who one is, by our key and for one cluster.

    The signature, which holds the cluster's name, is not computed again: the simulation keeps no secret by it.
    """
    text = token.removeprefix(PREFIX)
    try:
        asked = parse_qs(urlsplit(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()).query)
    except ValueError:
        return False
    who, signed = asked.get("X-Amz-Credential", [""])[0], asked.get("X-Amz-SignedHeaders", [""])[0]
    return token != text and who.startswith(f"{KEY}/") and "x-k8s-aws-id" in signed.split(";")
