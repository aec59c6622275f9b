"""Kubernetes: the case of the contract test, and what only Kubernetes does (watches, pod starts, nodes, probes)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.sources.kubernetes.kubernetes_server import Cluster, rolled, thing

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.kubernetes import (
    ApiLatency,
    ApiRequests,
    ClusterIssuer,
    Namespace,
    Node,
    NodeState,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    VerbClass,
    Workload,
)
from platform_meter.model.facts.practices import (
    AdmissionPolicy,
    ArgoDestination,
    Autoscaler,
    DisruptionBudget,
    GatewayRoute,
    GoldenImage,
    MeshInjection,
    Monitor,
    NetworkPolicy,
    PolicyReport,
    Practice,
    Quota,
)
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Page, Refused, Severed, TimedOut, Unexpected, Unreachable
from platform_meter.sources.kubernetes import SOURCE, Config
from platform_meter.sources.kubernetes.practices import KINDS as PRACTICES
from platform_meter.sources.kubernetes.sayers import WAITING_PODS
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, 40, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
CREATED = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "cluster": "eu",
    "in_cluster": True,
    "labels": ["team"],
    "skip_namespaces": ["tmp-*"],
    "page_size": 2,
    "every": "20m",
    "api_requests": True,
    "rollouts": {"shop": "production"},
    "practices": sorted(PRACTICES),
    "golden_images": ["registry.example:5000/*"],
}
DEPLOYMENTS = "/apis/apps/v1/deployments"
PODS = "/api/v1/pods"
NODES = "/api/v1/nodes"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
SETS, JOBS = "/apis/apps/v1/replicasets", "/apis/batch/v1/jobs"


def deployment(name: str, ready: int = 2, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    return thing(name, namespace, spec={"replicas": 3}, status={"readyReplicas": ready}, **more)


def pod(name: str, ready: str | None = "08:00:07", namespace: str = "shop", **more: Any) -> dict[str, Any]:
    """A pod made at 08:00:00 that got ready at a time of that day, or did not."""
    conditions = more.pop("conditions", [])
    if ready:
        conditions = [*conditions, {"type": "Ready", "status": "True", "lastTransitionTime": f"2026-05-01T{ready}Z"}]
    containers = [{"restartCount": more.pop("restarts", 0)}]
    return thing(name, namespace, status={"conditions": conditions, "containerStatuses": containers}, **more)


def stuck(name: str, turned: str = "08:00:03", end: str = "", **more: Any) -> dict[str, Any]:
    """A pod that got its node at 08:00:01 and was said to be unready at a time of that day; deleted at `end`."""
    day = "2026-05-01T"
    bound = {"type": "PodScheduled", "status": "True", "lastTransitionTime": f"{day}08:00:01Z"}
    unready = {"type": "Ready", "status": "False", "lastTransitionTime": f"{day}{turned}Z"}
    made = pod(name, ready=None, conditions=[bound, unready], spec={"nodeName": "n1"}, **more)
    made["status"]["phase"] = "Pending"
    made["metadata"] |= {"deletionTimestamp": f"{day}{end}Z"} if end else {}
    return made


def node(name: str, ready: str = "True", **more: Any) -> dict[str, Any]:
    spec = {"unschedulable": more.pop("cordoned", False)}
    return thing(name, spec=spec, status={"conditions": [{"type": "Ready", "status": ready}]}, **more)


def owned(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"kind": "Other", "name": "other"}, {"kind": kind, "name": name, "controller": True, "uid": f"uid-{name}"}]


def covered_world() -> Cluster:
    """A cluster with one object of each kind of what covers workloads."""
    listed = {"resourceRules": [{"apiGroups": ["batch"], "operations": ["*"], "resources": ["cronjobs"]}]}
    served = [{"type": "Accepted", "status": "True"}, {"type": "ResolvedRefs", "status": "True"}]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "till"}
    pods = {"selector": {"matchLabels": {"app": "agent"}}}
    report = [{"policy": "limits", "result": "pass", "resources": [{"kind": "CronJob", "name": "nightly"}]}]
    bound = {"policyName": "limits", "validationActions": ["Deny"]}
    return (
        Cluster()
        .put("/apis/autoscaling/v2/horizontalpodautoscalers", thing("till", "shop", spec={"scaleTargetRef": target}))
        .put("/apis/policy/v1/poddisruptionbudgets", thing("agent", "shop", spec=pods))
        .put("/api/v1/resourcequotas", thing("none", "tmp-1", spec={"hard": {"pods": "1"}}))
        .put("/api/v1/resourcequotas", thing("infra", "infra", spec={"hard": {"pods": "1"}}))
        .put(
            "/apis/networking.k8s.io/v1/networkpolicies", thing("agent", "shop", spec={"podSelector": pods["selector"]})
        )
        .put("/api/v1/services", thing("agent", "shop", spec={"selector": {"app": "agent"}}))
        .put(
            "/apis/gateway.networking.k8s.io/v1/httproutes",
            thing(
                "agent",
                "shop",
                spec={"rules": [{"backendRefs": [{"name": "agent"}]}]},
                status={"parents": [{"conditions": served}]},
            ),
        )
        .put("/apis/monitoring.coreos.com/v1/podmonitors", thing("agent", "shop", spec=pods))
        .put(POLICIES, thing("limits", spec={"matchConstraints": listed}))
        .put("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", thing("limits", spec=bound))
        .put("/apis/wgpolicyk8s.io/v1alpha2/policyreports", thing("one", "shop", results=report))
    )


def small_world() -> Cluster:
    part = {"app.kubernetes.io/part-of": "store", "team": "pay", "pod-template-hash": "5d8f"}
    requests = {("GET", 200): 1_000, ("WATCH", 200): 90}
    injected = {"linkerd.io/inject": "enabled"}
    tracked = {"argocd.argoproj.io/tracking-id": "till:apps/DaemonSet:shop/agent"}
    cluster = covered_world()
    cluster.requests, cluster.within = requests, {("GET", "1"): 990, ("GET", "+Inf"): 1_000}
    return (
        cluster.put(
            "/api/v1/namespaces",
            thing("shop", labels={"team": "pay", "noise": "x"}),
            thing("tmp-1"),
            thing("kube-system"),
        )
        .put(DEPLOYMENTS, deployment("web", 1, labels=part), deployment("test", namespace="tmp-1"))
        .put(DEPLOYMENTS, rolled("till", "registry.example:5000/till:1.4"))
        .put("/apis/apps/v1/statefulsets", thing("db", "shop", spec={}, status={}))
        .put(
            "/apis/apps/v1/daemonsets",
            thing(
                "agent",
                "shop",
                annotations=tracked,
                spec={"template": {"metadata": {"labels": {"app": "agent"}, "annotations": injected}}},
                status={},
            ),
        )
        .put("/apis/batch/v1/cronjobs", thing("nightly", "shop", spec={"schedule": "0 3 * * *"}))
        .put(PODS, pod("web-5d8f-x", owners=owned("ReplicaSet", "web-5d8f"), labels=part), pod("new", ready=None))
        .put(PODS, stuck("stuck"))
        .put(NODES, node("n1"), node("n2", "Unknown"), node("n3", cordoned=True), node("n4", created=NOW))
    )


def ref(kind: str, id_: str, *labels: tuple[str, str]) -> Ref:
    links = ("kubernetes:eu/shop",) if kind == "workload" else ()
    return Ref(system="kubernetes", kind=kind, id=f"eu/{id_}", labels=labels, links=links)


def workload(kind: str, name: str, *labels: tuple[str, str]) -> Workload:
    about = ref("workload", f"shop/{kind}/{name}", *labels)
    return Workload(about=about, since=CREATED, cluster="eu", namespace="shop", workload_kind=kind)


def covered(fact: type[Practice], kind: str, name: str, by: str, *labels: tuple[str, str]) -> Practice:
    about = ref("workload", f"shop/{kind}/{name}", *labels)
    return fact(about=about, cluster="eu", namespace="shop", workload_kind=kind, by=(by,))


PART, TEAM = ("app.kubernetes.io/part-of", "store"), ("team", "pay")
CLUSTER = Ref(system="kubernetes", kind="cluster", id="eu")
EXPECTED: tuple[Fact, ...] = (
    Namespace(about=ref("namespace", "shop", TEAM), since=CREATED, cluster="eu"),
    Namespace(about=ref("namespace", "kube-system"), since=CREATED, cluster="eu"),
    workload("Deployment", "web", PART, TEAM),
    workload("Deployment", "till"),
    workload("StatefulSet", "db"),
    workload("DaemonSet", "agent"),
    workload("CronJob", "nightly"),
    PodStarted(
        key="pod/uid-web-5d8f-x",
        at=CREATED + timedelta(seconds=7),
        about=ref("workload", "shop/Deployment/web", PART, TEAM),
        updated=CREATED - timedelta(seconds=7),
        cluster="eu",
        owner_kind="deployment",
        seconds=7.0,
    ),
    covered(Autoscaler, "Deployment", "till", "till"),
    covered(DisruptionBudget, "DaemonSet", "agent", "agent"),
    covered(NetworkPolicy, "DaemonSet", "agent", "agent"),
    covered(GatewayRoute, "DaemonSet", "agent", "agent"),
    covered(Monitor, "DaemonSet", "agent", "agent"),
    covered(AdmissionPolicy, "CronJob", "nightly", "limits"),
    covered(PolicyReport, "CronJob", "nightly", "limits"),
    covered(MeshInjection, "DaemonSet", "agent", "linkerd"),
    covered(ArgoDestination, "DaemonSet", "agent", "till"),
    covered(GoldenImage, "Deployment", "till", "registry.example:5000/*"),
    ClusterIssuer(about=CLUSTER, cluster="eu", issuer="https://oidc.example/eu"),
    PodsWaiting(about=CLUSTER, cluster="eu", waiting=1),
    Node(about=ref("node", "n1"), since=CREATED, cluster="eu", state=NodeState.READY),
    Node(about=ref("node", "n2"), since=CREATED, cluster="eu", state=NodeState.NOT_READY),
    Node(about=ref("node", "n3"), since=CREATED, cluster="eu", state=NodeState.CORDONED),
    Node(about=ref("node", "n4"), since=NOW, cluster="eu", state=NodeState.READY),
    SliCount(
        key="node-ready/2026-05-04T12:00Z",
        at=NOW.replace(second=0),
        about=CLUSTER,
        sli="eu/node-ready",
        good=1.0,
        bad=1.0,
        width=timedelta(minutes=1),
    ),
    ProbeCheck(
        key="readyz/2026-05-04T12:00:30Z", at=NOW, about=CLUSTER, target="eu/readyz", result=ProbeResult.OK, seconds=0.0
    ),
)


def without_clocks(fact: Fact) -> Fact:
    """What was counted since the last scrape is dated by the scrape that saw it, whenever that was."""
    if isinstance(fact, ApiRequests | ApiLatency):
        return replace(fact, at=NOW)
    return replace(fact, seconds=0.0) if isinstance(fact, ProbeCheck) else fact


def answered(verb_class: VerbClass, good: float, bad: float) -> ApiRequests:
    """Requests since the scrape of the first world."""
    return ApiRequests(
        key=f"requests/{verb_class}/1777300000.000000@2026-05-04T12:00:40.000000Z",
        at=NOW,
        about=CLUSTER,
        cluster="eu",
        verb_class=verb_class,
        good=good,
        bad=bad,
    )


def later_world() -> Answering:
    """Hours on: a pod got ready, a workload and a node are gone, podmonitors are refused, and some objects are odd."""
    cluster = small_world()
    cluster.put(PODS, pod("odd", "08:00:09"), pod("new", "08:10:00", owners=owned("StatefulSet", "db")))
    cluster.objects[PODS]["odd"]["metadata"]["creationTimestamp"] = "0001-01-01T00:00:00Z"
    cluster.put(PODS, stuck("stuck", end="08:40:00", owners=owned("DaemonSet", "agent"))).delete(PODS, "stuck")
    cluster.put("/api/v1/namespaces", thing("bare", created="2026-05-01T08:00:00"), thing("late"))
    cluster.delete("/api/v1/namespaces", "kube-system")
    cluster.put(DEPLOYMENTS, deployment("web", 3, labels={"team": "ops"}), deployment("cart"))
    cluster.put(DEPLOYMENTS, rolled("till", "registry.example:5000/till:1.5", revision=2, at="11:00:00"))
    cluster.delete("/apis/apps/v1/statefulsets", "db")
    cluster.put(NODES, node("n2"), thing("odd", spec=[]))
    cluster.delete(NODES, "n3")
    cluster.put("/api/v1/resourcequotas", thing("small", "shop", spec={"hard": {"pods": "9"}}))
    cluster.delete("/apis/policy/v1/poddisruptionbudgets", "agent")
    cluster.requests = {("GET", 200): 1_040, ("GET", 503): 2, ("WATCH", 200): 95, ("LIST", 429): 1}
    cluster.within = {("GET", "1"): 990 + 30, ("GET", "+Inf"): 1_000 + 42}

    def answer(call: Call) -> Reply:
        return Reply(status=403) if call.path.endswith("podmonitors") else cluster(call)

    return answer


LATER = Later(
    answers=later_world,
    after=timedelta(minutes=30),
    expected=[
        Namespace(about=ref("namespace", "late"), since=CREATED, cluster="eu"),
        workload("Deployment", "web", ("team", "ops")),
        workload("Deployment", "cart"),
        Deployment(
            key="rollout/uid-till/2",
            at=datetime(2026, 5, 1, 11, 0, tzinfo=UTC),
            about=ref("workload", "shop/Deployment/till"),
            updated=datetime(2026, 5, 1, 11, 0, tzinfo=UTC),
            environment="production",
            sha="",
            result=DeployResult.SUCCESS,
            kind=DeployKind.PLANNED,
            version="1.5",
            way=DeployWay.ROLLOUT,
        ),
        PodStarted(
            key="pod/uid-new",
            at=CREATED + timedelta(minutes=10),
            about=ref("workload", "shop/StatefulSet/db"),
            updated=CREATED - timedelta(minutes=10),
            cluster="eu",
            owner_kind="statefulset",
            seconds=600.0,
        ),
        PodNeverReady(
            key="pod/uid-stuck",
            at=CREATED + timedelta(minutes=40),
            about=ref("workload", "shop/DaemonSet/agent"),
            cluster="eu",
            owner_kind="daemonset",
            seconds=2_400.0,
        ),
        PodsWaiting(about=CLUSTER, cluster="eu", waiting=0),
        covered(Quota, "Deployment", "web", "small", ("team", "ops")),
        covered(Quota, "Deployment", "cart", "small"),
        covered(Quota, "Deployment", "till", "small"),
        covered(Quota, "DaemonSet", "agent", "small"),
        covered(Quota, "CronJob", "nightly", "small"),
        Node(about=ref("node", "n2"), since=CREATED, cluster="eu", state=NodeState.READY),
        answered(VerbClass.READ, good=40.0, bad=2.0),
        answered(VerbClass.LIST, good=0.0, bad=1.0),
        ApiLatency(
            key="latency/read/1777300000.000000@2026-05-04T12:00:40.000000Z",
            at=NOW,
            about=CLUSTER,
            cluster="eu",
            verb_class=VerbClass.READ,
            good=30.0,
            bad=12.0,
        ),
    ],
    over=frozenset(
        {
            (Namespace, "namespace/eu/kube-system"),
            (Workload, workload("StatefulSet", "db").key),
            (Node, "node/eu/n3"),
            (DisruptionBudget, "workload/eu/shop/DaemonSet/agent"),
        }
    ),
    failing=frozenset({"monitors"}),
    rejected=4,
)
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    later=LATER,
    now=NOW,
    since=SINCE,
    expected=EXPECTED,
    momentary=frozenset({ProbeCheck, SliCount}),
    level=without_clocks,
    without=[
        ({"api_requests": False}, frozenset({ApiRequests, ApiLatency})),
        ({"rollouts": {}}, frozenset({Deployment})),
        ({"golden_images": []}, frozenset({GoldenImage})),
        (
            {"practices": []},
            frozenset({kind.fact for kind in PRACTICES.values()}),
        ),
    ],
)


def read(
    outside: FakeOutside,
    stream: str,
    checkpoint: bytes | None = None,
    now: datetime = NOW,
    since: datetime = SINCE,
    **said: Any,
) -> Iterator[Page]:
    """One call of a stream, whose workloads are inventory alone where a test does not ask for more."""
    config = Config.model_validate({**SETTINGS, "rollouts": {}, **said})
    found = next(s for s in SOURCE.connect(config, outside, "eu") if s.name == stream)
    return found.read(checkpoint, since, now)


def facts(pages: Sequence[Page]) -> list[Fact]:
    return [fact for page in pages for fact in page.facts]


def listed(cluster: Cluster, stream: str, **said: Any) -> bytes:
    """The checkpoint after a whole list."""
    checkpoint = list(read(FakeOutside(cluster), stream, **said))[-1].checkpoint
    assert checkpoint is not None
    return checkpoint


# Lists and watches.


def test_only_the_last_page_of_a_list_is_complete() -> None:
    """Until the list is whole nothing is taken for gone, and no place is saved."""
    cluster = Cluster().put(DEPLOYMENTS, *(deployment(name) for name in "abc"))
    pages = list(read(FakeOutside(cluster), "deployments"))
    assert [(len(p.facts), p.complete, p.checkpoint is not None, p.caught_up) for p in pages] == [
        (2, frozenset(), False, False),
        (1, frozenset({Workload}), True, True),
    ]
    assert str(pages[0].progress) == "2 objects of /apis/apps/v1/deployments"


def test_a_watch_asks_for_bookmarks_from_its_place_until_the_next_list() -> None:
    """It lasts 300 s, or less when a list is due before."""
    cluster = Cluster()
    checkpoint = listed(cluster, "deployments")
    outside = FakeOutside(cluster)
    for passed in (timedelta(minutes=10), timedelta(minutes=59)):
        list(read(outside, "deployments", checkpoint, NOW + passed))
    assert [call.params for call in outside.calls if call.method == "LINES"] == [
        {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": seconds, "resourceVersion": "10"}
        for seconds in (300, 60)
    ]


def test_what_says_nothing_new_is_no_page() -> None:
    """How many pods are ready is measured by nobody, and makes no new version: such changes wait for the next bookmark,
    which saves their place.
    """
    cluster = Cluster().put(DEPLOYMENTS, deployment("web"))
    checkpoint = listed(cluster, "deployments")
    for ready, team in ((1, "a"), (2, "a"), (0, "a"), (2, "b")):
        cluster.put(DEPLOYMENTS, deployment("web", ready, labels={"team": team}))
    cluster.put(DEPLOYMENTS, deployment("test", namespace="tmp-1"))
    pages = list(read(FakeOutside(cluster), "deployments", checkpoint))
    labels = [[dict(f.about.labels)["team"] for f in p.facts if isinstance(f, Workload)] for p in pages]
    assert labels == [["a"], ["b"], []]
    assert [p.caught_up for p in pages] == [False, False, True]
    assert next(read(FakeOutside(cluster), "deployments", pages[-1].checkpoint)).facts == ()


def test_many_silent_events_save_their_place() -> None:
    """After 500 events that said nothing the place is saved without a bookmark."""
    cluster = Cluster().put(DEPLOYMENTS, deployment("web"))
    checkpoint = listed(cluster, "deployments")
    for _ in range(501):
        cluster.put(DEPLOYMENTS, deployment("web"))
    pages = list(read(FakeOutside(cluster), "deployments", checkpoint))
    assert [(len(p.facts), p.caught_up) for p in pages] == [(1, False), (0, False), (0, True)]


def test_a_watch_that_ends_without_bookmark_saves_its_place() -> None:
    """The server may end a watch right after an event that said nothing."""
    cluster = Cluster()
    checkpoint = listed(cluster, "deployments")
    other = {"type": "ADDED", "object": {"metadata": {"namespace": "tmp-1", "name": "x", "resourceVersion": "77"}}}
    outside = FakeOutside(lambda call: Reply(body=[other]) if call.method == "LINES" else cluster(call))
    (page,) = read(outside, "deployments", checkpoint)
    assert page.checkpoint is not None
    assert b'"version":"77"' in page.checkpoint


@pytest.mark.parametrize("by_status", [True, False])
def test_an_expired_place_leads_to_a_list_in_the_same_call(by_status: bool) -> None:
    """410, as the status of the answer or as an ERROR event, drops the place; of inventory nothing is lost."""
    cluster = Cluster().put(DEPLOYMENTS, deployment("old"), deployment("kept"))
    checkpoint = listed(cluster, "deployments")
    cluster.delete(DEPLOYMENTS, "old")
    cluster.forget()

    def answer(call: Call) -> Reply:
        return Reply(status=410) if by_status and call.method == "LINES" else cluster(call)

    outside = FakeOutside(answer)
    (page,) = read(outside, "deployments", checkpoint)
    assert [f.about.id for f in page.facts] == ["eu/shop/Deployment/kept"]
    assert page.complete == {Workload}
    assert outside.gaps == []


def test_pods_lost_between_two_lists_are_a_gap() -> None:
    """Pods that came and went while the place expired can't be known: the range since the last call is told."""
    cluster = Cluster()
    checkpoint = listed(cluster, "pods")
    cluster.forget()
    outside = FakeOutside(cluster)
    list(read(outside, "pods", checkpoint, NOW + timedelta(hours=2)))
    assert [(g.start, g.end, g.reason) for g in outside.gaps] == [(NOW, NOW + timedelta(hours=2), "expired")]


