"""What practices tell of a cluster in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sources.kubernetes.kubernetes_server import Cluster, thing

from platform_meter.model.facts.practices import Practice
from platform_meter.sources.kubernetes import SOURCE, Config
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 4, 12, 0, 40, tzinfo=UTC)
DEPLOYMENTS = "/apis/apps/v1/deployments"
NAMESPACES = "/api/v1/namespaces"
SERVICES = "/api/v1/services"
By = dict[str, tuple[str, ...]]


def workload(name: str, namespace: str = "shop", *images: str, **more: Any) -> dict[str, Any]:
    """A workload whose pods have these labels (`app` is its name where none are said) and annotations."""
    labels = more.pop("pods", {"app": name})
    pods = {"labels": labels, "annotations": more.pop("pod_annotations", {})}
    containers = [{"image": image} for image in images]
    return thing(name, namespace, spec={"template": {"metadata": pods, "spec": {"containers": containers}}}, **more)


def config(*words: str, **more: Any) -> Config:
    said = {"cluster": "eu", "in_cluster": True, "page_size": 2, "practices": words, **more}
    return Config.model_validate(said)


def told(cluster: Cluster, word: str, **more: Any) -> By:
    """By workload, as `namespace/Kind/name`, what covers it."""
    words = () if word == "goldenimages" else (word,)
    stream = next(s for s in SOURCE.connect(config(*words, **more), FakeOutside(cluster), "eu") if s.name == word)
    (page,) = stream.read(None, NOW - timedelta(days=1), NOW)
    assert page.complete == stream.gives
    facts = [fact for fact in page.facts if isinstance(fact, Practice)]
    return {fact.about.id.removeprefix("eu/"): fact.by for fact in facts}
