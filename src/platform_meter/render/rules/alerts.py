"""The alerts of an SLO: its burn, its budget, and the silence of its source (domain section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from platform_meter.model.catalogue.slos import SLO_DATA_AGE
from platform_meter.model.objective import StoredSli
from platform_meter.render.rules import alert_text as text
from platform_meter.render.rules.promql import LOOKS_OF_A_HALF, half_full, looked, series
from platform_meter.render.rules.text import Rule
from platform_meter.slo import names
from platform_meter.slo.burnrate import CLEARS, Level
from platform_meter.slo.firing import condition
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
    tolerance,
)
from platform_meter.slo.promql import duration_text, number_text
from platform_meter.slo.spec import Alarm

_SOURCE_GONE = timedelta(hours=1)
"""An exporter that is gone is said after this at the latest, however long its SLO may be silent."""


def burn_alerts(plan: Plan, *, short: bool | None = None) -> Iterator[Rule]:
    """Burn alerts: all, or those whose short window reads raw counters, or the others."""
    for alert in plan.alerts:
        if short is None or short is (alert.short.length <= RAW_UP_TO):
            yield _burn_alert(plan, alert)


def budget_spent(plan: Plan) -> Iterator[Rule]:
    """The alert of its budget, unless the file leaves it out."""
    if Alarm.EXHAUSTED in plan.left_out:
        return
    bad, total = (series(name, plan.slo, window=plan.period_label) for name in (names.BAD, names.TOTAL))
    nearly = "{{ if ge $value 0.0 }}nearly {{ end }}"
    count = text.failed(plan, plan.period, bad=bad, total=total)
    yield Rule(
        alert=names.BUDGET_ALERT,
        labels=text.alert_labels(plan, Alarm.EXHAUSTED, Level.TICKET),
        annotations=text.alert_annotations(
            plan,
            Alarm.EXHAUSTED,
            names.BUDGET_ALERT,
            summary=f"{text.escape(plan.slo)} has spent {nearly}its whole {plan.period_text} budget: {count}",
            budget=text.budget(plan),
        ),
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
        parts.append(f"on (slo) {half_full(total_tile, plan.period_window, LOOKS_OF_A_HALF)}")
    return "\nand ".join(parts)


def _fires(plan: Plan, alert: str, **labels: str) -> str:
    """PromQL: something while the alert fires, as Prometheus itself keeps it."""
    return looked(series("ALERTS", plan.slo, alertname=alert, alertstate="firing", **labels))


def _burn_alert(plan: Plan, alert: BurnAlert) -> Rule:
    long = series(names.BURN, plan.slo, window=alert.long.label)
    bad = _bad_in(plan, alert.long)
    # The total of a window is no series: error ratio = burn * (1 - T), so total = bad / burn / (1 - T).
    total = f"round({bad} / on (slo) {long} / {plan.allowed_text})"
    count = text.failed(plan, alert.long.length, bad=bad, total=total)
    alarm = Alarm(alert.level)
    return Rule(
        alert=names.BURN_ALERT,
        labels=text.alert_labels(plan, alarm, alert.level, severity=alert.row.severity, window=alert.long.label),
        annotations=text.alert_annotations(
            plan,
            alarm,
            names.BURN_ALERT,
            summary=f"{text.escape(plan.slo)} burns its {plan.period_text} budget "
            f'{{{{ $value | printf "%.1f" }}}} times too fast: {count}',
            budget_spent=f"at least {alert.budget_used * 100:.3g} % of the budget in {alert.long.label}",
            budget=text.budget(plan, alert.long.length, bad),
        ),
        expr=condition(
            alert,
            long=long,
            short=series(names.BURN, plan.slo, window=alert.short.label),
            bad=bad,
            fires=_fires(plan, names.BURN_ALERT, level=alert.level, window=alert.long.label),
        ),
        wait=alert.row.wait,
    )


def _bad_in(plan: Plan, window: Window) -> str:
    """Bad events in a guarded window. What a restart made an estimate of in a tile is rounded; raw windows never count less."""
    bad = series(names.BAD, plan.slo, window=window.label)
    if window not in bad_recorded(plan):
        bad = f"sum_over_time({series(names.tile('bad', TILE), plan.slo)}[{window.label}])"
    return f"round({bad})" if isinstance(plan.sli, Counters) and reads_tiles(plan, window) else bad


def no_data(plan: Plan) -> Iterator[Rule]:
    """No successful read of the source, with or without events; unless the file leaves it out."""
    if Alarm.NO_DATA in plan.left_out:
        return
    silence = plan.no_data_after
    match plan.sli:
        case Counters():
            expr, wait = f"max(absent({plan.sli.total.over(plan.reference)})){_unread(plan)}", silence
        case Slices():
            expr, wait = f"max(absent({plan.sli.data})){_unread(plan)}", silence
        case _:
            age = series(SLO_DATA_AGE.name, plan.slo)
            gone = duration_text(min(silence, _SOURCE_GONE))
            expr = (
                f"min by (slo) ({age}) > {int(silence.total_seconds())}\n"
                f"or max by (slo) (absent_over_time({age}[{gone}]))"
            )
            wait = FIRST_SCRAPE
    said = f"{plan.slo} has had no data for {duration_text(silence)}: an outage would not be seen"
    yield Rule(
        alert=names.NO_DATA_ALERT,
        labels=text.alert_labels(plan, Alarm.NO_DATA, Level.TICKET),
        annotations=text.alert_annotations(plan, Alarm.NO_DATA, names.NO_DATA_ALERT, summary=text.escape(said)),
        expr=expr,
        wait=wait,
    )


def _unread(plan: Plan) -> str:
    """Idle is not without data: a source that is read and has no series yet has nothing to tell."""
    return f"\nunless {plan.read_by} > 0" if plan.read_by else ""


def contradiction(plan: Plan, sli: Counters) -> Rule:
    """More is good, or bad, than there is in all, beyond what scrapes and estimates explain: in the last hour, or the period.

    Then the SLO has no burn and no budget, so nothing else of it can fire, and this one cannot be left out.
    """
    tiles = isinstance(plan.sli, Counters)
    most = number_text(tolerance(RAW_UP_TO, plan.scrape))
    if tiles:
        bad, all_ = (f"sum_over_time({series(names.tile(k, TILE), plan.slo)}[1h])" for k in ("bad", "total"))
        total, share = (series(n, plan.slo, window=plan.period_label) for n in (names.TOTAL, names.SLI))
        beyond = [
            f"{bad} - {all_} > {most} * {all_} + 1",
            f"{bad} < -{most} * {all_} - 1",
            f"{total} > 0 unless on (slo) {share}",
        ]
    else:
        part, all_ = (f"({query.over(RAW_UP_TO)})" for query in (sli.part, sli.total))
        beyond = [f"{part} - {all_} > {most} * {all_} + 1"]
    which = "bad" if sli.bad else "good"
    said = (
        f"{plan.slo} counts more {which} than all: no number of it can be told, and an outage would not be seen; "
        f"{which} has to be a part of total"
    )
    return Rule(
        alert=names.CONTRADICTION_ALERT,
        labels=text.alert_labels(plan, Alarm.NO_DATA, Level.TICKET),
        annotations=text.alert_annotations(plan, Alarm.NO_DATA, names.CONTRADICTION_ALERT, summary=text.escape(said)),
        expr="count(" + "\nor ".join(beyond) + ") > 0",
        wait=TILE,
    )
