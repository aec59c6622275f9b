"""Kubernetes: inventory, pod starts, node readiness and a probe of the API, by list and watch alone.

Streams: one watch per resource (namespaces, deployments, statefulsets, daemonsets, cronjobs, pods), and the polls
`nodes`, `readyz` and, where settings switch it on, `apiserver`. EKS and GKE differ in how one gets in, not in what is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, TypeVar

from pydantic import AfterValidator

from platform_meter.model.facts import Fact, Reading, Ref
from platform_meter.model.facts.kubernetes import (
    ApiLatency,
    ApiRequests,
    Namespace,
    Node,
    PodStarted,
    ProbeCheck,
    ProbeResult,
    Workload,
)
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.scalars import Duration, Period
from platform_meter.model.source import (
    Outside,
    Page,
    Refused,
    Severed,
    Source,
    Stream,
    TimedOut,
    Unreachable,
)
from platform_meter.sources.kit.clusters import ClusterConfig, access, at_least, lacking, missing
from platform_meter.sources.kit.kubernetes_objects import Resource, Thing
from platform_meter.sources.kit.list_watch import MakesSayer, Watched, pages
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sayers import Inventory
from platform_meter.sources.kubernetes import apiserver, rows
from platform_meter.sources.kubernetes.sayers import PodStarts

T = TypeVar("T", bound=Thing)
PROBE_SECONDS = 5.0
"""A probe without an answer for so long has timed out."""
NODES_EVERY = timedelta(minutes=1)
LOOK = timedelta(seconds=90)
"""A look at the nodes tells of the minutes that ended so long before it: looks come about once a minute, never on it."""


class Config(ClusterConfig):
    """Settings of one cluster."""

    probe: Annotated[Duration, AfterValidator(partial(at_least, timedelta(seconds=10), "10s"))] = timedelta(seconds=30)
    """Time between two probes of `/readyz`."""
    start_limit: Period = timedelta(hours=1)
    """A pod that becomes ready later than this after its creation is not taken as one that starts."""
    api_requests: bool = False
    """Whether the API server's own `/metrics` is read each `every`. Large clusters have pages of many megabytes, and
    the role must allow it."""


NAMESPACES = Resource(name="namespaces")
PODS = Resource(name="pods")
NODES = Resource(name="nodes", verbs=("list",))
CONTROLLERS: tuple[tuple[Resource, str, type[rows.Controller]], ...] = (
    (Resource(name="deployments", group="apps"), "Deployment", rows.Replicated),
    (Resource(name="statefulsets", group="apps"), "StatefulSet", rows.Replicated),
    (Resource(name="daemonsets", group="apps"), "DaemonSet", rows.DaemonSet),
    (Resource(name="cronjobs", group="batch"), "CronJob", rows.CronJob),
)
RESOURCES = (NAMESPACES, *(resource for resource, _, _ in CONTROLLERS), PODS, NODES)


def connect(
    config: Config, outside: Outside, instance: str, clock: Callable[[], float] = time.perf_counter
) -> Sequence[Stream]:
    """Streams of one cluster. `clock` is a stopwatch for probes (seconds from any origin), not the time of day."""
    del instance
    cluster, keep = config.cluster, config.kept_labels

    def watch(resource: Resource, shape: type[T], gives: type[Fact], sayer: MakesSayer[T]) -> Stream:
        return Watched(
            resource=resource,
            shape=shape,
            sayer=sayer,
            outside=outside,
            gives=frozenset({gives}),
            resync=config.resync,
            page_size=config.page_size,
        ).stream

    def inventory(
        resource: Resource, shape: type[T], kind: type[Reading], row: Callable[[T], Reading | None]
    ) -> Stream:
        return watch(resource, shape, kind, lambda *_: Inventory(row=row, complete=frozenset({kind})))

    def space(thing: rows.Space) -> Namespace | None:
        return None if config.skips(thing.metadata.name) else rows.namespace(thing, cluster, keep)

    def controller(kind: str, thing: rows.Controller) -> Workload | None:
        return None if config.skips(thing.metadata.namespace) else rows.workload(thing, kind, cluster, keep)

    def start(pod: rows.Pod) -> PodStarted | None:
        skipped = config.skips(pod.metadata.namespace)
        return None if skipped else rows.pod_started(pod, cluster, keep, config.start_limit)

    return (
        inventory(NAMESPACES, rows.Space, Namespace, space),
        *(inventory(r, shape, Workload, partial(controller, kind)) for r, kind, shape in CONTROLLERS),
        watch(PODS, rows.Pod, PodStarted, partial(PodStarts, start)),
        Stream(
            name="nodes",
            read=lambda _checkpoint, _since, now: Sieve.over(outside, lambda sieve: _nodes(config, sieve, now)),
            gives=frozenset({Node, SliCount}),
            every=NODES_EVERY,
        ),
        Stream(
            name="readyz",
            read=partial(_readyz, config, outside, clock=clock),
            gives=frozenset({ProbeCheck}),
            every=config.probe,
            probe=True,
        ),
        *((_apiserver(config, outside),) if config.api_requests else ()),
    )


def _apiserver(config: Config, outside: Outside) -> Stream:
    def read(checkpoint: bytes | None, _since: datetime, now: datetime) -> Iterator[Page]:
        return apiserver.read(config.cluster, config.every, outside, checkpoint, now)

    return Stream(name="apiserver", read=read, gives=frozenset({ApiRequests, ApiLatency}))


def _floor(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` in UTC at or before `moment`."""
    return moment - (moment - datetime(1970, 1, 1, tzinfo=UTC)) % step


