"""Linkerd's metrics of proxies (linkerd.io, "Proxy Metrics"), and what their labels mean for us.

A proxy does not name its own workload: the scrape configuration of Linkerd's documentation adds it, as `namespace` and
`deployment`, `statefulset` and so on.
"""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.model.facts.slis import Verdict
from platform_meter.sources.kit.mesh.traffic import BOUND, GRPC_CLIENT, Counted, Fits, Labels, Mesh, Place

SYSTEM = "linkerd"
WORKLOADS: Mapping[str, str] = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "replicationcontroller": "ReplicationController",
    "cronjob": "CronJob",
}
"""Labels that name the proxy's own workload, and its kind."""
_OWN = ("namespace", *WORKLOADS)
_SERVED = (
    Fits(label="direction", pattern="inbound"),
    # Its own door (/metrics, /ready), and what the kubelet asks.
    Fits(label="target_port", pattern="4191", fits=False),
    Fits(label="route_name", pattern="probe", fits=False),
    Fits(label="authz_name", pattern="probe", fits=False),
)
_VALID = (
    *_SERVED,
    Fits(label="status_code", pattern="4..|101", fits=False),
    Fits(label="grpc_status", pattern="|".join(sorted(GRPC_CLIENT, key=int)), fits=False),
    Fits(label="grpc_status_code", pattern="|".join(sorted(GRPC_CLIENT, key=int)), fits=False),
)
LOOPBACK = "loopback"
"""Why a request had no TLS that came from its own pod."""


def place(labels: Labels) -> Place | None:
    """The workload that was called; None where nobody wrote which that is."""
    namespace = labels.get("namespace", "")
    named = next((label for label in WORKLOADS if labels.get(label)), "")
    if not namespace or not named:
        return None
    return Place(namespace=namespace, name=labels[named], workload=f"{WORKLOADS[named]}/{labels[named]}")


def verdict(labels: Labels) -> Verdict | None:
    """As the proxy classified it, but for what the client got wrong, which Linkerd takes for a success."""
    grpc = labels.get("grpc_status") or labels.get("grpc_status_code", "")
    if grpc in GRPC_CLIENT or labels.get("status_code", "").startswith("4"):
        return None
    return {"success": Verdict.GOOD, "failure": Verdict.BAD}.get(labels.get("classification", ""))


def mutual(labels: Labels) -> bool | None:
    """None for what never left its pod."""
    if labels.get("no_tls_reason") == LOOPBACK or labels.get("tls") == LOOPBACK:
        return None
    return labels.get("tls") == "true"


MESH = Mesh(
    system=SYSTEM,
    requests=Counted(
        name="response_total",
        by=(*_OWN, "classification", "status_code", "grpc_status", "grpc_status_code"),
        only=_SERVED,
    ),
    durations=Counted(name="response_latency_ms_bucket", by=(*_OWN, BOUND), only=_VALID),
    sums=Counted(name="response_latency_ms_sum", by=_OWN, only=_VALID),
    security=Counted(name="response_total", by=(*_OWN, "tls", "no_tls_reason"), only=_SERVED),
    place=place,
    verdict=verdict,
    mutual=mutual,
    born="process_start_time_seconds",
)