def test_inventory_is_listed_again_and_pods_are_not() -> None:
    """After `resync` a list sets right what a watch may have lost; it could add nothing to events."""
    cluster = small_world()
    later = NOW + timedelta(hours=1)
    methods = {}
    for stream in ("deployments", "pods"):
        outside = FakeOutside(cluster)
        checkpoint = listed(cluster, stream)
        list(read(outside, stream, checkpoint, later))
        methods[stream] = [call.method for call in outside.calls if call.params.get("limit") != 1]
    assert methods == {"deployments": ["GET", "GET"], "pods": ["LINES"]}


def test_a_list_that_expires_midway_begins_again() -> None:
    """What its first beginning said and its second does not is gone."""
    cluster = Cluster().put(DEPLOYMENTS, *(deployment(name) for name in "abc"))
    pages = read(FakeOutside(cluster), "deployments")
    assert [f.about.id for f in next(pages).facts] == ["eu/shop/Deployment/a", "eu/shop/Deployment/b"]
    cluster.delete(DEPLOYMENTS, "a")
    cluster.forget()
    rest = list(pages)
    assert [f.about.id for f in facts(rest)] == ["eu/shop/Deployment/b", "eu/shop/Deployment/c"]
    assert rest[-1].gone == ((Workload, "workload/eu/shop/Deployment/a"),)


