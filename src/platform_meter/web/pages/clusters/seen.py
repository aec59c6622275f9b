"""Which clusters there are, and what is known of one: how its API answered, how its pods started, whose its workloads are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.model.catalogue.kubernetes import CLUSTER_NODES, PODS_WAITING
from platform_meter.model.facts.kubernetes import (
    ApiLatency,
    ApiRequests,
    Namespace,
    Node,
    NodeState,
    PodNeverReady,
    PodStarted,
    VerbClass,
    Workload,
)
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult
from platform_meter.model.facts.slis import Verdict
from platform_meter.model.history import Held
from platform_meter.model.metric import UNOWNED
from platform_meter.web.bounds import ENOUGH, Took
from platform_meter.web.related import given, tallied
from platform_meter.web.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster that is read, or was."""

    name: str
    sources: frozenset[str]
    """Configured ones that anything in it is known by."""
    workloads: Sequence[Held[Workload]] | None
    """As they stand; None where no fresh source tells it."""
    teams: Counter[str]
    """Workloads by owner."""

    @property
    def target(self) -> str:
        """What probes of its API are called."""
        return f"{self.name}/readyz"

    @property
    def unowned(self) -> float | None:
        """Share of its workloads; None without any."""
        return self.teams[UNOWNED] / self.teams.total() if self.teams else None


def clusters(view: View) -> list[Cluster]:
    """All that anything stands in, by name."""
    history = view.history
    configured = {s.instance for s in history.sources()}
    fresh = {s.instance for s in history.sources(Workload) if s.fresh and s.watermark is not None}
    sources, workloads = defaultdict[str, set[str]](set), defaultdict[str, list[Held[Workload]]](list)
    kinds: tuple[type[Node | Namespace], ...] = (Node, Namespace)
    for kind in kinds:
        for held in history.readings(kind):
            if held.source in configured:
                sources[held.reading.cluster].add(held.source)
    for standing in history.readings(Workload):
        if standing.source in configured:
            sources[standing.reading.cluster].add(standing.source)
            if standing.source in fresh:
                workloads[standing.reading.cluster].append(standing)
    return [
        Cluster(
            name=name,
            sources=frozenset(there),
            workloads=workloads[name] if there & fresh else None,
            teams=Counter(history.owner(w.object).team for w in workloads[name]),
        )
        for name, there in sorted(sources.items())
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Probes of the API."""

    ok: int
    all: int

    @property
    def share(self) -> float | None:
        return self.ok / self.all if self.all >= ENOUGH else None


def checks(view: View, cluster: Cluster, window: timedelta) -> Checks:
    found = Counter[ProbeResult]()
    for _, dim, count in tallied(view, ProbeCheck, cluster.sources, window):
        if dim.target == cluster.target:
            found[dim.result] += count.n
    return Checks(ok=found[ProbeResult.OK], all=found.total())


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the API server counted of one class of verbs; None where it counted none."""

    verbs: VerbClass
    requests: float
    failed: float | None
    late: float | None


def served(view: View, cluster: Cluster, window: timedelta) -> list[Served]:
    """By class of verbs, where the API server's own numbers are read."""
    answered, timed = defaultdict[tuple[str, str], float](float), defaultdict[tuple[str, str], float](float)
    for into, kind in ((answered, ApiRequests), (timed, ApiLatency)):
        for _, dim, count in tallied(view, kind, cluster.sources, window):
            into[dim.verb_class, dim.verdict] += count.amount
    told = {verbs for verbs, _ in (*answered, *timed)}
    return [
        Served(
            verbs=verbs,
            requests=answered.get((verbs, Verdict.GOOD), 0.0) + answered.get((verbs, Verdict.BAD), 0.0),
            failed=_bad(answered, verbs),
            late=_bad(timed, verbs),
        )
        for verbs in VerbClass
        if verbs in told
    ]


def _bad(counted: Mapping[tuple[str, str], float], verbs: VerbClass) -> float | None:
    bad, good = counted.get((verbs, Verdict.BAD), 0.0), counted.get((verbs, Verdict.GOOD), 0.0)
    return bad / (good + bad) if good + bad >= ENOUGH else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Pods of one kind of owner, or of all: those that started, and those that never became ready."""

    took: Took
    never: int | None
    """None where nobody tells it."""


def starts(view: View, cluster: Cluster, window: timedelta) -> Mapping[str, Starts]:
    """By kind of owner; of all under the empty word."""
    took, never = defaultdict[str, Took](Took), Counter[str]()
    for _, dim, count in tallied(view, PodStarted, cluster.sources, window):
        for kind in ("", dim.owner_kind):
            took[kind].add(dim.bucket, count.n)
    for _, lost, count in tallied(view, PodNeverReady, cluster.sources, window):
        for kind in ("", lost.owner_kind):
            never[kind] += count.n
    told = bool(given(view, PodNeverReady, cluster.sources))
    return {kind: Starts(took=took[kind], never=never[kind] if told else None) for kind in sorted({"", *took, *never})}


def nodes(view: View, cluster: str) -> Mapping[NodeState, float] | None:
    """Nodes by state, as of `/metrics`; None where nobody reads them."""
    found = {state: view.one(CLUSTER_NODES, cluster=cluster, state=state) for state in NodeState}
    told = {state: value for state, value in found.items() if value is not None}
    return told or None


def waiting(view: View, cluster: str) -> float | None:
    """Pods that wait now, as of `/metrics`."""
    return view.one(PODS_WAITING, cluster=cluster)
