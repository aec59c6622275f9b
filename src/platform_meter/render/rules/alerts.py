"""The alerts of an SLO: its burn, its budget, and the silence of its source (domain section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from platform_meter.model.catalogue.slos import SLO_DATA_AGE
from platform_meter.model.objective import StoredSli
from platform_meter.render.rules.promql import LOOKS, half_full, looked, series
from platform_meter.render.rules.text import Rule
from platform_meter.slo import names
from platform_meter.slo.burnrate import CLEARS, CLEARS_SHORT, COVERED, Level
from platform_meter.slo.plan import (
    FIRST_SCRAPE,
    RAW_UP_TO,
    TILE,
    BurnAlert,
    Counters,
    Plan,
    Slices,
    Window,
    bad_recorded,
    reads_tiles,
)
from platform_meter.slo.promql import duration_text, number_text

_SOURCE_GONE = timedelta(hours=1)
"""An exporter that is gone is said after this at the latest, however long its SLO may be silent."""


def budget_spent(plan: Plan) -> Rule:
    """The alert of its budget, which every SLO has."""
    summary = f"{escape(plan.slo)} has spent its whole {plan.period_text} budget{_seen_in_part(plan)}"
    return Rule(
        alert=names.BUDGET_ALERT,
        labels={"slo": plan.slo, "level": Level.TICKET},
        annotations={"summary": summary, **_runbook(plan)},
        expr=_exhausted(plan),
    )


def _exhausted(plan: Plan) -> str:
    """Spent, by as many failures as a ticket asks for, and with half a period behind it; over once a tenth is left.

    What the exporter counts has the history that its sources gave, so there the events alone decide.
    """
    budget = series(names.BUDGET, plan.slo, period=plan.period_label)
    bad = series(names.BAD, plan.slo, window=plan.period_label)
    if isinstance(plan.sli, Counters):  # what a restart made an estimate of
        bad = f"round({bad})"
    left = number_text(round(1 - CLEARS, 6))
    spent = f"({budget} < 0 or {budget} <= {left} and on (slo) {_fires(plan, names.BUDGET_ALERT)})"
    parts = [spent, f"on (slo) {bad} >= {plan.min_bad}"]
    if not isinstance(plan.sli, StoredSli):
        total_tile = series(names.tile("total", TILE), plan.slo)
        parts.append(f"on (slo) {half_full(total_tile, plan.period_window, LOOKS)}")
    return "\nand ".join(parts)


def _fires(plan: Plan, alert: str, **labels: str) -> str:
    """PromQL: something while the alert fires, as Prometheus itself keeps it."""
    return looked(series("ALERTS", plan.slo, alertname=alert, alertstate="firing", **labels))


def _seen_in_part(plan: Plan) -> str:
    """Words for an annotation that appear only while too little of the period was seen."""
    covered = series(names.COVERAGE, plan.slo, period=plan.period_label)
    return (
        f"{{{{ with query `{covered} < {COVERED:g}` }}}}; only {{{{ . | first | value | humanizePercentage }}}} of the "
        f"period was seen, so at most what is shown is left of the budget{{{{ end }}}}"
    )


def burn_alerts(plan: Plan, *, short: bool | None = None) -> Iterator[Rule]:
    """Burn alerts: all, or those whose short window reads raw counters, or the others."""
    for alert in plan.alerts:
        if short is None or short is (alert.short.length <= RAW_UP_TO):
            yield _burn_alert(plan, alert)


def _burn_alert(plan: Plan, alert: BurnAlert) -> Rule:
    summary = (
        f'{escape(plan.slo)} burns its {plan.period_text} budget {{{{ $value | printf "%.1f" }}}} times too fast'
        f"{_seen_in_part(plan)}"
    )
    spent = f"at least {alert.budget_used * 100:.3g} % of the budget in {alert.long.label}"
    return Rule(
        alert=names.BURN_ALERT,
        labels={"slo": plan.slo, "level": alert.level, "window": alert.long.label},
        annotations={"summary": summary, "budget_spent": spent, **_runbook(plan)},
        expr=f"{_too_fast(plan, alert)}\nand ignoring (window) {_bad_in(plan, alert.long)} >= {alert.min_bad}",
    )


def _too_fast(plan: Plan, alert: BurnAlert) -> str:
    """Burn over both windows above the factor. The slow ticket, at whose factor an SLO may well live, stays until it is clearly below."""
    long, short = (series(names.BURN, plan.slo, window=w.label) for w in (alert.long, alert.short))
    both = f"{long} > {alert.factor}\nand ignoring (window) {short} > {alert.factor}"
    if alert.row.factor > 1:
        return both
    low, short_low = (number_text(round(alert.row.factor * share, 6)) for share in (CLEARS, CLEARS_SHORT))
    fires = _fires(plan, names.BURN_ALERT, level=alert.level, window=alert.long.label)
    still = f"{long} > {low}\nand ignoring (window) {short} > {short_low}\nand on (slo, window) {fires}"
    return f"({both}\nor {still})"


def _bad_in(plan: Plan, window: Window) -> str:
    """Bad events in a guarded window. What a restart made an estimate of in a tile is rounded; raw windows never count less."""
    if window not in bad_recorded(plan):
        return f"sum_over_time({series(names.tile('bad', TILE), plan.slo)}[{window.label}])"
    bad = series(names.BAD, plan.slo, window=window.label)
    return f"round({bad})" if isinstance(plan.sli, Counters) and reads_tiles(plan, window) else bad


def no_data(plan: Plan) -> Rule:
    """No successful read of the source, with or without events."""
    silence = plan.no_data_after
    match plan.sli:
        case Counters():
            expr, wait = f"max(absent({plan.sli.total.over(plan.reference)}))", silence
        case Slices():
            expr, wait = f"max(absent({plan.sli.data}))", silence
        case _:
            age = series(SLO_DATA_AGE.name, plan.slo)
            gone = duration_text(min(silence, _SOURCE_GONE))
            expr = (
                f"min by (slo) ({age}) > {int(silence.total_seconds())}\n"
                f"or max by (slo) (absent_over_time({age}[{gone}]))"
            )
            wait = FIRST_SCRAPE
    return Rule(
        alert=names.NO_DATA_ALERT,
        labels={"slo": plan.slo, "level": Level.TICKET},
        annotations=_said(
            plan, f"{plan.slo} has had no data for {duration_text(silence)}: an outage would not be seen"
        ),
        expr=expr,
        wait=wait,
    )


def _said(plan: Plan, summary: str) -> dict[str, str]:
    return {"summary": escape(summary), **_runbook(plan)}


def _runbook(plan: Plan) -> dict[str, str]:
    return {"runbook_url": escape(plan.runbook)} if plan.runbook else {}


def escape(text: str) -> str:
    """Text that Prometheus' templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')