def test_a_list_that_keeps_expiring_gives_up() -> None:
    """After three beginnings the poll fails, and says what to set."""

    def answer(call: Call) -> Reply:
        if "continue" in call.params:
            return Reply(status=410)
        return Reply(body={"metadata": {"resourceVersion": "1", "continue": "x"}, "items": [deployment("a")]})

    with pytest.raises(
        Unreachable, match=r"expired 3 times before its last page; a larger `page_size` needs fewer calls"
    ):
        list(read(FakeOutside(answer), "deployments"))


@pytest.mark.parametrize(
    ("line", "error", "text"),
    [
        (
            {"type": "ERROR", "object": {"code": 500, "message": "etcd is away"}},
            Unreachable,
            "ended with 500 etcd is away",
        ),
        (b'{"type": "ADDED", "obj', Unexpected, "a watched line is no Change"),
        ({"type": "ADDED", "object": {"metadata": {"name": 5}}}, Unexpected, "a watched line is no Thing"),
    ],
)
def test_a_broken_watch_fails_with_its_reason(line: Any, error: type[Exception], text: str) -> None:
    """An ERROR event other than 410 and a line that can't be read end the call; the place stays."""
    cluster = Cluster()
    outside = FakeOutside(lambda call: Reply(body=[line]) if call.method == "LINES" else cluster(call))
    with pytest.raises(error, match=text):
        list(read(outside, "deployments", listed(cluster, "deployments")))


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "read", "fail", "forget"]), st.sampled_from("abcd"), st.integers(0, 2)),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_the_readings_end_up_as_the_cluster_is(steps: list[tuple[str, str, int]]) -> None:
    """Changes, calls that break off after any page, and expired places in any order: after one more whole call the
    readings that stand are those of the cluster. It may repeat, it must not skip.
    """
    cluster, held, checkpoint = Cluster(), dict[str, str](), None

    def call(pages: int | None) -> None:
        nonlocal checkpoint, held
        said: set[str] = set()
        for number, page in enumerate(read(FakeOutside(cluster), "deployments", checkpoint)):
            if number == pages:
                return
            found = {f.key: f.about.labels[0][1] for f in page.facts if isinstance(f, Workload)}
            said |= found.keys()
            held.update(found)
            for _, key in page.gone:
                held.pop(key, None)
            if page.complete:
                held = {key: team for key, team in held.items() if key in said}
            checkpoint = page.checkpoint or checkpoint

    for action, name, number in steps:
        if action == "put":
            cluster.put(DEPLOYMENTS, deployment(name, labels={"team": str(number)}))
        elif action == "delete" and name in cluster.objects.get(DEPLOYMENTS, {}):
            cluster.delete(DEPLOYMENTS, name)
        elif action == "forget":
            cluster.forget()
        elif action in {"read", "fail"}:
            call(number if action == "fail" else None)
    call(None)
    truth = cluster.objects.get(DEPLOYMENTS, {})
    assert held == {f"workload/eu/shop/Deployment/{n}": o["metadata"]["labels"]["team"] for n, o in truth.items()}


