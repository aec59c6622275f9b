"""Whose a pod is: what outlives it, as the cluster's own source names it."""

from __future__ import annotations

import pytest

from platform_meter.model.facts import Ref
from platform_meter.sources.kit.kubernetes_objects import Meta, Owner
from platform_meter.sources.kit.workloads import ownership, pod_owner, workload_ref


def owner(kind: str, name: str) -> Owner:
    return Owner(kind=kind, name=name, controller=True)


@pytest.mark.parametrize(
    ("controller", "made_by", "labels", "path"),
    [
        (owner("StatefulSet", "db"), None, {}, "StatefulSet/db"),
        (owner("ReplicaSet", "web-5d8f"), owner("Deployment", "web"), {}, "Deployment/web"),
        (owner("ReplicaSet", "web-5d8f"), None, {"pod-template-hash": "5d8f"}, "Deployment/web"),
        (owner("ReplicaSet", "web-5d8f"), None, {}, "ReplicaSet/web-5d8f"),
        (owner("Job", "night-1"), owner("CronJob", "night"), {}, "CronJob/night"),
        (owner("Job", "once"), None, {}, "Job"),
        (owner("TaskRun", "build-x"), None, {}, "TaskRun"),
        (None, None, {}, "Pod"),
    ],
)
def test_a_pod_is_of_what_outlives_it(
    controller: Owner | None, made_by: Owner | None, labels: dict[str, str], path: str
) -> None:
    """Names made for one run would grow without bound: such pods are one object for each kind and namespace."""
    meta = Meta(name="x", namespace="shop", labels=labels)
    assert pod_owner(meta, controller, "eu", (), lambda *_: made_by).id == f"eu/shop/{path}"


def test_labels_that_are_kept_go_with_it() -> None:
    """Sorted, and no others."""
    assert ownership({"b": "2", "a": "1", "c": "3"}, ("b", "a", "d")) == (("a", "1"), ("b", "2"))
    assert workload_ref("eu", "shop", "Deployment/web", (("a", "1"),)) == Ref(
        system="kubernetes",
        kind="workload",
        id="eu/shop/Deployment/web",
        labels=(("a", "1"),),
        links=("kubernetes:eu/shop",),
    )
