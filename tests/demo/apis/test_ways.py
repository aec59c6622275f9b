from __future__ import annotations

from platform_meter.demo.apis.ways import google, server, through_eks, through_gke

URLS = {"gke": "http://127.0.0.1:7"}


def test_ways_into_clusters() -> None:
    """As settings of sources have them; nothing leads outside of the simulation."""
    assert through_eks("eu") == {"eks": {"name": "eu", "region": "eu-central-1", "profile": "platform-meter-demo-eks"}}
    project = {"project": "acme-prod", "api": "http://127.0.0.1:7", "key_file": "secrets/gke-key.json"}
    assert google(URLS) == project
    assert through_gke("us", URLS) == {"gke": {"name": "us", "location": "us-east4", **project}}


def test_servers_of_clusters() -> None:
    """Their names hold that of the cloud, so that no other server has one."""
    assert server("eks", "eu") == "eks-eu"
