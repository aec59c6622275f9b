"""What covers the workloads of a cluster, and how GitOps stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from platform_meter.measures.adoption.standing import KINDS
from platform_meter.model.facts.gitops import GitopsApp, GitopsSync, Health, SyncResult, SyncState
from platform_meter.model.facts.practices import (
    AdmissionPolicy,
    ArgoDestination,
    Autoscaler,
    DisruptionBudget,
    GatewayRoute,
    GoldenImage,
    MeshInjection,
    Monitor,
    NetworkPolicy,
    PolicyReport,
    Practice,
    Quota,
)
from platform_meter.web.pages.clusters.seen import Cluster
from platform_meter.web.related import given, tallied
from platform_meter.web.view import View, lacking

SCALED = frozenset({"Deployment", "StatefulSet"})
"""Kinds of workload that an autoscaler can scale."""
CALLED: Mapping[type[Practice], str] = {
    GoldenImage: "runs golden images alone",
    Autoscaler: "is scaled by an autoscaler",
    DisruptionBudget: "has a disruption budget",
    Quota: "is under a quota",
    NetworkPolicy: "is under a network policy",
    AdmissionPolicy: "is held to an admission policy",
    PolicyReport: "passes a policy",
    Monitor: "has a monitor",
    GatewayRoute: "is reached by a Gateway API route",
    MeshInjection: "is to be injected into a mesh",
    ArgoDestination: "is managed by Argo CD",
}
SHOWN = 10
"""Rows of a table, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How many of the workloads that one practice can cover it covers."""

    called: str
    covered: int | None
    """None where it is not told."""
    of: int | None
    why: str
    """Why there is no number."""
    capability: str
    """Id of a Capability that counts it, so that its page tells more; empty where none does."""

    @property
    def share(self) -> float | None:
        return self.covered / self.of if self.of and self.covered is not None else None


def evidence(view: View, cluster: Cluster) -> list[Evidence]:
    """One for each practice that a source of the cluster tells."""
    capabilities = {KINDS.get((cap.adopted.count or "").lower()): cap.id for cap in view.definitions.capabilities}
    found = []
    for kind, called in CALLED.items():
        telling = [s for s in view.history.sources(kind) if s.instance in cluster.sources]
        if not telling:
            continue
        why = lacking(telling, "") or ("" if cluster.workloads is not None else "no workloads are read")
        covered = of = None
        if not why:
            objects = {
                w.object for w in cluster.workloads or () if kind is not Autoscaler or w.reading.workload_kind in SCALED
            }
            names = (held for s in telling for held in view.history.readings(kind, source=s.instance))
            covered = len({held.object for held in names if held.reading.cluster == cluster.name} & objects)
            of = len(objects)
        capability = capabilities.get(kind, "")
        found.append(Evidence(called=called, covered=covered, of=of, why=why, capability=capability))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwell:
    """An application that does not stand as it should."""

    name: str
    team: str
    sync: str
    health: str
    since: datetime
    """When its health became so; where that is not told, since when we see it so."""

    @property
    def level(self) -> str:
        return "bad" if self.health in (Health.DEGRADED, Health.MISSING) else "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gitops:
    """Applications whose destination is a cluster."""

    apps: int
    well: int
    """In sync and healthy."""
    automatic: int
    """Those that sync by themselves."""
    unwell: Sequence[Unwell]
    """The worst first."""
    syncs: Mapping[SyncResult, int]
    """Ended in the window, dry runs left out."""


def gitops(view: View, cluster: str, window: timedelta) -> Gitops | None:
    """None where no fresh source tells of any application in this cluster."""
    known = {s.instance for s in view.history.sources(GitopsApp)}
    fresh = {s.instance for s in given(view, GitopsApp, known)}
    standing = [h for h in view.history.readings(GitopsApp) if h.source in fresh and h.reading.cluster == cluster]
    if not standing:
        return None
    ill = [h for h in standing if h.reading.sync is not SyncState.SYNCED or h.reading.health is not Health.HEALTHY]
    unwell = [
        Unwell(
            name=held.reading.about.id,
            team=view.history.owner(held.object).team,
            sync=held.reading.sync.replace("_", " "),
            health=held.reading.health,
            since=held.reading.health_since or held.start,
        )
        for held in ill
    ]
    syncs = Counter[SyncResult]()
    for _, dim, count in tallied(view, GitopsSync, known, window):
        if dim.cluster == cluster and dim.dry_run == "false":
            syncs[dim.result] += count.n
    return Gitops(
        apps=len(standing),
        well=len(standing) - len(ill),
        automatic=sum(h.reading.auto_sync for h in standing),
        unwell=sorted(unwell, key=lambda app: (app.level != "bad", app.since, app.name)),
        syncs=syncs,
    )
