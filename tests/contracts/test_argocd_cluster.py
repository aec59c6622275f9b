"""The argocd source on a real API server with Argo CD's and Argo Rollouts' own resource definitions, and our rights in it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.kube_api import KubeApi, running
from tests.support.places import ROOT
from tests.support.real_source import Connected, connected
from tests.support.waiting import until

from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.facts.gitops import GitopsApp, GitopsSync, Health, RolloutEnded, RolloutResult, SyncResult
from platform_meter.sources.argocd import SOURCE, Config

APPS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts"
LONG = timedelta(days=3650)
SOURCE_OF = {"repoURL": "https://github.com/acme/shop.git", "path": "deploy", "targetRevision": "main"}
DESTINATION = {"server": "https://kubernetes.default.svc", "namespace": "shop"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    for made in running(tmp_path_factory.mktemp("kube-api")):
        made.apply((ROOT / "deploy" / "kubernetes" / "rbac.yaml").read_text("utf-8"))
        for name in ("argocd", "shop"):
            made.create("/api/v1/namespaces", metadata={"name": name})
        yield made


@pytest.fixture(scope="module")
def meter(api: KubeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """By a kubeconfig, as `url` is Argo CD's own address here."""
    file = tmp_path_factory.mktemp("account") / "kubeconfig"
    token = api.service_account_token("platform-meter", "platform-meter")
    authority = base64.b64encode(Path(api.ca_file).read_bytes()).decode()
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "eu",
        "clusters": [{"name": "eu", "cluster": {"server": api.url, "certificate-authority-data": authority}}],
        "users": [{"name": "meter", "user": {"token": token}}],
        "contexts": [{"name": "eu", "context": {"cluster": "eu", "user": "meter"}}],
    }
    file.write_text(yaml.safe_dump(content))
    with connected(SOURCE, Config(cluster="eu", kubeconfig=str(file), page_size=2)) as found:
        yield found


def install(api: KubeApi, *names: str) -> None:
    """Their own definitions, as their projects publish them."""
    folder = Path(os.environ["PLATFORM_METER_CONTRACTS"], "crds")
    for name in names:
        for found in yaml.safe_load_all((folder / f"{name}.yaml").read_text("utf-8")):
            api.done("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", found)


def make(api: KubeApi, name: str, **status: Any) -> dict[str, Any]:
    """An application; its status is no subresource in Argo CD."""
    spec = {"project": "store", "source": SOURCE_OF, "destination": DESTINATION, "syncPolicy": {"automated": {}}}
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name}}
    made: dict[str, Any] = api.done("POST", APPS, {**kind, "spec": spec, **({"status": status} if status else {})})
    return made


def history(*revisions: str) -> list[dict[str, Any]]:
    return [
        {"id": n, "revision": one, "deployedAt": f"2026-05-04T10:0{n}:20Z", "deployStartedAt": f"2026-05-04T10:0{n}:00Z", "source": SOURCE_OF}
        for n, one in enumerate(revisions)
    ]  # fmt: skip


def operation(phase: str, revision: str, minute: int) -> dict[str, Any]:
    state = {
        "phase": phase,
        "startedAt": f"2026-05-04T10:0{minute}:00Z",
        "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": True}},
        "syncResult": {"revision": revision, "source": SOURCE_OF},
    }
    return state if phase == "Running" else {**state, "finishedAt": f"2026-05-04T10:0{minute}:20Z"}


def settled(revision: str, minute: int) -> dict[str, Any]:
    """Synced at this revision and healthy, as compared a minute later."""
    return {
        "sync": {"status": "Synced", "revision": revision, "comparedTo": {"source": SOURCE_OF, "destination": DESTINATION}},
        "health": {"status": "Healthy", "lastTransitionTime": f"2026-05-04T10:0{minute}:40Z"},
        "reconciledAt": f"2026-05-04T10:0{minute + 1}:00Z",
    }  # fmt: skip


