"""Meshes in the simulated company: Istio in the first cluster, Linkerd in the second, each with a Prometheus beside it."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import SECRETS, DemoApi, Told
from platform_meter.demo.apis.kubernetes import KUBECONFIG
from platform_meter.demo.apis.mesh.routes import HEARD, PrometheusApi
from platform_meter.demo.company.layout import RUNTIME, TEAM_LABEL, Company
from platform_meter.demo.company.mesh import members, meshes
from platform_meter.demo.company.scenarios import Scenario

PREFIX = "prometheus-"


def prometheus(cluster: str) -> str:
    """What the Prometheus of a cluster is called, in the meter's settings too."""
    return f"{PREFIX}{cluster}"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """Each mesh, of whose past six hours are enough to look at; its proxies; and the capability that members have adopted."""
    sources: dict[str, Mapping[str, object]] = {}
    for cluster, mesh in meshes(company).items():
        name = prometheus(cluster)
        sources[f"{mesh}-{cluster}"] = {
            "type": mesh,
            "cluster": cluster,
            "kubeconfig": f"{SECRETS}/{KUBECONFIG}",
            "context": cluster,
            "labels": [TEAM_LABEL],
            "prometheus": {"url": urls[name]},
        }
        proxies = {"kind": "proxy", "cluster": cluster, "group": mesh, "heard": HEARD}
        expected = sum(1 for _ in members(company, Scenario(), cluster))
        sources[name] = {
            "type": "prometheus",
            "url": urls[name],
            "history": "6h",
            "rules": False,
            "instances": [{**proxies, "expected": expected}],
        }
    return Told(
        sources=sources,
        definitions={"capabilities": [_capability()]},
        rules=[
            {"match": f"prometheus:{cluster}/proxy/{mesh}", "team": RUNTIME}
            for cluster, mesh in meshes(company).items()
        ],
    )


def _capability() -> Mapping[str, object]:
    return {
        "kind": "Capability",
        "id": "service-mesh",
        "title": "Service mesh",
        "unit": "service",
        "owner": RUNTIME,
        "eligible": {"any": [{"service": {"kind": ["service"], "lifecycle": ["production"]}}]},
        "adopted": {"source": "kubernetes", "count": "meshinjections"},
        "active": {"source": "kubernetes", "count": "meshinjections"},
    }


API = DemoApi(
    name="Prometheus",
    instances=lambda company: tuple(map(prometheus, meshes(company))),
    app=lambda world, at: PrometheusApi(world, at.name.removeprefix(PREFIX)),
    threads=3,
    told=told,
)
