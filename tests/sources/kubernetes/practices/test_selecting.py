"""Objects that name or select workloads: each covers those it fits, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster, thing
from tests.sources.kubernetes.practices.told import DEPLOYMENTS, NAMESPACES, SERVICES, told, workload

from platform_meter.sources.kubernetes.practices.selecting import BUDGETS, HPAS, NETWORK_POLICIES, QUOTAS

HTTP, GRPC = ("/apis/gateway.networking.k8s.io/v1/httproutes", "/apis/gateway.networking.k8s.io/v1/grpcroutes")
SERVICE_MONITORS = "/apis/monitoring.coreos.com/v1/servicemonitors"
POD_MONITORS = "/apis/monitoring.coreos.com/v1/podmonitors"
WEB, API, OTHER = "shop/Deployment/web", "shop/Deployment/api", "pay/Deployment/web"


def cluster() -> Cluster:
    """Two workloads in one namespace, one of the name of the first in another."""
    made = Cluster().put(NAMESPACES, thing("shop"), thing("pay"))
    made.put(DEPLOYMENTS, workload("web"), workload("api"))
    return made.put("/apis/apps/v1/statefulsets", workload("db")).put(
        "/apis/batch/v1/cronjobs",
        thing("job", "pay", spec={"jobTemplate": {"spec": {"template": {"metadata": {"labels": {"app": "web"}}}}}}),
    )


def scaler(name: str, kind: str, target: str, version: str = "apps/v1") -> dict[str, Any]:
    return thing(name, "shop", spec={"scaleTargetRef": {"apiVersion": version, "kind": kind, "name": target}})


def test_an_autoscaler_covers_what_it_names() -> None:
    """By group, kind and name in its own namespace; one that names nobody covers nobody."""
    made = cluster().put(
        HPAS.only_path,
        scaler("one", "Deployment", "web"),
        scaler("two", "StatefulSet", "web"),
        scaler("three", "Deployment", "api", "example.test/v1"),
        scaler("four", "StatefulSet", "db"),
    )
    assert told(made, "autoscalers") == {WEB: ("one",), "shop/StatefulSet/db": ("four",)}


def test_a_budget_covers_pods_that_it_selects() -> None:
    """None without a selector, all with an empty one; of several all are named."""
    made = cluster().put(
        BUDGETS.only_path,
        thing("web", "shop", spec={"selector": {"matchLabels": {"app": "web"}}}),
        thing("nobody", "shop", spec={}),
        thing("else", "pay", spec={"selector": {"matchLabels": {"app": "api"}}}),
    )
    assert told(made, "disruptionbudgets") == {WEB: ("web",)}
    made.put(BUDGETS.only_path, thing("all", "shop", spec={"selector": {}}))
    assert told(made, "disruptionbudgets") == {WEB: ("all", "web"), API: ("all",), "shop/StatefulSet/db": ("all",)}


@pytest.mark.parametrize(
    ("expression", "covered"),
    [
        ({"key": "app", "operator": "In", "values": ["web", "db"]}, {WEB, "shop/StatefulSet/db"}),
        ({"key": "app", "operator": "NotIn", "values": ["web"]}, {API, "shop/StatefulSet/db"}),
        ({"key": "app", "operator": "Exists"}, {WEB, API, "shop/StatefulSet/db"}),
        ({"key": "tier", "operator": "DoesNotExist"}, {WEB, API, "shop/StatefulSet/db"}),
        ({"key": "tier", "operator": "NotIn", "values": ["a"]}, {WEB, API, "shop/StatefulSet/db"}),
        ({"key": "tier", "operator": "In", "values": ["a"]}, set()),
        ({"key": "app", "operator": "Gt", "values": ["1"]}, set()),
    ],
)
def test_expressions_select_as_the_api_says(expression: dict[str, Any], covered: set[str]) -> None:
    """An operator that nobody knows selects nothing."""
    made = cluster().put(
        NETWORK_POLICIES.only_path, thing("p", "shop", spec={"podSelector": {"matchExpressions": [expression]}})
    )
    assert set(told(made, "networkpolicies")) == covered


def test_a_network_policy_without_a_selector_is_for_all_of_its_namespace() -> None:
    """A CronJob's pods are those of its jobs."""
    made = cluster().put(NETWORK_POLICIES.only_path, thing("deny", "pay", spec={"podSelector": {}}))
    assert told(made, "networkpolicies") == {"pay/CronJob/job": ("deny",)}


