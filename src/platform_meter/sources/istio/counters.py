"""Istio's standard metrics of proxies (istio.io, "Istio Standard Metrics"), and what their labels mean for us."""

from __future__ import annotations

from typing import Literal

from platform_meter.model.facts.slis import Verdict
from platform_meter.sources.kit.mesh.traffic import BOUND, GRPC_BAD, GRPC_CLIENT, Counted, Fits, Labels, Mesh, Place

SYSTEM = "istio"
_SERVICE = ("destination_service_namespace", "destination_service_name")
_NOBODY = frozenset({"", "unknown"})
_OUTSIDE = frozenset(
    {
        "PassthroughCluster",
        "BlackHoleCluster",
        "InboundPassthroughCluster",
        "InboundPassthroughClusterIpv4",
        "InboundPassthroughClusterIpv6",
    }
)
"""What Envoy calls traffic that goes to no service which the mesh knows."""
_GIVEN_UP = r"(.*,)?DC(,.*)?"
"""Flags of a request whose client closed its connection before it was answered."""
_VALID = (
    Fits(label="response_flags", pattern=_GIVEN_UP, fits=False),
    Fits(label="response_code", pattern="4..|101", fits=False),
    Fits(label="grpc_response_status", pattern="|".join(sorted(GRPC_CLIENT, key=int)), fits=False),
)
"""Whose duration is anybody's: a connection that became a WebSocket (101) lasts as long as its client wants."""

Reporter = Literal["source", "destination", "waypoint"]


def place(labels: Labels) -> Place | None:
    """The service that was called; None for what is none of the mesh."""
    namespace, name = (labels.get(label, "") for label in _SERVICE)
    if namespace in _NOBODY or name in _NOBODY | _OUTSIDE:
        return None
    workload = labels.get("destination_workload", "")
    return Place(namespace=namespace, name=name, workload="" if workload in _NOBODY else f"Deployment/{workload}")


def verdict(labels: Labels) -> Verdict | None:
    """Bad is what no client can mend: 5xx, no answer at all (code 0), and the statuses of gRPC that are like them.

    Where somebody took the label of the code away nothing can be told.
    """
    grpc, code = labels.get("grpc_response_status", ""), labels.get("response_code", "")
    if grpc in GRPC_CLIENT or code.startswith("4") or not (grpc or code):
        return None
    if grpc:
        return Verdict.BAD if grpc in GRPC_BAD else Verdict.GOOD
    return Verdict.BAD if code.startswith("5") or code == "0" else Verdict.GOOD


def mutual(labels: Labels) -> bool | None:
    """None where the proxy that tells can't know it."""
    return {"mutual_tls": True, "none": False}.get(labels.get("connection_security_policy", ""))


def mesh(reporter: Reporter) -> Mesh:
    """Istio as the proxies on this side of each request tell it."""
    told = Fits(label="reporter", pattern=reporter)
    # The side that calls does not know by what the other one was convinced.
    server = Fits(label="reporter", pattern="destination" if reporter == "source" else reporter)
    timed = (told, *_VALID)
    return Mesh(
        system=SYSTEM,
        requests=Counted(
            name="istio_requests_total",
            by=(*_SERVICE, "destination_workload", "response_code", "grpc_response_status"),
            only=(told, _VALID[0]),
        ),
        durations=Counted(name="istio_request_duration_milliseconds_bucket", by=(*_SERVICE, BOUND), only=timed),
        sums=Counted(name="istio_request_duration_milliseconds_sum", by=_SERVICE, only=timed),
        security=Counted(name="istio_requests_total", by=(*_SERVICE, "connection_security_policy"), only=(server,)),
        place=place,
        verdict=verdict,
        mutual=mutual,
    )
