"""Certificates of a server and of those who call it."""

from __future__ import annotations

import pytest
from tests.support.http import Certificate, authority, certificate


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certs")
    ca, other = authority(folder), authority(folder, "other")
    return {
        "ca": ca,
        "server": certificate(folder, ca, "server"),
        "renewed": certificate(folder, ca, "renewed"),
        "client": certificate(folder, ca, "client", san="DNS:prometheus.example"),
        "stranger": certificate(folder, other, "stranger"),
    }
