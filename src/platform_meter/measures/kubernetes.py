"""Clusters: pod start as users feel it, nodes, what the API server answered (domain section 8)."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.census import Share, census
from platform_meter.model.catalogue.kubernetes import (
    CLUSTER_API_REQUESTS,
    CLUSTER_MEASURED,
    CLUSTER_NODES,
    POD_START,
    PODS_NEVER_READY,
    PODS_WAITING,
)
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
    Workload,
)
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.history import Held, Owner, SourceState
from platform_meter.model.measure import Counting, Labels, Measures, Scene
from platform_meter.model.metric import Increment


def count_pod_start(event: PodStarted, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """Creation to first Ready of one pod, image pull included."""
    yield Increment(metric=POD_START, labels=(event.cluster, event.owner_kind), amount=event.seconds)


def count_never_ready(event: PodNeverReady, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """One pod that ended without a start."""
    yield Increment(metric=PODS_NEVER_READY, labels=(event.cluster, event.owner_kind))


def count_requests(event: ApiRequests, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """Good and bad requests of one class of verbs, each as many as were counted; what was never bad stands at 0."""
    for result, amount in ((Verdict.GOOD, event.good), (Verdict.BAD, event.bad)):
        labels = (event.cluster, event.verb_class, result)
        yield Increment(metric=CLUSTER_API_REQUESTS, labels=labels, amount=amount)


def _nodes(_scene: Scene, _source: SourceState, held: Held[Node]) -> Iterator[Share]:
    """A node, in its state."""
    yield Share((held.reading.cluster, held.reading.state))


def _clusters(scene: Scene) -> Iterator[Labels]:
    """Every state of each cluster. A cluster is known by anything that stands in it."""
    history = scene.history
    fresh = {s.instance for s in history.sources(Node) if s.fresh}
    kinds: tuple[type[Node | Namespace | Workload], ...] = (Node, Namespace, Workload)
    clusters = {held.reading.cluster for kind in kinds for held in history.readings(kind) if held.source in fresh}
    return ((cluster, state) for cluster in clusters for state in NodeState)


def _waiting(_scene: Scene, _source: SourceState, held: Held[PodsWaiting]) -> Iterator[Share]:
    """Pods that wait in a cluster, 0 where none does."""
    yield Share((held.reading.cluster,), held.reading.waiting)


def _measured(scene: Scene, _source: SourceState, held: Held[CloudCluster]) -> Iterator[Share]:
    """Whether a configured source has read a cluster that signs its tokens by the same name.

    One of which the cloud tells no such name yet (it is being created) is left out. A source that fails stays the one
    that measures its cluster: that it fails is told elsewhere.
    """
    one, history = held.reading, scene.history
    if one.issuer:
        configured = {source.instance for source in history.sources(ClusterIssuer)}
        told = (other for other in history.readings(ClusterIssuer) if other.source in configured)
        labels = (one.provider, one.account, one.region, one.name, one.version)
        yield Share(labels, float(any(other.reading.issuer == one.issuer for other in told)))


NODES = census(CLUSTER_NODES, Node, _nodes, known=_clusters, reads=frozenset({Namespace, Workload}))
WAITING = census(PODS_WAITING, PodsWaiting, _waiting)
MEASURED = census(
    CLUSTER_MEASURED,
    CloudCluster,
    _measured,
    once=lambda _source, cluster: cluster.about.id,
    reads=frozenset({ClusterIssuer}),
)
"""A cluster that two sources list is one."""

MEASURES = Measures(
    standing=(
        Counting(event=PodStarted, metrics=(POD_START,), count=count_pod_start),
        Counting(event=PodNeverReady, metrics=(PODS_NEVER_READY,), count=count_never_ready),
        Counting(event=ApiRequests, metrics=(CLUSTER_API_REQUESTS,), count=count_requests),
        WAITING,
        NODES,
        MEASURED,
    )
)
