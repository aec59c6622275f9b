"""What covers workloads on a real API server, with the definitions of Gateway API and of the Prometheus operator, and our rights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.kube_api import KubeApi, running
from tests.support.places import ROOT
from tests.support.real_source import Connected, connected
from tests.support.waiting import until

from platform_meter.model.access import Secret
from platform_meter.model.facts.practices import Practice
from platform_meter.sources.kubernetes import SOURCE, Config
from platform_meter.sources.kubernetes.practices import KINDS

SPACE = "namespaces/shop"
APPS = f"/apis/apps/v1/{SPACE}"
GATEWAY = f"/apis/gateway.networking.k8s.io/v1/{SPACE}"
MONITORS = f"/apis/monitoring.coreos.com/v1/{SPACE}/servicemonitors"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
WEB, DB = "Deployment/web", "StatefulSet/db"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """A cluster with two workloads, and something of each kind that a cluster brings by itself."""
    for made in running(tmp_path_factory.mktemp("kube-api")):
        made.apply((ROOT / "deploy" / "kubernetes" / "rbac.yaml").read_text("utf-8"))
        made.create("/api/v1/namespaces", metadata={"name": "shop", "labels": {"istio-injection": "enabled"}})
        tracked = {"argocd.argoproj.io/tracking-id": "till:apps/Deployment:shop/web"}
        workload(made, "deployments", "web", annotations=tracked)
        workload(made, "statefulsets", "db")
        yield made


def workload(api: KubeApi, resource: str, name: str, **more: Any) -> None:
    labels = {"app": name}
    container = {"name": "main", "image": f"registry.example/golden/{name}:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": template}
    if resource == "statefulsets":
        spec["serviceName"] = name
    api.create(f"{APPS}/{resource}", metadata={"name": name, **more}, spec=spec)


@pytest.fixture(scope="module")
def meter(api: KubeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    file = tmp_path_factory.mktemp("account") / "token"
    file.write_text(api.service_account_token("platform-meter", "platform-meter"))
    config = Config(
        cluster="eu",
        url=api.url,
        token=Secret(file=str(file)),
        ca_file=api.ca_file,
        practices=tuple(KINDS),
        golden_images=("registry.example/golden/w*",),
    )
    with connected(SOURCE, config) as found:
        yield found


def told(meter: Connected, word: str) -> dict[str, tuple[str, ...]]:
    """By workload what covers it."""
    reader = meter.stream(word)
    reader.run()
    facts = [fact for fact in reader.readings.values() if isinstance(fact, Practice)]
    return {fact.about.id.removeprefix("eu/shop/"): fact.by for fact in facts}


def test_what_a_cluster_brings_by_itself_is_told(api: KubeApi, meter: Connected) -> None:
    """As the server keeps it, under the shipped role; a policy of the server is one of all that it admits by."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    web = {"matchLabels": {"app": "web"}}
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["statefulsets"]}
    api.create(
        f"/apis/autoscaling/v2/{SPACE}/horizontalpodautoscalers",
        metadata={"name": "scale"},
        spec={"scaleTargetRef": target, "maxReplicas": 3},
    )
    budget = {"selector": web, "minAvailable": 1}
    api.create(f"/apis/policy/v1/{SPACE}/poddisruptionbudgets", metadata={"name": "budget"}, spec=budget)
    api.create(f"/api/v1/{SPACE}/resourcequotas", metadata={"name": "quota"}, spec={"hard": {"pods": "10"}})
    deny = {"podSelector": {}, "policyTypes": ["Ingress"]}
    api.create(f"/apis/networking.k8s.io/v1/{SPACE}/networkpolicies", metadata={"name": "deny"}, spec=deny)
    policy = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "object.spec.replicas < 5"}],
    }
    api.create(f"{ADMISSION}/validatingadmissionpolicies", metadata={"name": "few"}, spec=policy)
    bound = {"policyName": "few", "validationActions": ["Deny"]}
    api.create(f"{ADMISSION}/validatingadmissionpolicybindings", metadata={"name": "few"}, spec=bound)

    assert meter.check() == []
    assert {word: told(meter, word) for word in (*KINDS, "goldenimages")} == {
        "autoscalers": {WEB: ("scale",)},
        "disruptionbudgets": {WEB: ("budget",)},
        "quotas": {WEB: ("quota",), DB: ("quota",)},
        "networkpolicies": {WEB: ("deny",), DB: ("deny",)},
        "admissionpolicies": {DB: ("few",)},
        "meshinjections": {WEB: ("istio",), DB: ("istio",)},
        "argodestinations": {WEB: ("till",)},
        "goldenimages": {WEB: ("registry.example/golden/w*",)},
        "gatewayroutes": {},
        "monitors": {},
        "policyreports": {},
    }


def installed(api: KubeApi, *files: str) -> None:
    for file in files:
        folder = Path(os.environ["PLATFORM_METER_CONTRACTS"]) / "crds"
        for definition in filter(None, yaml.safe_load_all((folder / file).read_text("utf-8"))):
            api.done("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)


def test_what_is_installed_later_is_told_then(api: KubeApi, meter: Connected) -> None:
    """Routes of both kinds and a ServiceMonitor, while PodMonitors are not there at all."""
    installed(
        api,
        "gateway-api-httproutes.yaml",
        "gateway-api-grpcroutes.yaml",
        "prometheus-operator-servicemonitors.yaml",
    )
    for path in (f"{GATEWAY}/httproutes", f"{GATEWAY}/grpcroutes", MONITORS):
        until(lambda path=path: api.call("GET", path).ok)  # type: ignore[misc] # its default is the path
    for name in ("web", "db"):
        ports = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}
        api.create(f"/api/v1/{SPACE}/services", metadata={"name": name, "labels": {"app": name}}, spec=ports)
    for kind, name in (("HTTPRoute", "web"), ("GRPCRoute", "db")):
        path = f"{GATEWAY}/{kind.lower()}s"
        head = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"name": f"to-{name}"}}
        rules = [{"backendRefs": [{"name": name, "port": 80}]}]
        api.done("POST", path, {**head, "spec": {"parentRefs": [{"name": "edge"}], "rules": rules}})
    assert told(meter, "gatewayroutes") == {}
    accepted = [
        {"type": type_, "status": "True", "reason": type_, "message": "", "lastTransitionTime": "2026-05-04T10:00:05Z"}
        for type_ in ("Accepted", "ResolvedRefs")
    ]
    parent = {"parentRef": {"name": "edge"}, "controllerName": "example.test/edge", "conditions": accepted}
    for path in (f"{GATEWAY}/httproutes/to-web", f"{GATEWAY}/grpcroutes/to-db"):
        api.patch(f"{path}/status", status={"parents": [parent]})
    assert told(meter, "gatewayroutes") == {WEB: ("to-web",), DB: ("to-db",)}

    monitor = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": "metrics"},
        "spec": {"selector": {"matchLabels": {"app": "db"}}, "endpoints": [{"port": "http"}]},
    }
    api.done("POST", MONITORS, monitor)
    assert told(meter, "monitors") == {DB: ("metrics",)}
    assert meter.check() == []
