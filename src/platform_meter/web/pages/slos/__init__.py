"""SLOs: is each inside its objective, how fast is its budget going, and what took it?

Numbers of stored events are those of `/metrics`; those that Prometheus counts are its recorded `slo:` series.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from platform_meter.measures.objectives.days import BadEvent, recent_bad
from platform_meter.measures.objectives.slices import Counts
from platform_meter.model.catalogue.slos import SLO_BUDGET_REMAINING, SLO_BURN, SLO_DATA_AGE, SLO_SLI, SLO_WINDOW_EVENTS
from platform_meter.model.objective import StoredObjective
from platform_meter.slo.burnrate import COVERED, Level
from platform_meter.slo.firing import holds
from platform_meter.slo.plan import RAW_UP_TO, BurnAlert, Plan, bad_recorded
from platform_meter.slo.promql import duration_text, number_text
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.pages.slos import elsewhere, recorded
from platform_meter.web.pages.slos.happened import happened
from platform_meter.web.pages.slos.recorded import Recorded
from platform_meter.web.view import View, safe

CAUTION = 0.25
"""Share of the budget under which the state is caution (domain section 5)."""
STATES = ("exhausted", "caution", "ok", "young", "no data")
"""The worst first."""
BAD_SHOWN = 20
BAD_WITHIN = timedelta(days=14)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One alert of an SLO and how near it is to firing."""

    alert: BurnAlert
    long: float | None
    short: float | None
    bad: float | None
    """Bad events in the long window."""

    firing: bool | None = None
    """Whether Prometheus says that it fires; None where nobody asked it."""

    @property
    def word(self) -> str:
        """`fires`, `quiet`, or `unknown` where nobody tells."""
        return {True: "fires", False: "quiet", None: "unknown"}[self._holds]

    @property
    def waits(self) -> str:
        """For how long its condition has to hold before it fires; empty where that is at once."""
        return duration_text(self.alert.row.wait) if self.alert.row.wait else ""

    @property
    def fires(self) -> bool:
        """Whether its condition is known to hold now; Prometheus evaluates it at its own interval."""
        return self._holds is True

    @property
    def hangs(self) -> bool:
        """Whether all numbers are there, and they say that it stays if it fires already."""
        return self._holds is None and self.bad is not None

    @property
    def _holds(self) -> bool | None:
        bad = self.bad
        if bad is not None and self.alert.long.length > RAW_UP_TO:
            bad = round(bad)  # counts out of tiles are estimates; the rule rounds them too
        return holds(self.alert, long=self.long, short=self.short, bad=bad, fires=self.firing)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloNow:
    """One SLO now."""

    plan: Plan
    objective: StoredObjective | None
    """None where Prometheus counts."""
    numbers: Recorded | None
    """None where there is nobody to ask."""
    age: float | None
    """Seconds since its source was last read; None where Prometheus counts."""
    young: bool = False
    """Less than half of its period stands behind a budget that looks spent."""

    @property
    def budget(self) -> float | None:
        return self.numbers.budget if self.numbers else None

    @property
    def state(self) -> str:
        """One of STATES; `no data` without a budget, `young` before it says anything of a whole period."""
        if self.budget is None:
            return "no data"
        if self.budget >= CAUTION:
            return "ok"
        bad = self.numbers.bad.get(self.plan.period_label) if self.numbers else None
        if self.young or (bad is not None and round(bad) < self.plan.min_bad):
            return "young"
        return "exhausted" if self.budget < 0 else "caution"

    @property
    def is_seen_in_part(self) -> bool:
        """Whether the budget left is at most what is shown, since too little of the period was seen."""
        coverage = self.numbers.coverage if self.numbers else None
        return coverage is not None and coverage < COVERED

    @property
    def level(self) -> str:
        """The tag's colour."""
        return {"ok": "good", "caution": "warn", "exhausted": "bad"}.get(self.state, "soft")

    @property
    def rows(self) -> list[Row]:
        n = self.numbers or Recorded()
        return [
            Row(
                alert=a,
                long=n.burn.get(a.long.label),
                short=n.burn.get(a.short.label),
                bad=self._bad(a),
                firing=None if n.firing is None else (str(a.level), a.long.label) in n.firing,
            )
            for a in self.plan.alerts
        ]

    def _bad(self, alert: BurnAlert) -> float | None:
        """Bad events in the long window; where the rule counts them itself, the period's are the most there can be."""
        counts = self.numbers.bad if self.numbers else {}
        least = None if alert.long in bad_recorded(self.plan) else counts.get(self.plan.period_label)
        return counts.get(alert.long.label, least)

    @property
    def firing(self) -> list[str]:
        """Levels that fire now, the worst first."""
        levels = {r.alert.level for r in self.rows if r.fires}
        return [str(level) for level in Level if level in levels]

    @property
    def worst_first(self) -> int:
        """Sorts by the worst level that fires: pages, tickets, then those that are quiet."""
        order = [str(level) for level in Level]
        return order.index(self.firing[0]) if self.firing else len(order)

    @property
    def by_state(self) -> tuple[bool, int]:
        """Sorts by how it stands: whatever fires, then the worst state first."""
        return not self.firing, STATES.index(self.state)


