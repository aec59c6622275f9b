"""Clusters of clouds on a real API server: who they are is told on loopback, what they let in is Kubernetes' own."""

from __future__ import annotations

import base64
from pathlib import Path

import boto3
import pytest
from moto.eks.models import eks_backends
from tests.support.amazon import amazon_server, lead_to
from tests.support.google import Google
from tests.support.http import serving
from tests.support.kube_api import KubeApi
from tests.support.places import ROOT
from tests.support.real_source import connected

from platform_meter.model.access import Gke, Secret
from platform_meter.model.facts.kubernetes import CloudCluster, ClusterIssuer
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.sources import clusters
from platform_meter.sources.kubernetes import SOURCE, Config

RBAC = ROOT / "deploy" / "kubernetes" / "rbac.yaml"


def test_a_cluster_of_google_is_read(kube_api: KubeApi, tmp_path: Path) -> None:
    """With the token that Google gives, under the authority that it tells: check, a list, the probe.

    The token is one of the account in the cluster: this server has nobody to ask about Google's own.
    """
    kube_api.apply(RBAC.read_text())
    token = kube_api.service_account_token("platform-meter", "platform-meter")
    with serving() as server:
        google = Google(server, tmp_path, token)
        google.put(kube_api.url, Path(kube_api.ca_file).read_bytes())
        credential = google.access().credential
        assert isinstance(credential, Gke)
        gke = {
            "project": credential.project,
            "location": credential.location,
            "name": credential.cluster,
            "key_file": credential.key_file,
            "api": credential.api,
        }
        with connected(SOURCE, Config.model_validate({"cluster": "eu", "gke": gke})) as meter:
            assert meter.check() == []
            namespaces = meter.stream("namespaces")
            namespaces.run()
            assert "namespace/eu/platform-meter" in namespaces.readings
            probe = meter.stream("readyz")
            probe.run()
            assert [e.result for e in probe.events.values() if isinstance(e, ProbeCheck)] == [ProbeResult.OK]
        assert google.tokens == 1


def test_a_cluster_of_amazon_is_found_and_does_not_know_us(kube_api: KubeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address and authority that EKS tells lead to the server, whose 401 is told: it has nobody to ask about Amazon's tokens."""
    with amazon_server() as url:
        lead_to(url, monkeypatch)
        vpc = {"subnetIds": ["subnet-1", "subnet-2"]}
        role = "arn:aws:iam::123456789012:role/eks"
        boto3.client("eks", region_name="eu-west-1").create_cluster(name="real", roleArn=role, resourcesVpcConfig=vpc)
        cluster = eks_backends["123456789012"]["eu-west-1"].clusters["real"]
        cluster.endpoint = kube_api.url
        cluster.certificate_authority = {"data": base64.b64encode(Path(kube_api.ca_file).read_bytes()).decode()}
        eks = {"name": "real", "region": "eu-west-1"}
        with connected(SOURCE, Config.model_validate({"cluster": "eu", "eks": eks})) as meter:
            assert meter.check() == [
                "the API server does not accept the credential (401); it has expired or belongs to another cluster"
            ]


def test_a_cluster_that_amazon_lists_is_the_one_that_is_read(
    kube_api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the issuer that EKS tells and the server itself tells a service account; of the other one nobody reads."""
    kube_api.apply(RBAC.read_text())
    token = tmp_path / "token"
    token.write_text(kube_api.service_account_token("platform-meter", "platform-meter"))
    config = Config(cluster="eu", url=kube_api.url, token=Secret(file=str(token)), ca_file=kube_api.ca_file)
    with connected(SOURCE, config) as meter:
        read = meter.stream("issuer")
        read.run()
        (ours,) = read.readings.values()
        assert isinstance(ours, ClusterIssuer)
    with amazon_server() as url:
        lead_to(url, monkeypatch)
        role, vpc = "arn:aws:iam::123456789012:role/eks", {"subnetIds": ["subnet-1", "subnet-2"]}
        amazon = boto3.client("eks", region_name="eu-west-3")
        for name in ("ours", "unseen"):
            amazon.create_cluster(name=name, roleArn=role, resourcesVpcConfig=vpc)
        eks_backends["123456789012"]["eu-west-3"].clusters["ours"].identity = {"oidc": {"issuer": ours.issuer}}
        with connected(clusters.SOURCE, clusters.Config.model_validate({"eks": {"region": "eu-west-3"}})) as cloud:
            assert cloud.check() == []
            listed = cloud.stream("clusters")
            listed.run()
            found = [one for one in listed.readings.values() if isinstance(one, CloudCluster)]
            told = {one.about.id: one.issuer == ours.issuer for one in found}
            assert told == {"eks/123456789012/eu-west-3/ours": True, "eks/123456789012/eu-west-3/unseen": False}
