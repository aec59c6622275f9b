"""An SLO with every window, factor, query and name resolved. Renderers choose form; every number comes from here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from platform_meter.model.links import NOWHERE, Links
from platform_meter.model.objective import NoData, StoredSli, carried
from platform_meter.slo.burnrate import (
    DEFAULT_MIN_BAD,
    ROWS,
    Level,
    Profile,
    Row,
    can_fire,
    kept,
    lifted,
    no_data_after,
    scaled,
    tells_from,
    window_text,
)
from platform_meter.slo.promql import Query, duration_text, number_text
from platform_meter.slo.spec import WORST, Ratio, RawRatio, Spec, Threshold, Written
from platform_meter.slo.tiles import steps

SCRAPE = timedelta(seconds=30)
"""Scrape interval where nobody says another."""
TILE = timedelta(minutes=5)
RAW_UP_TO = timedelta(hours=1)
"""Windows up to this read the raw counters, longer ones sum tiles (design 3.4)."""
REFERENCE = timedelta(minutes=5)
"""The total over at most this window stands for 0 bad events, and tells that there is data."""
SHORT = timedelta(seconds=30)
"""How often windows over raw counters are written, and the alerts that wait for them judged."""
COPY = timedelta(minutes=1)
"""The same for windows over slices, for gauges of the exporter's that are copied, and where good events are counted: those
are most of the series, so that each look reads twice as much."""
LONG = timedelta(minutes=2)
"""The same for windows over tiles: Prometheus looks back 5 min, so a late evaluation is no gap."""
FIRST_SCRAPE = timedelta(minutes=2)
"""After its own start Prometheus has scraped everything by then; before, a gauge that is not there tells nothing."""
_REMEMBERED = 256
"""Sets of alerts."""
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
    tells_from: float | None = None
    """As of `burnrate.tells_from`."""

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
    """One scrape interval: what has to be estimated reads this much more and scales back, so that no event falls between two tiles."""

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


@dataclass(
    frozen=True, kw_only=True
)  # no slots: a Plan is one and a Written too, and only one of the two may have them
class Alerting:
    """What follows from profile, period and objective alone: the same for most SLOs of an organisation."""

    alerts: tuple[BurnAlert, ...]
    """Rows that can fire, as in the table of domain section 5; empty for profile none."""
    dropped: tuple[Row, ...]
    """Rows that can never fire at this objective."""
    windows: tuple[Window, ...]
    """Windows that have a burn rate, ascending; P is not among them."""
    bad_counts: tuple[Window, ...]
    """Windows that have a bad count, ascending: those of a guard, and P."""
    min_bad: int
    """Bad events in the period without which its budget is not called exhausted: as many as a ticket asks for."""
    no_data_after: timedelta
    """Silence of the source after which SLONoData fires, to the minute."""
    reference: timedelta
    """The window of the total count that stands for 0 bad events (counters only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Written, Alerting):
    """One SLO, resolved. `slo` is the value of the label `slo` on all its series."""

    sli: Sli
    scrape: timedelta
    """The interval at which Prometheus scrapes what the queries read."""
    links: Links = NOWHERE
    """Where what its alerts point to stands."""

    @property
    def counted(self) -> str:
        """What is counted, in words: `events`, `slices`, or what the stored events are: `pipeline runs`."""
        return self.sli.events.several if isinstance(self.sli, StoredSli) and self.slice is None else self.counts

    @property
    def bad_text(self) -> str:
        """What bad events are, after "6 of 6": `builds failed`, `pipeline runs were bad`."""
        return self.bad_events or f"{self.counted} were bad"

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


def written_every(plan: Plan, window: Window) -> timedelta:
    """How often the window's burn is written. An alert stands in the group of its short window."""
    if isinstance(plan.sli, StoredSli):
        return COPY
    return LONG if reads_tiles(plan, window) else raw_every(plan)


def raw_every(plan: Plan) -> timedelta:
    """How often windows up to `RAW_UP_TO` are written."""
    return SHORT if isinstance(plan.sli, Counters) and plan.sli.bad else COPY


