"""Kubernetes in the simulated company: an API server per cluster, all named by one kubeconfig."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from platform_meter.demo.apis.api import SECRETS, DemoApi, Told
from platform_meter.demo.apis.kubernetes.routes import TOKEN, KubernetesApi
from platform_meter.demo.company.layout import TEAM_LABEL, Company

KUBECONFIG = "kubeconfig"


def clusters(company: Company) -> Sequence[str]:
    """Each has a server of its own."""
    return [cluster.name for cluster in company.clusters]


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The clusters, and a few workloads that rules give to others than their labels do, as happens."""
    names = clusters(company)
    return Told(
        sources={
            f"cluster-{name}": {
                "type": "kubernetes",
                "cluster": name,
                "kubeconfig": f"{SECRETS}/{KUBECONFIG}",
                "context": name,
                "labels": [TEAM_LABEL],
            }
            for name in names
        },
        secrets={KUBECONFIG: kubeconfig({name: urls[name] for name in names}, TOKEN)},
        rules=[{"match": match, "team": team} for match, team in conflicts(company).items()],
    )


def kubeconfig(urls: Mapping[str, str], token: str) -> str:
    """Names clusters, all of which take this token. Plain http on loopback is something only a kubeconfig may say: a cluster's `url` has to be https."""
    said = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in urls.items()],
        "users": [{"name": "meter", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "meter"}} for name in urls],
        "current-context": next(iter(urls)),
    }
    return yaml.safe_dump(said, sort_keys=False)


def conflicts(company: Company) -> dict[str, str]:
    """Workloads, by the name that ownership rules match, that a rule gives to another team than their labels do."""
    settled = [
        s for s in company.services if s.kubernetes == ((-1_000_000, 1_000_000),) and not s.id.endswith("-search")
    ]
    return {f"kubernetes:eu/{s.team}/Deployment/{s.id}": company.teams[-3].id for s in settled[10:13]}


API = DemoApi(
    name="Kubernetes",
    instances=clusters,
    app=lambda world, at: KubernetesApi(world, at.name, at.stop),
    threads=20,
    told=told,
)
