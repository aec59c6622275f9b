"""How Istio is seen in a cluster: by sidecars, by the redirection of an ambient mesh, and by its own resources."""

from __future__ import annotations

from platform_meter.sources.istio.counters import SYSTEM
from platform_meter.sources.kit.kubernetes_objects import Resource
from platform_meter.sources.kit.mesh.standing import Pod, Space, Standing

PROXY = "istio-proxy"
REDIRECTED, MODE = "ambient.istio.io/redirection", "istio.io/dataplane-mode"
INJECT = "sidecar.istio.io/inject"
NAMESPACE_INJECTS = "istio-injection"
_VERSIONS = ("v1", "v1beta1", "v1alpha3", "v1alpha1")


def _resource(name: str, group: str) -> Resource:
    return Resource(name=name, group=f"{group}.istio.io", versions=_VERSIONS, verbs=("list",))


def inside(pod: Pod) -> bool:
    """With a sidecar, or with its traffic led through the node's proxy."""
    return pod.has(PROXY) or pod.metadata.annotations.get(REDIRECTED) == "enabled"


def stays_out(pod: Pod, space: Space) -> bool:
    """By what is written on the pod, else on its namespace."""
    meta = pod.metadata
    said = meta.labels.get(INJECT, meta.annotations.get(INJECT, ""))
    labels = space.metadata.labels
    if said == "false" or meta.labels.get(MODE) == "none":
        return True
    return said != "true" and (labels.get(NAMESPACE_INJECTS) == "disabled" or labels.get(MODE) == "none")


STANDING = Standing(
    system=SYSTEM,
    inside=inside,
    stays_out=stays_out,
    policies={
        "VirtualService": _resource("virtualservices", "networking"),
        "DestinationRule": _resource("destinationrules", "networking"),
        "Gateway": _resource("gateways", "networking"),
        "ServiceEntry": _resource("serviceentries", "networking"),
        "AuthorizationPolicy": _resource("authorizationpolicies", "security"),
        "PeerAuthentication": _resource("peerauthentications", "security"),
        "Telemetry": _resource("telemetries", "telemetry"),
    },
)
