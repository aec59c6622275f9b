"""An SLO with every window, factor, query and name resolved. Renderers choose form; every number comes from here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from platform_meter.model.objective import NoData, StoredSli
from platform_meter.slo.burnrate import (
    DEFAULT_MIN_BAD,
    ROWS,
    Level,
    Profile,
    Row,
    can_fire,
    no_data_after,
    scaled,
    window_text,
)
from platform_meter.slo.promql import Query, duration_text, number_text, read_count, read_gauge
from platform_meter.slo.spec import Method, Ratio, RawRatio, Spec, Threshold

SCRAPE = timedelta(seconds=30)
"""Scrape interval where nobody says another."""
TILE = timedelta(minutes=5)
RAW_UP_TO = timedelta(hours=1)
"""Windows up to this read the raw counters, longer ones sum tiles (design 3.4)."""
REFERENCE = timedelta(minutes=5)
"""The total over at most this window stands for 0 bad events, and tells that there is data."""
HELD = 3
"""Slices for which `hold` keeps the last state, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window and how it is called in the `window` label."""

    label: str
    length: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnAlert:
    """One row of the burn table that is in use: fires when burn over long and over short both exceed `factor`."""

    row: Row
    long: Window
    short: Window
    min_bad: int
    """Bad events (or slices) in the long window without which it stays silent."""
    budget_used: float
    """Share of the period's budget that is gone when it fires at exactly this burn."""

    @property
    def level(self) -> Level:
        return self.row.level

    @property
    def factor(self) -> str:
        """F as it is written in the expression: `14.4`, `6`."""
        return f"{self.row.factor:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Events counted by Prometheus: windows up to 1 h from the raw counters, longer ones from tiles."""

    total: Query
    bad: Query | None
    good: Query | None
    """Exactly one of `bad` and `good`."""
    tile: timedelta
    pad: timedelta
    """One scrape interval: a tile reads this much more and scales back, so that no event falls between two tiles."""

    @property
    def part(self) -> Query:
        """The query of bad or of good events, whichever is given.

        Raises:
            ValueError: neither.
        """
        found = self.bad or self.good
        if found is None:
            raise ValueError("a ratio needs good or bad")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A level that is held against a bound, with a level on each side of it."""

    query: Query
    good: Decimal
    bad: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Time cut in slices, each judged by Prometheus when it ends."""

    reads: Counters | Gauge

    tile: timedelta
    """Length of a slice."""
    bad: str
    """PromQL at the end of a slice: 1 where it is bad, 0 where it is good, nothing where it does not count."""
    data: str
    """PromQL: something whenever there is data, good or bad."""


Sli = Counters | Slices | StoredSli


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One SLO, resolved. `slo` is the value of the label `slo` on all its series."""

    slo: str
    service: str
    owner: str
    capability: str
    display: str
    description: str
    runbook: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """The document's own labels, as people wrote them."""

    objective: Decimal
    allowed: Decimal
    """1 - T, exact."""
    period: timedelta
    period_label: str
    """The period as written, the value of the labels `period` and of `window` for the window P."""
    profile: Profile
    method: Method
    sli: Sli
    slice: timedelta | None
    slice_target: Decimal | None
    no_data: NoData | None

    alerts: tuple[BurnAlert, ...]
    """Rows that can fire, as in the table of domain section 5; empty for profile none."""
    dropped: tuple[Row, ...]
    """Rows that can never fire at this objective."""
    windows: tuple[Window, ...]
    """Windows that have a burn rate, ascending; P is not among them."""
    bad_counts: tuple[Window, ...]
    """Windows that have a bad count, ascending: those of a guard, and P."""
    no_data_after: timedelta
    """Silence of the source after which SLONoData fires, to the minute."""
    reference: timedelta
    """The window of the total count that stands for 0 bad events (counters only)."""
    scrape: timedelta

    path: str
    line: int

    @property
    def period_window(self) -> Window:
        return Window(label=self.period_label, length=self.period)

    @property
    def period_text(self) -> str:
        """The period in a sentence: `28-day`."""
        days = self.period / timedelta(days=1)
        return f"{days:g}-day"

    @property
    def objective_text(self) -> str:
        """T in decimals: `0.999`."""
        return number_text(self.objective)

    @property
    def allowed_text(self) -> str:
        """1 - T in decimals: `0.001`."""
        return number_text(self.allowed)

    @property
    def counts(self) -> str:
        """What is counted: `events` or `slices`."""
        return "slices" if self.method is Method.TIMESLICES else "events"


def rows(spec: Spec, scrape: timedelta = SCRAPE) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Rows of the SLO's profile, scaled to its period: those that can fire, and those that never can."""
    every = scaled(ROWS[spec.profile], spec.period, spec.slice or scrape)
    kept = tuple(r for r in every if can_fire(r, spec.allowed))
    return kept, tuple(r for r in every if r not in kept)


