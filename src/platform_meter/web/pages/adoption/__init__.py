"""Adoption: who uses what, who stopped, and who never began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from platform_meter.measures.adoption.seen import OUTSIDE
from platform_meter.model.catalogue.adoption import (
    ADOPTION_ACTIVE_RATIO,
    ADOPTION_DEPTH_RATIO,
    ADOPTION_RATIO,
    ADOPTION_UNITS,
    CHURN,
    STICKINESS,
    TEAM_CAPABILITY_STATE,
)
from platform_meter.model.definitions import Capability
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.page import WebPage
from platform_meter.web.view import View

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
        "grid": _grid(view),
    }


def _capability(view: View, cap: Capability) -> Mapping[str, Any]:
    days = view.days(TREND_DAYS)
    by_day: dict[Any, Counter[str]] = {}
    for unit in view.history.snapshots(cap.id, days[0], days[-1] + timedelta(days=1)):
        by_day.setdefault(unit.day, Counter())[unit.state] += 1
    shown = [d for d in days if d in by_day]
    units = {labels["state"]: v for labels, v in view.get(ADOPTION_UNITS) if labels["capability"] == cap.id}
    adopted = view.one(ADOPTION_RATIO, capability=cap.id)
    active = view.one(ADOPTION_ACTIVE_RATIO, capability=cap.id)
    return {
        "id": cap.id,
        "title": cap.title or cap.id,
        "unit": cap.unit,
        "owner": cap.owner,
        "mandated": cap.mandated,
        "fresh": bool(units),
        "states": [(s, units.get(s, 0.0)) for s in STATES],
        "eligible": sum(v for s, v in units.items() if s not in OUTSIDE),
        "adopted": adopted,
        "active": active,
        "more_active": adopted is not None and active is not None and active > adopted,
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
                Series(name=s.replace("_", " "), values=tuple(float(by_day[d][s]) for d in shown), tone=TONES.get(s))
                for s in STATES[:5]
            ),
        ),
    }


def _rule(cap: Capability) -> str:
    """What counts as adopted and as active, in words."""
    adopted, active = cap.adopted, cap.active
    some = "".join(f", {name} {' or '.join(values)}" for name, values in adopted.select.items())
    held = f"{adopted.min:g} standing{some}" if adopted.count else f"{adopted.min:g} within {active.window.days} days"
    days = f" on {active.min_days} days" if active.min_days > 1 else ""
    return (
        f"Adopted: {adopted.count or adopted.verb} in {adopted.source}, at least {held}. "
        f"Active: {' or '.join(active.verbs)} in {active.source}, "
        f"at least {active.min_amount:g}{days} within {active.window.days} days."
    )


def _grid(view: View) -> Mapping[str, Any]:
    states = {(labels["team"], labels["capability"]): CODES[v] for labels, v in view.get(TEAM_CAPABILITY_STATE)}
    capabilities = sorted(view.definitions.capabilities, key=lambda cap: cap.mandated)
    teams = sorted({team for team, _ in states})
    return {
        "capabilities": [cap.title or cap.id for cap in capabilities],
        "rows": [(t, [states.get((t, cap.id), "") for cap in capabilities]) for t in teams],
    }


PAGE = WebPage(path="/adoption", title="Adoption", place=1, template="adoption/adoption.html", fill=page)
