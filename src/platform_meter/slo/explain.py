"""A Plan in plain words: its windows, what fires when, and why not sooner. Formulas: domain section 5."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from platform_meter.model.objective import NoData, StoredSli
from platform_meter.slo.burnrate import BEYOND, MANY, TELLS, TWO, Level, Profile, time_to_fire
from platform_meter.slo.check import guard
from platform_meter.slo.plan import (
    COPY,
    FIRST_SCRAPE,
    HELD,
    TILE,
    BurnAlert,
    Counters,
    Gauge,
    Plan,
    Slices,
    raw_every,
    reads_tiles,
    written_every,
)
from platform_meter.slo.promql import duration_text
from platform_meter.slo.spec import Alarm

_SHARES = (1.0, 0.1, 0.01, 0.005)
_HOUR = timedelta(hours=1)
_LOOK_BACK = timedelta(minutes=5)
"""For how long Prometheus may go on giving a gauge that nobody writes any more."""
_TICK = timedelta(seconds=15)
"""How old the exporter's ages are, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a configured source reads what an SLO asks it to count."""

    source: str
    every: timedelta
    """Between two polls."""
    behind: timedelta
    """From the end of a minute until it is read."""
    good_late: timedelta = timedelta(0)
    """From the end of a minute without good events until it is told, where the SLO counts these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around the rules, and adds to every detection."""

    poll: timedelta = timedelta(minutes=1)
    """From an event to the end of the poll that reads it, at the longest."""
    reading: Reading | None = None
    """In place of that, where the source is known that counts."""
    group_wait: timedelta = timedelta(seconds=30)
    """Alertmanager's `group_wait`."""
    traffic: float | None = None
    """Valid events an hour, where somebody knows. Slices need no saying."""
    traffic_said: str = ""
    """For the reader: who counted them, or how to have them counted."""


def explain(plan: Plan, around: Around | None = None) -> str:
    """What the SLO promises, what is recorded, what fires and when, as lines of text."""
    known = around or Around()
    if plan.slice is not None:  # slices come as the clock does, whatever anybody says
        known = replace(known, traffic=_HOUR / plan.slice, traffic_said="")
    return "\n".join(_lines(plan, known)) + "\n"


def _lines(plan: Plan, around: Around) -> Iterator[str]:
    said = f" ({plan.display})" if plan.display != plan.slo else ""
    yield f"{plan.slo}{said}: {_percent(float(plan.objective))} of {plan.counts} good over {plan.period_label}, service {plan.service}"
    yield f"  error budget  {_percent(float(plan.allowed))} of {plan.counts}: {_downtime(plan)} of full outage in {plan.period_label}"
    yield f"  counted by    {_counted(plan)}"
    yield from _read(plan, around)
    yield from _slices(plan)
    yield ""
    yield from _rows(plan)
    if plan.alerts:
        for part in (_fires(plan, around), _detection(plan, around), _rare(plan, around)):
            yield ""
            yield from part
    yield ""
    yield _no_data(plan)


def _counted(plan: Plan) -> str:
    match plan.sli:
        case StoredSli() if plan.asked is not None:
            return f"{plan.asked.type}, by the minute; this exporter adds minutes up exactly, and rules copy its window gauges"
        case StoredSli(events=events, where=where):
            words = "".join(f", {k} {v}" for k, v in where.items())
            return f"this exporter, exactly: stored {events.word}{words}; rules copy its window gauges"
        case Slices(tile=tile):
            return f"Prometheus: one sample a slice of {duration_text(tile)}; windows over 1h sum tiles of {duration_text(TILE)}"
        case _:
            return f"Prometheus: windows up to 1h read the raw counters, longer ones sum tiles of {duration_text(TILE)}"


def _read(plan: Plan, around: Around) -> Iterator[str]:
    if plan.asked is None:
        return
    if around.reading is None:
        yield "  read          the configuration (-c) says how long after its end a minute is read"
        return
    how = around.reading
    yield f"  read          {span_text(how.behind)} after the end of each minute, every {span_text(how.every)}, by source {how.source}"
    if how.good_late > how.behind:
        yield f"                one without good events {span_text(how.good_late)} after: they may be on their way"


def _slices(plan: Plan) -> Iterator[str]:
    if plan.slice is None or plan.no_data is None:
        return
    level = plan.asked is not None and plan.asked.bound is not None
    share = (
        f"at least {_percent(float(plan.slice_target))} of its events are good"
        if plan.slice_target and not level
        else "its level keeps the bound"
    )
    meaning = {
        NoData.BAD: "is bad",
        NoData.GOOD: "is good",
        NoData.EXCLUDE: "does not count",
        NoData.HOLD: f"is as the last one, for at most {HELD} slices, and does not count after that",
    }[plan.no_data]
    yield f"  slices        {duration_text(plan.slice)}; good when {share}; a slice without data {meaning}"


