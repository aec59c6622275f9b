"""The kubernetes source on a real API server, with the token and the rights of deploy/kubernetes/rbac.yaml."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from tests.support.kube_api import KubeApi, OwnKubeApi
from tests.support.places import ROOT
from tests.support.real_source import Connected, connected, utc_now
from tests.support.waiting import until

from platform_meter.model.access import Secret
from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.kubernetes import (
    ApiLatency,
    ApiRequests,
    Namespace,
    Node,
    NodeState,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    Workload,
)
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Refused
from platform_meter.runtime.outside.credentials import credentials
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import Family, Scrape
from platform_meter.sources.kubernetes import SOURCE, Config

DEPLOY = ROOT / "deploy" / "kubernetes"
RBAC = DEPLOY / "rbac.yaml"
SPACE = "/api/v1/namespaces/shop"
APPS = "/apis/apps/v1/namespaces/shop"
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "image": "web:1"}]},
}


@dataclass(frozen=True)
class Cluster:
    """The API with our least-privilege account in it."""

    api: KubeApi
    token: str
    config: Config

    def connect(self) -> AbstractContextManager[Connected]:
        return connected(SOURCE, self.config)


def _account(api: KubeApi, folder: Path, manifest: str) -> Cluster:
    """Apply the manifest, fill a namespace, and make the source's settings for the account's token."""
    api.apply(manifest)
    token = api.service_account_token("platform-meter", "platform-meter")
    file = folder / "token"
    file.write_text(token)
    config = Config(cluster="eu", url=api.url, token=Secret(file=str(file)), ca_file=api.ca_file, page_size=2)
    return Cluster(api, token, config)


@pytest.fixture(scope="module")
def cluster(kube_api: KubeApi, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    found = _account(kube_api, tmp_path_factory.mktemp("account"), RBAC.read_text())
    kube_api.create(
        "/api/v1/namespaces", metadata={"name": "shop", "labels": {"app.kubernetes.io/part-of": "store", "noise": "x"}}
    )
    return found


@pytest.fixture
def meter(cluster: Cluster) -> Iterator[Connected]:
    with cluster.connect() as found:
        yield found


def _deployment(api: KubeApi, name: str, replicas: int = 1, path: str = APPS) -> Any:
    return api.create(
        f"{path}/deployments",
        metadata={"name": name, "labels": {"app.kubernetes.io/name": name}},
        spec={"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
    )


def _pod(api: KubeApi, name: str, path: str = SPACE) -> Any:
    """A bare pod; no scheduler and no kubelet run, so its status is ours to write."""
    return api.create(
        f"{path}/pods", metadata={"name": name}, spec={"containers": [{"name": "main", "image": "web:1"}]}
    )


def _ready(api: KubeApi, pod: Any, after: timedelta, restarts: int = 0, path: str = SPACE) -> None:
    at = (_moment(pod["metadata"]["creationTimestamp"]) + after).strftime("%Y-%m-%dT%H:%M:%SZ")
    container = {"name": "main", "image": "web:1", "imageID": "", "ready": True, "restartCount": restarts}
    api.patch(
        f"{path}/pods/{pod['metadata']['name']}/status",
        status={
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at}],
            "containerStatuses": [container],
        },
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_account_may_do_all_the_source_does_and_check_says_so(meter: Connected) -> None:
    """With the shipped ClusterRole nothing is missing."""
    assert meter.check() == []


def _kubeconfig(folder: Path, cluster: Cluster, user: dict[str, Any]) -> Config:
    """Settings that name the second context of a kubeconfig with this user."""
    ca = base64.b64encode(Path(cluster.api.ca_file).read_bytes()).decode()
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "other",
        "clusters": [{"name": "eu", "cluster": {"server": cluster.api.url, "certificate-authority-data": ca}}],
        "users": [{"name": "meter", "user": user}, {"name": "nobody", "user": {"token": "no-token"}}],
        "contexts": [
            {"name": "other", "context": {"cluster": "eu", "user": "nobody"}},
            {"name": "prod", "context": {"cluster": "eu", "user": "meter"}},
        ],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return Config(cluster="eu", kubeconfig=str(path), context="prod")


def _reads(meter: Connected) -> None:
    """All of the source's calls are let in: small ones, a list, a watch, the probe."""
    assert meter.check() == []
    namespaces = meter.stream("namespaces")
    namespaces.run()
    assert "namespace/eu/shop" in namespaces.readings
    probe = meter.stream("readyz")
    probe.run()
    assert [e.result for e in probe.events.values() if isinstance(e, ProbeCheck)] == [ProbeResult.OK]


