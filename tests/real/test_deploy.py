"""deploy/kubernetes as a real API server takes it, every field known to it, and the container's configuration in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from tests.support.kube_api import KubeApi
from tests.support.places import ROOT

from platform_meter.runtime.files.check import examine

DEPLOY = ROOT / "deploy" / "kubernetes"
DOCUMENTS = [
    document for file in sorted(DEPLOY.glob("*.yaml")) for document in yaml.safe_load_all(file.read_text("utf-8"))
]
FOLDERS = {
    "Namespace": "api/v1/namespaces",
    "ServiceAccount": "api/v1/namespaces/{namespace}/serviceaccounts",
    "ConfigMap": "api/v1/namespaces/{namespace}/configmaps",
    "PersistentVolumeClaim": "api/v1/namespaces/{namespace}/persistentvolumeclaims",
    "Secret": "api/v1/namespaces/{namespace}/secrets",
    "Service": "api/v1/namespaces/{namespace}/services",
    "Deployment": "apis/apps/v1/namespaces/{namespace}/deployments",
    "ClusterRole": "apis/rbac.authorization.k8s.io/v1/clusterroles",
    "Role": "apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "ClusterRoleBinding": "apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
DEPLOYMENT = next(d for d in DOCUMENTS if d["kind"] == "Deployment" and d["metadata"]["name"] == "platform-meter")
(CONTAINER,) = DEPLOYMENT["spec"]["template"]["spec"]["containers"]


@pytest.fixture(scope="module")
def space(kube_api: KubeApi) -> str:
    """A namespace to try in: others may use that of the files, and a dry run needs one that is there."""
    name = "deploy-dry-run"
    kube_api.create("/api/v1/namespaces", metadata={"name": name})
    return name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: f"{d['kind']}-{d['metadata']['name']}")
def test_the_api_server_takes_it(kube_api: KubeApi, space: str, document: dict[str, Any]) -> None:
    """A server-side dry run with strict validation: no unknown field, no wrong value."""
    meta = {**document["metadata"], **({"namespace": space} if "namespace" in document["metadata"] else {})}
    answer = requests.patch(
        f"{kube_api.url}/{FOLDERS[document['kind']].format(namespace=space)}/{meta['name']}",
        params={"dryRun": "All", "fieldManager": "test", "fieldValidation": "Strict", "force": "true"},
        headers={"Content-Type": "application/apply-patch+yaml", "Authorization": f"Bearer {kube_api.token}"},
        data=yaml.safe_dump({**document, "metadata": meta}),
        verify=kube_api.ca_file,
        timeout=60,
    )
    assert answer.status_code in {200, 201}, answer.text


def test_its_configuration_is_sound(tmp_path: Path) -> None:
    """What the ConfigMap holds has no problem, listening where the image says."""
    (config,) = [d["data"] for d in DOCUMENTS if d["kind"] == "ConfigMap"]
    path = tmp_path / "platform-meter.yaml"
    path.write_text(config[path.name])
    assert examine(path, (), {"PLATFORM_METER_LISTEN": "0.0.0.0:9898"}).problems == ()


def test_the_image_and_the_deployment_agree() -> None:
    """Where the image looks for the configuration, keeps the store and listens is what is mounted and asked."""
    image = (ROOT / "Dockerfile").read_text("utf-8")
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    (port,) = CONTAINER["ports"]
    assert f'CMD ["serve", "-c", "{mounts["config"]}/platform-meter.yaml"]' in image
    assert f"PLATFORM_METER_DATA={mounts['data']} PLATFORM_METER_LISTEN=0.0.0.0:{port['containerPort']}" in image
    assert re.search(rf"^EXPOSE {port['containerPort']}$", image, re.MULTILINE)
    assert re.search(rf"^VOLUME {mounts['data']}$", image, re.MULTILINE)
    user = DEPLOYMENT["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
    assert f"USER {user}:" in image
