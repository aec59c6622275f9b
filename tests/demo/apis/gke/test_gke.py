from __future__ import annotations

import base64
import json
from threading import Event

import pytest
from tests.demo.worlds import START, Caller, nowhere

from platform_meter.demo.apis.api import Instance
from platform_meter.demo.apis.gke import API, told
from platform_meter.demo.apis.gke.routes import GoogleApi
from platform_meter.demo.company.layout import Company
from platform_meter.demo.world import World

BEARER = {"Authorization": "Bearer ya29.demo"}
CLUSTERS = "/v1/projects/acme-prod/locations"


@pytest.fixture
def api(still: World) -> Caller:
    return Caller(GoogleApi(still, lambda: "https://127.0.0.1:7", "PEM"), BEARER, "")


def test_the_project_has_one_cluster(api: Caller) -> None:
    """In the list as by itself; no other."""
    found = api.get(f"{CLUSTERS}/us-east4/clusters/us").json
    assert api.get(f"{CLUSTERS}/-/clusters").json == {"clusters": [found]}
    assert (found["name"], found["location"], found["status"]) == ("us", "us-east4", "RUNNING")
    assert (found["endpoint"], found["currentMasterVersion"]) == ("127.0.0.1:7", "1.30.8-gke.1000")
    assert found["masterAuth"] == {"clusterCaCertificate": base64.b64encode(b"PEM").decode()}
    assert api.get(f"{CLUSTERS}/us-east4/clusters/lost").status_code == 404


def test_who_may_ask(api: Caller) -> None:
    """Whoever has a token of it, which anybody with a key gets."""
    assert api.get(f"{CLUSTERS}/-/clusters", Authorization="").json["error"]["status"] == "UNAUTHENTICATED"
    given = Caller(api.app, {}, "").post("/token", {}).json
    assert given == {"access_token": "ya29.demo", "expires_in": 3600, "token_type": "Bearer"}


def test_the_key_leads_to_the_simulation() -> None:
    """Nobody is asked for a token but the server on loopback."""
    company = Company.build(1, START, teams=8, services=24)
    urls = nowhere(company).urls
    key = json.loads(told(company, urls).secrets["gke-key.json"])
    assert (key["type"], key["token_uri"]) == ("service_account", f"{urls['gke']}/token")


def test_its_cluster_signs_as_its_name_there(still: World) -> None:
    """As those of Google do."""
    server = Caller(API.app(still, Instance(name="gke-us", url="", stop=Event())), BEARER, "")
    issuer = server.get("/.well-known/openid-configuration").json["issuer"]
    assert issuer == f"https://container.googleapis.com{CLUSTERS}/us-east4/clusters/us"
    assert server.get("/api/v1/nodes", Authorization="Bearer kube_demo").status_code == 401
