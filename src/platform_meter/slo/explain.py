"""A Plan in plain words: its windows, what fires when, and why not sooner. Formulas: domain section 5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from platform_meter.model.objective import NoData, StoredSli
from platform_meter.slo.burnrate import Level, time_to_fire
from platform_meter.slo.check import guard
from platform_meter.slo.plan import HELD, RAW_UP_TO, TILE, BurnAlert, Counters, Plan, Slices
from platform_meter.slo.promql import duration_text, number_text

_SHARES = (1.0, 0.1, 0.01, 0.005)
_EVALUATION = timedelta(seconds=30)
_LATE_EVALUATION = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around the rules, and adds to every detection."""

    poll: timedelta = timedelta(minutes=1)
    """How often the exporter asks the source of stored events, and how far behind it is."""
    group_wait: timedelta = timedelta(seconds=30)
    """Alertmanager's `group_wait`."""
    traffic: float | None = None
    """Valid events an hour, where somebody knows. Slices need no saying."""


def explain(plan: Plan, around: Around | None = None) -> str:
    """What the SLO promises, what is recorded, what fires and when, as lines of text."""
    known = around or Around()
    if plan.slice is not None:  # slices come as the clock does, whatever anybody says
        known = replace(known, traffic=timedelta(hours=1) / plan.slice)
    return "\n".join(_lines(plan, known)) + "\n"


def _lines(plan: Plan, around: Around) -> Iterator[str]:
    said = f" ({plan.display})" if plan.display != plan.slo else ""
    yield f"{plan.slo}{said}: {_percent(float(plan.objective))} of {plan.counts} good over {plan.period_label}, service {plan.service}"
    yield f"  error budget  {_percent(float(plan.allowed))} of {plan.counts}: {_downtime(plan)} of full outage in {plan.period_label}"
    yield f"  counted by    {_counted(plan)}"
    yield from _slices(plan)
    yield ""
    yield from _rows(plan)
    if plan.alerts:
        for part in (_fires(plan, around), _detection(plan, around), _rare(plan, around)):
            yield ""
            yield from part
    yield ""
    yield f"No data: SLONoData after {_span(plan.no_data_after)} without a successful read of the source."


def _counted(plan: Plan) -> str:
    match plan.sli:
        case StoredSli(events=events, where=where):
            words = "".join(f", {k} {v}" for k, v in where.items())
            return f"this exporter, exactly: stored {events}{words}; rules copy its window gauges"
        case Slices(tile=tile):
            return f"Prometheus: one sample a slice of {duration_text(tile)}; windows over 1h sum tiles of {duration_text(TILE)}"
        case _:
            return f"Prometheus: windows up to 1h read the raw counters, longer ones sum tiles of {duration_text(TILE)}"


def _slices(plan: Plan) -> Iterator[str]:
    if plan.slice is None or plan.no_data is None:
        return
    share = (
        f"at least {_percent(float(plan.slice_target))} of its events are good"
        if plan.slice_target
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
        yield "No burn alerts (alerts: none)."
        return
    yield "Burn alerts: an alert fires when burn over the long and over the short window both exceed the factor."
    yield "  level   factor  long   short  min bad  error above  budget used"
    for a in plan.alerts:
        error = _percent(a.row.factor * float(plan.allowed))
        used = f"{a.budget_used * 100:.3g} %"
        yield f"  {a.level:<7} {a.factor:<7} {a.long.label:<6} {a.short.label:<6} {a.min_bad:<8} {error:<12} {used}"
    for row in plan.dropped:
        yield f"  left out: {row.level} {row.factor:g} over {duration_text(row.long)} (an outage burns only {float(1 / plan.allowed):.3g} times too fast)"


def _fires(plan: Plan, around: Around) -> Iterator[str]:
    yield "What fires when, from an error-free start" + (
        f" at {number_text(around.traffic)} {plan.counts} an hour:" if around.traffic else " at steady traffic:"
    )
    for share in _SHARES:
        found = [(t, a) for a in plan.alerts if (t := _fires_after(plan, a, share, around.traffic)) is not None]
        if not found:
            yield f"  {_percent(share):>6} errors: nothing"
            continue
        first: dict[str, str] = {}
        for after, alert in sorted(found, key=lambda pair: pair[0]):
            first.setdefault(alert.level, f"{alert.level} after {_span(after)} ({alert.long.label})")
        yield f"  {_percent(share):>6} errors: {', '.join(first.values())}"


def _fires_after(plan: Plan, alert: BurnAlert, share: float, traffic: float | None) -> timedelta | None:
    """Time until both windows exceed the factor and, where the traffic is known, enough bad events came."""
    after = time_to_fire(alert.row, share, plan.allowed)
    if after is None or not traffic:
        return after
    enough = timedelta(hours=alert.min_bad / (traffic * share))
    return max(after, enough) if enough <= alert.long.length else None


def _detection(plan: Plan, around: Around) -> Iterator[str]:
    """Term by term, for the fastest alert in a full outage."""
    timed = [(t, a) for a in plan.alerts if (t := _fires_after(plan, a, 1.0, around.traffic)) is not None]
    if not timed:
        yield f"Detection of a full outage: none: there are never enough {plan.counts} for the guard."
        return
    pages = [pair for pair in timed if pair[1].level is Level.PAGE]
    after, alert = min(pages or timed, key=lambda pair: pair[0])
    terms = [(f"threshold ({alert.level} {alert.long.label})", after)]
    if isinstance(plan.sli, StoredSli):
        terms.append(("poll lag", around.poll))
    terms.append(("scrape", plan.scrape))
    if isinstance(plan.sli, Slices):
        terms.append(("end of the slice", plan.sli.tile))
    elif isinstance(plan.sli, Counters) and alert.long.length > RAW_UP_TO:
        terms.append(("end of the tile", TILE))
    late = alert.short.length > RAW_UP_TO and not isinstance(plan.sli, StoredSli)
    terms.append(
        ("evaluation", _LATE_EVALUATION if late else _EVALUATION if isinstance(plan.sli, Counters) else 2 * _EVALUATION)
    )
    terms.append(("group wait", around.group_wait))
    yield "Detection of a full outage, at the latest:"
    for name, length in terms:
        yield f"  {name:<22} {_span(length)}"
    yield f"  {'together':<22} {_span(sum((length for _, length in terms), timedelta(0)))}"


def _rare(plan: Plan, around: Around) -> Iterator[str]:
    """The guard against single events, next to what the traffic is."""
    yield "Rare events:"
    for text in guard(plan):
        yield f"  {text}"
    if around.traffic:
        for a in plan.alerts:
            n = around.traffic * (a.long.length / timedelta(hours=1))
            yield f"  {a.level} {a.long.label}: about {n:,.{0 if n >= 10 else 1}f} {plan.counts} expected"


def _downtime(plan: Plan) -> str:
    return _span(plan.period * float(plan.allowed))


def _percent(share: float) -> str:
    return f"{share * 100:.6g} %"


def _span(length: timedelta) -> str:
    """A length in the unit that reads best, to three digits."""
    seconds = length.total_seconds()
    for unit, size, least in (("d", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 120)):
        if seconds >= least:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
