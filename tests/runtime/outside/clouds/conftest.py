"""Clouds on loopback: moto's server for Amazon, whose cluster a test may put where it likes, and a world without accounts."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto.eks.models import eks_backends
from tests.support.amazon import amazon_server
from tests.support.http import Certificate, authority, certificate

ACCOUNT = "123456789012"
REGION = "eu-central-1"


@pytest.fixture(scope="package")
def certs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("clouds")
    ca = authority(folder)
    return {"ca": ca, "server": certificate(folder, ca, "server")}


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine says who we are to a cloud."""
    for name in [n for n in os.environ if n.startswith(("AWS_", "GOOGLE_", "GCE_", "CLOUDSDK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="package")
def moto() -> Iterator[str]:
    """Address of a server that is EKS and STS."""
    with amazon_server() as url:
        yield url


Puts = Callable[[str, Certificate], None]


@pytest.fixture
def amazon(moto: str, monkeypatch: pytest.MonkeyPatch) -> Puts:
    """An account with keys in the environment; what is called makes its cluster `prod` stand at an address."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-s3cret")

    def put(url: str, ca: Certificate) -> None:
        clusters = eks_backends[ACCOUNT][REGION].clusters
        if "prod" not in clusters:
            role = f"arn:aws:iam::{ACCOUNT}:role/eks"
            vpc = {"subnetIds": ["subnet-1", "subnet-2"]}
            boto3.client("eks", region_name=REGION).create_cluster(name="prod", roleArn=role, resourcesVpcConfig=vpc)
        clusters["prod"].endpoint = url
        clusters["prod"].certificate_authority = {"data": base64.b64encode(ca.cert.read_bytes()).decode()}

    return put
