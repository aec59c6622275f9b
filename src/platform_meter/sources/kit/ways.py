"""Clusters of clouds as settings name them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from platform_meter.model.access import Eks, Gke
from platform_meter.model.scalars import Address, Definition, LocalPath


def _some(text: str) -> str:
    if not text.strip():
        raise ValueError("empty; write it as the cloud's console shows it")
    return text


Named = Annotated[str, AfterValidator(_some)]


class EksCluster(Definition):
    """A cluster of Amazon EKS, entered as whom boto3 finds in the environment."""

    name: Named
    """Of the cluster."""
    region: Named
    """Such as `eu-central-1`."""
    role: str = ""
    """ARN of a role to assume."""
    profile: str = ""
    """Of the shared AWS configuration files."""

    def credential(self) -> Eks:
        return Eks(cluster=self.name, region=self.region, role=self.role, profile=self.profile)


class GkeCluster(Definition):
    """A cluster of Google GKE, entered as whom google-auth finds in the environment."""

    project: Named
    """Id of the project."""
    location: Named
    """Region or zone."""
    name: Named
    """Of the cluster."""
    endpoint: Literal["public", "private", "dns"] = "public"
    """Which of the cluster's addresses."""
    key_file: LocalPath = ""
    """Path of a service account's key or of a workload identity federation."""
    api: Address = "https://container.googleapis.com"
    """Address of the container API."""

    def credential(self) -> Gke:
        return Gke(
            project=self.project,
            location=self.location,
            cluster=self.name,
            endpoint=self.endpoint,
            key_file=self.key_file,
            api=self.api,
        )
