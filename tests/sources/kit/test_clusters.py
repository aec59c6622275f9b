"""The settings of one cluster: exactly one way in, and what its credential lacks."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Eks, Gke, InCluster, Kubeconfig, Secret, Token
from platform_meter.sources.kit.clusters import ClusterConfig, access, lacking
from platform_meter.sources.kit.kubernetes_objects import Resource
from platform_meter.testing.outside import Call, FakeOutside, Reply

THINGS = Resource(name="things", group="example.test", versions=("v2", "v1"))
PODS = Resource(name="pods")
SERVED = {
    "name": "example.test",
    "versions": [{"version": "v1"}],
    "preferredVersion": {"version": "v1"},
}


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({}, "none of kubeconfig/context, in_cluster, url, eks and gke is set; write exactly one way in"),
        (
            {"in_cluster": True, "context": "prod"},
            "more than one of kubeconfig/context, in_cluster, url, eks and gke is set",
        ),
        (
            {"eks": {"name": "prod", "region": "r"}, "context": "prod"},
            "more than one of kubeconfig/context, in_cluster",
        ),
        ({"gke": {"project": "p", "location": "", "name": "c"}}, "empty; write it as the cloud's console shows it"),
        (
            {"gke": {"project": "p", "location": "l", "name": "c"}, "ca_file": "ca.crt"},
            "the other ways in bring their own",
        ),
        ({"url": "https://api.example"}, "url needs https:// and a token; write `token: {file: PATH}`"),
        ({"url": "http://api.example", "token": {"env": "T"}}, "url needs https:// and a token"),
        ({"in_cluster": True, "ca_file": "ca.crt"}, "token and ca_file go with url only"),
        (
            {"in_cluster": True, "cluster": "eu/1"},
            "'eu/1' can't name a cluster; write a name without slashes and blanks",
        ),
        ({"in_cluster": True, "resync": "1m"}, "shorter than 5m; write 5m or more"),
    ],
)
def test_wrong_settings_are_told(said: dict[str, Any], text: str) -> None:
    """There is exactly one way into a cluster."""
    with pytest.raises(ValidationError) as caught:
        ClusterConfig.model_validate({"cluster": "eu", **said})
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"in_cluster": True}, Access(credential=InCluster())),
        ({"context": "prod"}, Access(credential=Kubeconfig(context="prod"))),
        ({"kubeconfig": "/k"}, Access(credential=Kubeconfig(path="/k"))),
        (
            {"eks": {"name": "prod", "region": "eu-west-1", "role": "arn:r", "profile": "p"}},
            Access(credential=Eks(cluster="prod", region="eu-west-1", role="arn:r", profile="p")),
        ),
        (
            {"gke": {"project": "acme", "location": "europe-west1", "name": "prod"}},
            Access(credential=Gke(project="acme", location="europe-west1", cluster="prod")),
        ),
        (
            {
                "gke": {
                    "project": "acme",
                    "location": "europe-west1-b",
                    "name": "prod",
                    "endpoint": "dns",
                    "key_file": "/key.json",
                    "api": "https://container.acme.example",
                }
            },
            Access(
                credential=Gke(
                    project="acme",
                    location="europe-west1-b",
                    cluster="prod",
                    endpoint="dns",
                    key_file="/key.json",
                    api="https://container.acme.example",
                )
            ),
        ),
        (
            {"url": "https://api.example", "token": {"env": "T"}, "ca_file": "/ca"},
            Access(url="https://api.example", credential=Token(secret=Secret(env="T")), ca_file="/ca"),
        ),
    ],
)
def test_each_way_in_becomes_its_access(said: dict[str, Any], expected: Access) -> None:
    """Settings say how to get in, nothing else does."""
    assert access(ClusterConfig.model_validate({"cluster": "eu", **said})) == expected


def test_what_may_not_be_read_is_named_in_the_words_of_rbac() -> None:
    """A line for each verb and resource, with the version that the cluster serves; what may be read has none."""

    def answer(call: Call) -> Reply:
        if call.path == "/apis":
            return Reply(body={"groups": [SERVED]})
        refused = call.path == "/api/v1/pods" or "watch" in call.params
        return Reply(status=403) if refused else Reply(body="{}")

    outside = FakeOutside(answer)
    assert lacking(outside, (THINGS, PODS)) == [
        'the credential may not watch things (apiGroups: ["example.test"]); grant it as deploy/kubernetes/rbac.yaml does',
        'the credential may not list pods (apiGroups: [""]); grant it as deploy/kubernetes/rbac.yaml does',
    ]
    assert [call.path for call in outside.calls] == ["/apis", *2 * ["/apis/example.test/v1/things"], "/api/v1/pods"]


def test_what_is_not_installed_is_named() -> None:
    """And asked no further."""
    outside = FakeOutside(lambda call: Reply(body={"groups": []}))
    assert lacking(outside, (THINGS,)) == [
        "things.example.test is not installed in this cluster; take the source out, or install it first"
    ]


def test_objects_of_skipped_namespaces_are_left_out() -> None:
    """By globs; none by default."""
    config = ClusterConfig.model_validate({"cluster": "eu", "in_cluster": True, "skip_namespaces": ["tmp-*"]})
    assert [config.skips(name) for name in ("tmp-1", "tmp", "kube-system")] == [True, False, False]
    assert not ClusterConfig.model_validate({"cluster": "eu", "in_cluster": True}).skips("tmp-1")
