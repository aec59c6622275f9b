"""What the alerts of an SLO carry for people and for Alertmanager: whose it is, how bad it is, and where to look.

Labels are what alerts are routed and grouped by, so they are words of a bound: a text for people, such as the display
name, is an annotation, since a label that changes makes another alert of it.
"""

from __future__ import annotations

from datetime import timedelta

from platform_meter.model.objective import StoredSli
from platform_meter.render.dashboards.boards.slo_overview import DETAIL
from platform_meter.render.rules.promql import LOOKS_OF_A_HALF, half_full, series
from platform_meter.slo import names
from platform_meter.slo.burnrate import COVERED, Level, window_words
from platform_meter.slo.plan import TILE, Plan
from platform_meter.slo.spec import Alarm


def alert_labels(plan: Plan, alarm: Alarm, level: Level, *, severity: str = "", **more: str) -> dict[str, str]:
    """Labels of an alert: ours, then the file's, which may give another severity than its condition does, or its level."""
    ours = {
        "slo": plan.slo,
        "level": level,
        **more,
        "severity": severity or level,
        "service": plan.service,
        "owner": plan.owner,
    }
    every = {**ours, **plan.alert_labels.get(alarm, {})}
    return {name: escape(value) for name, value in every.items() if value}


def alert_annotations(plan: Plan, alarm: Alarm, alert: str, **said: str) -> dict[str, str]:
    """Annotations of an alert: what is `said` in templates, its name and links, then the file's, which may give another runbook."""
    every = {
        "display_name": plan.display,
        "page_url": plan.links.page(f"/slos/{plan.slo}"),
        "dashboard_url": plan.links.board(DETAIL, slo=plan.slo),
        "runbook_url": plan.runbook or plan.links.runbook(alert),
        **plan.alert_annotations.get(alarm, {}),
    }
    return {**said, **{name: escape(value) for name, value in every.items() if value}}


def escape(text: str) -> str:
    """Text that Prometheus' templates leave as it is."""
    return text.replace("{{", '{{ "{{" }}')


def failed(plan: Plan, length: timedelta, *, bad: str, total: str) -> str:
    """`6 of 6 builds failed in the last hour`, of two counts in PromQL."""
    return f"{_whole(bad)} of {_whole(total)} {escape(plan.bad_text)} in the last {window_words(length)}"


def budget(plan: Plan, over: timedelta | None = None, bad: str = "") -> str:
    """What is left of the budget; "at most" that where too little of the period was seen, and nothing of a young SLO.

    Args:
        plan: the SLO.
        over: a window whose pace tells how long it lasts.
        bad: PromQL: bad events in that window.
    """
    left = series(names.BUDGET, plan.slo, period=plan.period_label)
    covered = f"{series(names.COVERAGE, plan.slo, period=plan.period_label)} < {COVERED:g}"
    known = left
    if not isinstance(plan.sli, StoredSli):
        total_tile = series(names.tile("total", TILE), plan.slo)
        known = f"{left} and on (slo) {half_full(total_tile, plan.period_window, LOOKS_OF_A_HALF)}"
    name = f"the {plan.period_text} budget"
    gone = ""
    if over is not None:
        lasts = (
            f", and at the pace of the last {window_words(over)} it is gone in about {_FIRST} | humanizeDuration }}}}"
        )
        gone = _with(_pace(plan, over, bad), lasts)
    is_left = f"{_if(covered, 'at most ')}{_FIRST} | humanizePercentage }}}} of {name} is left{gone}"
    is_spent = (
        f"{name} is overspent by {_if(covered, 'at least ')}{_with(f'-{left}', f'{_FIRST} | humanizePercentage }}}}')}"
    )
    seen = _with(covered, f"; {_FIRST} | humanizePercentage }}}} of the period was seen")
    young = f"what is left of {name} is told once half of it has data"
    return (
        f"{{{{ with query `{known}` }}}}{{{{ if ge (. | first | value) 0.0 }}}}{is_left}{{{{ else }}}}{is_spent}{{{{ end }}}}"
        f"{seen}{{{{ else }}}}{young}{{{{ end }}}}"
    )


def _pace(plan: Plan, length: timedelta, bad: str) -> str:
    """PromQL: seconds, in whole minutes, until the budget is gone if bad events go on coming as over a window.

    Left events / bad events a second. Old ones leave the period meanwhile, so beyond the period nothing can be told.
    Nothing where it is spent, or where too little of the period was seen.
    """
    left = series(names.BUDGET, plan.slo, period=plan.period_label)
    total = series(names.TOTAL, plan.slo, window=plan.period_label)
    covered = series(names.COVERAGE, plan.slo, period=plan.period_label)
    allowed = f"{left} * on (slo) {total} * {plan.allowed_text}"
    seconds = f"floor({allowed} * {int(length.total_seconds())} / on (slo) {bad} / 60) * 60"
    return (
        f"{seconds} < {int(plan.period.total_seconds())} and on (slo) {left} > 0 and on (slo) {covered} >= {COVERED:g}"
    )


_FIRST = "{{ . | first | value"


def _with(query: str, text: str) -> str:
    return f"{{{{ with query `{query}` }}}}{text}{{{{ end }}}}"


def _if(query: str, text: str) -> str:
    return f"{{{{ if query `{query}` }}}}{text}{{{{ end }}}}"


def _whole(query: str) -> str:
    return _with(query, f'{_FIRST} | printf "%.0f" }}}}')
