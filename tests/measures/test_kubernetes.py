"""Cluster and probe measures."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import kubernetes
from platform_meter.model.catalogue.kubernetes import (
    CLUSTER_API_REQUESTS,
    POD_START,
    PODS_NEVER_READY,
    PODS_WAITING,
    PROBE_CHECKS,
    PROBE_DURATION,
)
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.kubernetes import (
    ApiRequests,
    Namespace,
    Node,
    NodeState,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    ProbeCheck,
    ProbeResult,
    VerbClass,
)
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
EU = source("eu", "kubernetes", watermark=NOW)
REF = Ref(system="kubernetes", kind="cluster", id="eu")
CHECK = ProbeCheck(key="1", at=NOW, about=REF, target="eu/readyz", result=ProbeResult.TIMEOUT, seconds=10.0)
POD = PodStarted(key="1", at=NOW, about=REF, cluster="eu", owner_kind="job", seconds=2.5)


def node(name: str, state: NodeState, cluster: str = "eu", instance: str = "eu") -> tuple[str, Owner, Fact]:
    ref = Ref(system="kubernetes", kind="node", id=f"{cluster}/{name}")
    return (instance, NOBODY, Node(about=ref, cluster=cluster, state=state))


def nodes(told: list[tuple[str, Owner, Fact]], *sources: SourceState) -> dict[tuple[str, ...], float | None]:
    scene = Scene(history=MemoryHistory(told, sources=sources), definitions=Definitions(), now=NOW)
    return {s.labels: resolve(s.value) for s in kubernetes.nodes(scene)}


def test_a_check_counts_by_target_and_result_and_observes_its_duration() -> None:
    """A timeout took as long as we waited."""
    found = [(i.metric, i.labels, i.amount) for i in kubernetes.count_probe(CHECK, NOBODY, EU)]
    assert found == [
        (PROBE_CHECKS, ("eu/readyz", "timeout"), 1.0),
        (PROBE_DURATION, ("eu/readyz",), 10.0),
    ]


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
    found = [(s.metric, s.labels, resolve(s.value)) for s in kubernetes.waiting(scene)]
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
