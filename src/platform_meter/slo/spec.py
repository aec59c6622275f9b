"""An SLO file as written, typed and checked: what a reader (`openslo`) makes and `plan` resolves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from platform_meter.model.objective import Asked, Objective, StoredSli
from platform_meter.slo.burnrate import Profile, Row
from platform_meter.slo.promql import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Good or bad events over all. Exactly one of `good` and `bad`."""

    total: Query
    good: Query | None = None
    bad: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRatio:
    """One query that already is a ratio of success or failure."""

    query: Query
    failure: bool


WORST = {"lt": "max", "lte": "max", "gt": "min", "gte": "min"}
"""Which of several series is the worst, where good is `value operator bound`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A gauge compared with a bound in each slice; good is `value operator bound`."""

    query: Query
    operator: str
    """One of lt, lte, gt, gte."""
    bound: Decimal


Sli = Ratio | RawRatio | Threshold | StoredSli


class Alarm(StrEnum):
    """The alerts of an SLO, as its file names them to give them labels, or to leave them out."""

    PAGE = "page"
    TICKET = "ticket"
    NO_DATA = "no-data"
    EXHAUSTED = "exhausted"


Words = Mapping[Alarm, Mapping[str, str]]
"""Text by name, for each alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Objective):
    """An objective with what its file says for people, and where it stands."""

    display: str
    """What people call it; its name where the file says nothing else."""
    description: str = ""
    runbook: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The document's own labels."""
    bad_events: str = ""
    """What bad events are, after "6 of 6": `builds failed`; empty where the file does not say."""
    alert_labels: Words = field(default_factory=dict)
    """Labels that the file adds."""
    alert_annotations: Words = field(default_factory=dict)
    """Annotations that the file adds."""
    left_out: frozenset[str] = frozenset()
    """Alerts that there shall not be: an `Alarm`, or the word of one row of the burn table, such as `page-6h`."""
    read_by: str = ""
    """PromQL: above 0 while its source is read, with or without series; empty where nothing tells."""
    asked: Asked | None = None
    """What its file asks a source to count; the SLI is then over these counts."""
    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec(Written):
    """One objective of one SLO document."""

    profile: Profile = Profile.STANDARD
    rows: tuple[Row, ...] | None = None
    """Burn alerts that the file asks for itself; None: those of its profile."""
    sli: Sli
    min_bad: int | None = None
    """Bad events without which no alert fires; None is each level's own number."""
