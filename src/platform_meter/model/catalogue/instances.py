"""What runs in many instances (domain section 14)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import gauge

INSTANCES = gauge(
    "platform_instances",
    "kind cluster state",
    "Expected instances of gateways, agents, proxies and controllers: heard from within two minutes, or silent.",
    fold="cluster",
    bounds={"kind": "gateway, agent, proxy, controller", "state": "reporting, silent"},
)