def page(view: View) -> Mapping[str, Any]:
    """All of them, the worst first."""
    found, error = standings(view)
    found.sort(key=lambda s: (s.by_state, s.plan.service, s.plan.slo))
    return {
        "slos": found,
        "states": [(word, sum(s.state == word for s in found)) for word in STATES],
        "firing": sum(bool(s.firing) for s in found),
        "note": _note(view, found, error),
        "promises": len(view.definitions.promises),
        "rate": rate,
        "budget": budget_text,
        "exact": exact,
    }


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """One of them; None for a name no file has."""
    plan = next((p for p in view.plans if p.slo == name), None)
    if plan is None:
        return None
    (standing,), error = standings(view, plan)
    labels, bounds, days = _days(view, standing)
    objective, beside = standing.objective, happened(view, plan, bounds)
    charts = (_ratio_chart(plan, labels, days), _budget_chart(standing, labels, days))
    return {
        "slo": standing,
        "plan": plan,
        "windows": list(_windows(standing)),
        "note": _note(view, [standing], error),
        "charts": [replace(chart, marks=beside.marks) for chart in charts],
        "beside": beside,
        "told": elsewhere.told(view, plan.slo),
        "events": _events(view, objective),
        "bad_shown": BAD_SHOWN,
        "bad_days": BAD_WITHIN.days,
        "runbook_is_link": bool(safe(plan.runbook)),
        "rate": rate,
        "budget": budget_text,
        "exact": exact,
    }


def standings(view: View, only: Plan | None = None, *, patience: float = recorded.PATIENCE) -> tuple[list[SloNow], str]:
    """SLOs now, and why Prometheus did not tell within so many seconds if it did not."""
    plans = view.plans if only is None else (only,)
    objectives = {o.slo: o for o in view.definitions.objectives}
    stored = _stored(view)
    told: Mapping[str, Recorded] | None = None
    error = ""
    hang = (
        SloNow(plan=p, objective=objectives[p.slo], numbers=stored.get(p.slo), age=None)
        for p in plans
        if p.slo in objectives
    )
    if view.prometheus is not None and (
        any(p.slo not in objectives for p in plans) or any(r.hangs for s in hang for r in s.rows)
    ):
        try:
            told = recorded.now(view.prometheus, only.slo if only else None, patience=patience)
        except recorded.Unanswered as unanswered:
            error = str(unanswered)
    found = []
    for plan in plans:
        objective = objectives.get(plan.slo)
        theirs = None if told is None else told.get(plan.slo, Recorded())
        if objective is None:
            numbers = theirs
        else:
            numbers = replace(stored.get(plan.slo, Recorded()), firing=theirs.firing if theirs else None)
        age = view.one(SLO_DATA_AGE, slo=plan.slo) if objective else None
        young = objective is None and _is_young(view, plan, numbers, patience)
        found.append(SloNow(plan=plan, objective=objective, numbers=numbers, age=age, young=young))
    return found, error


def _is_young(view: View, plan: Plan, numbers: Recorded | None, patience: float) -> bool:
    """Asked only where a budget looks spent, or nearly."""
    if view.prometheus is None or numbers is None or numbers.budget is None or numbers.budget >= CAUTION:
        return False
    try:
        return recorded.is_young(view.prometheus, plan.slo, plan.period, patience=patience)
    except recorded.Unanswered:
        return False


def _stored(view: View) -> dict[str, Recorded]:
    """The window gauges by SLO, in the shape in which Prometheus records its own."""
    burn, sli, bad, total = (dict[str, dict[str, float]]() for _ in range(4))
    for into, metric in ((burn, SLO_BURN), (sli, SLO_SLI)):
        for labels, value in view.get(metric):
            into.setdefault(labels["slo"], {})[labels["window"]] = value
    for labels, value in view.get(SLO_WINDOW_EVENTS):
        slo, window = labels["slo"], labels["window"]
        if labels["result"] == "bad":
            bad.setdefault(slo, {})[window] = value
        all_ = total.setdefault(slo, {})
        all_[window] = all_.get(window, 0.0) + value
    budget = {labels["slo"]: value for labels, value in view.get(SLO_BUDGET_REMAINING)}
    return {
        slo: Recorded(
            burn=burn.get(slo, {}),
            sli=sli.get(slo, {}),
            bad=bad.get(slo, {}),
            total=total[slo],
            budget=budget.get(slo),
        )
        for slo in total
    }


