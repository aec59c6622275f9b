"""Facts of clusters (domain section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally
from platform_meter.model.facts.slis import SliCount, SliDim, Verdict, good_and_bad, told_count
from platform_meter.model.objective import Countable, StoredSli


class Provider(StrEnum):
    EKS = "eks"
    GKE = "gke"


class NodeState(StrEnum):
    READY = "ready"
    NOT_READY = "not_ready"
    CORDONED = "cordoned"


class VerbClass(StrEnum):
    READ = "read"
    """Of one object."""
    LIST = "list"
    WRITE = "write"


class ApiRequestDim(NamedTuple):
    """What requests of an API server are tallied by: good and bad apart."""

    cluster: str
    verb_class: VerbClass
    verdict: Verdict


class PodStartDim(NamedTuple):
    """What pod starts are tallied by: who owns the pod, and the smallest bucket bound that holds its seconds."""

    owner_kind: str
    bucket: str
    """As written in `le`; `+Inf` past the last bound."""

    def within(self, seconds: float) -> bool:
        """Whether these pods were Ready in so many seconds; exact at each bound."""
        return float(self.bucket) <= seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStarted(Tallied[PodStartDim]):
    """A pod became Ready for the first time. `seconds` is creation to Ready, image pull included (user-felt)."""

    cluster: str
    owner_kind: str
    """One of deployment, statefulset, daemonset, job, other."""
    seconds: float

    def tallies(self) -> tuple[Tally[PodStartDim], ...]:
        return (Tally(dim=PodStartDim(self.owner_kind, pod_start_bucket(self.seconds)), amount=self.seconds),)


class NeverReadyDim(NamedTuple):
    """What pods that never became ready are tallied by."""

    owner_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNeverReady(Tallied[NeverReadyDim]):
    """A pod was taken away that never became Ready, though it had its node for longer than a limit.

    No part of pod starts: it has none, so nothing says how long one would have taken. `seconds` is creation to end.
    """

    cluster: str
    owner_kind: str
    """As that of PodStarted."""
    seconds: float

    def tallies(self) -> tuple[Tally[NeverReadyDim], ...]:
        return (Tally(dim=NeverReadyDim(self.owner_kind), amount=self.seconds),)


POD_START_BUCKETS = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds, inclusive; the metric and the rollup share them, so a latency SLO is exact at each."""


def pod_start_bucket(seconds: float) -> str:
    """The smallest bucket bound that holds `seconds`, as it is written in `le`."""
    for bound in POD_START_BUCKETS:
        if seconds <= bound:
            return f"{bound:g}"
    return "+Inf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequests(Tallied[ApiRequestDim]):
    """Requests that an API server answered until `at`, since it was asked before; it counted them itself.

    Bad is 5xx and 429; WATCH and CONNECT are left out (domain section 8).
    """

    elsewhere: ClassVar = True

    cluster: str
    verb_class: VerbClass
    good: float
    bad: float

    def tallies(self) -> tuple[Tally[ApiRequestDim], ...]:
        return good_and_bad(partial(ApiRequestDim, self.cluster, self.verb_class), self.good, self.bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiLatency(Tallied[ApiRequestDim]):
    """Requests that an API server was done with in time or late until `at`, since it was asked before.

    In time is 1 s, for lists 30 s (domain section 8); what its webhooks took is not its own.
    """

    elsewhere: ClassVar = True

    cluster: str
    verb_class: VerbClass
    good: float
    bad: float

    def tallies(self) -> tuple[Tally[ApiRequestDim], ...]:
        return good_and_bad(partial(ApiRequestDim, self.cluster, self.verb_class), self.good, self.bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(Reading):
    """A controller in a cluster. `about.id` is cluster/namespace/kind/name.

    How many pods it wants and has is nothing that is measured, and would be a new version of it with each pod.
    """

    cluster: str
    namespace: str
    workload_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace(Reading):
    cluster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Reading):
    cluster: str
    state: NodeState


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterIssuer(Reading):
    """By which name a cluster that is read signs its tokens: one of its own in every cluster of a cloud."""

    cluster: str
    issuer: str
    """An address, without a slash at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudCluster(Reading):
    """A cluster that a cloud runs for the company. `about.id` is provider/account/region/name."""

    provider: Provider
    account: str
    """Number of the account, or id of the project."""
    region: str
    """Or the zone."""
    name: str
    version: str
    """Of Kubernetes, as the cloud writes it."""
    issuer: str
    """As of ClusterIssuer; empty where the cloud tells none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodsWaiting(Reading):
    """How many pods of a cluster have had their node for longer than a limit while their containers have not all started."""

    cluster: str
    waiting: int


def _started(sli: StoredSli, dim: PodStartDim) -> bool:
    return sli.threshold is not None and dim.within(sli.threshold)


def _told_pod(pod: PodStarted) -> tuple[str, str]:
    return pod.about.id, f"ready after {pod.seconds:,.0f} s"


POD_STARTS = Countable(
    word="pod_starts",
    event=PodStarted,
    where=("cluster",),
    by_object=True,
    belongs=lambda sli, pod: sli.takes("cluster", pod.cluster),
    thresholds=POD_START_BUCKETS,
    good=_started,
    told=_told_pod,
)

NODE_READY = "node-ready"
"""The SliCounts of ready node-minutes of node-minutes are named `<cluster>/node-ready`."""


def _ready(sli: StoredSli, dim: SliDim) -> bool | None:
    cluster, _, name = dim.sli.rpartition("/")
    return dim.verdict is Verdict.GOOD if name == NODE_READY and sli.takes("cluster", cluster) else None


NODE_MINUTES = Countable(
    word="node_minutes",
    event=SliCount,
    where=("cluster",),
    required=("cluster",),
    good=_ready,
    told=told_count,
)


def _served(sli: StoredSli, dim: ApiRequestDim) -> bool | None:
    taken = sli.takes("cluster", dim.cluster) and sli.takes("verb_class", dim.verb_class)
    return dim.verdict is Verdict.GOOD if taken else None


def _told_requests(counted: ApiRequests | ApiLatency) -> tuple[str, str]:
    total, word = counted.good + counted.bad, "bad" if isinstance(counted, ApiRequests) else "late"
    return f"{counted.cluster} {counted.verb_class}", f"{counted.bad:,.6g} of {total:,.6g} {word}"


API_REQUESTS = Countable(
    word="api_requests",
    event=ApiRequests,
    where=("cluster", "verb_class"),
    good=_served,
    told=_told_requests,
)

API_LATENCY = Countable(
    word="api_latency",
    event=ApiLatency,
    where=("cluster", "verb_class"),
    called="timed requests",
    good=_served,
    told=_told_requests,
)

FACTS = Facts(
    events=(PodStarted, PodNeverReady, ApiRequests, ApiLatency),
    readings=(Workload, Namespace, Node, PodsWaiting, ClusterIssuer, CloudCluster),
)
