"""promtool tests of rules that copy the exporter's window gauges: what the exporter says is what fires."""

from __future__ import annotations

import math
from datetime import timedelta

from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_BURN, SLO_DATA_AGE, SLO_WINDOW_EVENTS
from platform_meter.render.rules.promql import series
from platform_meter.render.rules.promtool.text import Expected, Test, firing, labels_text
from platform_meter.slo import names
from platform_meter.slo.burnrate import BEYOND
from platform_meter.slo.plan import Plan
from platform_meter.slo.promql import number_text
from platform_meter.slo.spec import Alarm

_STEP = timedelta(minutes=1)
_AT = timedelta(minutes=20)
_STEPS = 120
_SURE = 10 * _STEP
"""After which all that nothing waits for has been seen."""


def tests(plan: Plan) -> list[Test]:
    """All tests of one SLO over stored events; they hold at any evaluation interval up to 2 min."""
    found = [_budget(plan)]
    if Alarm.NO_DATA not in plan.left_out:
        found.append(_silent(plan))
    if plan.alerts:
        found.append(_burning(plan))
    return found


def _burning(plan: Plan) -> Test:
    """Every row fires so far beyond its factor that few bad events are no chance, once its guard is passed, and not one event
    before.
    """
    fast = (BEYOND + 1) * max(a.row.factor for a in plan.alerts)
    windows = {a.long.label: [b.min_bad for b in plan.alerts if b.long == a.long] for a in plan.alerts}
    at = _AT + _SURE + max(a.row.wait for a in plan.alerts)
    steps = max(_STEPS, math.ceil((at + _SURE) / _STEP))
    burn = [(series(SLO_BURN.name, plan.slo, window=w.label), f"{number_text(fast)}x{steps}") for w in plan.windows]
    later = int(_AT / _STEP)
    bad = [
        (
            series(SLO_WINDOW_EVENTS.name, plan.slo, window=w, result="bad"),
            f"{min(needed) - 1}x{later} {max(needed)}x{steps - later - 1}",
        )
        for w, needed in windows.items()
    ]
    return Test(
        name=f"{plan.slo}: what burns too fast fires, once enough bad events stand behind it",
        step=_STEP,
        series=(*burn, *bad, *_age(plan, f"0x{steps}")),
        expected=(
            firing(plan.slo, names.BURN_ALERT, _AT, count=None),
            firing(plan.slo, names.BURN_ALERT, at, count=len(plan.alerts)),
        ),
    )


def _budget(plan: Plan) -> Test:
    """Two replicas are one SLO; a budget below 0 is said."""
    period = plan.period_label
    metric = series(SLO_BUDGET_REMAINING.name, plan.slo, period=period)
    replicas = [(f'{metric[:-1]},instance="{i}"}}', f"-0.25x{_STEPS}") for i in ("a", "b")]
    events = series(SLO_WINDOW_EVENTS.name, plan.slo, window=period, result="bad")
    budget = series(names.BUDGET, plan.slo)
    return Test(
        name=f"{plan.slo}: the exporter's budget is the SLO's, whatever the number of replicas",
        step=_STEP,
        series=(*replicas, (events, f"{plan.min_bad}x{_STEPS}"), *_age(plan, f"0x{_STEPS}")),
        expected=(
            Expected(expr=f"{budget} + 0", at=_AT, value=-0.25, labels=labels_text(slo=plan.slo, period=period)),
            firing(plan.slo, names.NO_DATA_ALERT, _AT, count=None),
            firing(plan.slo, names.BUDGET_ALERT, _AT, count=None if Alarm.EXHAUSTED in plan.left_out else 1),
        ),
    )


def _silent(plan: Plan) -> Test:
    """A source that was not read for too long is said."""
    most = int(plan.no_data_after.total_seconds())
    later = math.ceil(_AT / _STEP)
    return Test(
        name=f"{plan.slo}: a source not read for {most} s is said",
        step=_STEP,
        series=_age(plan, f"{most}x{later} {most + 1}x{_STEPS - later - 1}"),
        expected=(
            firing(plan.slo, names.NO_DATA_ALERT, _AT, count=None),
            firing(plan.slo, names.NO_DATA_ALERT, _AT + 5 * _STEP, count=1),
        ),
    )


def _age(plan: Plan, values: str) -> tuple[tuple[str, str], ...]:
    return ((series(SLO_DATA_AGE.name, plan.slo), values),)
