"""Meshes and gateways (domain section 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge, histogram
from platform_meter.model.facts.traffic import LATENCY_BUCKETS

_MESH = {"mesh": "istio, linkerd"}
_GATEWAY = {"gateway": "gateways that sources name"}

MESH_REQUESTS = counter(
    "platform_mesh_requests_total",
    "mesh team result",
    "Requests between services as their mesh counted them: good, bad; what clients gave up is left out.",
    bounds={**_MESH, "result": "good, bad"},
)
MESH_DURATION = histogram(
    "platform_mesh_request_duration_seconds",
    "mesh",
    "How long requests in the mesh took.",
    buckets=LATENCY_BUCKETS,
    bounds=_MESH,
)
MESH_MEMBERS = gauge(
    "platform_mesh_members",
    "mesh cluster state",
    "Workloads by whether they are in the mesh: in_mesh, outside, exempt.",
    bounds={**_MESH, "state": "in_mesh, outside, exempt"},
)
MESH_MTLS = gauge(
    "platform_mesh_mtls_ratio",
    "mesh cluster",
    "Share of the requests of the last 24 hours that came with mutual TLS.",
    bounds=_MESH,
)
GATEWAY_REQUESTS = counter(
    "platform_gateway_requests_total",
    "gateway team result",
    "Requests through a gateway by the owner of their route: good, bad; errors of clients are left out.",
    bounds={**_GATEWAY, "result": "good, bad"},
)
GATEWAY_DURATION = histogram(
    "platform_gateway_request_duration_seconds",
    "gateway",
    "How long requests through a gateway took.",
    buckets=LATENCY_BUCKETS,
    bounds=_GATEWAY,
)
GATEWAY_ROUTES = gauge(
    "platform_gateway_routes",
    "gateway team",
    "Routes that a gateway serves, by owner.",
    bounds=_GATEWAY,
)
