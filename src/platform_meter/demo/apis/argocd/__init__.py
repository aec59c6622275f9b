"""Argo CD in the simulated company: one in each cluster, for what the platform itself runs there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.argocd.routes import NAMESPACE, TOKEN, ArgocdApi
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.syncs import APPS, applications

SECRET = "argocd"  # noqa: S105 - the name of a file


def servers(company: Company) -> Sequence[str]:
    return [f"argocd-{cluster.name}" for cluster in company.clusters]


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The two servers, and whose their applications are."""
    teams = {app.name: app.team for app in applications(company)}
    return Told(
        sources={
            name: {
                "type": "argocd",
                "url": urls[name],
                "token": secret(SECRET),
                "cluster": cluster.name,
            }
            for name, cluster in zip(servers(company), company.clusters, strict=True)
        },
        secrets={SECRET: TOKEN},
        rules=[{"match": f"argocd:{NAMESPACE}/{name}", "team": teams[name]} for name in APPS],
    )


API = DemoApi(
    name="Argo CD",
    instances=servers,
    app=lambda world, at: ArgocdApi(world, at.name.removeprefix("argocd-")),
    threads=3,
    told=told,
)