def reads_tiles(plan: Plan, window: Window) -> bool:
    """Whether the window sums tiles. The exporter's windows are exact at any length."""
    return window.length > RAW_UP_TO and not isinstance(plan.sli, StoredSli)


def tolerance(window: timedelta, scrape: timedelta) -> float:
    """By which share of the total bad (or good) may lie outside of 0..total in a window before the two contradict.

    Counts that are true are out by what one of them saw and the other not yet: a scrape at each end of the window. Counts
    out of `increase` are estimates besides. Under a tenth nothing is told, however long the window.
    """
    return max(0.1, round(2 * scrape / window, 3))


def bad_recorded(plan: Plan) -> tuple[Window, ...]:
    """Windows whose bad count is a series: all that have one, unless the SLO has series that others have not. To keep to
    20 of a profile, one alert counts its guard itself then: of slices of a minute, which stand beside the tiles, that over the longest
    window; of good events, whose total of a raw window is a series, that over the second longest, which asks for it once.
    """
    counts = plan.bad_counts
    if isinstance(plan.sli, Slices) and plan.sli.tile != TILE and len(counts) > 1 and counts[-2].length > RAW_UP_TO:
        return (*counts[:-2], counts[-1])
    if total_recorded(plan) and len(counts) > 3 and counts[-3].length > RAW_UP_TO:
        return (*counts[:-3], *counts[-2:])
    return counts


def total_recorded(plan: Plan) -> tuple[Window, ...]:
    """Windows whose total is a series beside that of the period: raw ones with a guard, where bad is told from good and all."""
    if isinstance(plan.sli, Counters) and plan.sli.bad is None:
        return tuple(w for w in plan.bad_counts if w.length <= RAW_UP_TO)
    return ()


def rows(spec: Spec, scrape: timedelta = SCRAPE) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Rows of the file, or of the SLO's profile, scaled to its period: those that can fire, and those that never can."""
    return _rows(spec.profile, spec.rows, spec.period, spec.allowed, spec.slice or scrape, spec.left_out)


def plan(spec: Spec, *, scrape: timedelta = SCRAPE) -> Plan:
    """Everything about a checked SLO.

    Args:
        spec: as `check.read_slos` gives it.
        scrape: the interval at which Prometheus scrapes what the queries read.

    Raises:
        ValueError: a query or value that the check refuses.
    """
    alerting = _alerting(
        spec.profile,
        spec.rows,
        Window(label=spec.period_label, length=spec.period),
        spec.allowed,
        spec.slice or scrape,
        spec.min_bad,
        spec.left_out,
    )
    return Plan(**carried(spec, Written), **carried(alerting, Alerting), sli=_sli(spec, scrape), scrape=scrape)


@lru_cache(maxsize=_REMEMBERED)
def _alerting(
    profile: Profile,
    own: tuple[Row, ...] | None,
    period: Window,
    allowed: Decimal,
    step: timedelta,
    min_bad: int | None,
    left_out: frozenset[str],
) -> Alerting:
    fire, dropped = _rows(profile, own, period.length, allowed, step, left_out)
    lengths = sorted({w for row in fire for w in (row.long, row.short)})
    guarded = sorted({row.long for row in fire})
    silence = no_data_after(fire, allowed)
    return Alerting(
        alerts=tuple(
            BurnAlert(
                row=row,
                long=_window(row.long),
                short=_window(row.short),
                min_bad=min_bad or DEFAULT_MIN_BAD[row.level],
                budget_used=row.budget_used(period.length),
                tells_from=tells_from(row, min_bad or DEFAULT_MIN_BAD[row.level], allowed),
            )
            for row in fire
        ),
        dropped=dropped,
        windows=tuple(_window(w) for w in lengths),
        bad_counts=(*(_window(w) for w in guarded), period),
        min_bad=min_bad or DEFAULT_MIN_BAD[Level.TICKET],
        no_data_after=timedelta(minutes=math.ceil(round(silence / timedelta(minutes=1), 6))),
        reference=min([REFERENCE, *lengths]),
    )


