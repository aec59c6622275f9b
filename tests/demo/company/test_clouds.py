from __future__ import annotations

from platform_meter.demo.company.clouds import eks_issuer, gke_issuer


def test_by_what_names_clusters_sign() -> None:
    """In the form of each cloud, one for each cluster."""
    assert eks_issuer("eu") == "https://oidc.eks.eu-central-1.amazonaws.com/id/EU"
    assert gke_issuer("us") == ("https://container.googleapis.com/v1/projects/acme-prod/locations/us-east4/clusters/us")
