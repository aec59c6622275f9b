"""Facts of clusters and of our own probes (domain section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from platform_meter.model.facts import Event, Facts, Reading, Tally


class ProbeResult(StrEnum):
    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"


class NodeState(StrEnum):
    READY = "ready"
    NOT_READY = "not_ready"
    CORDONED = "cordoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStarted(Event):
    """A pod became Ready for the first time. `seconds` is creation to Ready, image pull included (user-felt)."""

    cluster: str
    owner_kind: str
    """One of deployment, statefulset, daemonset, job, other."""
    seconds: float

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=f"{self.owner_kind}|{pod_start_bucket(self.seconds)}", amount=self.seconds),)


POD_START_BUCKETS = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds, inclusive; the metric and the rollup share them, so a latency SLO is exact at each."""


def pod_start_bucket(seconds: float) -> str:
    """The smallest bucket bound that holds `seconds`, as it is written in `le`."""
    for bound in POD_START_BUCKETS:
        if seconds <= bound:
            return f"{bound:g}"
    return "+Inf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheck(Event):
    """One check by our own probe. `target` is bounded by configuration (`cluster-eu/readyz`)."""

    target: str
    result: ProbeResult
    seconds: float

    def tallies(self) -> tuple[Tally, ...]:
        return (Tally(dim=f"{self.target}|{self.result}", amount=self.seconds),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(Reading):
    """A controller in a cluster. `about.id` is cluster/namespace/kind/name."""

    cluster: str
    namespace: str
    workload_kind: str
    wanted: int
    ready: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace(Reading):
    cluster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Reading):
    cluster: str
    state: NodeState


FACTS = Facts(events=(PodStarted, ProbeCheck), readings=(Workload, Namespace, Node))
