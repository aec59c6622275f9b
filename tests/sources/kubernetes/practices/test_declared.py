"""What workloads and their namespaces declare themselves."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster, thing
from tests.sources.kubernetes.practices.told import DEPLOYMENTS, NAMESPACES, told, workload

from platform_meter.sources.kubernetes.practices.declared import golden

WEB = "shop/Deployment/web"


def one(space: dict[str, Any] | None = None, *images: str, **more: Any) -> Cluster:
    """A namespace with these labels and annotations, and one workload in it."""
    return (
        Cluster()
        .put(NAMESPACES, thing("shop", **(space or {})))
        .put(DEPLOYMENTS, workload("web", "shop", *images, **more))
    )


LINKERD = "linkerd.io/inject"
SIDECAR = "sidecar.istio.io/inject"
MODE = "istio.io/dataplane-mode"


@pytest.mark.parametrize(
    ("space", "pods", "annotations", "meshes"),
    [
        ({}, {}, {}, ()),
        ({"istio-injection": "enabled"}, {}, {}, ("istio",)),
        ({"istio.io/rev": "1-26"}, {}, {}, ("istio",)),
        ({"istio-injection": "enabled"}, {SIDECAR: "false"}, {}, ()),
        ({"istio-injection": "enabled"}, {}, {SIDECAR: "false"}, ()),
        ({}, {SIDECAR: "true"}, {}, ("istio",)),
        ({}, {"istio.io/rev": "1-26"}, {}, ("istio",)),
        ({"istio-injection": "disabled"}, {SIDECAR: "true"}, {}, ()),
        ({MODE: "ambient"}, {}, {}, ("istio",)),
        ({MODE: "ambient"}, {MODE: "none"}, {}, ()),
        ({}, {}, {LINKERD: "enabled"}, ("linkerd",)),
        ({}, {}, {LINKERD: "disabled"}, ()),
        ({"istio-injection": "enabled"}, {}, {LINKERD: "ingress"}, ("istio", "linkerd")),
    ],
)
def test_pods_say_more_than_their_namespace(
    space: dict[str, str], pods: dict[str, str], annotations: dict[str, str], meshes: tuple[str, ...]
) -> None:
    """But for Istio where the namespace is kept out."""
    made = one({"labels": space}, pods=pods, pod_annotations=annotations)
    assert told(made, "meshinjections") == ({WEB: meshes} if meshes else {})


def test_a_namespace_may_be_linkerds() -> None:
    """By its annotation, which its pods may decline."""
    space = {"annotations": {LINKERD: "enabled"}}
    assert told(one(space), "meshinjections") == {WEB: ("linkerd",)}
    assert told(one(space, pod_annotations={LINKERD: "disabled"}), "meshinjections") == {}


@pytest.mark.parametrize(
    ("id_", "by"),
    [
        ("till:apps/Deployment:shop/web", ("till",)),
        ("argocd_till:apps/Deployment:shop/web", ("argocd_till",)),
        ("till:apps/Deployment:shop/api", ()),
        ("till:apps/StatefulSet:shop/web", ()),
        ("", ()),
    ],
)
def test_an_application_manages_what_its_tracking_id_names(id_: str, by: tuple[str, ...]) -> None:
    """A copy of the annotation on another object is nothing."""
    made = one(annotations={"argocd.argoproj.io/tracking-id": id_, "kubectl.kubernetes.io/last-applied": "x"})
    assert told(made, "argodestinations") == ({WEB: by} if by else {})


GLOBS = ["registry.example/golden/*", "registry.example/base:*"]
BASE = "org.opencontainers.image.base.name"


@pytest.mark.parametrize(
    ("images", "more", "by"),
    [
        (("registry.example/golden/web:1",), {}, (GLOBS[0],)),
        (("registry.example/golden/web:1", "registry.example/base:3"), {}, (GLOBS[0], GLOBS[1])),
        (("registry.example/golden/web:1", "docker.io/nginx"), {}, ()),
        ((), {}, ()),
        (("docker.io/own",), {"pod_annotations": {BASE: "registry.example/base:3"}}, (GLOBS[1],)),
        (("docker.io/own",), {"annotations": {BASE: "registry.example/base:3"}}, (GLOBS[1],)),
        (("registry.example/golden/web:1",), {"annotations": {BASE: "docker.io/debian"}}, ()),
    ],
)
def test_all_images_have_to_be_golden(images: tuple[str, ...], more: dict[str, Any], by: tuple[str, ...]) -> None:
    """Or the base that the workload names, which then decides."""
    found = told(one({}, *images, **more), "goldenimages", golden_images=GLOBS)
    assert found == ({WEB: tuple(sorted(by))} if by else {})


def test_an_image_of_an_init_container_is_one() -> None:
    """It runs in the pod all the same."""
    made = one({}, "registry.example/golden/web:1")
    made.objects[DEPLOYMENTS]["web"]["spec"]["template"]["spec"]["initContainers"] = [{"image": "docker.io/busybox"}]
    assert told(made, "goldenimages", golden_images=GLOBS) == {}
    assert golden(GLOBS).resources == ()
