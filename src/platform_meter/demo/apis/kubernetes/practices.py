"""Objects that cover workloads, as the API server lists them: autoscalers, budgets of disruption, quotas, network policies,
and what people told the meshes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from platform_meter.demo.apis.kubernetes.manifests import KIND
from platform_meter.demo.company.mesh import ISTIO, LINKERD, PROXIES
from platform_meter.demo.company.objects import Workload
from platform_meter.demo.company.standards import bounded, budgeted, isolated, scaled

Objects = Iterator[dict[str, Any]]


def _scalers(workloads: Iterable[Workload]) -> Objects:
    for one in workloads:
        if scaled(one):
            target = {"apiVersion": "apps/v1", "kind": KIND[one.kind], "name": one.name}
            bounds = {"minReplicas": one.wanted, "maxReplicas": 4 * one.wanted}
            yield _object(one.name, one.namespace, {"scaleTargetRef": target, **bounds})


def _budgets(workloads: Iterable[Workload]) -> Objects:
    for one in workloads:
        if budgeted(one):
            yield _object(
                one.name, one.namespace, {"minAvailable": 1, "selector": {"matchLabels": dict(one.labels[:1])}}
            )


def _quotas(workloads: Iterable[Workload]) -> Objects:
    for namespace in sorted({one.namespace for one in workloads}):
        if bounded(namespace):
            yield _object("team", namespace, {"hard": {"requests.cpu": "64", "requests.memory": "256Gi"}})


def _policies(workloads: Iterable[Workload]) -> Objects:
    for namespace in sorted({one.namespace for one in workloads}):
        if isolated(namespace):
            yield _object("default-deny", namespace, {"podSelector": {}, "policyTypes": ["Ingress"]})


def _in_mesh(mesh: str, workloads: Iterable[Workload]) -> Iterator[Workload]:
    return (one for one in workloads if one.marks.proxy == PROXIES[mesh])


def _called(workloads: Iterable[Workload]) -> Objects:
    """Of Istio: which namespaces were told how their members may be called."""
    for namespace in sorted({one.namespace for one in _in_mesh(ISTIO, workloads)}):
        yield _object("default", namespace, {"mtls": {"mode": "PERMISSIVE"}})


def _profiles(workloads: Iterable[Workload]) -> Objects:
    """Of Linkerd: a service that was described to it."""
    for one in _in_mesh(LINKERD, workloads):
        yield _object(f"{one.name}.{one.namespace}.svc.cluster.local", one.namespace, {"routes": []})


def _object(name: str, namespace: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}", "labels": {}}
    return {"metadata": metadata, "spec": spec}


COVERING: Mapping[str, tuple[str, str, Callable[[Iterable[Workload]], Objects]]] = {
    "horizontalpodautoscalers": ("autoscaling/v2", "HorizontalPodAutoscalerList", _scalers),
    "poddisruptionbudgets": ("policy/v1", "PodDisruptionBudgetList", _budgets),
    "resourcequotas": ("v1", "ResourceQuotaList", _quotas),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicyList", _policies),
    "peerauthentications": ("security.istio.io/v1", "PeerAuthenticationList", _called),
    "serviceprofiles": ("linkerd.io/v1alpha2", "ServiceProfileList", _profiles),
}
"""By resource: its group and version, the kind of its list, and what there is for these workloads."""