def _nodes(config: Config, outside: Outside, now: datetime) -> Iterator[Page]:
    """Nodes as they stand, and the counts of node minutes that this look tells of."""
    nodes: dict[str, Node] = {}
    begun = 0
    for page, beginning in pages(outside, NODES.only_path, rows.ClusterNode, config.page_size):
        if beginning != begun:
            nodes, begun = {}, beginning
        found = (rows.node(thing, config.cluster, config.kept_labels) for thing in page.items or ())
        nodes.update((reading.key, reading) for reading in found)
    counts = (rows.node_minutes(nodes.values(), config.cluster, minute) for minute in minutes(now))
    yield Page(facts=(*nodes.values(), *(c for c in counts if c is not None)), complete=frozenset({Node}))


def minutes(now: datetime) -> tuple[datetime, ...]:
    """Ends of the minutes that a look at `now` tells of, oldest first.

    Polls are a minute and some seconds apart, so that now and then two minutes end between them, or none: a look says
    the last minute but one again where that is near enough, and the store keeps what was said of it first. Minutes
    further back stay unknown.
    """
    last = _floor(now, NODES_EVERY)
    return tuple(minute for minute in (last - NODES_EVERY, last) if now - minute < LOOK)


def _readyz(
    config: Config,
    outside: Outside,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
    *,
    clock: Callable[[], float],
) -> Iterator[Page]:
    """One probe. No answer is a fact about the cluster, not a failure of this source.

    Raises:
        Refused: 401 or 403: the server is up, and it is we who lack something.
        Severed: the call did not get as far as the cluster.
    """
    del checkpoint, since
    begun = clock()
    try:
        status, text = outside.text("/readyz", timeout=PROBE_SECONDS)
    except Severed:
        raise
    except TimedOut:
        result = ProbeResult.TIMEOUT
    except Unreachable:
        result = ProbeResult.ERROR
    else:
        if status in _REFUSALS:
            raise Refused(f"/readyz answered {status}: {missing('get', 'nonResourceURL /readyz')}")
        result = ProbeResult.OK if status == 200 and text.strip() == "ok" else ProbeResult.ERROR
    took = clock() - begun
    target = f"{config.cluster}/readyz"
    check = ProbeCheck(
        key=f"readyz/{_floor(now, config.probe):%Y-%m-%dT%H:%M:%SZ}",
        at=now,
        about=Ref(system=rows.SYSTEM, kind="cluster", id=config.cluster),
        target=target,
        result=result,
        seconds=took,
    )
    yield Page(facts=(check,))


_REFUSALS = (401, 403)


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Try every call that the streams make, small; one line for each verb and resource that RBAC refuses."""
    status, _ = outside.text("/readyz", timeout=PROBE_SECONDS)
    if status == 401:
        return ["the API server does not accept the credential (401); it has expired or belongs to another cluster"]
    problems = [missing("get", "nonResourceURL /readyz")] if status == 403 else []
    if config.api_requests and not apiserver.may_read(outside):
        problems.append(apiserver.ADVICE)
    return [*problems, *lacking(outside, RESOURCES)]


_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def propose(around: Surroundings) -> Proposal:
    """A section for each context of the kubeconfig, the current one's first; the cluster is called as the context."""
    found: dict[str, Settings] = {}
    for context in around.contexts:
        cluster = _UNFIT.sub("-", context).strip("-._") or "cluster"
        while f"kubernetes-{cluster}" in found:
            cluster += "-2"
        found[f"kubernetes-{cluster}"] = {"cluster": cluster, "context": context}
    return Proposal(
        about="Inventory, pod starts and API availability of each cluster; remove those that are not the platform's.",
        found=found,
        sample=("kubernetes", {"cluster": "prod", "context": "NAME"}),
        fill_in="of your kubeconfig",
    )


SOURCE = Source(
    name="kubernetes",
    title="Kubernetes",
    reads="namespaces, workloads, nodes and pods by list and watch, a probe of `/readyz`, on request `/metrics`",
    needs="the ClusterRole of `deploy/kubernetes/rbac.yaml`: `list` and `watch`, nothing else",
    config=Config,
    gives=frozenset({Namespace, Workload, Node, PodStarted, ProbeCheck, SliCount, ApiRequests, ApiLatency}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