def _rows(plan: Plan) -> Iterator[str]:
    if not plan.alerts:
        rest = "" if plan.left_out else "; only SLONoData and SLOBudgetExhausted"
        why = "alerts: none" if plan.profile == Profile.NONE else "its alertPolicies are off"
        yield f"No burn alerts ({why}){rest}."
        yield from _left_out(plan)
        return
    yield "Burn alerts: an alert fires when burn over the long and over the short window both exceed the factor."
    yield "  level   factor  long   short  min bad  error above  budget used"
    for a in plan.alerts:
        error = _percent(a.row.factor * float(plan.allowed))
        used = f"{a.budget_used * 100:.3g} %"
        yield f"  {a.level:<7} {a.factor:<7} {a.long.label:<6} {a.short.label:<6} {a.min_bad:<8} {error:<12} {used:<11} {_own(a)}".rstrip()
    if any(a.tells_from is not None for a in plan.alerts):
        yield (
            f"  Fewer than {MANY} bad {plan.counts} page where two of them lie in the short window, where that holds fewer than "
            f"{TELLS:g} {plan.counts}, or at {BEYOND} times the factor."
        )
    for row in plan.dropped:
        yield f"  left out: {row.level} {row.factor:g} over {duration_text(row.long)} (an outage burns only {float(1 / plan.allowed):.3g} times too fast)"
    yield from _left_out(plan)


def _own(alert: BurnAlert) -> str:
    """What a row of the file's own has beside the numbers of all rows."""
    said = f"severity {alert.row.severity}" if alert.row.severity not in ("", alert.level) else ""
    waits = f"alertAfter {duration_text(alert.row.wait)}" if alert.row.wait else ""
    return ", ".join(filter(None, (said, waits)))


def _left_out(plan: Plan) -> Iterator[str]:
    if plan.left_out:
        yield f"  left out by the file: {', '.join(sorted(plan.left_out))}"


def _fires(plan: Plan, around: Around) -> Iterator[str]:
    yield "What fires when, from an error-free start " + _traffic(plan, around) + ":"
    for share in _SHARES:
        found = [(t, a) for a in plan.alerts if (t := fires_after(plan, a, share, around.traffic)) is not None]
        if not found:
            yield f"  {_percent(share):>6} errors: nothing"
            continue
        first: dict[str, str] = {}
        for after, alert in sorted(found, key=lambda pair: pair[0]):
            first.setdefault(alert.level, f"{alert.level} after {span_text(after)} ({alert.long.label})")
        yield f"  {_percent(share):>6} errors: {', '.join(first.values())}"


def _traffic(plan: Plan, around: Around) -> str:
    at = "steady traffic" if around.traffic is None else f"{amount_text(around.traffic)} {plan.counts} an hour"
    return f"at {at} ({around.traffic_said})" if around.traffic_said else f"at {at}"


def fires_after(plan: Plan, alert: BurnAlert, share: float, traffic: float | None) -> timedelta | None:
    """Time until both windows have exceeded the factor for as long as it waits and, where the traffic is known, enough bad
    events came; None: never.

    Args:
        plan: the SLO.
        alert: one of its alerts.
        share: of events that are bad from the start of the fault on.
        traffic: valid events an hour, steady; None where nobody knows.
    """
    after = time_to_fire(alert.row, share, plan.allowed)
    if after is None:
        return None
    if traffic is not None:
        enough = alert.min_bad / (traffic * share)
        if enough > alert.long.length / _HOUR:
            return None
        sure = _second_look(plan, alert, share, traffic)
        if sure is None:
            return None
        after = max(after, timedelta(hours=enough), sure)
    return after + alert.row.wait


def _second_look(plan: Plan, alert: BurnAlert, share: float, traffic: float) -> timedelta | None:
    """Until few bad events count that lie apart (`firing`): when they are many, or far beyond the factor; None: never."""
    in_short = traffic * (alert.short.length / _HOUR)
    if alert.tells_from is None or in_short < TELLS or in_short * share >= TWO:
        return timedelta(0)
    hours, beyond = MANY / (traffic * share), replace(alert.row, factor=alert.row.factor * BEYOND)
    many = timedelta(hours=hours) if hours <= alert.long.length / _HOUR else None
    return min((t for t in (many, time_to_fire(beyond, share, plan.allowed)) if t is not None), default=None)