# Pod starts.

BOUND_LATE = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-05-01T08:00:31Z"}
UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
GATED = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
BOUND = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-05-01T08:40:00Z"}


@pytest.mark.parametrize(
    "made",
    [
        pod("x", restarts=1),
        pod("x", ready="09:00:01"),
        pod("x", ready="07:59:59"),
        pod("x", ready=None, conditions=[{"type": "Ready", "status": "False"}]),
        pod("x", conditions=[BOUND_LATE], ready="08:00:40"),
        pod("x", namespace="tmp-1"),
    ],
    ids=["restarted", "past start_limit", "before its creation", "not ready", "bound late", "namespace left out"],
)
def test_what_is_no_start_is_left_out(made: dict[str, Any]) -> None:
    """A Ready that may be a later one, or that waited for a node, is no start."""
    assert facts(list(read(FakeOutside(Cluster().put(PODS, made)), "pods"))) == []


@pytest.mark.parametrize(
    ("owners", "kind", "id_"),
    [
        (owned("ReplicaSet", "web-1"), "deployment", "eu/shop/Deployment/web"),
        (owned("ReplicaSet", "canary-1"), "deployment", "eu/shop/Rollout/canary"),
        (owned("ReplicaSet", "redis-cache"), "deployment", "eu/shop/ReplicaSet/redis-cache"),
        (owned("ReplicaSet", "gone-web-5d8f"), "deployment", "eu/shop/Deployment/gone-web"),
        (owned("ReplicaSet", "gone-canary-77c"), "deployment", "eu/shop/Rollout/gone-canary"),
        (owned("StatefulSet", "db"), "statefulset", "eu/shop/StatefulSet/db"),
        (owned("DaemonSet", "agent"), "daemonset", "eu/shop/DaemonSet/agent"),
        (owned("Job", "nightly-29634480"), "job", "eu/shop/CronJob/nightly"),
        (owned("Job", "by-hand"), "job", "eu/shop/CronJob/nightly"),
        (owned("Job", "import-20260101"), "job", "eu/shop/Job"),
        (owned("Job", "step-1"), "job", "eu/shop/Workflow"),
        (owned("Job", "gone-29634480"), "job", "eu/shop/Job"),
        (owned("TaskRun", "build-1"), "other", "eu/shop/TaskRun"),
        (owned("ReplicationController", "old"), "other", "eu/shop/ReplicationController/old"),
        ([], "other", "eu/shop/Pod"),
    ],
)
def test_a_start_is_about_what_outlives_the_pod(owners: list[dict[str, Any]], kind: str, id_: str) -> None:
    """The controller decides, and what controls that; where it is gone already, the label that a Deployment puts on pods.
    Names made for a single run would be objects without end.
    """
    labels = {"pod-template-hash": "5d8f", "rollouts-pod-template-hash": "77c"}
    cluster = Cluster().put(PODS, pod("x", owners=owners, labels=labels))
    made = (("web-1", "Deployment", "web"), ("canary-1", "Rollout", "canary"))
    cluster.put(
        SETS, *(thing(name, "shop", owners=owned(kind, of)) for name, kind, of in made), thing("redis-cache", "shop")
    )
    cron, flow = owned("CronJob", "nightly"), owned("Workflow", "flow-8")
    jobs: Sequence[tuple[str, list[dict[str, Any]]]] = (
        ("nightly-29634480", cron),
        ("by-hand", cron),
        ("import-20260101", []),
        ("step-1", flow),
    )
    cluster.put(JOBS, *(thing(name, "shop", owners=made_by) for name, made_by in jobs))
    (started,) = facts(list(read(FakeOutside(cluster), "pods")))
    assert isinstance(started, PodStarted)
    assert (started.owner_kind, started.about.id) == (kind, id_)