def test_a_kubeconfig_with_the_accounts_token_is_a_way_in(cluster: Cluster, tmp_path: Path) -> None:
    """The context that is named, not the current one, with the server's CA in the file itself."""
    with connected(SOURCE, _kubeconfig(tmp_path, cluster, {"token": cluster.token})) as meter:
        _reads(meter)


def test_a_kubeconfig_with_an_exec_plugin_is_a_way_in(cluster: Cluster, tmp_path: Path) -> None:
    """A program prints the credential, as those of EKS and GKE do."""
    version = "client.authentication.k8s.io/v1"
    given = {"token": cluster.token, "expirationTimestamp": "2040-01-01T00:00:00Z"}
    answer = tmp_path / "answer"
    answer.write_text(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": given}))
    plugin = {"apiVersion": version, "command": "cat", "args": [str(answer)], "interactiveMode": "Never"}
    with connected(SOURCE, _kubeconfig(tmp_path, cluster, {"exec": plugin})) as meter:
        _reads(meter)


def test_a_pods_own_account_is_a_way_in(cluster: Cluster, tmp_path: Path) -> None:
    """With the files that Kubernetes mounts and the variables it sets, a token that is swapped is taken up."""
    address = urlsplit(cluster.api.url)
    token, ca = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text(cluster.token)
    ca.write_bytes(Path(cluster.api.ca_file).read_bytes())
    (tmp_path / "namespace").write_text("platform-meter")
    config = Config(cluster="eu", in_cluster=True)
    pod = {"KUBERNETES_SERVICE_HOST": str(address.hostname), "KUBERNETES_SERVICE_PORT": str(address.port)}
    account = credentials(SOURCE.access(config), clock=utc_now, environ=pod, service_account=tmp_path)
    with connected(SOURCE, config, credential=account) as meter:
        _reads(meter)
        token.write_text("no-token")
        assert "does not accept the credential (401)" in meter.check()[0]
        token.write_text(cluster.api.service_account_token("platform-meter", "platform-meter"))
        _reads(meter)


def test_the_token_that_lasts_is_one_of_the_account(cluster: Cluster) -> None:
    """The shipped Secret is taken by the server, as a token of the very account that rbac.yaml makes."""
    cluster.api.apply((DEPLOY / "token.yaml").read_text())
    held = cluster.api.done("GET", "/api/v1/namespaces/platform-meter/secrets/platform-meter-token")
    name = held["metadata"]["annotations"]["kubernetes.io/service-account.name"]
    assert held["type"] == "kubernetes.io/service-account-token"
    assert (
        cluster.api.done("GET", f"/api/v1/namespaces/platform-meter/serviceaccounts/{name}")["kind"] == "ServiceAccount"
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/namespaces"),
        ("POST", f"{SPACE}/pods"),
        ("DELETE", SPACE),
        ("GET", "/api/v1/secrets"),
        ("GET", f"{SPACE}/configmaps"),
        ("GET", f"{SPACE}/pods/any/log"),
        ("POST", f"{SPACE}/pods/any/exec"),
    ],
)
def test_the_account_may_do_nothing_else(cluster: Cluster, method: str, path: str) -> None:
    """Its token can neither write nor read what the source doesn't need."""
    assert cluster.api.call(method, path, {} if method == "POST" else None, token=cluster.token).status_code == 403


def test_a_list_in_pages_of_two_gives_every_namespace_once(cluster: Cluster, meter: Connected) -> None:
    """Pages add up to the whole, only the last one is complete and has a checkpoint, and only ownership labels are kept."""
    reader = meter.stream("namespaces")
    pages = reader.run()
    names = {n["metadata"]["name"] for n in cluster.api.done("GET", "/api/v1/namespaces")["items"]}
    assert {r.about.id for r in reader.readings.values()} == {f"eu/{name}" for name in names}
    assert len(pages) == (len(names) + 1) // 2
    assert [bool(p.complete and p.checkpoint) for p in pages] == [False] * (len(pages) - 1) + [True]
    shop = reader.readings["namespace/eu/shop"]
    assert shop.about == Ref(
        system="kubernetes", kind="namespace", id="eu/shop", labels=(("app.kubernetes.io/part-of", "store"),)
    )
    assert isinstance(shop, Namespace)


