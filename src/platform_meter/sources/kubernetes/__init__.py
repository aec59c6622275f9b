"""Kubernetes: inventory, pod starts, node readiness and a probe of the API, by list and watch alone.

Streams: one watch per resource (namespaces, deployments, statefulsets, daemonsets, cronjobs, pods), and the polls
`nodes`, `waiting`, `readyz` and, where settings switch them on, `apiserver` and one for each practice. EKS and GKE differ in how one gets in, not in what is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from platform_meter.model.facts import Fact, Reading, Ref
from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult
from platform_meter.model.facts.kubernetes import (
    ApiLatency,
    ApiRequests,
    ClusterIssuer,
    Namespace,
    Node,
    PodNeverReady,
    PodStarted,
    PodsWaiting,
    Workload,
)
from platform_meter.model.facts.practices import GoldenImage
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.scalars import Duration, Period
from platform_meter.model.source import Area, Outside, Page, Source, Stream
from platform_meter.sources.kit.clusters import ClusterConfig, access, at_least, lacking, missing
from platform_meter.sources.kit.health import probed
from platform_meter.sources.kit.kubernetes_objects import Resource, Thing
from platform_meter.sources.kit.list_watch import MakesSayer, Watched, pages
from platform_meter.sources.kit.parents import OWNED, Parents
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sayers import Inventory
from platform_meter.sources.kit.workloads import SYSTEM
from platform_meter.sources.kubernetes import apiserver, issuer, rollouts, rows
from platform_meter.sources.kubernetes.practices import KINDS as PRACTICES
from platform_meter.sources.kubernetes.practices import installed, known, streams_of
from platform_meter.sources.kubernetes.practices.covered import KINDS as WORKLOADS
from platform_meter.sources.kubernetes.practices.covered import NAMESPACES, Kind
from platform_meter.sources.kubernetes.practices.declared import golden
from platform_meter.sources.kubernetes.sayers import PodStarts

T = TypeVar("T", bound=Thing)
PROBE_SECONDS = 5.0
"""A probe without an answer for so long has timed out."""
NODES_EVERY = timedelta(minutes=1)
"""Time between two looks at nodes, and at pods that wait."""
PENDING = "status.phase=Pending,spec.nodeName!="
"""Pods that have a node and whose containers have not all started, as a selector of fields."""
LOOK = timedelta(seconds=90)
"""A look at the nodes tells of the minutes that ended so long before it: looks come about once a minute, never on it."""


class Config(ClusterConfig):
    """Settings of one cluster."""

    probe: Annotated[Duration, AfterValidator(partial(at_least, timedelta(seconds=10), "10s"))] = timedelta(seconds=30)
    """Time between two probes of `/readyz`."""
    start_limit: Period = timedelta(hours=1)
    """A pod that becomes ready later than this after its creation is not taken as one that starts."""
    ready_within: Period = timedelta(minutes=10)
    """A pod that has had its node for longer than this waits, and is one that never became ready if it is taken away so."""
    rollouts: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    """Environments by globs of namespaces, the first that fits: where another image that a workload runs is a deployment."""
    api_requests: bool = False
    """Whether the API server's own `/metrics` is read each `every`. Large clusters have pages of many megabytes, and
    the role must allow it."""
    practices: tuple[Annotated[str, AfterValidator(known)], ...] = ()
    """What is told that covers workloads (autoscalers, policies): words of `PRACTICES`."""
    golden_images: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Globs of images, or of the bases that workloads name: those whose images all fit are told."""

    @property
    def covering(self) -> tuple[Kind, ...]:
        """The practices that are told."""
        kinds = tuple(PRACTICES[word] for word in dict.fromkeys(self.practices))
        return (*kinds, golden(self.golden_images)) if self.golden_images else kinds


PODS = Resource(name="pods")
NODES = Resource(name="nodes", verbs=("list",))
CONTROLLERS: tuple[tuple[Resource, str, type[rollouts.Rolled] | None], ...] = (
    (WORKLOADS["Deployment"], "Deployment", rollouts.RolledReplicated),
    (WORKLOADS["StatefulSet"], "StatefulSet", rollouts.RolledReplicated),
    (WORKLOADS["DaemonSet"], "DaemonSet", rollouts.RolledDaemonSet),
    (WORKLOADS["CronJob"], "CronJob", None),
)
"""Workloads: where they are served, their kind, and what is read of those that roll out images."""
RESOURCES = (NAMESPACES, *(resource for resource, *_ in CONTROLLERS), PODS, NODES, *OWNED.values())


