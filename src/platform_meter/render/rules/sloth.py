"""The same SLO under the names that Sloth gives its series, so that dashboards made for it go on.

Names and labels are those of Sloth's conventions and of the rules that it generates; all are copies of series of ours.
`slo:objective:ratio` has the same name there and here, so it stays one series, with the labels of both: as two it would
count twice wherever SLOs are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from platform_meter.model.objective import StoredSli
from platform_meter.render.rules import groups
from platform_meter.render.rules.promql import series
from platform_meter.render.rules.text import Group, Rule
from platform_meter.slo import names
from platform_meter.slo.foreign.dialect import name_of
from platform_meter.slo.plan import COPY, TILE, Plan, Window
from platform_meter.slo.promql import duration_text, number_text, quote

ID, SERVICE, SLO, WINDOW = "sloth_id", "sloth_service", "sloth_slo", "sloth_window"
ERROR = "slo:sli_error:ratio_rate{}"
"""{id, service, slo, window}: error ratio over the window that its name ends in."""
BUDGET, DAYS = "slo:error_budget:ratio", "slo:time_period:days"
CURRENT, PERIOD = "slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio"
LEFT = "slo:period_error_budget_remaining:ratio"
INFO = "sloth_slo_info"
WINDOWS = tuple(timedelta(minutes=m) for m in (5, 30, 60, 2 * 60, 6 * 60, 24 * 60, 3 * 24 * 60))
_MODE, _OBJECTIVE = "sloth_mode", "sloth_objective"
_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")


def sloth_groups(plan: Plan) -> tuple[Group, ...]:
    """The groups of an SLO, and one more with its series under Sloth's names."""
    them = labels(plan)
    ours = tuple(replace(group, rules=tuple(_named(rule, them) for rule in group.rules)) for group in groups(plan))
    return (*ours, Group(name=f"slo {plan.slo} sloth", interval=COPY, rules=tuple(_copies(plan, them))))


def labels(plan: Plan) -> Mapping[str, str]:
    """By what Sloth tells its SLOs apart. An SLO that was written for Sloth has its spelling again."""
    written = plan.display if name_of(plan.service, plan.display) == plan.slo else ""
    return {
        ID: f"{plan.service}-{written}" if written else plan.slo,
        SERVICE: plan.service,
        SLO: written or plan.slo,
    }


def window_text(length: timedelta) -> str:
    """A window as Sloth writes it: `5m`, `3d`, and whole weeks and years as such: `4w`."""
    for unit, size in (("y", timedelta(days=365)), ("w", timedelta(days=7))):
        if not length % size:
            return f"{length // size}{unit}"
    return duration_text(length)


def _named(rule: Rule, them: Mapping[str, str]) -> Rule:
    return replace(rule, labels={**rule.labels, **them}) if rule.record == names.OBJECTIVE else rule


def _copies(plan: Plan, them: Mapping[str, str]) -> Iterator[Rule]:
    def record(name: str, expr: str, **more: str) -> Rule:
        return Rule(record=name, labels={**them, **more}, expr=expr)

    burning = {window.length: window for window in plan.windows}
    for length in WINDOWS:
        expr = _error(plan, length, burning.get(length))
        if expr and length < plan.period:
            text = window_text(length)
            yield record(ERROR.format(text), expr, **{WINDOW: text})
    period = window_text(plan.period)
    missed = f"sum(1 - {series(names.SLI, plan.slo, window=plan.period_label)})"
    yield record(ERROR.format(period), missed, **{WINDOW: period})
    yield record(BUDGET, f"vector({plan.allowed_text})")
    yield record(DAYS, f"vector({number_text(plan.period / timedelta(days=1))})")
    pairs = ",".join(f"{key}={quote(value)}" for key, value in them.items())
    yield record(CURRENT, f"sum({ERROR.format('5m')}{{{pairs}}}) / {plan.allowed_text}")
    yield record(PERIOD, f"{missed} / {plan.allowed_text}")
    yield record(LEFT, f"sum({series(names.BUDGET, plan.slo, period=plan.period_label)})")
    own = {name: text for name, text in plan.labels.items() if _LABEL.fullmatch(name) and name not in them and text}
    percent = number_text(plan.objective * 100)
    yield record(INFO, "vector(1)", **{**own, _MODE: "platform-meter", _OBJECTIVE: percent})


def _error(plan: Plan, length: timedelta, burning: Window | None) -> str:
    """The error ratio over a window: from its burn, or from tiles where no alert needs one; empty where there are none."""
    if burning is not None:
        return f"sum({series(names.BURN, plan.slo, window=burning.label)} * {plan.allowed_text})"
    if isinstance(plan.sli, StoredSli):
        return ""
    over = f"[{duration_text(length)}]"
    bad, total = (f"sum(sum_over_time({series(names.tile(k, TILE), plan.slo)}{over}))" for k in ("bad", "total"))
    return f"clamp({bad} / ({total} > 0), 0, 1)"
