"""Kubernetes: inventory, pod starts, node readiness and a probe of the API, by list and watch alone.

Streams: one watch per resource (namespaces, deployments, statefulsets, daemonsets, cronjobs, pods), and the polls
`nodes` and `readyz`. EKS and GKE differ in how one gets in, not in what is read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import Annotated, Any, Self

import msgspec
from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.facts import Fact, Reading, Ref
from platform_meter.model.facts.kubernetes import Namespace, Node, PodStarted, ProbeCheck, ProbeResult, Workload
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Proposal, Settings, Surroundings
from platform_meter.model.scalars import Address, Duration, LocalPath, Period
from platform_meter.model.source import (
    Access,
    InCluster,
    Kubeconfig,
    Mode,
    Outside,
    Page,
    Refused,
    Secret,
    Source,
    SourceConfig,
    Stream,
    TimedOut,
    Token,
    Unreachable,
)
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kubernetes import rows
from platform_meter.sources.kubernetes.sayers import Inventory, PodStarts
from platform_meter.sources.kubernetes.watch import WATCH_SECONDS, Watched, pages

PROBE_SECONDS = 5.0
"""A probe without an answer for so long has timed out."""
NODES_EVERY = timedelta(minutes=1)
LOOK = timedelta(seconds=90)
"""A look at the nodes tells of the minutes that ended so long before it: looks come about once a minute, never on it."""


def is_name(text: str) -> str:
    """A cluster's name, as ids of objects begin with it.

    Raises:
        ValueError: it holds a slash or a blank, or is empty.
    """
    if not re.fullmatch(r"[^/\s]+", text):
        raise ValueError(f"'{text}' can't name a cluster; write a name without slashes and blanks, such as eu-prod")
    return text


def at_least(shortest: timedelta, text: str, value: timedelta) -> timedelta:
    """A time between two looks at the cluster that the cluster can bear.

    Raises:
        ValueError: a shorter one.
    """
    if value < shortest:
        raise ValueError(f"shorter than {text}; write {text} or more")
    return value


class Config(SourceConfig):
    """Settings of one cluster. Exactly one way in: `kubeconfig` and/or `context`, `in_cluster`, or `url` with `token`."""

    cluster: Annotated[str, AfterValidator(is_name)]
    """Name of the cluster: label `cluster` and first part of every object's id."""
    kubeconfig: LocalPath = ""
    """Path of a kubeconfig; empty with `context` set means the default one."""
    context: str = ""
    """Context in the kubeconfig; empty means its current one."""
    in_cluster: bool = False
    """Use the service account of the pod that the meter runs in."""
    url: Address = ""
    """Address of the API server."""
    token: Secret | None = None
    """Bearer token of a service account."""
    ca_file: LocalPath | None = None
    """Certificate authority of the API server."""
    labels: tuple[str, ...] = ()
    """More labels that say whose an object is (a team label)."""
    skip_namespaces: tuple[str, ...] = ()
    """Globs of namespaces to leave out. None by default: `kube-system` is somebody's too."""
    resync: Annotated[Duration, AfterValidator(partial(at_least, timedelta(minutes=5), "5m"))] = timedelta(hours=1)
    """How often inventory is listed again, so that nothing a watch may have lost stays wrong for longer."""
    probe: Annotated[Duration, AfterValidator(partial(at_least, timedelta(seconds=10), "10s"))] = timedelta(seconds=30)
    """Time between two probes of `/readyz`."""
    start_limit: Period = timedelta(hours=1)
    """A pod that becomes ready later than this after its creation is not taken as one that starts."""
    page_size: Annotated[int, Field(ge=1, le=5_000)] = 500
    """Objects in one page of a list."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = [bool(self.kubeconfig or self.context), self.in_cluster, bool(self.url)]
        if sum(ways) != 1:
            found = "more than one" if any(ways) else "none"
            raise ValueError(
                f"{found} of kubeconfig/context, in_cluster and url is set; write exactly one way in, "
                "for example `context: prod` or `in_cluster: true`"
            )
        if self.url and (self.token is None or not self.url.startswith("https://")):
            raise ValueError(
                "url needs https:// and a token; write `token: {file: PATH}` or `token: {env: NAME}` beside it"
            )
        if not self.url and (self.token is not None or self.ca_file is not None):
            raise ValueError(
                "token and ca_file go with url only: kubeconfig and in_cluster bring their own; remove them"
            )
        return self

    @property
    def kept_labels(self) -> tuple[str, ...]:
        return (*rows.OWNERSHIP_LABELS, *self.labels)

    def skips(self, namespace: str) -> bool:
        return any(fnmatchcase(namespace, glob) for glob in self.skip_namespaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of object in the API, and the verbs that reading it takes."""

    name: str
    group: str = ""
    verbs: tuple[str, ...] = ("list", "watch")

    @property
    def path(self) -> str:
        return f"/apis/{self.group}/v1/{self.name}" if self.group else f"/api/v1/{self.name}"


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

    def watch(
        resource: Resource, type_: type[Any], gives: type[Fact], sayer: Callable[[tuple[str, ...], datetime], Any]
    ) -> Stream:
        watched: Watched[Any] = Watched(
            path=resource.path,
            type=type_,
            sayer=sayer,
            outside=outside,
            resync=config.resync,
            page_size=config.page_size,
        )
        return Stream(
            name=resource.name,
            read=watched.read,
            gives=frozenset({gives}),
            mode=Mode.WATCH,
            every=timedelta(seconds=WATCH_SECONDS),
        )

    def inventory(
        kind: type[Reading], row: Callable[[Any], Reading | None]
    ) -> Callable[[tuple[str, ...], datetime], Inventory]:
        return lambda _waiting, _since: Inventory(row=row, complete=frozenset({kind}))

    def space(thing: rows.Thing) -> Namespace | None:
        return None if config.skips(thing.metadata.name) else rows.namespace(thing, cluster, keep)

    def controller(kind: str, thing: rows.Controller) -> Workload | None:
        return None if config.skips(thing.metadata.namespace) else rows.workload(thing, kind, cluster, keep)

    def start(pod: rows.Pod) -> PodStarted | None:
        skipped = config.skips(pod.metadata.namespace)
        return None if skipped else rows.pod_started(pod, cluster, keep, config.start_limit)

    return (
        watch(NAMESPACES, rows.Thing, Namespace, inventory(Namespace, space)),
        *(watch(r, type_, Workload, inventory(Workload, partial(controller, kind))) for r, kind, type_ in CONTROLLERS),
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
        ),
    )