def connect(
    config: Config, outside: Outside, instance: str, clock: Callable[[], float] = time.perf_counter
) -> Sequence[Stream]:
    """Streams of one cluster. `clock` is a stopwatch for probes (seconds from any origin), not the time of day."""
    del instance
    cluster, keep, parents = config.cluster, config.kept_labels, Parents(outside, config.page_size)

    def watch(resource: Resource, shape: type[T], sayer: MakesSayer[T], *gives: type[Fact]) -> Stream:
        return Watched(
            resource=resource,
            shape=shape,
            sayer=sayer,
            outside=outside,
            gives=frozenset(gives),
            resync=config.resync,
            page_size=config.page_size,
        ).stream

    def inventory(
        resource: Resource, shape: type[T], kind: type[Reading], row: Callable[[T], Reading | None]
    ) -> Stream:
        return watch(resource, shape, lambda *_: Inventory(row=row, complete=frozenset({kind})), kind)

    def space(thing: rows.Space) -> Namespace | None:
        return None if config.skips(thing.metadata.name) else rows.namespace(thing, cluster, keep)

    def controller(kind: str, thing: rows.Controller) -> Workload | None:
        return None if config.skips(thing.metadata.namespace) else rows.workload(thing, kind, cluster, keep)

    def workloads(resource: Resource, kind: str, rolled: type[rollouts.Rolled] | None) -> Stream:
        if rolled is None or not config.rollouts:
            return inventory(resource, rows.Controller, Workload, partial(controller, kind))

        def told(thing: rollouts.Rolled, result: DeployResult, at: datetime, how: DeployKind) -> Deployment | None:
            space = thing.metadata.namespace
            found = rollouts.environment(tuple(config.rollouts.items()), space)
            if found is None or config.skips(space):
                return None
            return rollouts.deployment(thing, (result, at, how), (cluster, kind, found), keep)

        def sayer(waiting: tuple[str, ...], _since: datetime) -> rollouts.Rollouts[rollouts.Rolled]:
            held = Inventory(row=partial(controller, kind), complete=frozenset({Workload}))
            return rollouts.Rollouts(inventory=held, told=told, before=waiting)

        return watch(resource, rolled, sayer, Workload, Deployment)

    def start(pod: rows.Pod) -> PodStarted | None:
        skipped = config.skips(pod.metadata.namespace)
        return None if skipped else rows.pod_started(pod, cluster, keep, config.start_limit, parents.of)

    def never(pod: rows.Pod) -> PodNeverReady | None:
        skipped = config.skips(pod.metadata.namespace)
        return None if skipped else rows.never_ready(pod, cluster, keep, config.ready_within, parents.of)

    return (
        inventory(NAMESPACES, rows.Space, Namespace, space),
        *(workloads(*one) for one in CONTROLLERS),
        watch(PODS, rows.Pod, partial(PodStarts, start, never), PodStarted, PodNeverReady),
        Stream(
            name="nodes",
            read=lambda _checkpoint, _since, now: Sieve.over(outside, lambda sieve: _nodes(config, sieve, now)),
            gives=frozenset({Node, SliCount}),
            every=NODES_EVERY,
        ),
        Stream(
            name="waiting",
            read=lambda _checkpoint, _since, now: Sieve.over(outside, lambda sieve: _waiting(config, sieve, now)),
            gives=frozenset({PodsWaiting}),
            every=NODES_EVERY,
        ),
        Stream(
            name="readyz",
            read=partial(_readyz, config, outside, clock=clock),
            gives=frozenset({ProbeCheck}),
            every=config.probe,
            probe=True,
        ),
        Stream(
            name="issuer",
            read=lambda _checkpoint, _since, _now: Sieve.over(
                outside, lambda sieve: issuer.read(config.cluster, sieve)
            ),
            gives=frozenset({ClusterIssuer}),
            every=issuer.EVERY,
        ),
        *((_apiserver(config, outside),) if config.api_requests else ()),
        *streams_of(config.covering, config, outside),
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


def _waiting(config: Config, outside: Outside, now: datetime) -> Iterator[Page]:
    """How many pods wait for their containers to start."""
    found: dict[str, rows.Pod] = {}
    begun = 0
    for page, beginning in pages(outside, PODS.only_path, rows.Pod, config.page_size, fields=PENDING):
        if beginning != begun:
            found, begun = {}, beginning
        found.update((pod.metadata.uid, pod) for pod in page.items or () if not config.skips(pod.metadata.namespace))
    reading = rows.waiting(found.values(), config.cluster, config.ready_within, now)
    yield Page(facts=(reading,), complete=frozenset({PodsWaiting}))


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
    """One probe. Raises as `probed`."""
    del checkpoint, since
    begun = clock()
    lacks = missing("get", "nonResourceURL /readyz")
    result = probed(outside, "/readyz", timeout=PROBE_SECONDS, sound=lambda text: text.strip() == "ok", lacks=lacks)
    took = clock() - begun
    target = f"{config.cluster}/readyz"
    check = ProbeCheck(
        key=f"readyz/{_floor(now, config.probe):%Y-%m-%dT%H:%M:%SZ}",
        at=now,
        about=Ref(system=SYSTEM, kind="cluster", id=config.cluster),
        target=target,
        result=result,
        seconds=took,
    )
    yield Page(facts=(check,))


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Try every call that the streams make, small; one line for each verb and resource that RBAC refuses."""
    status, _ = outside.text("/readyz", timeout=PROBE_SECONDS)
    if status == 401:
        return ["the API server does not accept the credential (401); it has expired or belongs to another cluster"]
    problems = [missing("get", "nonResourceURL /readyz")] if status == 403 else []
    if outside.text(issuer.PATH)[0] == 403:
        problems.append(issuer.ADVICE)
    if config.api_requests and not apiserver.may_read(outside):
        problems.append(apiserver.ADVICE)
    return [*problems, *lacking(outside, (*RESOURCES, *installed(outside, config.covering)))]


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
    area=Area.CLUSTERS,
    reads="namespaces, workloads, nodes and pods by list and watch, a probe of `/readyz`, on request `/metrics`",
    needs="the ClusterRole of `deploy/kubernetes/rbac.yaml`: `list` and `watch`, nothing else",
    config=Config,
    gives=frozenset(
        {
            ClusterIssuer,
            Namespace,
            Workload,
            Deployment,
            Node,
            PodStarted,
            PodNeverReady,
            PodsWaiting,
            ProbeCheck,
            SliCount,
            ApiRequests,
            ApiLatency,
            GoldenImage,
            *(kind.fact for kind in PRACTICES.values()),
        }
    ),
    access=access,
    connect=connect,
    check=check,
    targets=lambda config, _: {f"{config.cluster}/readyz"},
    propose=propose,
)
