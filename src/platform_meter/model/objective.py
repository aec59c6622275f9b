"""SLOs over stored events, as measures need them: what counts, over which windows, against which objective.

`slo.stored` makes these values of SLO files; measures turn each into exact window gauges (domain sections 5 and 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class Stored(StrEnum):
    """Kinds of stored events that an SLI can count."""

    PIPELINE_RUNS = "pipeline_runs"
    """Platform success of CI runs (domain section 7): success and user failure are good, infra failure is bad."""
    POD_STARTS = "pod_starts"
    """Pods that became Ready at or under `threshold` seconds."""
    NODE_MINUTES = "node_minutes"
    """Ready node-minutes of node-minutes: the SliCounts named `<cluster>/node-ready`."""
    PROBE_CHECKS = "probe_checks"
    """Checks by our own probes; ok is good."""
    SLA_CYCLES = "sla_cycles"
    """Cycles of a ticket SLA; met is good, breached is bad (domain section 9)."""
    SLI = "sli"
    """SliCounts of one id, counted elsewhere."""


class NoData(StrEnum):
    """What a slice without data is; vendors differ, so it must be said (domain section 5)."""

    BAD = "bad"
    GOOD = "good"
    EXCLUDE = "exclude"
    HOLD = "hold"
    """As the last slice that had data, for at most 3 slices; excluded after that, or with none before."""


class Unknown(StrEnum):
    """What pipeline failures are that nobody could classify."""

    EXCLUDE = "exclude"
    """Not valid: in neither count."""
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSli:
    """Which stored events count, and which of them are good."""

    events: Stored
    where: Mapping[str, str] = field(default_factory=dict)
    """Bounded words that select: `system`, `cluster`, `target`, `queue`, `sla`, `id`. A key that is not given selects all."""
    threshold: float | None = None
    """Seconds at or under which a pod start is good: one of POD_START_BUCKETS."""
    unknown: Unknown = Unknown.EXCLUDE


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObjective:
    """One SLO whose windows this exporter computes exactly from stored events."""

    slo: str
    """Name: the `slo` label."""
    service: str
    owner: str
    """The team that keeps it: the `team` label; empty where the file names none."""
    capability: str
    kind: str
    """`events` or `slices`: the `kind` label."""
    profile: str
    objective: Decimal
    """T, 0 < T < 1."""
    period: timedelta
    period_label: str
    """The period as written (`28d`, `4w`): the `period` label, and the `window` label of the window P."""
    windows: tuple[timedelta, ...]
    """Windows that rules read, ascending, without P."""
    sli: StoredSli
    slice: timedelta | None = None
    """Length of a slice; None counts events."""
    slice_target: Decimal | None = None
    """Share of good events from which on a slice is good."""
    no_data: NoData | None = None
    """Only for slices, and always there for them."""

    @property
    def allowed(self) -> Decimal:
        """The allowed error ratio, 1 - T, exact in decimals."""
        return 1 - self.objective