def plan(spec: Spec, *, scrape: timedelta = SCRAPE) -> Plan:
    """Everything about a checked SLO.

    Args:
        spec: as `check.read_slos` gives it.
        scrape: the interval at which Prometheus scrapes what the queries read.

    Raises:
        ValueError: a query or value that the check refuses.
    """
    kept, dropped = rows(spec, scrape)
    period = Window(label=spec.period_label, length=spec.period)
    alerts = tuple(_alert(row, spec) for row in kept)
    lengths = sorted({w for row in kept for w in (row.long, row.short)})
    guarded = sorted({row.long for row in kept})
    silence = no_data_after(kept, spec.allowed)
    return Plan(
        slo=spec.name,
        service=spec.service,
        owner=spec.owner,
        capability=spec.capability,
        display=spec.display or spec.name,
        description=spec.description,
        runbook=spec.runbook,
        labels=dict(spec.labels),
        objective=spec.objective,
        allowed=spec.allowed,
        period=spec.period,
        period_label=spec.period_label,
        profile=spec.profile,
        method=spec.method,
        sli=_sli(spec, scrape),
        slice=spec.slice,
        slice_target=spec.slice_target,
        no_data=spec.no_data,
        alerts=alerts,
        dropped=dropped,
        windows=tuple(_window(w) for w in lengths),
        bad_counts=(*(_window(w) for w in guarded), period),
        no_data_after=timedelta(minutes=math.ceil(round(silence / timedelta(minutes=1), 6))),
        reference=min([REFERENCE, *lengths]),
        scrape=scrape,
        path=spec.path,
        line=spec.line,
    )


def _window(length: timedelta) -> Window:
    return Window(label=window_text(length), length=length)


def _alert(row: Row, spec: Spec) -> BurnAlert:
    return BurnAlert(
        row=row,
        long=_window(row.long),
        short=_window(row.short),
        min_bad=spec.min_bad or DEFAULT_MIN_BAD[row.level],
        budget_used=row.budget_used(spec.period),
    )


def _sli(spec: Spec, scrape: timedelta) -> Sli:
    if isinstance(spec.sli, StoredSli):
        return spec.sli
    if spec.method is Method.TIMESLICES:
        return _slices(spec, scrape)
    if isinstance(spec.sli, RawRatio | Threshold):
        raise ValueError(f"{spec.name}: a raw ratio or a threshold is judged slice by slice, not by events")
    return _counters(spec.sli, scrape)


def _counters(ratio: Ratio, scrape: timedelta) -> Counters:
    return Counters(
        total=read_count(ratio.total.text),
        bad=read_count(ratio.bad.text) if ratio.bad else None,
        good=read_count(ratio.good.text) if ratio.good else None,
        tile=TILE,
        pad=scrape,
    )


_BAD_WHEN = {"lt": (">=", "max"), "lte": (">", "max"), "gt": ("<=", "min"), "gte": ("<", "min")}
"""Good when `value OP bound`; so bad when, and which of several series is the worst."""


def _slices(spec: Spec, scrape: timedelta) -> Slices:
    if spec.slice is None or spec.no_data is None:
        raise ValueError(f"{spec.name}: slices need their length and what one without data is")
    over = spec.slice + scrape  # one scrape more, so that what happens between two slices is seen
    target = spec.slice_target or Decimal(1)
    reads: Counters | Gauge
    match spec.sli:
        case Threshold(operator=operator, bound=bound):
            when, worst = _BAD_WHEN[operator]
            side = 1 if worst == "max" else -1
            reads = Gauge(query=read_gauge(spec.sli.query.text, worst), good=bound - side, bad=bound + side)
        case RawRatio(failure=failure):
            when, worst, bound = (">", "max", 1 - target) if failure else ("<", "min", target)
            reads = Gauge(query=read_gauge(spec.sli.query.text, worst), good=Decimal(not failure), bad=Decimal(failure))
        case Ratio():
            reads = _counters(spec.sli, scrape)
            when, bound = (">", 1 - target) if reads.bad else ("<", target)
        case _:
            raise ValueError(f"{spec.name}: stored slices are judged by the exporter")
    if isinstance(reads, Gauge):
        data = reads.query.over(over)
        level = f"({data} >= -Inf)"  # NaN says nothing, and no comparison holds for it
    else:
        data, part = reads.total.over(over), reads.part.over(over)
        level = f"({part} or 0 * {data}) / ({data} > 0)"
    judged = f"{level} {when} bool {number_text(bound)}"
    match spec.no_data:
        case NoData.EXCLUDE:
            bad = judged
        case NoData.BAD:
            bad = f"{judged} or vector(1)"
        case NoData.GOOD:
            bad = f"{judged} or vector(0)"
        case NoData.HOLD:
            held = f"{duration_text(spec.slice * HELD)}:{duration_text(spec.slice)}"
            bad = f"{judged}\nor last_over_time(({judged})[{held}])"
    return Slices(reads=reads, tile=spec.slice, bad=bad, data=data)