@pytest.mark.parametrize("why", [UNSCHEDULABLE, GATED])
def test_a_pod_seen_waiting_is_left_out_in_later_calls_too(why: dict[str, Any]) -> None:
    """The place keeps who waits, for a node or for its owner to open a scheduling gate, until the pod is deleted."""
    cluster = Cluster()
    checkpoint = listed(cluster, "pods")
    cluster.put(PODS, pod("x", ready=None, conditions=[why]))
    after = list(read(FakeOutside(cluster), "pods", checkpoint))[-1].checkpoint
    assert after is not None
    assert b'"waiting":["uid-x"]' in after
    cluster.put(PODS, pod("x", ready="08:00:20"), pod("y"))
    pages = list(read(FakeOutside(cluster), "pods", after))
    assert [f.key for f in facts(pages)] == ["pod/uid-y"]
    cluster.delete(PODS, "x")
    last = list(read(FakeOutside(cluster), "pods", pages[-1].checkpoint))[-1].checkpoint
    assert last is not None
    assert b'"waiting":[]' in last


def test_pods_beyond_those_remembered_are_known_by_their_late_binding() -> None:
    """A queue may hold more pods behind their gates than are remembered: the start of a forgotten one is not told as one
    of 40 minutes. Who was bound at once still starts.
    """
    cluster = Cluster()
    checkpoint = listed(cluster, "pods")
    cluster.put(PODS, *(pod(f"x{n}", ready=None, conditions=[GATED]) for n in range(WAITING_PODS + 1)))
    after = list(read(FakeOutside(cluster), "pods", checkpoint))[-1].checkpoint
    cluster.put(PODS, pod("x0", "08:40:05", conditions=[BOUND]), pod("y"))
    assert [f.key for f in facts(list(read(FakeOutside(cluster), "pods", after)))] == ["pod/uid-y"]


