"""All capabilities at a glance: against their goals, against four weeks ago, and who moved this week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from platform_meter.measures.adoption.forecast import WEEKS
from platform_meter.measures.adoption.goals import GoalState, Progress, Trends, held, told
from platform_meter.measures.adoption.movers import Moves, moves
from platform_meter.measures.adoption.snapshots import TransitionKind
from platform_meter.model.catalogue.adoption import ADOPTION_SELF_SERVICE
from platform_meter.model.definitions import Capability, Unit
from platform_meter.web.view import View, first_of, percent

WEEK = 7
BACK = timedelta(days=28)
WORDS = {
    TransitionKind.NEW: "came",
    TransitionKind.RESURRECTED: "came back",
    TransitionKind.DORMANT: "fell silent",
    TransitionKind.CHURNED: "churned",
    TransitionKind.LEFT: "left",
}
LEVELS = {GoalState.REACHED: "good", GoalState.ON_TRACK: "good", GoalState.AT_RISK: "warn", GoalState.MISSED: "bad"}
MOST = 12
"""Names of one kind of mover on the page of all."""


def at_a_glance(view: View) -> Sequence[Mapping[str, Any]]:
    """A line for each capability that is known; what people choose comes first."""
    trends, known = view.kept.of(Trends), {c.id for c in told(view.scene)}
    ordered = sorted(view.definitions.capabilities, key=lambda cap: cap.mandated)
    return [_line(view, trends, cap) for cap in ordered if cap.id in known]


def _line(view: View, trends: Trends, cap: Capability) -> Mapping[str, Any]:
    trend, moved = trends.trend(view.scene, cap, "active"), moves(view.history, cap.id, WEEK)
    month = moves(view.history, cap.id, BACK.days)
    then = None if trend is None or month is None or month.first not in trend.days else trend.ratio(month.first)
    came = (TransitionKind.NEW, TransitionKind.RESURRECTED)
    lost = (TransitionKind.DORMANT, TransitionKind.LEFT)
    return {
        "id": cap.id,
        "title": cap.title or cap.id,
        "mandated": cap.mandated,
        "active": None if trend is None else trend.ratio(trend.last),
        "then": then,
        "since": None if month is None else month.first,
        "change": None if trend is None or then is None else trend.ratio(trend.last) - then,
        "beyond": month is not None and month.beyond_noise,
        "alone": view.one(ADOPTION_SELF_SERVICE, capability=cap.id),
        "goals": [goal_words(found) for found in held(view.scene, cap)],
        "came": None if moved is None else moved.count(*came),
        "lost": None if moved is None else moved.count(*lost),
        "movers": None if moved is None else movers(cap, moved, MOST),
    }


def goal_words(found: Progress) -> Mapping[str, Any]:
    """One goal for people."""
    goal = found.goal
    return {
        "said": f"{goal.ratio * 100:g} % {goal.of} by {goal.by:%d %b %Y}",
        "now": percent(found.ratio),
        "state": "" if found.state is None else found.state.replace("_", " "),
        "level": "" if found.state is None else LEVELS[found.state],
        "more": _more(found),
    }


def _more(found: Progress) -> str:
    """Why the goal is in its state."""
    if found.state is GoalState.MISSED:
        return f"{percent(found.ratio)} were {found.goal.of} on its day."
    if found.state is GoalState.REACHED or found.weeks <= 0:
        return ""
    pace = "" if found.pace is None else f"{found.pace * 100:.2g} points a week are needed. "
    if found.expected is None:
        return f"{pace}Nothing is expected of fewer than six weeks of snapshots."
    band = f"{percent(found.expected.low)} to {percent(found.expected.high)}"
    when = "then" if found.weeks <= WEEKS else f"in {WEEKS} weeks, when an even pace has {percent(found.needed)}"
    return f"{pace}Forecast: {percent(found.expected.point)} {when} (four futures in five: {band})."


def movers(cap: Capability, moved: Moves, most: int) -> Sequence[tuple[str, str]]:
    """(what they did, who) of each kind; people are told by their number alone."""
    return [(word, _who(cap, moved.units[kind], most)) for kind, word in WORDS.items() if moved.units.get(kind)]


def _who(cap: Capability, units: Sequence[str], most: int) -> str:
    if cap.unit is Unit.PERSON:
        return "1 person" if len(units) == 1 else f"{len(units)} people"
    return first_of(units, most)