def test_a_quota_bounds_its_namespace() -> None:
    """One with scopes bounds some pods alone, one that bounds nothing none."""
    hard = {"pods": "10"}
    made = cluster().put(
        QUOTAS.only_path,
        thing("small", "shop", spec={"hard": hard}),
        thing("best", "pay", spec={"hard": hard, "scopes": ["BestEffort"]}),
        thing("class", "pay", spec={"hard": hard, "scopeSelector": {"matchExpressions": []}}),
        thing(
            "class2",
            "pay",
            spec={"hard": hard, "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass"}]}},
        ),
        thing("none", "pay", spec={}),
    )
    assert told(made, "quotas") == {WEB: ("small",), API: ("small",), "shop/StatefulSet/db": ("small",)}


def route(name: str, namespace: str, *backends: dict[str, Any], **conditions: str) -> dict[str, Any]:
    said = {"Accepted": "True", "ResolvedRefs": "True", **conditions}
    kind = said.pop("parent", "Gateway")
    parent = {
        "parentRef": {"kind": kind, "name": "edge"},
        "conditions": [{"type": type_, "status": status} for type_, status in said.items()],
    }
    return thing(name, namespace, spec={"rules": [{"backendRefs": list(backends)}]}, status={"parents": [parent]})


def test_a_route_covers_the_pods_of_its_services() -> None:
    """Once a gateway, and not a mesh, has accepted it with all it refers to; a Service that selects nobody leads to nobody."""
    made = cluster().put(
        SERVICES,
        thing("web", "shop", spec={"selector": {"app": "web"}}),
        thing("api", "shop", spec={"selector": {"app": "api"}}),
        thing("away", "shop", spec={"externalName": "example.test"}),
    )
    assert told(made, "gatewayroutes") == {}
    made.put(
        HTTP,
        route("in", "shop", {"name": "web"}, {"name": "away"}, {"name": "missing"}),
        route("refused", "shop", {"name": "api"}, Accepted="False"),
        route("broken", "shop", {"name": "api"}, ResolvedRefs="False"),
        route("meshed", "shop", {"name": "api"}, parent="Service"),
        route("bucket", "shop", {"name": "api", "kind": "Bucket", "group": "example.test"}),
        thing("unseen", "shop", spec={"rules": [{"backendRefs": [{"name": "api"}]}]}),
    )
    assert told(made, "gatewayroutes") == {WEB: ("in",)}
    made.put(GRPC, route("over", "pay", {"name": "web", "namespace": "shop"}))
    assert told(made, "gatewayroutes") == {WEB: ("in", "pay/over")}


def monitor(name: str, labels: dict[str, str], **where: Any) -> dict[str, Any]:
    spec = {"selector": {"matchLabels": labels}, **({"namespaceSelector": where} if where else {})}
    return thing(name, "shop", spec=spec)


def test_monitors_select_services_or_pods_where_they_look() -> None:
    """In their own namespace, in those they name, or everywhere."""
    made = cluster().put(DEPLOYMENTS, workload("till", "pay"))
    made.put(
        SERVICES,
        thing("web", "shop", labels={"metrics": "yes"}, spec={"selector": {"app": "web"}}),
        thing("till", "pay", labels={"metrics": "yes"}, spec={"selector": {"app": "till"}}),
        thing("quiet", "shop", spec={"selector": {"app": "api"}}),
    )
    assert told(made, "monitors") == {}
    made.put(SERVICE_MONITORS, monitor("here", {"metrics": "yes"}))
    assert told(made, "monitors") == {WEB: ("here",)}
    made.put(SERVICE_MONITORS, monitor("there", {"metrics": "yes"}, matchNames=["pay"]))
    made.put(POD_MONITORS, monitor("pods", {"app": "web"}, any=True))
    assert told(made, "monitors") == {
        WEB: ("here", "pods"),
        "pay/Deployment/till": ("shop/there",),
        "pay/CronJob/job": ("shop/pods",),
    }