def test_a_watch_tells_what_is_created_changed_and_deleted(cluster: Cluster, meter: Connected) -> None:
    """Each change that says something comes as a page with its checkpoint; how many pods are ready says nothing."""
    reader = meter.stream("deployments")
    reader.run()
    watch = reader.open()
    created = _deployment(cluster.api, "web", replicas=3)
    since = _moment(created["metadata"]["creationTimestamp"])
    about = Ref(
        system="kubernetes",
        kind="workload",
        id="eu/shop/Deployment/web",
        labels=(("app.kubernetes.io/name", "web"),),
        links=("kubernetes:eu/shop",),
    )

    web = Workload(about=about, since=since, cluster="eu", namespace="shop", workload_kind="Deployment")

    first = next(watch)
    assert first.facts == (web,)
    cluster.api.patch(f"{APPS}/deployments/web/status", status={"replicas": 3, "readyReplicas": 2})
    ours = (("app.kubernetes.io/name", "web"), ("app.kubernetes.io/part-of", "store"))
    cluster.api.patch(f"{APPS}/deployments/web", metadata={"labels": {"app.kubernetes.io/part-of": "store"}})
    assert next(watch).facts == (replace(web, about=replace(about, labels=ours)),)
    cluster.api.delete(f"{APPS}/deployments/web")
    last = next(watch)
    assert last.gone == ((Workload, "workload/eu/shop/Deployment/web"),)
    assert reader.readings == {}
    assert first.checkpoint != last.checkpoint


def test_a_watch_goes_on_from_its_checkpoint(cluster: Cluster, meter: Connected) -> None:
    """What happened while nobody watched is told by the next call at once, and without another list."""
    reader = meter.stream("statefulsets")
    reader.run()
    for name in ("db-a", "db-b"):
        cluster.api.create(
            f"{APPS}/statefulsets",
            metadata={"name": name},
            spec={
                "replicas": 1,
                "serviceName": name,
                "selector": {"matchLabels": {"app": "web"}},
                "template": TEMPLATE,
            },
        )
    cluster.api.delete(f"{APPS}/statefulsets/db-a")
    watch = reader.open()
    page = next(watch)
    assert [f.about.id for f in page.facts] == ["eu/shop/StatefulSet/db-b"]
    assert page.gone == ((Workload, "workload/eu/shop/StatefulSet/db-a"),)
    assert page.complete == frozenset()
    assert list(reader.readings) == ["workload/eu/shop/StatefulSet/db-b"]


def test_daemonsets_and_cronjobs_are_inventory(cluster: Cluster, meter: Connected) -> None:
    """As all other workloads."""
    cluster.api.create(
        f"{APPS}/daemonsets",
        metadata={"name": "agent"},
        spec={"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
    )
    pod = {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
    cluster.api.create(
        "/apis/batch/v1/namespaces/shop/cronjobs",
        metadata={"name": "nightly"},
        spec={"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": pod}}},
    )
    found: list[str] = []
    for name in ("daemonsets", "cronjobs"):
        reader = meter.stream(name)
        reader.run()
        found += [reading.about.id for reading in reader.readings.values()]
    assert found == ["eu/shop/DaemonSet/agent", "eu/shop/CronJob/nightly"]


def _rolled_out(api: KubeApi, name: str, at: str) -> None:
    """Its status as the controller writes it once every pod runs the template."""
    made = api.done("GET", f"{APPS}/deployments/{name}")
    progress = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
    api.patch(
        f"{APPS}/deployments/{name}/status",
        status={
            "observedGeneration": made["metadata"]["generation"],
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": 1,
            "availableReplicas": 1,
            "conditions": [{**progress, "lastUpdateTime": at, "lastTransitionTime": "2026-05-01T08:00:00Z"}],
        },
    )


