"""Facts of GitOps: operations that ended, how applications stand, how long changes took to be served (domain section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally, UseWord
from platform_meter.model.objective import Countable, StoredSli


class SyncResult(StrEnum):
    """How a sync ended."""

    SUCCESS = "success"
    FAILED = "failed"
    """The cluster did not take what was applied."""
    ERROR = "error"
    """It could not be begun."""


class SyncReason(StrEnum):
    """Why a sync did not succeed, as far as its message tells."""

    NONE = "none"
    """It did."""
    NOT_VALID = "not_valid"
    """What was to be applied is refused beforehand: an unknown kind, a project that does not allow it."""
    NOT_APPLIED = "not_applied"
    UNSUCCESSFUL = "unsuccessful"
    """It was applied and did not end well: a hook that failed, a wave that did not become healthy."""
    MANIFESTS = "manifests"
    """The desired state could not be made of its source."""
    UNREACHABLE = "unreachable"
    """The cluster or the repository did not answer."""
    TERMINATED = "terminated"
    """It was ended by a person or a time limit."""
    OTHER = "other"


class SyncState(StrEnum):
    SYNCED = "synced"
    OUT_OF_SYNC = "out_of_sync"
    UNKNOWN = "unknown"


class Health(StrEnum):
    HEALTHY = "healthy"
    PROGRESSING = "progressing"
    DEGRADED = "degraded"
    SUSPENDED = "suspended"
    MISSING = "missing"
    UNKNOWN = "unknown"


class RolloutResult(StrEnum):
    """How a progressive rollout ended."""

    PROMOTED = "promoted"
    ABORTED = "aborted"


class SyncDim(NamedTuple):
    """What syncs are tallied by."""

    result: SyncResult
    dry_run: str
    """`true` or `false`."""
    project: str
    cluster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GitopsSync(Tallied[SyncDim]):
    """One sync operation that ended, whatever it tried before; `at` is its end."""

    verb: ClassVar[str] = "synced"
    use_words: ClassVar = {
        "actor": UseWord(of="automated", values={"false": "person", "true": "automated"}),
        "dry_run": UseWord(of="dry_run", values={"false": "no", "true": "yes"}, unusual=frozenset({"yes"})),
        "project": UseWord(of="project"),
        "result": UseWord(
            of="result", values={str(r): str(r) for r in SyncResult}, unusual=frozenset({"failed", "error"})
        ),
    }

    result: SyncResult
    reason: SyncReason
    started: datetime
    revisions: tuple[str, ...]
    """What was synced, one for each source of the application; empty where it did not get so far."""
    automated: bool
    """Begun by the controller and not by a person."""
    dry_run: bool
    project: str
    cluster: str
    namespace: str
    committed: datetime | None = None
    """When the revision that moved was committed, where the system tells it."""

    def commits(self) -> tuple[str, ...]:
        return self.revisions

    def tallies(self) -> tuple[Tally[SyncDim], ...]:
        dim = SyncDim(self.result, "true" if self.dry_run else "false", self.project, self.cluster)
        return (Tally(dim=dim, amount=(self.at - self.started).total_seconds()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitopsApp(Reading):
    """How one application stands."""

    project: str
    cluster: str
    namespace: str
    auto_sync: bool
    sync: SyncState
    health: Health
    health_since: datetime | None = None
    """When its health became what it is; None where the system does not tell."""


class RolloutDim(NamedTuple):
    """What progressive rollouts are tallied by."""

    result: RolloutResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEnded(Tallied[RolloutDim]):
    """A progressive rollout of one version was promoted to all, or aborted."""

    result: RolloutResult
    version: str
    """Hash of its pod template."""

    def tallies(self) -> tuple[Tally[RolloutDim], ...]:
        return (Tally(dim=RolloutDim(self.result)),)


PROPAGATION_BUCKETS = (30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 14400.0)
"""Upper bounds in seconds, inclusive; the metric and the rollup share them, so an SLO is exact at each."""


class PropagationDim(NamedTuple):
    """What propagations are tallied by: the smallest bucket bound that holds their seconds, and where."""

    bucket: str
    """As written in `le`; `+Inf` past the last bound."""
    project: str
    cluster: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GitopsPropagation(Tallied[PropagationDim]):
    """A merged change came to be served; `seconds` is merge to synced at its revision and healthy."""

    seconds: float
    project: str
    cluster: str

    def tallies(self) -> tuple[Tally[PropagationDim], ...]:
        bucket = next((f"{bound:g}" for bound in PROPAGATION_BUCKETS if self.seconds <= bound), "+Inf")
        return (Tally(dim=PropagationDim(bucket, self.project, self.cluster), amount=self.seconds),)


def _taken(sli: StoredSli, dim: SyncDim | PropagationDim) -> bool:
    return sli.takes("project", dim.project) and sli.takes("cluster", dim.cluster)


def _synced(sli: StoredSli, dim: SyncDim) -> bool | None:
    """Sync success (domain section 8); a dry run changes nothing and is not valid."""
    if dim.dry_run == "true" or not _taken(sli, dim):
        return None
    return dim.result is SyncResult.SUCCESS


def _told_sync(sync: GitopsSync) -> tuple[str, str]:
    return sync.about.id, f"{sync.result}: {sync.reason}"


GITOPS_SYNCS = Countable(
    word="gitops_syncs",
    event=GitopsSync,
    where=("project", "cluster"),
    called="GitOps syncs",
    good=_synced,
    told=_told_sync,
)


def _in_time(sli: StoredSli, dim: PropagationDim) -> bool | None:
    if not _taken(sli, dim):
        return None
    return sli.threshold is not None and float(dim.bucket) <= sli.threshold


def _told_propagation(one: GitopsPropagation) -> tuple[str, str]:
    return one.about.id, f"served after {one.seconds:,.0f} s"


GITOPS_PROPAGATION = Countable(
    word="gitops_propagation",
    event=GitopsPropagation,
    where=("project", "cluster"),
    thresholds=PROPAGATION_BUCKETS,
    called="changes on their way",
    good=_in_time,
    told=_told_propagation,
)

FACTS = Facts(events=(GitopsSync, RolloutEnded, GitopsPropagation), readings=(GitopsApp,))
