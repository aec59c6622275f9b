"""Clusters and our own probes: checks and their duration, pod start as users feel it, nodes, what the API server answered
(domain section 8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from platform_meter.model.catalogue.kubernetes import (
    CLUSTER_API_REQUESTS,
    CLUSTER_NODES,
    POD_START,
    PODS_NEVER_READY,
    PODS_WAITING,
    PROBE_CHECKS,
    PROBE_DURATION,
)
from platform_meter.model.facts.kubernetes import (
    ApiRequests,
    Namespace,
    Node,
    NodeState,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    ProbeCheck,
    Workload,
)
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Counting, Gauging, Measures, Scene
from platform_meter.model.metric import Increment, Sample


def count_probe(event: ProbeCheck, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    """One check and how long it took; a timeout took as long as we waited."""
    yield Increment(metric=PROBE_CHECKS, labels=(event.target, event.result))
    yield Increment(metric=PROBE_DURATION, labels=(event.target,), amount=event.seconds)


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


def nodes(scene: Scene) -> Iterator[Sample]:
    """Nodes of each cluster in every state, 0 where none is. A cluster is known by anything that stands in it."""
    history = scene.history
    fresh = {s.instance for s in history.sources(Node) if s.fresh}
    standing = [h for h in history.readings(Node) if h.source in fresh]
    counts = Counter((h.reading.cluster, h.reading.state) for h in standing)
    clusters = {h.reading.cluster for h in standing}
    clusters |= {h.reading.cluster for h in history.readings(Namespace) if h.source in fresh}
    clusters |= {h.reading.cluster for h in history.readings(Workload) if h.source in fresh}
    for cluster in sorted(clusters):
        for state in NodeState:
            value = float(counts[cluster, state])
            yield Sample(metric=CLUSTER_NODES, labels=(cluster, state), value=value)


def waiting(scene: Scene) -> Iterator[Sample]:
    """Pods that wait in each cluster, 0 where none does."""
    history = scene.history
    fresh = {s.instance for s in history.sources(PodsWaiting) if s.fresh}
    counts = Counter[str]()
    for held in history.readings(PodsWaiting):
        if held.source in fresh:
            counts[held.reading.cluster] += held.reading.waiting
    for cluster, value in sorted(counts.items()):
        yield Sample(metric=PODS_WAITING, labels=(cluster,), value=float(value))


MEASURES = Measures(
    standing=(
        Counting(event=ProbeCheck, metrics=(PROBE_CHECKS, PROBE_DURATION), count=count_probe),
        Counting(event=PodStarted, metrics=(POD_START,), count=count_pod_start),
        Counting(event=PodNeverReady, metrics=(PODS_NEVER_READY,), count=count_never_ready),
        Counting(event=ApiRequests, metrics=(CLUSTER_API_REQUESTS,), count=count_requests),
        Gauging(metrics=(PODS_WAITING,), reads=frozenset({PodsWaiting}), compute=waiting),
        Gauging(metrics=(CLUSTER_NODES,), reads=frozenset({Node, Namespace, Workload}), compute=nodes),
    )
)