def _image(api: KubeApi, path: str, image: str) -> Any:
    return api.patch(path, spec={"template": {"spec": {"containers": [{"name": "main", "image": image}]}}})


def test_a_completed_rollout_of_another_image_is_a_deployment(cluster: Cluster) -> None:
    """Told as its status says that it is complete; a restart is none, and what served before comes back as a rollback."""
    api, path = cluster.api, f"{APPS}/deployments/roll"
    config = cluster.config.model_copy(update={"rollouts": {"shop": "production"}})
    with connected(SOURCE, config) as meter:
        assert meter.check() == []
        uid = _deployment(api, "roll")["metadata"]["uid"]
        _rolled_out(api, "roll", "2026-05-01T08:01:00Z")
        reader = meter.stream("deployments")
        reader.run()
        _image(api, path, "web@sha256:" + "b" * 64)
        _rolled_out(api, "roll", "2026-05-01T09:01:00Z")
        api.patch(path, spec={"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}})
        _rolled_out(api, "roll", "2026-05-01T10:01:00Z")
        _image(api, path, "web:1")
        _rolled_out(api, "roll", "2026-05-01T11:01:00Z")
        watch = reader.open()
        while len(reader.events) < 2:
            next(watch)
    about = Ref(
        system="kubernetes",
        kind="workload",
        id="eu/shop/Deployment/roll",
        labels=(("app.kubernetes.io/name", "roll"),),
        links=("kubernetes:eu/shop",),
    )
    assert list(reader.events.values()) == [
        Deployment(
            key=f"rollout/{uid}/generation-{generation}",
            at=_moment(at),
            about=about,
            updated=_moment(at),
            environment="production",
            sha="",
            result=DeployResult.SUCCESS,
            kind=kind,
            version=version,
            way=DeployWay.ROLLOUT,
        )
        for generation, at, kind, version in (
            (2, "2026-05-01T09:01:00Z", DeployKind.PLANNED, "sha256:" + "b" * 64),
            (4, "2026-05-01T11:01:00Z", DeployKind.ROLLBACK, "1"),
        )
    ]
    api.delete(path)


def test_the_rollout_of_a_stateful_set_is_dated_by_its_status(cluster: Cluster) -> None:
    """The server itself keeps when a status was written, which is all that tells of its end."""
    api, path = cluster.api, f"{APPS}/statefulsets/roll-db"

    def complete(generation: int) -> None:
        counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1)
        revision = f"roll-db-{generation}"
        revisions = {"currentRevision": revision, "updateRevision": revision}
        api.patch(f"{path}/status", status={"observedGeneration": generation, **counts, **revisions})

    api.create(
        f"{APPS}/statefulsets",
        metadata={"name": "roll-db"},
        spec={"serviceName": "db", "selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE},
    )
    complete(1)
    with connected(SOURCE, cluster.config.model_copy(update={"rollouts": {"*": "production"}})) as meter:
        reader = meter.stream("statefulsets")
        reader.run()
        _image(api, path, "web:2")
        begun = utc_now().replace(microsecond=0)
        complete(2)
        watch = reader.open()
        while not reader.events:
            next(watch)
        (fact,) = reader.events.values()
        assert begun <= fact.at <= utc_now()
    api.delete(path)


def test_a_pod_starts_once_and_never_by_a_restart(cluster: Cluster, meter: Connected) -> None:
    """Created to Ready in seconds, one event per uid; what follows, or a pod that restarted, is no start."""
    api = cluster.api
    reader = meter.stream("pods")
    reader.run()
    watch = reader.open()
    pod = _pod(api, "one")
    _ready(api, pod, timedelta(seconds=7))
    page = next(watch)
    assert page.facts == (
        PodStarted(
            key=f"pod/{pod['metadata']['uid']}",
            at=_moment(pod["metadata"]["creationTimestamp"]) + timedelta(seconds=7),
            updated=_moment(pod["metadata"]["creationTimestamp"]) - timedelta(seconds=7),
            about=Ref(system="kubernetes", kind="workload", id="eu/shop/Pod", links=("kubernetes:eu/shop",)),
            cluster="eu",
            owner_kind="other",
            seconds=7.0,
        ),
    )
    _ready(api, pod, timedelta(seconds=90))
    _ready(api, _pod(api, "restarted"), timedelta(seconds=60), restarts=1)
    last = _pod(api, "last")
    _ready(api, last, timedelta(seconds=2))
    assert [f.key for f in next(watch).facts if isinstance(f, PodStarted)] == [f"pod/{last['metadata']['uid']}"]


def _waiting(meter: Connected) -> int:
    reader = meter.stream("waiting")
    reader.run()
    (found,) = reader.readings.values()
    assert isinstance(found, PodsWaiting)
    return found.waiting


def test_a_pod_that_is_taken_away_unready_is_counted(cluster: Cluster, meter: Connected) -> None:
    """While it stands it waits; the server itself dates its deletion."""
    api, path, before = cluster.api, f"{SPACE}/pods/stuck", _waiting(meter)
    reader = meter.stream("pods")
    reader.run()
    spec = {**TEMPLATE["spec"], "nodeName": "n1"}
    made = api.create(f"{SPACE}/pods", metadata={"name": "stuck"}, spec=spec)
    created = _moment(made["metadata"]["creationTimestamp"])
    long_ago = (created - timedelta(minutes=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [
        {"type": type_, "status": status, "lastTransitionTime": long_ago}
        for type_, status in (("PodScheduled", "True"), ("Ready", "False"))
    ]
    api.patch(f"{path}/status", status={"conditions": conditions})
    assert _waiting(meter) == before + 1
    api.delete(path)
    assert _waiting(meter) == before
    watch, seen = reader.open(), list[PodNeverReady]()
    while not seen:
        seen += [fact for fact in next(watch).facts if isinstance(fact, PodNeverReady)]
    (event,) = seen
    assert (event.key, event.about.id) == (f"pod/{made['metadata']['uid']}", "eu/shop/Pod")
    assert timedelta(seconds=event.seconds) == event.at - created


def _made(api: KubeApi, path: str, name: str, by: tuple[str, str, str] | None, spec: dict[str, Any]) -> dict[str, Any]:
    """An object that is controlled by (apiVersion, kind, name), as a reference to itself."""
    owners = []
    if by is not None:
        version, kind, maker = by
        owners = [{"apiVersion": version, "kind": kind, "name": maker, "uid": f"uid-{maker}", "controller": True}]
    made = api.create(path, metadata={"name": name, "ownerReferences": owners}, spec=spec)
    return {
        "apiVersion": made["apiVersion"],
        "kind": made["kind"],
        "name": name,
        "uid": made["metadata"]["uid"],
        "controller": True,
    }


def test_whose_a_pod_is_its_owner_itself_tells(cluster: Cluster, meter: Connected) -> None:
    """By the metadata of ReplicaSets and Jobs, with the rights of the shipped role; a Job whose name ends as a CronJob's
    Jobs do is no CronJob's.
    """
    api = cluster.api
    selector = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
    job = {"template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}
    jobs, sets = "/apis/batch/v1/namespaces/shop/jobs", f"{APPS}/replicasets"
    owners = {
        "of-set": _made(api, sets, "some-name", ("apps/v1", "Deployment", "web"), selector),
        "of-import": _made(api, jobs, "import-20260101", None, job),
    }
    reader = meter.stream("pods")
    reader.run()
    before = len(reader.events)

    def started(name: str, owner: dict[str, Any]) -> None:
        metadata = {"name": name, "ownerReferences": [owner]}
        _ready(api, api.create(f"{SPACE}/pods", metadata=metadata, spec=TEMPLATE["spec"]), timedelta(seconds=1))

    for name, owner in owners.items():
        started(name, owner)
    watch = reader.open()
    while len(reader.events) < before + 2:
        next(watch)
    # One that was made after all others were asked for.
    started("of-cron", _made(api, jobs, "by-hand", ("batch/v1", "CronJob", "nightly"), job))
    while len(reader.events) < before + 3:
        next(watch)
    assert [event.about.id for event in reader.events.values()][before:] == [
        "eu/shop/Deployment/web",
        "eu/shop/Job",
        "eu/shop/CronJob/nightly",
    ]


def test_a_pod_that_waits_for_a_node_is_left_out(cluster: Cluster, meter: Connected) -> None:
    """Unschedulable is remembered in the checkpoint: its later Ready is no start, in this call or the next."""
    api = cluster.api
    reader = meter.stream("pods")
    reader.run()
    waiting = _pod(api, "waiting")
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    api.patch(f"{SPACE}/pods/waiting/status", status={"conditions": [unschedulable]})
    seen = _pod(api, "seen")
    _ready(api, seen, timedelta(seconds=1))
    watch = reader.open()
    assert [f.key for f in next(watch).facts if isinstance(f, PodStarted)] == [f"pod/{seen['metadata']['uid']}"]
    _ready(api, waiting, timedelta(seconds=45))
    after = _pod(api, "after")
    _ready(api, after, timedelta(seconds=1))
    again = reader.open()
    assert [f.key for f in next(again).facts if isinstance(f, PodStarted)] == [f"pod/{after['metadata']['uid']}"]


def test_a_pod_behind_a_scheduling_gate_is_left_out(cluster: Cluster, meter: Connected) -> None:
    """The server says itself that a pod with a gate is held, and of the gate's opening it says nothing: no start can be
    counted from there.
    """
    api = cluster.api
    reader = meter.stream("pods")
    reader.run()
    spec = {"schedulingGates": [{"name": "acme.example/quota"}], "containers": [{"name": "main", "image": "web:1"}]}
    gated = api.create(f"{SPACE}/pods", metadata={"name": "gated"}, spec=spec)
    before = gated["status"]["conditions"]
    assert [(c["type"], c["status"], c["reason"]) for c in before] == [("PodScheduled", "False", "SchedulingGated")]
    assert api.patch(f"{SPACE}/pods/gated", spec={"schedulingGates": None})["status"]["conditions"] == before
    _ready(api, gated, timedelta(minutes=40))
    seen = _pod(api, "seen-then")
    _ready(api, seen, timedelta(seconds=1))
    watch = reader.open()
    assert [f.key for f in next(watch).facts if isinstance(f, PodStarted)] == [f"pod/{seen['metadata']['uid']}"]


def test_nodes_are_counted_by_state(cluster: Cluster, meter: Connected) -> None:
    """Ready, not ready and cordoned are told apart; the node SLI leaves cordoned and young nodes out."""
    for name, ready, cordoned in (("n1", "True", False), ("n2", "Unknown", False), ("n3", "True", True)):
        cluster.api.create("/api/v1/nodes", metadata={"name": name}, spec={"unschedulable": cordoned})
        cluster.api.patch(f"/api/v1/nodes/{name}/status", status={"conditions": [{"type": "Ready", "status": ready}]})
    reader = meter.stream("nodes")
    reader.run()
    states = {r.about.id: r.state for r in reader.readings.values() if isinstance(r, Node)}
    assert states == {"eu/n1": NodeState.READY, "eu/n2": NodeState.NOT_READY, "eu/n3": NodeState.CORDONED}
    assert reader.events == {}
    reader.run(now=utc_now() + timedelta(minutes=12))
    minutes = [e for e in reader.events.values() if isinstance(e, SliCount)]
    assert {(m.sli, m.good, m.bad, m.width) for m in minutes} == {("eu/node-ready", 1.0, 1.0, timedelta(minutes=1))}


def test_the_probe_tells_how_the_api_stands(cluster: Cluster, meter: Connected) -> None:
    """`/readyz` answers `ok` to the account, quickly."""
    reader = meter.stream("readyz")
    reader.run()
    (found,) = reader.events.values()
    assert isinstance(found, ProbeCheck)
    assert (found.target, found.result) == ("eu/readyz", ProbeResult.OK)
    assert 0 < found.seconds < 5


def test_check_names_each_missing_verb(kube_api: KubeApi, tmp_path: Path) -> None:
    """A role without `list pods`, `watch deployments` and the probe's path is told so, in RBAC's words, and in no others."""
    text = RBAC.read_text().replace("name: platform-meter", "name: lacking")
    documents = list(yaml.safe_load_all(text.replace("namespace: platform-meter", "namespace: lacking")))
    role = next(d for d in documents if d["kind"] == "ClusterRole")
    role["rules"] = [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["statefulsets", "daemonsets"], "verbs": ["list", "watch"]},
        {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["list"]},
    ]
    kube_api.apply(yaml.safe_dump_all(documents))
    file = tmp_path / "token"
    file.write_text(kube_api.service_account_token("lacking", "lacking"))
    config = Config(cluster="eu", url=kube_api.url, token=Secret(file=str(file)), ca_file=kube_api.ca_file)
    with connected(SOURCE, config) as meter:
        assert meter.check() == [
            'the credential may not watch deployments (apiGroups: ["apps"]); grant it as deploy/kubernetes/rbac.yaml does',
            'the credential may not list pods (apiGroups: [""]); grant it as deploy/kubernetes/rbac.yaml does',
            'the credential may not list jobs (apiGroups: ["batch"]); grant it as deploy/kubernetes/rbac.yaml does',
        ]
        with pytest.raises(Refused, match="403"):
            meter.stream("pods").run()
    with connected(SOURCE, config.model_copy(update={"api_requests": True})) as meter:
        text = "the credential may not get nonResourceURL /metrics; grant it as deploy/kubernetes/rbac.yaml does"
        assert text in meter.check()
        with pytest.raises(Refused, match=re.escape(text)):
            meter.stream("apiserver").run()
        assert len(meter.stream("nodes").run()) == 1
    with connected(SOURCE, config) as meter:
        file.write_text("no-token")
        assert meter.check() == [
            "the API server does not accept the credential (401); it has expired or belongs to another cluster"
        ]


@pytest.fixture(scope="module")
def restartable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OwnKubeApi, Cluster]]:
    """A server of this module's own, since others must not see it restart."""
    folder = tmp_path_factory.mktemp("restartable")
    api = OwnKubeApi(folder)
    api.start()
    try:
        found = _account(api, folder, RBAC.read_text())
        api.create("/api/v1/namespaces", metadata={"name": "shop"})
        yield api, found
    finally:
        api.stop()


def test_an_expired_watch_and_an_expired_list_lose_nothing(restartable: tuple[OwnKubeApi, Cluster]) -> None:
    """After compaction and a restart the server has forgotten both the watch's place (410 as an ERROR event) and a half
    read list (410 as the status): inventory is listed anew and deletions come out; of pods the range is told as a gap.
    """
    api, cluster = restartable
    for name in ("a", "b", "c"):
        _deployment(api, name)
    early = _pod(api, "early")
    _ready(api, early, timedelta(seconds=3))
    with cluster.connect() as meter:
        workloads, pods, half = meter.stream("deployments"), meter.stream("pods"), meter.stream("deployments")
        workloads.run()
        pods.run()
        paging = half.open()
        assert [f.about.id for f in next(paging).facts] == ["eu/shop/Deployment/a", "eu/shop/Deployment/b"]

        api.delete(f"{APPS}/deployments/a")
        _deployment(api, "d")
        late = _pod(api, "late")
        _ready(api, late, timedelta(seconds=4))
        api.compact()
        api.restart()

        list(paging)
        expected = {f"workload/eu/shop/Deployment/{name}" for name in "bcd"}
        assert set(half.readings) == expected
        assert half.pages[-1].gone == ((Workload, "workload/eu/shop/Deployment/a"),)

        assert [bool(p.complete) for p in workloads.run()] == [False, True]
        assert set(workloads.readings) == expected
        assert meter.gaps == []

        pods.run()
        assert {e.key: e.seconds for e in pods.events.values() if isinstance(e, PodStarted)} == {
            f"pod/{early['metadata']['uid']}": 3.0,
            f"pod/{late['metadata']['uid']}": 4.0,
        }
        assert [gap.reason for gap in meter.gaps] == ["expired"]

        watch = workloads.open()
        _deployment(api, "e")
        assert [f.about.id for f in next(watch).facts] == ["eu/shop/Deployment/e"]


def test_a_replay_that_breaks_off_loses_nothing(restartable: tuple[OwnKubeApi, Cluster]) -> None:
    """The connection ends before the server has said that all of the past is told. The next call goes on from the last page
    that was kept, though the poller wants only what came since that page: all starts are told, and none again.
    """
    api, cluster = restartable

    def start(*names: str) -> set[str]:
        """Keys of the starts of new pods."""
        pods = [_pod(api, name) for name in names]
        for pod in pods:
            _ready(api, pod, timedelta(seconds=1))
        return {f"pod/{pod['metadata']['uid']}" for pod in pods}

    with cluster.connect() as meter:
        pods = meter.stream("pods")
        pods.run()
        told = set(pods.events)
        first = start("first-a", "first-b")
        replay = pods.open()
        while set(pods.events) != told | first:
            next(replay)
        replay.close()
        second = start("second-a", "second-b")
        watch = pods.open(now=utc_now() + timedelta(hours=1), since=timedelta(minutes=15))
        again = set[str]()
        while set(pods.events) != told | first | second:
            again |= {fact.key for fact in next(watch).facts if isinstance(fact, PodStarted)}
        assert again == second
        assert meter.gaps == []


TEMPLATES = "/api/v1/namespaces/shop/podtemplates"
"""Objects that nothing in the server itself reads or writes one by one."""
SEEN = Scrape(
    path="/metrics",
    families=(
        Family(
            name="apiserver_request_total",
            keep=("verb", "code"),
            where={"resource": frozenset({"podtemplates"}), "verb": frozenset({"GET", "POST"})},
        ),
    ),
    becomes=ApiRequests,
    born="process_start_time_seconds",
)


def test_requests_are_counted_once_and_a_restart_counts_from_zero(restartable: tuple[OwnKubeApi, Cluster]) -> None:
    """As the server's own `/metrics` tells them: scraped twice they count once, and what came before the first not at all."""
    api, cluster = restartable
    config = cluster.config.model_copy(update={"api_requests": True})

    def use(name: str) -> None:
        api.create(TEMPLATES, metadata={"name": name}, template=TEMPLATE)
        assert api.call("GET", f"{TEMPLATES}/{name}").status_code == 200
        assert api.call("GET", f"{TEMPLATES}/no-{name}").status_code == 404

    with connected(SOURCE, config) as meter:
        assert meter.check() == []
        stream, checkpoint = meter.stream("apiserver"), None

        def scrape() -> dict[str, float]:
            """What the requests for templates were since the last one, and the stream beside it."""
            nonlocal checkpoint
            grown = SEEN.read(Sieve(meter.way), checkpoint, utc_now())
            checkpoint = grown.checkpoint
            stream.run()
            return {" ".join(labels): amount for (_, labels), amount in grown.amounts.items()}

        use("before")
        assert scrape() == {}
        assert stream.events == {}
        for name in ("one", "two", "three"):
            use(name)
        assert scrape() == {"POST 201": 3.0, "GET 200": 3.0, "GET 404": 3.0}
        assert scrape() == {}
        told = len(stream.events)

        # When a process began is known to the second: one that began within that of a scrape may be older than it.
        apart = utc_now() + timedelta(seconds=2)
        until(lambda: utc_now() > apart)
        api.restart()
        use("four")
        assert scrape() == {"POST 201": 1.0, "GET 200": 1.0, "GET 404": 1.0}
        assert scrape() == {}
        events = [e for e in stream.events.values() if isinstance(e, ApiRequests)]
        assert len(events) > told
        assert all(e.good >= 0 and e.bad >= 0 and e.good + e.bad > 0 for e in events)
        assert {e.verb_class.value for e in events} == {"read", "list", "write"}
        assert sum(e.good for e in events if e.verb_class == "read") >= 8
        took = [e for e in stream.events.values() if isinstance(e, ApiLatency)]
        assert sum(e.good + e.bad for e in took if e.verb_class == "read") >= 8
        assert sum(e.good + e.bad for e in took if e.verb_class == "write") >= 4
        assert meter.gaps == []


def test_a_server_that_is_down_is_a_fact(restartable: tuple[OwnKubeApi, Cluster]) -> None:
    """A probe that reaches nobody says error; the source itself does not fail."""
    api, cluster = restartable
    api.stop()
    with cluster.connect() as meter:
        reader = meter.stream("readyz")
        reader.run()
        assert [e.result for e in reader.events.values() if isinstance(e, ProbeCheck)] == [ProbeResult.ERROR]
