"""Impact: whether changes helped, each with its interval and how much it rests on, and whom campaigns reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean, median
from typing import Any

from platform_meter.measures.impact import bounds
from platform_meter.measures.impact.effect import Effect
from platform_meter.measures.impact.judged import Judgement, Verdict, judge
from platform_meter.measures.impact.yardstick import Kind, Seen
from platform_meter.model.catalogue.impact import CAMPAIGN_REACH
from platform_meter.model.programme import Campaign
from platform_meter.web.charts import Chart, Mark, Series
from platform_meter.web.page import WebPage
from platform_meter.web.view import View, hours, percent, sentence, span

LEVELS = {Verdict.IMPROVED: "good", Verdict.WORSE: "bad", Verdict.NO_CHANGE: "soft", Verdict.TOO_LITTLE: "soft"}
_WEEK = timedelta(days=7)
_MINUTE, _HOURS = 60.0, 7200.0
"""Seconds from which on durations are told in minutes, and in hours."""
DECLARE = """
kind: Intervention
id: larger-runners
at: 2026-06-01
metric: {name: platform_pipeline_run_duration_seconds, labels: {pool: large}}
"""


def page(view: View) -> Mapping[str, Any]:
    """Interventions and campaigns, the latest first."""
    found = judge(view.scene)
    mine = [one for one in found if not one.subject.capability]
    shows = {one.subject.id: one for one in found if one.subject.capability}
    return {
        "changes": [_change(view, one) for one in sorted(mine, key=lambda one: one.subject.at, reverse=True)],
        "campaigns": [
            _campaign(view, one, shows.get(f"campaign/{one.id}"))
            for one in sorted(view.definitions.campaigns, key=lambda one: one.at, reverse=True)
        ],
        "declare": DECLARE,
    }


def _change(view: View, one: Judgement) -> Mapping[str, Any]:
    subject, effect = one.subject, one.effect
    return {
        "id": subject.id,
        "called": subject.title or subject.id.removeprefix("campaign/"),
        "at": subject.at,
        "metric": one.metric.called,
        "means": one.yardstick.means,
        "units": ", ".join(subject.units) or ("all others" if subject.control else "all"),
        "control": ", ".join(subject.control),
        "verdict": str(one.verdict),
        "level": LEVELS[one.verdict],
        "claim": claim(one),
        "why": sentence(one.why),
        "notes": [sentence(note) for note in one.notes],
        "levels": _levels(one, effect) if effect else "",
        "shift": _value(one, effect.shift) if effect and effect.shift is not None and effect.shift >= 0 else "",
        "less": _value(one, -effect.shift) if effect and effect.shift is not None and effect.shift < 0 else "",
        "chance": f"{one.chance:.3f}" if one.chance >= 0.001 else "under 0.001",
        "judged": effect is not None,
        "chart": _chart(view, one) if one.before or one.after else None,
    }


def claim(one: Judgement) -> str:
    """The change with its interval and how much stands on both sides: `-39.7 % (-52.0 .. -21.3), 41 before, 38 after`."""
    found, weeks = bounds(one), " weeks" if one.yardstick.kind is Kind.WEEKLY else ""
    n = f"{len(one.before)}{weeks} before, {len(one.after)}{weeks} after"
    if not found:
        return n if one.until is not None else ""
    unit = "points" if one.yardstick.kind is Kind.RATIO else "%"
    low, point, high = (f"{100 * found[bound]:+.1f}" for bound in ("low", "point", "high"))
    return f"{point} {unit} ({low} .. {high}), {n}"


def _levels(one: Judgement, effect: Effect) -> str:
    """Before and after; of a series without control units, what the line before has of the weeks after, and what came."""
    before, after = _value(one, effect.before), _value(one, effect.after)
    if one.yardstick.kind is Kind.WEEKLY and not one.subject.control:
        return f"{before} by the line of the weeks before, {after} came"
    return f"{before} before, {after} after"


def _value(one: Judgement, value: float | None) -> str:
    if value is None:
        return "–"
    match one.yardstick.kind:
        case Kind.RATIO:
            return percent(value)
        case Kind.WEEKLY:
            return f"{value:,.1f} units a week"
        case Kind.DURATIONS:
            if _MINUTE <= value < _HOURS:  # whole minutes would hide what a run or a wait gained
                return f"{value / 60:.1f} min"
            # Business time has no days.
            return hours(value) if "queue" in one.metric.measured[1] else span(value)


def _chart(view: View, one: Judgement) -> Chart:
    """Week by week, counted from the change: what is left out has no number, and a mark."""
    days, kind = one.days, one.yardstick.kind
    first = -int((days.at - days.begins) / _WEEK)
    last = int((min(days.ends, one.until or view.now) - days.at) / _WEEK)
    starts = [days.at + n * _WEEK for n in range(first, last)]
    long = median([seen.value for seen in (*one.before, *one.after)]) >= _HOURS
    size, unit = (1.0, "") if kind is not Kind.DURATIONS else (3600.0, "hours") if long else (60.0, "minutes")
    what = {Kind.DURATIONS: f"the median in {unit}", Kind.RATIO: "the share", Kind.WEEKLY: "how many"}[kind]
    made_of = "these weeks" if kind is Kind.WEEKLY else "the single values, not of these weeks"
    marks = [
        Mark(place=place, text="the change" if start == days.at else "left out, while it spreads")
        for place, start in enumerate(starts)
        if days.at <= start < max(days.starts, days.at + timedelta(days=1))
    ]
    return Chart(
        title=f"{one.subject.title or one.subject.id}, week by week",
        caption=f"{sentence(one.yardstick.means)} Of each week {what}. The verdict is made of {made_of}; marked weeks are "
        "left out.",
        labels=tuple(f"{start.astimezone(view.zone):%d %b}" for start in starts),
        series=tuple(
            Series(name=name, values=tuple(_level(kind, some, start, size) for start in starts))
            for name, some in (("before", one.before), ("after", one.after))
        ),
        percent=kind is Kind.RATIO,
        marks=tuple(marks),
    )


def _level(kind: Kind, some: Sequence[Seen], start: datetime, size: float) -> float | None:
    values = [seen.value for seen in some if start <= seen.at < start + _WEEK]
    if not values:
        return None
    return median(values) / size if kind is Kind.DURATIONS else fmean(values)


def _campaign(view: View, one: Campaign, effect: Judgement | None) -> Mapping[str, Any]:
    reach = one.reach
    return {
        "id": one.id,
        "called": one.title or one.id,
        "at": one.at,
        "capability": one.capability or "",
        "audience": ", ".join(one.audience),
        "share": percent(view.one(CAMPAIGN_REACH, campaign=one.id)),
        "reach": f"{reach.attended} of {reach.invited}" if reach else "not said",
        "effect": None if effect is None else _change(view, effect),
    }


PAGE = WebPage(path="/impact", title="Impact", place=10, template="impact/impact.html", fill=page)
