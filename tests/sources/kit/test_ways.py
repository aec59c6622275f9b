"""Clusters of clouds as settings name them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Eks, Gke
from platform_meter.sources.kit.ways import EksCluster, GkeCluster


def test_settings_become_the_credential_that_they_name() -> None:
    """What may be left out is left to the environment."""
    eks = EksCluster.model_validate({"name": "prod", "region": "eu-central-1", "role": "arn:aws:iam::1:role/meter"})
    assert eks.credential() == Eks(cluster="prod", region="eu-central-1", role="arn:aws:iam::1:role/meter", profile="")
    gke = GkeCluster.model_validate({"project": "acme", "location": "europe-west1", "name": "prod"})
    assert gke.credential() == Gke(
        project="acme",
        location="europe-west1",
        cluster="prod",
        endpoint="public",
        key_file="",
        api="https://container.googleapis.com",
    )


def test_an_empty_name_is_told() -> None:
    """The cloud would answer with less."""
    with pytest.raises(ValidationError, match="empty; write it as the cloud's console shows it"):
        EksCluster.model_validate({"name": " ", "region": "eu-central-1"})
