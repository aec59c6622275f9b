"""One section is one mesh in one cluster: a Prometheus or pages for its traffic, a way into the cluster, or both."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Basic, Kubeconfig, Secret, Token
from platform_meter.sources.kit.mesh.config import MeshConfig

SECRET = Secret(env="T")


def access(**said: Any) -> Access:
    return MeshConfig.model_validate({"cluster": "eu", **said}).access


def test_the_cluster_is_entered_with_the_others_beside_it() -> None:
    """Each with its own address and credential."""
    found = access(context="eu", prometheus={"url": "https://p", "token": {"env": "T"}, "headers": {"X-Scope": "a"}})
    assert found.credential == Kubeconfig(context="eu")
    assert found.beside == {
        "prometheus": Access(url="https://p", credential=Token(secret=SECRET), headers={"X-Scope": "a"})
    }


def test_without_a_cluster_no_credential_of_one_is_needed() -> None:
    """Of pages each is an address of its own."""
    found = access(scrape=[{"url": "http://one:4191/metrics"}, {"url": "http://two:4191/metrics"}])
    assert found.credential is None
    assert found.beside == {
        "page-1": Access(url="http://one:4191/metrics"),
        "page-2": Access(url="http://two:4191/metrics"),
    }
    basic = access(prometheus={"url": "https://p", "user": "u", "password": {"env": "T"}}).beside["prometheus"]
    assert basic.credential == Basic(user="u", password=SECRET)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, "nothing is read; write `prometheus: {url: ADDRESS}` for the traffic, a way into the cluster such as"),
        ({"prometheus": {"url": "http://p", "user": "u"}}, "basic auth needs both user and password"),
        (
            {"prometheus": {"url": "http://p", "token": {"env": "T"}, "user": "u", "password": {"env": "T"}}},
            "token and user are two ways in; remove one",
        ),
        ({"scrape": [{"url": "http://a/m"}, {"url": "http://a/m"}]}, "http://a/m is there twice; remove one"),
        (
            {"scrape": [{"url": "http://a/m"}], "prometheus": {"url": "http://p"}},
            "prometheus and scrape would count the same requests twice; remove one",
        ),
        ({"scrape": [{"url": "http://a/m", "labels": {"a.b": "x"}}]}, "'a.b' is no label; write letters, digits and _"),
    ],
)
def test_wrong_settings_are_told(said: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text):
        access(**said)