def test_argo_cd_that_comes_later_is_read_and_a_sync_is_followed(api: KubeApi, meter: Connected) -> None:
    """Not installed is no failure; then a sync under way is told when it has ended, and its deployment once it is served."""
    apps = meter.stream("applications")
    (page,) = apps.run(since=LONG)
    assert page.progress is not None
    assert "not installed" in page.progress.what
    install(api, "argo-cd-application")
    until(lambda: api.call("GET", APPS).ok)
    assert meter.check() == []  # Argo Rollouts need not be there

    make(
        api,
        "shop",
        history=history("aaa1", "bbb2"),
        operationState=operation("Succeeded", "bbb2", 1),
        **settled("bbb2", 1),
    )
    make(api, "cart", history=history("aaa1"), operationState=operation("Running", "ccc3", 2), **settled("aaa1", 0))
    make(api, "new")
    apps.run(since=LONG)
    standing = [r for r in apps.readings.values() if isinstance(r, GitopsApp)]
    assert sorted((r.about.id, r.health) for r in standing) == [
        ("argocd/cart", Health.HEALTHY),
        ("argocd/new", Health.UNKNOWN),
        ("argocd/shop", Health.HEALTHY),
    ]
    said = [e for e in apps.events.values() if isinstance(e, Deployment | GitopsSync)]
    assert sorted((type(e).__name__, e.about.id, f"{e.at:%H:%M:%S}") for e in said) == [
        ("Deployment", "argocd/shop", "10:01:40"),
        ("GitopsSync", "argocd/shop", "10:01:20"),
    ]

    reading = apps.open(since=LONG)
    # The sync ends; what is shown as synced is still the one before.
    api.patch(
        f"{APPS}/cart",
        status={"history": history("aaa1", "bbb2", "ccc3"), "operationState": operation("Succeeded", "ccc3", 2)},
    )
    next(page for page in reading if any(isinstance(f, GitopsSync) and f.about.id == "argocd/cart" for f in page.facts))
    assert [e.about.id for e in apps.events.values() if isinstance(e, Deployment)] == ["argocd/shop"]
    api.patch(f"{APPS}/cart", status=settled("ccc3", 2))
    next(page for page in reading if any(isinstance(f, Deployment) and f.about.id == "argocd/cart" for f in page.facts))
    (cart,) = (e for e in apps.events.values() if isinstance(e, Deployment) and e.about.id == "argocd/cart")
    assert (cart.sha, cart.environment) == ("ccc3", "eu/shop")
    assert {e.result for e in apps.events.values() if isinstance(e, GitopsSync)} == {SyncResult.SUCCESS}
    # One that is deleted while it syncs is a gap, and stands no more.
    api.patch(f"{APPS}/shop", status={"operationState": operation("Running", "ddd4", 4)})
    api.done("DELETE", f"{APPS}/shop")
    next(page for page in reading if page.gone)
    assert "application/argocd/shop" not in apps.readings
    assert [gap.text for gap in meter.gaps] == ["argocd/shop is gone, and its sync had not ended"]


def test_rollouts_are_read_once_they_are_there(api: KubeApi, meter: Connected) -> None:
    """Promoted and aborted ones, each once; one under way is none."""
    install(api, "argo-rollouts-rollout")
    until(lambda: api.call("GET", ROLLOUTS).ok)
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"canary": {}},
        "template": template,
    }
    done = {"type": "Completed", "status": "True", "reason": "RolloutCompleted", "message": "",
            "lastTransitionTime": "2026-05-04T10:05:00Z", "lastUpdateTime": "2026-05-04T10:05:00Z"}  # fmt: skip
    for name, status in {
        "web": {"currentPodHash": "9c8", "stableRS": "9c8", "conditions": [done]},
        "api": {"currentPodHash": "7d7", "stableRS": "5b5", "abort": True, "abortedAt": "2026-05-04T10:07:00Z"},
        "job": {"currentPodHash": "8e8", "stableRS": "5b5"},
    }.items():
        meta = {"name": name, "annotations": {"rollout.argoproj.io/revision": "2"}}
        kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta, "spec": spec}
        api.done("POST", ROLLOUTS, kind)
        api.patch(f"{ROLLOUTS}/{name}/status", status=status)
    rollouts = meter.stream("rollouts")
    rollouts.run(since=LONG)
    found = [e for e in rollouts.events.values() if isinstance(e, RolloutEnded)]
    assert sorted((e.about.id, e.result, f"{e.at:%H:%M}") for e in found) == [
        ("eu/shop/api", RolloutResult.ABORTED, "10:07"),
        ("eu/shop/web", RolloutResult.PROMOTED, "10:05"),
    ]
    assert meter.check() == []