def test_the_first_start_of_a_pod_stays() -> None:
    """One that lost readiness and got it back is an older version of its start, in whatever call it is seen."""
    seen: list[PodStarted] = []
    for ready in ("08:00:04", "08:40:00"):
        told = facts(list(read(FakeOutside(Cluster().put(PODS, pod("x", ready))), "pods")))
        seen += [fact for fact in told if isinstance(fact, PodStarted)]
    first, flapped = seen
    assert (first.seconds, flapped.seconds, first.key) == (4.0, 2400.0, flapped.key)
    assert first.updated is not None
    assert flapped.updated is not None
    assert flapped.updated < first.updated


def test_a_start_before_since_is_old_news() -> None:
    """A pod that changes long after its start is not told again."""
    cluster = Cluster()
    checkpoint = listed(cluster, "pods")
    cluster.put(PODS, pod("x"))
    assert facts(list(read(FakeOutside(cluster), "pods", checkpoint, since=CREATED + timedelta(seconds=8)))) == []


@pytest.mark.parametrize(
    ("gone", "seconds"),
    [
        (stuck("x", end="08:10:02"), [602.0]),
        (stuck("x", end="08:10:01"), []),
        (stuck("x", turned="08:01:01", end="09:00:00"), [3_600.0]),
        (stuck("x", turned="08:01:02", end="09:00:00"), []),
        (stuck("x"), []),
        (pod("x", ready=None, conditions=[UNSCHEDULABLE]), []),
        (pod("x"), []),
        (stuck("x", end="09:00:00", namespace="tmp-1"), []),
    ],
    ids=[
        "longer than 10 min",
        "10 min",
        "never ready",
        "ready before",
        "no time of its end",
        "without a node",
        "ready",
        "namespace left out",
    ],
)
def test_a_pod_that_goes_without_ever_having_been_ready_is_counted(gone: dict[str, Any], seconds: list[float]) -> None:
    """If it had its node for longer than `ready_within`; one that was ready before has had its start."""
    cluster = Cluster()
    checkpoint = listed(cluster, "pods")
    cluster.put(PODS, gone).delete(PODS, "x")
    told = facts(list(read(FakeOutside(cluster), "pods", checkpoint)))
    assert [fact.seconds for fact in told if isinstance(fact, PodNeverReady)] == seconds


