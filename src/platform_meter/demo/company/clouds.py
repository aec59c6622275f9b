"""Whose machines the clusters run on: Amazon's EKS the first one, Google's GKE the second. One more at Amazon nobody measures."""

from __future__ import annotations

EKS_REGION, EKS_ACCOUNT = "eu-central-1", "123456789012"
GKE_LOCATION, GKE_PROJECT = "us-east4", "acme-prod"
FORGOTTEN = "batch"
"""The cluster that somebody began and nobody told the meter of."""
FORGOTTEN_VERSION = "1.27"


def eks_issuer(cluster: str) -> str:
    """What a cluster there signs tokens of service accounts by."""
    return f"https://oidc.eks.{EKS_REGION}.amazonaws.com/id/{cluster.upper()}"


def gke_issuer(cluster: str) -> str:
    """As `eks_issuer`."""
    where = f"projects/{GKE_PROJECT}/locations/{GKE_LOCATION}/clusters/{cluster}"
    return f"https://container.googleapis.com/v1/{where}"
