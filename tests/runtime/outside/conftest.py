"""Certificates for servers on loopback and those who call them."""

from __future__ import annotations

import pytest
from tests.support.http import Certificate, authority, certificate


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certs")
    ca = authority(folder)
    made = {name: certificate(folder, ca, name) for name in ("server", "client")}
    return {"ca": ca, "named": certificate(folder, ca, "named", san="DNS:kube.example"), **made}