def test_pods_that_wait_are_counted_while_they_do() -> None:
    """Those that have had a node for longer than `ready_within` and whose containers have not all started; pods that run,
    wait for a node, are being taken away or are left out are none of them.
    """
    running = stuck("running")
    running["status"]["phase"] = "Running"
    unbound = pod("unbound", ready=None, conditions=[UNSCHEDULABLE])
    unbound["status"]["phase"] = "Pending"
    made = [stuck("a"), stuck("b"), stuck("going", end="08:05:00"), stuck("out", namespace="tmp-1"), running, unbound]
    cluster = Cluster().put(PODS, *made)
    at = CREATED + timedelta(minutes=10, seconds=1)
    outside = FakeOutside(cluster)
    counts = [facts(list(read(outside, "waiting", now=now))) for now in (at, at + timedelta(seconds=1))]
    assert counts == [[PodsWaiting(about=CLUSTER, cluster="eu", waiting=n)] for n in (0, 2)]
    assert outside.calls[0].params == {"limit": 2, "fieldSelector": "status.phase=Pending,spec.nodeName!="}


def test_pods_that_wait_are_those_of_one_list() -> None:
    """One that expires midway is begun again, and what has gone meanwhile is not counted."""
    cluster = Cluster().put(PODS, stuck("a"), stuck("b"), stuck("c"))

    def answer(call: Call) -> Reply:
        if "continue" in call.params and "b" in cluster.objects[PODS]:
            cluster.delete(PODS, "b").forget()
        return cluster(call)

    (found,) = facts(list(read(FakeOutside(answer), "waiting")))
    assert found == PodsWaiting(about=CLUSTER, cluster="eu", waiting=2)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_ended_by_itself_is_a_run(phase: str) -> None:
    """A job may be done before it is ready."""
    cluster = Cluster()
    checkpoint = listed(cluster, "pods")
    done = stuck("x", end="09:00:00")
    done["status"]["phase"] = phase
    cluster.put(PODS, done).delete(PODS, "x")
    assert facts(list(read(FakeOutside(cluster), "pods", checkpoint))) == []


def test_a_pod_whose_start_was_told_has_had_it() -> None:
    """However it stands when it goes."""
    cluster = Cluster()
    checkpoint = listed(cluster, "pods")
    cluster.put(PODS, pod("x", "08:00:02"), stuck("x", end="09:00:00")).delete(PODS, "x")
    assert [type(fact) for fact in facts(list(read(FakeOutside(cluster), "pods", checkpoint)))] == [PodStarted]


# Nodes and probes.


def test_nodes_that_do_not_count_make_no_slice() -> None:
    """With only cordoned and young nodes the node SLI is absent, never 0 of 0."""
    cluster = Cluster().put(NODES, node("n1", cordoned=True), node("n2", "False", created=NOW - timedelta(minutes=10)))
    (page,) = read(FakeOutside(cluster), "nodes")
    assert [type(f) for f in page.facts] == [Node, Node]
    (page,) = read(FakeOutside(cluster), "nodes", now=NOW + timedelta(minutes=1))
    assert [(f.good, f.bad) for f in page.facts if isinstance(f, SliCount)] == [(0.0, 1.0)]


def minutes_said(looks: Sequence[datetime]) -> list[datetime]:
    """The node minutes that the store holds after these looks at one ready node, in order."""
    cluster = Cluster().put(NODES, node("n1"))
    said = [f for now in looks for p in read(FakeOutside(cluster), "nodes", now=now) for f in p.facts]
    return sorted({f.key: f.at for f in said if isinstance(f, SliCount)}.values())


@pytest.mark.parametrize("seed", range(10))
def test_polls_about_a_minute_apart_say_every_node_minute(seed: int) -> None:
    """Through a day of polls that the poller spreads by up to 6 s, each from the last, and that begin up to 2 s late: no
    minute is skipped.
    """
    random = Random(seed)
    due, looks = NOW + timedelta(seconds=random.uniform(0, 60)), list[datetime]()
    for _ in range(1_440):
        looks.append(due + timedelta(seconds=random.uniform(0, 2)))
        due += timedelta(seconds=60 + random.uniform(-6, 6))
    said = minutes_said(looks)
    last = looks[-1].replace(second=0, microsecond=0)
    assert said == [said[0] + timedelta(minutes=n) for n in range((last - said[0]) // timedelta(minutes=1) + 1)]
    assert len(said) > 1_400


@pytest.mark.parametrize(("second", "first"), [(20, 9), (40, 10)])
def test_minutes_without_a_look_stay_unknown(second: int, first: int) -> None:
    """After ten minutes of silence a look tells of those minutes that ended up to 90 s before it, and of none between."""
    noon = NOW.replace(second=0)
    said = minutes_said([noon + timedelta(seconds=50), noon + timedelta(minutes=10, seconds=second)])
    assert said == [noon, *(noon + timedelta(minutes=m) for m in range(first, 11))]


@pytest.mark.parametrize(
    "leaving",
    [
        {"deletionTimestamp": "2026-05-04T12:00:00Z"},
        {"taints": [{"key": "other"}, {"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}]},
        {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "value": "1", "effect": "NoSchedule"}]},
    ],
    ids=["being deleted", "Karpenter", "Cluster Autoscaler"],
)
def test_a_node_that_is_taken_away_is_no_bad_node(leaving: dict[str, Any]) -> None:
    """Nobody expects it to be ready, so its minutes count neither way."""
    going = node("spot", "Unknown")
    going["metadata"].update({k: v for k, v in leaving.items() if k != "taints"})
    going["spec"].update({k: v for k, v in leaving.items() if k == "taints"})
    (page,) = read(FakeOutside(Cluster().put(NODES, going, node("n1"))), "nodes")
    assert [f.state for f in page.facts if isinstance(f, Node)] == [NodeState.CORDONED, NodeState.READY]
    assert [(f.good, f.bad) for f in page.facts if isinstance(f, SliCount)] == [(1.0, 0.0)]


def test_a_taint_that_takes_nothing_away_leaves_a_node_as_it_is() -> None:
    """A node without network is tainted too, and is a bad one."""
    bad = node("n1", "False")
    bad["spec"]["taints"] = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    (page,) = read(FakeOutside(Cluster().put(NODES, bad)), "nodes")
    assert [f.state for f in page.facts if isinstance(f, Node)] == [NodeState.NOT_READY]


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Reply(body="ok"), ProbeResult.OK),
        (Reply(body="[-]etcd failed", status=500), ProbeResult.ERROR),
        (Reply(body="<html>sign in</html>"), ProbeResult.ERROR),
        (Reply(status=429), ProbeResult.ERROR),
    ],
)
def test_a_probe_is_good_only_if_the_server_says_ok(answer: Reply, result: ProbeResult) -> None:
    """200 with `ok` is good; a proxy's page, a 5xx and a 429 are not."""
    (page,) = read(FakeOutside(Cluster(readyz=answer)), "readyz")
    assert [f.result for f in page.facts if isinstance(f, ProbeCheck)] == [result]