def _floor(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of `step` in UTC at or before `moment`."""
    return moment - (moment - datetime(1970, 1, 1, tzinfo=UTC)) % step


def _nodes(config: Config, outside: Outside, now: datetime) -> Iterator[Page]:
    """Nodes as they stand, and the counts of node minutes that this look tells of."""
    nodes: dict[str, Node] = {}
    begun = 0
    for page, beginning in pages(outside, NODES.path, rows.ClusterNode, config.page_size):
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
    """
    del checkpoint, since
    begun = clock()
    try:
        status, text = outside.text("/readyz", timeout=PROBE_SECONDS)
    except TimedOut:
        result = ProbeResult.TIMEOUT
    except Unreachable:
        result = ProbeResult.ERROR
    else:
        if status in _REFUSALS:
            raise Refused(f"/readyz answered {status}: {_missing('get', 'nonResourceURL /readyz')}")
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


def _missing(verb: str, what: str) -> str:
    return f"the credential may not {verb} {what}; grant it as deploy/kubernetes/rbac.yaml does"


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Try every call that the streams make, small; one line for each verb and resource that RBAC refuses."""
    del config
    status, _ = outside.text("/readyz", timeout=PROBE_SECONDS)
    if status == 401:
        return ["the API server does not accept the credential (401); it has expired or belongs to another cluster"]
    problems = [_missing("get", "nonResourceURL /readyz")] if status == 403 else []
    for resource in RESOURCES:
        what = f'{resource.name} (apiGroups: ["{resource.group}"])'
        status, text = outside.text(resource.path, params={"limit": 1})
        if status != 200:
            problems.append(
                _missing("list", what) if status == 403 else f"{resource.path} answered {status}: {text[:200]}"
            )
            continue
        if "watch" not in resource.verbs:
            continue
        version = msgspec.json.decode(text, type=rows.Listing[rows.Thing]).metadata.resource_version
        # A watch from the list's own version has nothing to say; the server ends it after its one second.
        params = {"watch": "true", "timeoutSeconds": 1, "resourceVersion": version}
        status, _ = outside.text(resource.path, params=params)
        if status == 403:
            problems.append(_missing("watch", what))
    return problems


def access(config: Config) -> Access:
    if config.in_cluster:
        return Access(credential=InCluster())
    if config.token is not None:
        return Access(url=config.url, credential=Token(secret=config.token), ca_file=config.ca_file)
    return Access(credential=Kubeconfig(path=config.kubeconfig, context=config.context))


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
    reads="namespaces, workloads, nodes and pods by list and watch, a probe of `/readyz`",
    needs="the ClusterRole of `deploy/kubernetes/rbac.yaml`: `list` and `watch`, nothing else",
    config=Config,
    gives=frozenset({Namespace, Workload, Node, PodStarted, ProbeCheck, SliCount}),
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)
