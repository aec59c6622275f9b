"""Cluster measures."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import kubernetes
from platform_meter.model.catalogue.kubernetes import (
    CLUSTER_API_REQUESTS,
    CLUSTER_MEASURED,
    POD_START,
    PODS_NEVER_READY,
    PODS_WAITING,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.kubernetes import (
    ApiRequests,
    CloudCluster,
    ClusterIssuer,
    Namespace,
    Node,
    NodeState,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    Provider,
    VerbClass,
)
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
EU = source("eu", "kubernetes", watermark=NOW)
REF = Ref(system="kubernetes", kind="cluster", id="eu")
POD = PodStarted(key="1", at=NOW, about=REF, cluster="eu", owner_kind="job", seconds=2.5)


def node(name: str, state: NodeState, cluster: str = "eu", instance: str = "eu") -> tuple[str, Owner, Fact]:
    ref = Ref(system="kubernetes", kind="node", id=f"{cluster}/{name}")
    return (instance, NOBODY, Node(about=ref, cluster=cluster, state=state))


def nodes(told: list[tuple[str, Owner, Fact]], *sources: SourceState) -> dict[tuple[str, ...], float | None]:
    scene = Scene(history=MemoryHistory(told, sources=sources), definitions=Definitions(), now=NOW)
    adds_up(kubernetes.NODES, scene)
    return {s.labels: resolve(s.value) for s in kubernetes.NODES.compute(scene)}


def test_a_pod_start_is_observed_by_cluster_and_kind() -> None:
    """Creation to Ready in seconds."""
    (found,) = kubernetes.count_pod_start(POD, NOBODY, EU)
    assert (found.metric, found.labels, found.amount) == (POD_START, ("eu", "job"), 2.5)


def test_a_pod_that_never_became_ready_is_one() -> None:
    """By cluster and kind of its owner, and no pod start."""
    never = PodNeverReady(key="1", at=NOW, about=REF, cluster="eu", owner_kind="deployment", seconds=1_900.0)
    found = [(i.metric, i.labels, i.amount) for i in kubernetes.count_never_ready(never, NOBODY, EU)]
    assert found == [(PODS_NEVER_READY, ("eu", "deployment"), 1.0)]


def test_requests_are_counted_as_many_as_they_were() -> None:
    """By class of verb and result; what was never bad stands at 0."""
    counted = ApiRequests(key="1", at=NOW, about=REF, cluster="eu", verb_class=VerbClass.LIST, good=40.0, bad=0.0)
    found = [(i.metric, i.labels, i.amount) for i in kubernetes.count_requests(counted, NOBODY, EU)]
    assert found == [
        (CLUSTER_API_REQUESTS, ("eu", "list", "good"), 40.0),
        (CLUSTER_API_REQUESTS, ("eu", "list", "bad"), 0.0),
    ]


def test_pods_that_wait_are_those_of_clusters_that_are_read() -> None:
    """0 is a number; a stale source's clusters are absent."""
    told: list[tuple[str, Owner, Fact]] = [
        (
            instance,
            NOBODY,
            PodsWaiting(about=Ref(system="kubernetes", kind="cluster", id=name), cluster=name, waiting=n),
        )
        for instance, name, n in (("eu", "eu", 3), ("ap", "ap", 0), ("us", "us", 5))
    ]
    sources = (EU, source("ap", "kubernetes", watermark=NOW), source("us", "kubernetes", watermark=NOW, fresh=False))
    scene = Scene(history=MemoryHistory(told, sources=sources), definitions=Definitions(), now=NOW)
    found = [(s.metric, s.labels, resolve(s.value)) for s in kubernetes.WAITING.compute(scene)]
    assert found == [(PODS_WAITING, ("ap",), 0.0), (PODS_WAITING, ("eu",), 3.0)]


def test_every_cluster_shows_every_state() -> None:
    """A state without a node is 0, so is a cluster known only by its namespaces; a stale source's clusters are absent."""
    empty = Namespace(about=Ref(system="kubernetes", kind="namespace", id="new/default"), cluster="new")
    told = [
        node("a", NodeState.READY),
        node("b", NodeState.READY),
        node("c", NodeState.CORDONED),
        ("eu", NOBODY, empty),
        node("x", NodeState.READY, "us", "us"),
    ]
    assert nodes(told, EU, source("us", "kubernetes", watermark=NOW, fresh=False)) == {
        ("eu", "ready"): 2.0,
        ("eu", "not_ready"): 0.0,
        ("eu", "cordoned"): 1.0,
        ("new", "ready"): 0.0,
        ("new", "not_ready"): 0.0,
        ("new", "cordoned"): 0.0,
    }


def test_order_and_repetition_of_nodes_change_nothing() -> None:
    """A node said twice is one node."""
    told = [node("a", NodeState.READY), node("b", NodeState.NOT_READY), node("c", NodeState.READY, "us")]
    assert nodes(told, EU) == nodes([*reversed(told), *told], EU)


def listed(name: str, issuer: str, instance: str = "aws") -> tuple[str, Owner, Fact]:
    about = Ref(system="clusters", kind="cluster", id=f"eks/1/eu-west-1/{name}")
    found = CloudCluster(
        about=about, provider=Provider.EKS, account="1", region="eu-west-1", name=name, version="1.34", issuer=issuer
    )
    return (instance, NOBODY, found)


def issued(issuer: str, instance: str) -> tuple[str, Owner, Fact]:
    return (instance, NOBODY, ClusterIssuer(about=REF, cluster=instance, issuer=issuer))


def test_a_cluster_of_a_cloud_is_measured_by_whoever_reads_one_of_its_issuer() -> None:
    """Whatever it is called there, and though that source fails; not by a source that is there no more."""
    told = [
        listed("prod", "https://oidc/1"),
        listed("prod", "https://oidc/1", "twice"),
        listed("test", "https://oidc/2"),
        listed("old", "https://oidc/3"),
        listed("new", ""),
        listed("far", "https://oidc/1", "stale"),
        issued("https://oidc/1", "eu"),
        issued("https://oidc/2", "us"),
        issued("https://oidc/3", "gone"),
    ]
    clouds = [source(name, "clusters", watermark=NOW, fresh=name != "stale") for name in ("aws", "twice", "stale")]
    sources = (EU, source("us", "kubernetes", watermark=NOW, fresh=False), *clouds)
    scene = Scene(history=MemoryHistory(told, sources=sources), definitions=Definitions(), now=NOW)
    found = [(s.metric, s.labels, resolve(s.value)) for s in kubernetes.MEASURED.compute(scene)]
    assert found == [
        (CLUSTER_MEASURED, ("eks", "1", "eu-west-1", "old", "1.34"), 0.0),
        (CLUSTER_MEASURED, ("eks", "1", "eu-west-1", "prod", "1.34"), 1.0),
        (CLUSTER_MEASURED, ("eks", "1", "eu-west-1", "test", "1.34"), 1.0),
    ]
    adds_up(kubernetes.MEASURED, scene)