@lru_cache(maxsize=_REMEMBERED)
def _rows(
    profile: Profile,
    own: tuple[Row, ...] | None,
    period: timedelta,
    allowed: Decimal,
    step: timedelta,
    left_out: frozenset[str],
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    if own is None:
        every = scaled(kept(ROWS[profile], left_out), period, step)
    else:
        every = lifted(tuple(row for row in own if row.level not in left_out), step)
    fire = tuple(r for r in every if can_fire(r, allowed))
    return fire, tuple(r for r in every if r not in fire)


def _window(length: timedelta) -> Window:
    return Window(label=window_text(length), length=length)


def _sli(spec: Spec, scrape: timedelta) -> Sli:
    if isinstance(spec.sli, StoredSli):
        return spec.sli
    if spec.slice is not None:
        return _slices(spec, scrape)
    if isinstance(spec.sli, RawRatio | Threshold):
        raise ValueError(f"{spec.slo}: a raw ratio or a threshold is judged slice by slice, not by events")
    return _counters(spec.sli, scrape)


def _counters(ratio: Ratio, scrape: timedelta) -> Counters:
    return Counters(
        total=ratio.total,
        bad=ratio.bad,
        good=ratio.good,
        tile=TILE,
        pad=scrape,
    )


_BAD_WHEN = {"lt": ">=", "lte": ">", "gt": "<=", "gte": "<"}
"""Good when `value OP bound`; so bad when."""


def _slices(spec: Spec, scrape: timedelta) -> Slices:
    if spec.slice is None or spec.no_data is None:
        raise ValueError(f"{spec.slo}: slices need their length and what one without data is")
    over = spec.slice + scrape  # one scrape more, so that what happens between two slices is seen
    target = spec.slice_target or Decimal(1)
    reads: Counters | Gauge
    match spec.sli:
        case Threshold(operator=operator, bound=bound):
            when, side = _BAD_WHEN[operator], 1 if WORST[operator] == "max" else -1
            reads = Gauge(query=spec.sli.query, good=bound - side, bad=bound + side)
        case RawRatio(failure=failure):
            when, bound = (">", 1 - target) if failure else ("<", target)
            reads = Gauge(query=spec.sli.query, good=Decimal(not failure), bad=Decimal(failure))
        case Ratio():
            reads = _counters(spec.sli, scrape)
            when, bound = (">", 1 - target) if reads.bad else ("<", target)
        case _:
            raise ValueError(f"{spec.slo}: stored slices are judged by the exporter")
    if isinstance(reads, Gauge):
        data = reads.query.over(over)
        judged = recent = (
            f"({data} >= -Inf) {when} bool {number_text(bound)}"  # NaN says nothing, and no comparison holds for it
        )
    else:
        data, part = reads.total.over(over), reads.part.over(over)
        most = tolerance(spec.slice, scrape)
        recent = _judged(data, part, when, bound, most)
        all_, those = (steps(q, spec.slice, scrape) for q in (reads.total, reads.part))
        judged = _judged(all_, those, when, bound, most) if all_ and those else recent
    match spec.no_data:
        case NoData.EXCLUDE:
            bad = judged
        case NoData.BAD:
            bad = f"{judged} or vector(1)"
        case NoData.GOOD:
            bad = f"{judged} or vector(0)"
        case NoData.HOLD:  # what came across a gap belongs to the slice after it alone
            held = f"{duration_text(spec.slice * HELD)}:{duration_text(spec.slice)}"
            bad = f"{judged}\nor last_over_time(({recent})[{held}])"
    return Slices(reads=reads, tile=spec.slice, bad=bad, data=data)


def _judged(total: str, part: str, when: str, bound: Decimal, most: float) -> str:
    """1 where the share of a slice is beyond the bound, 0 where it is not, nothing without events or where they contradict."""
    share = f"({part} or 0 * {total}) / ({total} > 0) <= {number_text(round(1 + most, 3))}"
    return f"{share} {when} bool {number_text(bound)}"
