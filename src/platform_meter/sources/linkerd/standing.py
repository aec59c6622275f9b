"""How Linkerd is seen in a cluster: by its proxy in pods, and by its own resources."""

from __future__ import annotations

from platform_meter.sources.kit.kubernetes_objects import Resource
from platform_meter.sources.kit.mesh.standing import Pod, Space, Standing
from platform_meter.sources.linkerd.counters import SYSTEM

PROXY = "linkerd-proxy"
INJECT = "linkerd.io/inject"
_INJECTS = ("enabled", "ingress")
_POLICY = ("v1beta3", "v1beta2", "v1beta1", "v1alpha1")


def _resource(name: str, group: str, *versions: str) -> Resource:
    return Resource(name=name, group=group, versions=versions, verbs=("list",))


def inside(pod: Pod) -> bool:
    """With the proxy, which may be an init container that stays."""
    return pod.has(PROXY)


def stays_out(pod: Pod, space: Space) -> bool:
    """By what is written on the pod, else on its namespace."""
    said = pod.metadata.annotations.get(INJECT, "")
    return said == "disabled" or (said not in _INJECTS and space.metadata.annotations.get(INJECT) == "disabled")


STANDING = Standing(
    system=SYSTEM,
    inside=inside,
    stays_out=stays_out,
    policies={
        "ServiceProfile": _resource("serviceprofiles", "linkerd.io", "v1alpha2", "v1alpha1"),
        "Server": _resource("servers", "policy.linkerd.io", *_POLICY),
        "AuthorizationPolicy": _resource("authorizationpolicies", "policy.linkerd.io", *_POLICY),
        "HTTPRoute": _resource("httproutes", "policy.linkerd.io", *_POLICY),
    },
)
