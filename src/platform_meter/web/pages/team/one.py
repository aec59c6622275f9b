"""The page of one team: what it has, what it does with the platform, and what the platform owes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from platform_meter.measures.adoption.breadth import reach
from platform_meter.measures.adoption.seen import what
from platform_meter.measures.delivery.selection import select
from platform_meter.measures.intervals import Interval, Score, difference, wilson
from platform_meter.measures.roadmap import heard
from platform_meter.measures.roadmap.asks import by_pain
from platform_meter.measures.roadmap.items import items, standing
from platform_meter.model.catalogue.adoption import TEAM_DEPTH
from platform_meter.model.catalogue.delivery import DORA_FAILURE, DORA_REWORK
from platform_meter.model.catalogue.entities import SERVICE_INFO, TEAM_INFO
from platform_meter.model.definitions import Unit
from platform_meter.model.facts.people import Membership
from platform_meter.model.metric import Metric
from platform_meter.web.pages import slos
from platform_meter.web.pages.adoption import CODES
from platform_meter.web.pages.delivery.numbers import WINDOW, Numbers, numbers
from platform_meter.web.pages.promises import concerns
from platform_meter.web.pages.promises import rows as promises
from platform_meter.web.pages.team import tickets
from platform_meter.web.view import View, percent

PATIENCE = 2.0
"""Seconds for Prometheus to tell of SLOs that it counts: the rest of the page waits for it."""
ENOUGH = 8
"""Of each side, before a ratio is said to have changed (domain section 12)."""


def fill(view: View, team: str, states: Mapping[str, float]) -> Mapping[str, Any]:
    """`states`: codes of `platform_team_capability_state` by capability."""
    infos = next((labels for labels, _ in view.get(TEAM_INFO) if labels["team"] == team), {})
    persona = infos.get("persona", "")
    standings, why = slos.standings(view, patience=PATIENCE)
    kept = [one for one in standings if one.plan.owner == team]
    asked = tickets.by_team(view)
    return {
        "team": team,
        "org": infos.get("org", ""),
        "persona": persona,
        "members": members(view, team),
        "services": sorted(
            (labels["service"], labels["tier"]) for labels, _ in view.get(SERVICE_INFO) if labels["team"] == team
        ),
        "slos": sorted(kept, key=lambda s: (s.by_state, s.plan.slo)),
        "slo_note": why if any(one.objective is None for one in kept) else "",
        "budget": slos.budget_text,
        "delivery": list(_delivery(view, team)),
        "capabilities": list(_capabilities(view, team, states)),
        "reaches": _reaches(view, states),
        "asked": None if asked is None else asked.get(team, tickets.Asked()),
        "met": _met(asked.get(team, tickets.Asked())) if asked is not None else None,
        "promises": [row for row in promises(view) if concerns(row.promise, persona)],
        "pains": list(_pains(view, persona)),
        "enough": ENOUGH,
    }


def members(view: View, team: str) -> int | None:
    """How many people its file says, else how many a directory has; None where neither tells."""
    said = next((one.members_count for one in view.definitions.teams if one.id == team), None)
    if said is not None or not view.known(Membership):
        return said
    found = {held.reading.people for held in view.history.readings(Membership) if team in held.reading.teams}
    return len(found) or None


def changed(now: tuple[float, float], before: tuple[float, float]) -> str:
    """Whether a ratio moved, in words: (part, whole) of both windows, by Newcombe's interval of 95 % of the difference."""
    if min(now[1], before[1]) < ENOUGH:
        return f"too few to compare (n {now[1]:.0f} and {before[1]:.0f})"
    moved = difference(_score(*now), _score(*before))
    if moved is None or not moved.excludes(0.0):
        return "no clear change"
    return f"changed by {_points(moved)}"


def _score(part: float, whole: float) -> Score:
    return Score(n=int(whole), point=part / whole, interval=wilson(part, whole))


def _points(moved: Interval) -> str:
    return f"{moved.low * 100:+.1f} to {moved.high * 100:+.1f} points"


def _delivery(view: View, team: str) -> Iterator[Mapping[str, Any]]:
    """The numbers of the page of Delivery; of ratios also whether they changed. Of durations that is not said here."""
    seen: Numbers = numbers(view, team)
    ratios: dict[str, Metric] = {"Change failure": DORA_FAILURE, "Rework": DORA_REWORK}
    sides = [_parts(view, team, back) for back in (timedelta(), WINDOW)] if seen.before else []
    for figure in seen.figures(team):
        metric = ratios.get(figure.name)
        now, before = (side.get(metric.name, (0.0, 0.0)) for side in sides) if metric and sides else (None, None)
        yield {"figure": figure, "changed": changed(now, before) if now is not None and before is not None else ""}


def _parts(view: View, team: str, back: timedelta) -> Mapping[str, tuple[float, float]]:
    """Part and whole of its ratios of 28 days."""
    found = select(view.scene, back, team)
    return {
        metric.name: (sum(p.part for p in parts), sum(p.adds for p in parts))
        for metric in (DORA_FAILURE, DORA_REWORK)
        if (parts := found.get((metric.name, (team, "28d"))))
    }


def _capabilities(view: View, team: str, states: Mapping[str, float]) -> Iterator[Mapping[str, Any]]:
    """Those that it could use, those that nobody has to use first; of teams as units also the state 28 days ago."""
    day = view.now.astimezone(view.zone).date() - WINDOW
    depths = {labels["capability"]: v for labels, v in view.get(TEAM_DEPTH) if labels["team"] == team}
    for cap in sorted(view.definitions.capabilities, key=lambda c: c.mandated):
        if cap.id not in states:
            continue
        past = view.history.states(what(cap.id), day, day + timedelta(days=1)) if cap.unit is Unit.TEAM else ()
        before = next((one.state for one in past if one.unit == team), "")
        yield {
            "id": cap.id,
            "title": cap.title or cap.id,
            "mandated": cap.mandated,
            "state": CODES[states[cap.id]],
            "before": before.removeprefix("adopted_").replace("_", " "),
            "depth": depths.get(cap.id),
        }


def _reaches(view: View, states: Mapping[str, float]) -> Sequence[tuple[str, int, int]]:
    """Of capabilities chosen freely and of mandated ones: how many it is active in, of how many it could use."""
    found = []
    for name, mandated in (("chosen freely", False), ("mandated", True)):
        active, eligible = reach(states, [c.id for c in view.definitions.capabilities if c.mandated is mandated])
        if eligible:
            found.append((name, active, eligible))
    return found


def _met(asked: tickets.Asked) -> Mapping[str, str]:
    """The share of SLA cycles that were met, in words."""
    return {
        "now": percent(asked.met / asked.decided) if asked.decided else "–",
        "before": percent(asked.met_before / asked.decided_before) if asked.decided_before else "–",
        "changed": changed((asked.met, asked.decided), (asked.met_before, asked.decided_before)),
    }


def _pains(view: View, persona: str) -> Iterator[Mapping[str, Any]]:
    """Pain points of its persona, the one of which most is open first. They are the persona's, not the team's alone."""
    who = [one for one in view.definitions.personas if one.id == persona and one.pain_points]
    if not who:
        return
    everything = items(view.scene, past=True)
    told = heard(view.scene, None if everything is None else standing(everything))
    asks = by_pain(told or (), who)
    for pain, ask in asks.items():
        if pain.persona == persona:
            yield {"id": pain.id, "open": None if told is None else ask.open, "all": len(ask.heard) if told else None}