@pytest.mark.parametrize(
    ("error", "result"), [(TimedOut("slow"), ProbeResult.TIMEOUT), (Unreachable("refused"), ProbeResult.ERROR)]
)
def test_a_probe_without_answer_is_a_fact(error: Unreachable, result: ProbeResult) -> None:
    """No answer is what the probe is there to see: the source does not fail."""
    (page,) = read(FakeOutside(Cluster(), fail_at=0, error=error), "readyz")
    assert [f.result for f in page.facts if isinstance(f, ProbeCheck)] == [result]


def test_what_fails_on_our_side_is_no_check() -> None:
    """A certificate that we do not trust tells nothing of the cluster: the source fails, and no bad check is counted."""
    outside = FakeOutside(Cluster(), fail_at=0, error=Severed("the server's certificate is not trusted"))
    with pytest.raises(Severed):
        list(read(outside, "readyz"))


def test_the_probe_alone_goes_on_while_the_quota_rests() -> None:
    """A limit on one list is no reason to look away."""
    streams = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(Cluster()), "eu")
    assert [s.name for s in streams if s.probe] == ["readyz"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_probe_is_our_own_failure(status: int) -> None:
    """The server answers, so it is up: what is missing is a permission, and no bad check is counted."""
    with pytest.raises(Refused, match=r"the credential may not get nonResourceURL /readyz"):
        list(read(FakeOutside(Cluster(readyz=Reply(status=status))), "readyz"))


def test_a_probe_is_timed_and_keyed_by_its_interval() -> None:
    """Seconds come from the stopwatch; two runs within one interval are one check."""
    ticks = iter([5.0, 5.25, 9.0, 9.5])
    config = Config.model_validate(SETTINGS)
    connect: Any = SOURCE.connect
    stream = next(
        s for s in connect(config, FakeOutside(Cluster()), "eu", clock=lambda: next(ticks)) if s.name == "readyz"
    )
    found = [f for at in (NOW, NOW + timedelta(seconds=19)) for p in stream.read(None, SINCE, at) for f in p.facts]
    assert [(f.key, f.seconds) for f in found if isinstance(f, ProbeCheck)] == [
        ("readyz/2026-05-04T12:00:30Z", 0.25),
        ("readyz/2026-05-04T12:00:30Z", 0.5),
    ]


# Settings and check.


def test_a_beat_that_no_cluster_bears_is_told() -> None:
    """The probe's."""
    with pytest.raises(ValidationError, match="shorter than 10s; write 10s or more"):
        Config.model_validate({"cluster": "eu", "in_cluster": True, "probe": "5s"})


def test_check_names_what_is_missing() -> None:
    """Each refused verb is a line of its own, in the words of RBAC."""

    def answer(call: Call) -> Reply:
        if call.path == PODS or (call.path == DEPLOYMENTS and "watch" in call.params) or call.path == "/readyz":
            return Reply(status=403)
        return Reply(status=404, body="no such resource") if call.path == NODES else small_world()(call)

    assert SOURCE.check(Config.model_validate(SETTINGS), FakeOutside(answer)) == [
        "the credential may not get nonResourceURL /readyz; grant it as deploy/kubernetes/rbac.yaml does",
        'the credential may not watch deployments (apiGroups: ["apps"]); grant it as deploy/kubernetes/rbac.yaml does',
        'the credential may not list pods (apiGroups: [""]); grant it as deploy/kubernetes/rbac.yaml does',
        "/api/v1/nodes answered 404: no such resource",
    ]


def test_it_proposes_a_section_for_each_context() -> None:
    """Called as the context, in letters that a label takes; no two have one name."""
    found = SOURCE.propose(Surroundings(contexts=("eu@prod", "eu-prod", "eu prod", "::")))
    assert found is not None
    assert {name: settings["context"] for name, settings in found.found.items()} == {
        "kubernetes-eu-prod": "eu@prod",
        "kubernetes-eu-prod-2": "eu-prod",
        "kubernetes-eu-prod-2-2": "eu prod",
        "kubernetes-cluster": "::",
    }


def test_a_credential_that_is_not_accepted_is_told_alone() -> None:
    """At 401 no permission helps, so none is named, and nothing more is asked."""

    def answer(call: Call) -> Reply:
        return Reply(status=401, body="Unauthorized")

    outside = FakeOutside(answer)
    assert SOURCE.check(Config.model_validate(SETTINGS), outside) == [
        "the API server does not accept the credential (401); it has expired or belongs to another cluster"
    ]
    assert [call.path for call in outside.calls] == ["/readyz"]
