"""GKE in the simulated company: Google's tokens and list of clusters, and the API server of the cluster, over TLS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from wsgiref.types import WSGIApplication

from platform_meter.demo.apis.api import DemoApi, Instance, Told
from platform_meter.demo.apis.certificates import new_key
from platform_meter.demo.apis.gke.routes import TOKEN, GoogleApi
from platform_meter.demo.apis.kubernetes.routes import KubernetesApi
from platform_meter.demo.apis.ways import GKE, GKE_KEY, google, server
from platform_meter.demo.company.clouds import GKE_PROJECT, gke_issuer
from platform_meter.demo.company.layout import Company
from platform_meter.demo.world import World


def instances(company: Company) -> tuple[str, ...]:
    return GKE, server(GKE, company.clusters[1].name)


def app(world: World, at: Instance) -> WSGIApplication:
    cluster = world.company.clusters[1].name
    if at.name == GKE:
        return GoogleApi(world, lambda: at.urls[server(GKE, cluster)], at.authority)
    return KubernetesApi(world, cluster, at.stop, issuer=gke_issuer(cluster), lets_in=TOKEN.__eq__)


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The project: which clusters it has, and a key with which one may ask."""
    del company
    return Told(
        sources={"clusters-gke": {"type": "clusters", "gke": google(urls)}},
        secrets={GKE_KEY: json.dumps(_key(f"{urls[GKE]}/token"))},
    )


def _key(token_uri: str) -> Mapping[str, str]:
    """A service account's key, as Google gives it."""
    account = f"meter@{GKE_PROJECT}.iam.gserviceaccount.com"
    return {
        "type": "service_account",
        "project_id": GKE_PROJECT,
        "private_key_id": "demo",
        "private_key": new_key(),
        "client_email": account,
        "client_id": "1",
        "token_uri": token_uri,
    }


API = DemoApi(
    name="GKE",
    instances=instances,
    app=app,
    threads=20,
    secure=lambda company: instances(company)[1:],
    told=told,
)
