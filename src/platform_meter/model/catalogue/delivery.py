"""Delivery (domain section 6)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter

DEPLOYMENTS = counter(
    "platform_deployments_total",
    "team environment result kind",
    "Deployments ended.",
    fold="environment",
    bounds={"kind": "planned, rollback, hotfix, config"},
)