def _detection(plan: Plan, around: Around) -> Iterator[str]:
    """Term by term, for the fastest alert in a full outage."""
    timed = [(t, a) for a in plan.alerts if (t := fires_after(plan, a, 1.0, around.traffic)) is not None]
    if not timed:
        yield f"Detection of a full outage: none: there are never enough {plan.counts} for the guard."
        return
    pages = [pair for pair in timed if pair[1].level is Level.PAGE]
    after, alert = min(pages or timed, key=lambda pair: pair[0])
    terms = [(f"threshold ({alert.level} {alert.long.label})", after - alert.row.wait), *_terms(plan, alert, around)]
    yield "Detection of a full outage, at the latest:"
    for name, length in terms:
        yield f"  {name:<22} {span_text(length)}"
    yield f"  {'together':<22} {span_text(sum((length for _, length in terms), timedelta(0)))}"


def _terms(plan: Plan, alert: BurnAlert, around: Around) -> Iterator[tuple[str, timedelta]]:
    """What comes after the threshold, each at its longest, by the rules that the alert's windows are written by."""
    if plan.asked is not None and plan.slice is None:
        yield "end of the minute", timedelta(minutes=1)
    if around.reading is not None:
        yield "delay of the source", max(around.reading.behind, around.reading.good_late)
        yield "poll lag", around.reading.every
    elif isinstance(plan.sli, StoredSli):
        yield "poll lag", around.poll
    yield "scrape", plan.scrape
    if plan.slice is not None:
        yield "end of a bad slice", _slice_lag(plan, plan.slice)
    if plan.slice != TILE and any(reads_tiles(plan, w) for w in (alert.long, alert.short)):
        yield "end of the tile", TILE + (plan.scrape if isinstance(plan.sli, Counters) else timedelta(0))
    # The alert stands in the group of its short window; a long window of another group may be as old as that one's interval.
    yield "evaluation", sum({written_every(plan, w) for w in (alert.long, alert.short)}, timedelta(0))
    if wait := alert.row.wait:  # counted in evaluations
        yield "alertAfter", math.ceil(wait / written_every(plan, alert.short)) * written_every(plan, alert.short)
    yield "group wait", around.group_wait


def _slice_lag(plan: Plan, length: timedelta) -> timedelta:
    """From the beginning of an outage to the end of the first slice that is bad; the slice it begins in may still be good."""
    reads = length + plan.scrape if isinstance(plan.sli, Slices) else length
    good = float(1 - plan.slice_target) if plan.slice_target is not None else 0.0
    return length + reads * good


def _rare(plan: Plan, around: Around) -> Iterator[str]:
    """The guard against single events, next to what the traffic is and what it costs."""
    yield "Rare events:"
    for alert, text in zip(plan.alerts, guard(plan), strict=True):
        yield f"  {text}"
        if around.traffic is not None:
            yield f"    {_expected(plan, alert, around.traffic)}"


def _expected(plan: Plan, alert: BurnAlert, traffic: float) -> str:
    """Events that the long window holds, and how much later the alert is when these are few."""
    n = traffic * (alert.long.length / _HOUR)
    said = f"about {amount_text(n)} {plan.counts} expected in {alert.long.label}"
    soon = fires_after(plan, alert, 1.0, None)
    late = fires_after(plan, alert, 1.0, traffic)
    if soon is None or late == soon:
        return said
    if late is None:
        return f"{said}: too few, it never fires; send probes, join SLOs, or lower the objective"
    return f"{said}: in a full outage it comes after {span_text(late)} instead of {span_text(soon)}"


def _no_data(plan: Plan) -> str:
    """Between which times after the last good read SLONoData comes: what is read has to run empty first."""
    if Alarm.NO_DATA in plan.left_out:
        return "No data: nothing says so, since the file leaves SLONoData out."
    match plan.sli:
        case Counters():  # a range has an increase as long as two samples are in it
            least, judged = plan.reference - plan.scrape, raw_every(plan)
        case Slices(reads=Gauge(query=query), tile=tile):
            ends = timedelta(0) if query.fixed else tile
            least, judged = ends, (_LOOK_BACK if query.fixed else plan.scrape) + COPY
        case Slices(tile=tile):
            least, judged = tile, COPY
        case _:
            least, judged = FIRST_SCRAPE, _TICK + plan.scrape + COPY
    least += plan.no_data_after
    idle = f" It is read while {plan.read_by} is above 0." if plan.read_by else ""
    when = f"{span_text(least)} to {span_text(least + judged)}"
    return f"No data: SLONoData comes {when} after the last successful read of the source.{idle}"


def _downtime(plan: Plan) -> str:
    return span_text(plan.period * float(plan.allowed))


def amount_text(value: float) -> str:
    """A number of events, to three digits where it is small."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{share * 100:.6g} %"


def span_text(length: timedelta) -> str:
    """A length in the unit that reads best, to three digits."""
    seconds = length.total_seconds()
    for unit, size, least in (("d", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 120)):
        if seconds >= least:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
