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

DEPLOYMENTS_SHADOW = counter(
    "platform_deployments_shadow_total",
    "team environment way",
    "Deployments that a better way tells too: they count there alone.",
    fold="environment",
)