def _note(view: View, found: Sequence[SloNow], error: str) -> str:
    """Why numbers of SLOs that Prometheus counts are missing; empty when none is."""
    theirs = [s for s in found if s.objective is None]
    if not theirs:
        return ""
    who = "This SLO is" if len(found) == 1 else f"{len(theirs)} SLOs are"
    if view.prometheus is None:
        return (
            f"{who} counted by Prometheus, and no source of type prometheus is configured, so there are no numbers here. "
            "Add one to platform-meter.yaml; the generated dashboards show them in any case."
        )
    if error:
        return f"{who} counted by Prometheus, which did not tell: {error}"
    silent = [s.plan.slo for s in theirs if s.numbers == Recorded()]
    if silent:
        return f"Prometheus has no slo: series of {', '.join(silent)}. Has it loaded the generated rules?"
    return ""


def _windows(standing: SloNow) -> Iterator[Mapping[str, Any]]:
    n = standing.numbers or Recorded()
    for window in (*standing.plan.windows, standing.plan.period_window):
        label = window.label
        bad, total, burn = n.bad.get(label), n.total.get(label), n.burn.get(label)
        if burn is None and label == standing.plan.period_label and n.budget is not None:
            burn = 1 - n.budget
        error = None if burn is None else burn * float(standing.plan.allowed)
        yield {
            "label": label,
            "good": None if total is None or bad is None else total - bad,
            "bad": bad,
            "sli": None if error is None else f"{(1 - error) * 100:.3f} %",
            "burn": burn,
        }


def _days(view: View, standing: SloNow) -> tuple[tuple[str, ...], list[datetime], list[Counts]]:
    """Days of the period, what parts them, and good and bad of each. Prometheus cuts its days at this time of day."""
    count = max(1, math.ceil(standing.plan.period / _DAY))
    if standing.objective is not None:
        days = view.days(count)
        moments = [view.midnight(d) for d in (*days, days[-1] + _DAY)]
        counts = view.slo_days.counts(view.scene, standing.objective, moments)
        return tuple(f"{d:%d %b}" for d in days), moments, counts
    moments = [view.now - _DAY * n for n in range(count - 1, -1, -1)]
    labels = tuple(f"{m.astimezone(view.zone):%d %b}" for m in moments)
    bounds = [moments[0] - _DAY, *moments]
    if view.prometheus is None or standing.numbers is None:
        return labels, bounds, [Counts()] * count
    try:
        return labels, bounds, recorded.days(view.prometheus, standing.plan.slo, moments)
    except recorded.Unanswered:
        return labels, bounds, [Counts()] * count


def _ratio_chart(plan: Plan, labels: tuple[str, ...], days: Sequence[Counts]) -> Chart:
    shares = tuple(d.good / d.valid if d.valid else None for d in days)
    objective = float(plan.objective)
    known = any(s is not None for s in shares)
    return Chart(
        title=f"Good {plan.counts} by day",
        caption="Share of the valid ones. A day without any has no value; the last day is not over. The axis does not begin at 0.",
        labels=labels,
        series=(
            Series(name="good", values=shares),
            Series(name="objective", values=tuple(objective if known else None for _ in days), tone=Tone.QUIET),
        ),
        percent=True,
        zoom=True,
        digits=3,
    )


def _budget_chart(standing: SloNow, labels: tuple[str, ...], days: Sequence[Counts]) -> Chart:
    """From the budget that is left now backwards: each day took its bad events / what the period allows."""
    n, plan = standing.numbers or Recorded(), standing.plan
    valid = n.total.get(plan.period_label) or sum(d.valid for d in days)
    left: list[float | None] = []
    if n.budget is not None and valid and any(d.valid for d in days):
        after = n.budget
        for day in reversed(days):
            left.append(after)
            after += day.bad / (valid * float(plan.allowed))
    values = tuple(reversed(left)) or tuple(None for _ in days)
    return Chart(
        title="Budget left after each day",
        caption=f"Of the budget of the {plan.period_text} period that ends now: how much each day took; the last day is not over. Below 0 it is overspent.",
        labels=labels,
        series=(Series(name="left", values=values),),
        percent=True,
    )


def _events(view: View, objective: StoredObjective | None) -> list[BadEvent]:
    return [] if objective is None else recent_bad(view.scene, objective, most=BAD_SHOWN, within=BAD_WITHIN)


def rate(value: float | None) -> str:
    """A burn rate: 1 spends just the budget over the period."""
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def budget_text(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:,.1f} %"


def exact(share: Decimal) -> str:
    """An objective with all of its decimals: `99.95 %`."""
    return f"{number_text(share * 100)} %"


PAGE = WebPage(
    path="/slos",
    title="SLOs",
    place=13,
    template="slos/slos.html",
    fill=page,
    detail=Detail(template="slos/slo.html", fill=detail),
)
