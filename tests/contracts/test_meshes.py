"""Linkerd's recorded metrics of a proxy; both meshes on a real API server with their own resource definitions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.kube_api import KubeApi, running
from tests.support.places import ROOT
from tests.support.real_source import connected
from tests.support.waiting import until

from platform_meter.model.access import Secret
from platform_meter.model.facts.traffic import MeshMember, MeshPolicy, MeshRequests, MeshSecurity
from platform_meter.model.source import Source
from platform_meter.sources.istio import SOURCE as ISTIO_SOURCE
from platform_meter.sources.istio import Config as IstioConfig
from platform_meter.sources.istio.standing import STANDING as ISTIO
from platform_meter.sources.kit.mesh.standing import Standing
from platform_meter.sources.linkerd import SOURCE, Config
from platform_meter.sources.linkerd.standing import STANDING as LINKERD
from platform_meter.testing.outside import FakeOutside, Reply

CONTRACTS = Path(os.environ["PLATFORM_METER_CONTRACTS"])
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(("door", "expected"), [("4191", []), ("8080", [(11.0, 0.0), (0.0, 11.0)])])
def test_recorded_metrics_of_a_proxy_are_read(door: str, expected: list[tuple[float, float]]) -> None:
    """Of a recorded page with eleven responses more the second time: its own door counts for nobody, any other does."""
    text = (CONTRACTS / "samples/linkerd/sampleMetrics.txt").read_text("utf-8").replace("4191", door)
    pages = [text, text.replace('classification="success"} 29', 'classification="success"} 40')]
    assert pages[0] != pages[1]
    page = {"url": "http://10.42.0.121:4191/metrics", "labels": {"namespace": "slow", "deployment": "cooker"}}
    config = Config.model_validate({"cluster": "eu", "scrape": [page]})
    outside = FakeOutside(lambda _: Reply(body=pages.pop(0)))
    (stream,) = SOURCE.connect(config, outside, "linkerd")
    (first,) = stream.read(None, NOON, NOON)
    assert first.facts == ()
    (second,) = stream.read(first.checkpoint, NOON, NOON + timedelta(minutes=1))
    told: list[tuple[float, float]] = []
    for fact in second.facts:
        assert fact.about.id == "eu/slow/cooker"
        told += [(fact.good, fact.bad)] if isinstance(fact, MeshRequests) else []
        told += [(fact.mutual, fact.plain)] if isinstance(fact, MeshSecurity) else []
    assert told == expected


def _documents(pattern: str) -> list[dict[str, Any]]:
    """All definitions in these files."""
    files = sorted((CONTRACTS / "crds").glob(pattern))
    return [one for file in files for one in yaml.safe_load_all(file.read_text("utf-8")) if one]


@pytest.mark.parametrize(("standing", "pattern"), [(ISTIO, "istio.yaml"), (LINKERD, "linkerd-*.yaml")])
def test_resources_are_served_where_they_are_looked_for(standing: Standing, pattern: str) -> None:
    """Their group, plural and kind are those of the definitions, and each version that is served can be read."""
    specs = [document["spec"] for document in _documents(pattern)]
    definitions = {(spec["group"], spec["names"]["plural"]): spec for spec in specs}
    for kind, resource in standing.policies.items():
        spec = definitions[resource.group, resource.name]
        assert spec["names"]["kind"] == kind
        served = {version["name"] for version in spec["versions"] if version["served"]}
        assert served <= set(resource.versions), (kind, served)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """A cluster with our account, some of whose pods have the proxy of one of the meshes."""
    for made in running(tmp_path_factory.mktemp("kube-api")):
        made.apply((ROOT / "deploy" / "kubernetes" / "rbac.yaml").read_text("utf-8"))
        for name, more in {
            "shop": {},
            "quiet": {"labels": {"istio-injection": "disabled"}, "annotations": {"linkerd.io/inject": "disabled"}},
        }.items():
            made.create("/api/v1/namespaces", metadata={"name": name, **more})
        deployment = _owner("Deployment", "cart")
        template = {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": [{"name": "app", "image": "a:1"}]}}
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": "cart"}}, "template": template}
        owned = {"name": "cart-5d8f", "ownerReferences": [deployment]}
        replicas = made.create("/apis/apps/v1/namespaces/shop/replicasets", metadata=owned, spec=spec)
        cart = {**_owner("ReplicaSet", "cart-5d8f"), "uid": replicas["metadata"]["uid"]}
        _pod(made, "shop", "cart-1", cart, containers=["app", "istio-proxy"])
        _pod(made, "shop", "cart-2", cart, containers=["app", "istio-proxy"])
        _pod(made, "shop", "db-0", _owner("StatefulSet", "db"), containers=["app"], init=["linkerd-proxy"])
        _pod(made, "shop", "agent-x", _owner("DaemonSet", "agent"), containers=["app"])
        _pod(made, "quiet", "batch-0", _owner("StatefulSet", "batch"), containers=["app"])
        yield made


def _owner(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}


def _pod(
    api: KubeApi, space: str, name: str, owner: dict[str, Any], *, containers: list[str], init: list[str] | None = None
) -> None:
    own = [{"name": one, "image": "a:1"} for one in containers]
    first = [{"name": one, "image": "p:1", "restartPolicy": "Always"} for one in init or ()]
    metadata = {"name": name, "ownerReferences": [owner]}
    api.create(f"/api/v1/namespaces/{space}/pods", metadata=metadata, spec={"containers": own, "initContainers": first})


SPECS: dict[str, dict[str, Any]] = {
    "VirtualService": {"hosts": ["cart"], "http": [{"route": [{"destination": {"host": "cart"}}]}]},
    "PeerAuthentication": {"mtls": {"mode": "STRICT"}},
    "ServiceProfile": {"routes": []},
    "Server": {"podSelector": {"matchLabels": {"app": "cart"}}, "port": 80},
}
"""The least that the definitions take."""


@pytest.mark.parametrize(
    ("source", "config", "pattern", "states", "policies"),
    [
        (
            ISTIO_SOURCE,
            IstioConfig,
            "istio.yaml",
            {"Deployment/cart": "in_mesh", "StatefulSet/db": "outside"},
            ["PeerAuthentication", "VirtualService"],
        ),
        (
            SOURCE,
            Config,
            "linkerd-*.yaml",
            {"Deployment/cart": "outside", "StatefulSet/db": "in_mesh"},
            ["Server", "ServiceProfile"],
        ),
    ],
    ids=["istio", "linkerd"],
)
def test_what_stands_in_a_mesh_is_read_with_our_rights(
    api: KubeApi,
    tmp_path: Path,
    source: Source[Any],
    config: Any,
    pattern: str,
    states: dict[str, str],
    policies: list[str],
) -> None:
    """Members while nothing of the mesh is installed; then each kind of policy, as its definition takes it."""
    file = tmp_path / "token"
    file.write_text(api.service_account_token("platform-meter", "platform-meter"))
    settings = config(cluster="eu", url=api.url, token=Secret(file=str(file)), ca_file=api.ca_file, page_size=2)
    with connected(source, settings) as meter:
        meter.stream("policies").run()
        reader = meter.stream("members")
        reader.run()
        found = {fact.about.id: str(fact.state) for fact in reader.readings.values() if isinstance(fact, MeshMember)}
        assert found == {
            **{f"eu/shop/{name}": state for name, state in states.items()},
            "eu/shop/DaemonSet/agent": "outside",
            "eu/quiet/StatefulSet/batch": "exempt",
        }
        for document in _documents(pattern):
            api.done("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", document)
            spec = document["spec"]
            version = next(one["name"] for one in spec["versions"] if one["storage"])
            path = f"/apis/{spec['group']}/{version}/namespaces/shop/{spec['names']['plural']}"
            until(lambda path=path: api.call("GET", path).ok)  # type: ignore[misc] # its default is the path
            kind = spec["names"]["kind"]
            if kind in SPECS:
                head = {"apiVersion": f"{spec['group']}/{version}", "kind": kind, "metadata": {"name": "one"}}
                api.done("POST", path, {**head, "spec": SPECS[kind]})
        assert list(meter.check()) == []
        reader = meter.stream("policies")
        reader.run()
        told = [fact.about.id for fact in reader.readings.values() if isinstance(fact, MeshPolicy)]
        assert sorted(told) == [f"eu/shop/{kind}/one" for kind in policies]
