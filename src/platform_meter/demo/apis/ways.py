"""How the exporter's sources enter the clusters: through the clouds that run them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_meter.demo.apis.api import SECRETS
from platform_meter.demo.company.clouds import EKS_REGION, GKE_LOCATION, GKE_PROJECT

EKS, GKE = "eks", "gke"
"""Instances that answer as the clouds do."""
EKS_PROFILE = "platform-meter-demo-eks"
"""No other configuration of AWS has one of this name."""
GKE_KEY = "gke-key.json"


def server(cloud: str, cluster: str) -> str:
    """Instance of a cluster's API server as its cloud lets it be reached."""
    return f"{cloud}-{cluster}"


def through_eks(cluster: str) -> Mapping[str, Any]:
    return {EKS: {"name": cluster, "region": EKS_REGION, "profile": EKS_PROFILE}}


def through_gke(cluster: str, urls: Mapping[str, str]) -> Mapping[str, Any]:
    """`urls` holds the address of every instance, by its name."""
    return {GKE: {"name": cluster, "location": GKE_LOCATION, **google(urls)}}


def google(urls: Mapping[str, str]) -> Mapping[str, Any]:
    """The project, and as whom it is asked."""
    return {"project": GKE_PROJECT, "api": urls[GKE], "key_file": f"{SECRETS}/{GKE_KEY}"}
