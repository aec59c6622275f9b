"""An SLO file as written, typed and checked: what a reader (`openslo`) makes and `plan` resolves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from platform_meter.model.objective import NoData, StoredSli
from platform_meter.slo.burnrate import Profile
from platform_meter.slo.promql import Query


class Method(StrEnum):
    """How good is counted (OpenSLO `budgetingMethod`)."""

    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One objective of one SLO document."""

    name: str
    service: str
    objective: Decimal
    sli: Sli
    period: timedelta
    period_label: str
    """The period as written."""
    path: str
    line: int
    display: str = ""
    description: str = ""
    owner: str = ""
    capability: str = ""
    runbook: str = ""
    profile: Profile = Profile.STANDARD
    method: Method = Method.OCCURRENCES
    slice: timedelta | None = None
    """Only with Timeslices, and always there for them."""
    slice_target: Decimal | None = None
    no_data: NoData | None = None
    min_bad: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> Decimal:
        """The allowed error ratio, 1 - T, exact in decimals."""
        return 1 - self.objective
