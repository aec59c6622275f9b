"""Adoption: who uses what, who stopped, and who never began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from platform_meter.measures.adoption.book import telling_use
from platform_meter.measures.adoption.breadth import reach
from platform_meter.measures.adoption.seen import OUTSIDE, begins, refusal, what
from platform_meter.measures.adoption.unmatched import unmatched
from platform_meter.measures.adoption.use import whole_days
from platform_meter.model.catalogue.adoption import (
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_RATIO,
    ADOPTION_UNITS,
    CHURN,
    STICKINESS,
    TEAM_BREADTH,
    TEAM_CAPABILITY_STATE,
    TEAM_DEPTH,
    TEAM_INDEX,
)
from platform_meter.model.definitions import Capability
from platform_meter.model.metric import Metric
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.pages.adoption.blocks import what_blocks
from platform_meter.web.pages.adoption.goals import at_a_glance
from platform_meter.web.pages.adoption.observability import by_team
from platform_meter.web.pages.adoption.one import detail
from platform_meter.web.view import View, such

TREND_DAYS = 91
CODES = {0.0: "eligible", 1.0: "idle", 2.0: "active", 3.0: "dormant", 4.0: "churned"}
TONES = {"churned": Tone.BAD, "eligible": Tone.QUIET}
STATES = ("active", "adopted_idle", "dormant", "churned", "eligible", "not_eligible", "exempt")


def page(view: View) -> Mapping[str, Any]:
    """What people choose, and apart from it what they have to use."""
    made = [_capability(view, cap) for cap in view.definitions.capabilities]
    return {
        "groups": [
            ("Chosen freely", "", [cap for cap in made if not cap["mandated"]]),
            (
                "Mandated",
                "Everybody has to use these, so their use is no sign of being liked.",
                [cap for cap in made if cap["mandated"]],
            ),
        ],
        "glance": at_a_glance(view),
        "grid": _grid(view),
        "blocked": [cap for cap in made if cap["blocks"]],
        "sights": by_team(view),
    }


def _capability(view: View, cap: Capability) -> Mapping[str, Any]:
    days = view.days(TREND_DAYS)
    by_day = view.history.states_by_day(what(cap.id), days[0], days[-1] + timedelta(days=1))
    first = None if refusal(cap) else begins(view.history, cap, view.zone)
    shown = [d for d in days if d in by_day and (first is None or d >= first)]
    units = {labels["state"]: v for labels, v in view.get(ADOPTION_UNITS) if labels["capability"] == cap.id}
    without = unmatched(cap, view.history, view.now)
    adopted = view.one(ADOPTION_RATIO, capability=cap.id)
    active = view.one(ADOPTION_ACTIVE_RATIO, capability=cap.id)
    return {
        "id": cap.id,
        "title": cap.title or cap.id,
        "unit": cap.unit,
        "owner": cap.owner,
        "mandated": cap.mandated,
        "standard": cap.standard,
        "fresh": bool(units),
        "states": [(s, units.get(s, 0.0)) for s in STATES],
        "eligible": sum(v for s, v in units.items() if s not in OUTSIDE),
        "adopted": adopted,
        "active": active,
        "begins": _begins(cap, first, days[-1]),
        "early": first is not None and first > days[-1],
        "unmatched": without,
        "blocks": what_blocks(view, cap, without, days[-1]),
        "depth": view.one(ADOPTION_DEPTH_RATIO, capability=cap.id),
        "stickiness": view.one(STICKINESS, capability=cap.id, window="28d"),
        "churn": view.one(CHURN, capability=cap.id, window="28d"),
        "exempt": [e for e in cap.exempt if e.until >= days[-1]],
        "rule": _rule(cap),
        "chart": Chart(
            title="Units by state",
            caption=f"One snapshot a day, since {shown[0]:%d %b %Y}."
            if shown
            else "The first snapshot comes when the first day is over and its sources were read.",
            labels=tuple(f"{d:%d %b}" for d in shown),
            series=tuple(
                Series(
                    name=s.replace("_", " "),
                    values=tuple(float(by_day[d].get(s, 0)) for d in shown),
                    tone=TONES.get(s),
                )
                for s in STATES[:5]
            ),
        ),
    }


def _begins(cap: Capability, first: date | None, today: date) -> str:
    """From when on anything is said of a capability, while that is to come or not long ago."""
    if first is None or first <= today - timedelta(days=TREND_DAYS):
        return ""
    window = whole_days(cap.active.window)
    said = "Nothing is said before" if first > today else "Known since"
    objects = " on which its objects were seen, and" if cap.adopted.count else ""
    return f"{said} {first:%d %b %Y}, the first day{objects} with {window} whole days of its use read behind it."


def _rule(cap: Capability) -> str:
    """What counts as adopted and as active, in words."""
    adopted, active = cap.adopted, cap.active
    window = whole_days(active.window)
    held = "standing" if adopted.count else f"within {window} days"
    days = f" on {active.min_days} days" if active.min_days > 1 else ""
    every = f", and all {adopted.every.count}{such(adopted.every.select)} among them" if adopted.every else ""
    parted = "Who is active has adopted."
    if cap.parted:
        why = "adopted selects what active does not"
        if active.adopts is False:
            why = "the file says adopts: false"
        elif adopted.every:
            why = "adopted asks for every object"
        parted = f"Who is active has not adopted by that alone, since {why}: more may be active than adopted."
    return (
        f"Adopted: {adopted.count or adopted.verb} in {adopted.source}, at least {adopted.min:g} {held}"
        f"{such(adopted.select)}{every}. "
        f"Active: {active.count or ' or '.join(active.verbs)} in {active.source}, "
        f"at least {active.min_amount:g}{' a day standing' if active.count else ''}{days} within {window} days"
        f"{such(active.select)}. "
        f"{parted}{_left_out(cap)}"
    )


def _left_out(cap: Capability) -> str:
    """What is no use, as the file says nothing of it."""
    found: dict[str, set[str]] = {}
    verbs = ((cap.adopted.select, (cap.adopted.verb or "",)), (cap.active.select, cap.active.verbs or ("",)))
    for select, some in verbs:
        for kind in telling_use(*some):
            for name, word in kind.use_words.items():
                if word.unusual and name not in select:
                    found.setdefault(name, set()).update(word.unusual)
    said = "; ".join(f"{name} {', '.join(sorted(values))}" for name, values in sorted(found.items()))
    return f" No use, unless select says so: {said}." if said else ""


def _grid(view: View) -> Mapping[str, Any]:
    codes: dict[str, dict[str, float]] = {}
    for labels, code in view.get(TEAM_CAPABILITY_STATE):
        codes.setdefault(labels["team"], {})[labels["capability"]] = code
    capabilities = sorted(view.definitions.capabilities, key=lambda cap: cap.mandated)
    free = {cap.id for cap in capabilities if not cap.mandated}
    depth = {(labels["team"], labels["capability"]): share for labels, share in view.get(TEAM_DEPTH)}
    breadth = {labels["team"]: reach(codes.get(labels["team"], {}), free) for labels, _ in _chosen(view, TEAM_BREADTH)}
    index = {labels["team"]: share for labels, share in _chosen(view, TEAM_INDEX)}
    return {
        "capabilities": [cap.title or cap.id for cap in capabilities],
        "rows": [
            {
                "team": team,
                "states": [
                    (CODES[states[c.id]] if c.id in states else "", depth.get((team, c.id))) for c in capabilities
                ],
                "breadth": breadth.get(team),
                "index": index.get(team),
            }
            for team, states in sorted(codes.items())
        ],
    }


def _chosen(view: View, metric: Metric) -> Iterator[tuple[Mapping[str, str], float]]:
    """Of what nobody has to use."""
    return ((labels, value) for labels, value in view.get(metric) if labels["mandated"] == "false")


PAGE = WebPage(
    path="/adoption",
    title="Adoption",
    place=1,
    template="adoption/adoption.html",
    fill=page,
    detail=Detail(template="adoption/detail.html", fill=detail),
)
