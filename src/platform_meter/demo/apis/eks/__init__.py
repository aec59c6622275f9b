"""EKS in the simulated company: the account's list of clusters, and the API server of the one that is measured, over TLS."""

from __future__ import annotations

from collections.abc import Mapping
from wsgiref.types import WSGIApplication

from platform_meter.demo.apis.api import DemoApi, Instance, Profile, Told
from platform_meter.demo.apis.eks.routes import KEY, SECRET, EksApi, takes
from platform_meter.demo.apis.kubernetes.routes import KubernetesApi
from platform_meter.demo.apis.ways import EKS, EKS_PROFILE, server
from platform_meter.demo.company.clouds import EKS_REGION, eks_issuer
from platform_meter.demo.company.layout import Company
from platform_meter.demo.world import World


def instances(company: Company) -> tuple[str, ...]:
    return EKS, server(EKS, company.clusters[0].name)


def app(world: World, at: Instance) -> WSGIApplication:
    cluster = world.company.clusters[0].name
    if at.name == EKS:
        return EksApi(world, lambda: at.urls[server(EKS, cluster)], at.authority)
    return KubernetesApi(world, cluster, at.stop, issuer=eks_issuer(cluster), lets_in=takes)


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The account: which clusters it has, and who may ask."""
    del company
    return Told(
        sources={"clusters-eks": {"type": "clusters", "eks": {"region": EKS_REGION, "profile": EKS_PROFILE}}},
        profiles={EKS_PROFILE: Profile(url=urls[EKS], key=KEY, secret=SECRET)},
    )


API = DemoApi(
    name="EKS",
    instances=instances,
    app=app,
    threads=20,
    secure=lambda company: instances(company)[1:],
    told=told,
)
