"""Kubernetes in the simulated company: an API server per cluster, and the standards that hold for what runs there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import yaml

from platform_meter.demo.apis.api import DemoApi, Told
from platform_meter.demo.apis.kubernetes.routes import TOKEN, KubernetesApi
from platform_meter.demo.apis.ways import through_eks, through_gke
from platform_meter.demo.company.layout import RUNTIME, TEAM_LABEL, Company
from platform_meter.demo.company.standards import GOLDEN

KUBECONFIG = "kubeconfig"
PRACTICES = ["autoscalers", "disruptionbudgets", "quotas", "networkpolicies", "meshinjections"]


def clusters(company: Company) -> Sequence[str]:
    """Each has a server of its own."""
    return [cluster.name for cluster in company.clusters]


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The clusters, and a few workloads that rules give to others than their labels do, as happens."""
    names = clusters(company)
    ways = (through_eks(names[0]), through_gke(names[1], urls))
    return Told(
        sources={
            f"cluster-{name}": {
                "type": "kubernetes",
                "cluster": name,
                **way,
                "labels": [TEAM_LABEL],
                "practices": PRACTICES,
                "golden_images": [GOLDEN],
            }
            for name, way in zip(names, ways, strict=True)
        },
        definitions={"capabilities": list(_standards(company))},
        secrets={KUBECONFIG: kubeconfig({name: urls[name] for name in names}, TOKEN)},
        rules=[{"match": match, "team": team} for match, team in conflicts(company).items()],
    )


def _standards(company: Company) -> Iterator[Mapping[str, object]]:
    """What is mandated: each workload of a service is built upon a golden image, and each team's namespace has a quota."""
    exempt = next(service for service in company.services if service.lifecycle == "production")
    until = company.start.date() + timedelta(days=60)
    for id_, title, unit, practice, every, spared in (
        ("golden-image", "Golden base image", "service", "goldenimages", {"every": {"count": "workloads"}}, exempt.id),
        ("resource-quota", "Quota of the namespace", "team", "quotas", {}, exempt.team),
    ):
        yield {
            "kind": "Capability",
            "id": id_,
            "title": title,
            "unit": unit,
            "owner": RUNTIME,
            "mandated": True,
            "eligible": {"any": [{"service": {"lifecycle": ["production"]}}]},
            "adopted": {"source": "kubernetes", "count": practice, **every},
            "active": {"source": "kubernetes", "count": practice},
            "exempt": [{"unit": spared, "until": until, "reason": "moves to another cluster first"}],
        }


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
