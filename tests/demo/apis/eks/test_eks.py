from __future__ import annotations

import base64
from threading import Event
from urllib.parse import urlencode

import pytest
from tests.demo.worlds import Caller

from platform_meter.demo.apis.api import Instance
from platform_meter.demo.apis.eks import API
from platform_meter.demo.apis.eks.routes import EksApi, takes
from platform_meter.demo.world import World

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIADEMOEKS/20260520/eu-central-1/eks/aws4_request, more"}


@pytest.fixture
def api(still: World) -> Caller:
    return Caller(EksApi(still, lambda: "https://127.0.0.1:7", "PEM"), SIGNED, "")


def token(*, key: str = "AKIADEMOEKS", signed: str = "host;x-k8s-aws-id", prefix: str = "k8s-aws-v1.") -> str:
    """A signed question of who one is, as authenticators write it."""
    query = urlencode(
        {"Action": "GetCallerIdentity", "X-Amz-Credential": f"{key}/20260520", "X-Amz-SignedHeaders": signed}
    )
    url = f"https://sts.eu-central-1.amazonaws.com/?{query}"
    return prefix + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def test_the_account_has_one_cluster_more_than_is_measured(api: Caller) -> None:
    """Both are described; of one that is not there nothing is."""
    assert api.get("/clusters").json == {"clusters": ["eu", "batch"]}
    found = api.get("/clusters/eu").json["cluster"]
    assert found["arn"] == "arn:aws:eks:eu-central-1:123456789012:cluster/eu"
    assert (found["version"], found["status"], found["endpoint"]) == ("1.31", "ACTIVE", "https://127.0.0.1:7")
    assert found["certificateAuthority"] == {"data": base64.b64encode(b"PEM").decode()}
    assert api.get("/clusters/batch").json["cluster"]["endpoint"] == "https://batch.eks.acme.test"
    lost = api.get("/clusters/lost")
    assert (lost.status_code, lost.json["__type"]) == (404, "ResourceNotFoundException")


def test_who_may_ask(api: Caller) -> None:
    """Whoever signs with the account's key."""
    other = SIGNED["Authorization"].replace("AKIADEMOEKS", "AKIAOTHER")
    for said in ("", other):
        assert api.get("/clusters", Authorization=said).status_code == 403


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (token(), True),
        (token(key="AKIAOTHER"), False),
        (token(signed="host"), False),
        (token(prefix=""), False),
        ("k8s-aws-v1.%%%", False),
        ("kube_demo", False),
    ],
)
def test_what_its_clusters_take(text: str, *, fits: bool) -> None:
    """Our key's own question, for a cluster; no other token, nor what is none."""
    assert takes(text) is fits


def test_its_cluster_signs_as_the_account_says(still: World, api: Caller) -> None:
    """By that an inventory tells that it is one and the same."""
    issuer = api.get("/clusters/eu").json["cluster"]["identity"]["oidc"]["issuer"]
    server = Caller(
        API.app(still, Instance(name="eks-eu", url="", stop=Event())), {"Authorization": f"Bearer {token()}"}, ""
    )
    assert server.get("/.well-known/openid-configuration").json["issuer"] == issuer
    assert server.get("/api/v1/nodes", Authorization="Bearer kube_demo").status_code == 401
