"""Teams: everything of one team in one place, beside its own past. Nobody is compared with anybody else (domain section 6).

All numbers are those of the pages that they link to; what has a past stands beside the 28 days before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from platform_meter.measures.adoption.breadth import Reach, reach
from platform_meter.model.catalogue.adoption import TEAM_CAPABILITY_STATE
from platform_meter.model.catalogue.entities import TEAM_INFO
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.metric import UNOWNED
from platform_meter.runtime.access.roles import Role
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.pages import slos
from platform_meter.web.pages.delivery.numbers import current
from platform_meter.web.pages.team import tickets
from platform_meter.web.pages.team.one import PATIENCE, fill
from platform_meter.web.view import View


def page(view: View) -> Mapping[str, Any]:
    """All teams, in order of name."""
    standings, why = slos.standings(view, patience=PATIENCE)
    asked, delivery, states = tickets.by_team(view), current(view), _states(view)
    kept: dict[str, list[slos.SloNow]] = {}
    for one in standings:
        kept.setdefault(one.plan.owner, []).append(one)
    chosen = [cap.id for cap in view.definitions.capabilities if not cap.mandated]
    mandated = [cap.id for cap in view.definitions.capabilities if cap.mandated]
    infos = {labels["team"]: labels for labels, _ in view.get(TEAM_INFO)}
    lines = [
        {
            "team": team,
            "persona": infos.get(team, {}).get("persona", ""),
            "figures": delivery.figures(team)[:3],
            "chosen": _reach(states.get(team), chosen),
            "mandated": _reach(states.get(team), mandated),
            "asked": None if asked is None else asked.get(team, tickets.Asked()),
            "slos": len(kept.get(team, ())),
            "worst": _worst(kept.get(team, ())),
        }
        for team in names(view)
    ]
    return {
        "lines": lines,
        "heads": [figure.name for figure in delivery.figures("")[:3]],
        "note": why,
        "lacks": [
            (name, lacking)
            for name, kind in (("delivery", Deployment), ("tickets", TicketEvent))
            if (lacking := view.lacking(kind))
        ],
    }


def names(view: View) -> Sequence[str]:
    """Every team that a file declares or that owns anything."""
    known = {labels["team"] for metric in (TEAM_INFO, TEAM_CAPABILITY_STATE) for labels, _ in view.get(metric)}
    return sorted(known - {UNOWNED, ""})


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """One of them; None for a name that nobody knows."""
    return fill(view, name, _states(view).get(name, {})) if name in names(view) else None


def _states(view: View) -> Mapping[str, Mapping[str, float]]:
    """Codes of `platform_team_capability_state` by team and capability."""
    found: dict[str, dict[str, float]] = {}
    for labels, value in view.get(TEAM_CAPABILITY_STATE):
        found.setdefault(labels["team"], {})[labels["capability"]] = value
    return found


def _reach(states: Mapping[str, float] | None, among: Collection[str]) -> Reach | None:
    """None where it could use none of them, or nothing is known."""
    found = reach(states or {}, among)
    return found if found.eligible else None


def _worst(kept: Sequence[slos.SloNow]) -> slos.SloNow | None:
    return min(kept, key=lambda one: (one.by_state, one.plan.slo), default=None)


PAGE = WebPage(
    path="/teams",
    title="Teams",
    place=16,
    template="team/teams.html",
    fill=page,
    detail=Detail(template="team/team.html", fill=detail),
    role=Role.PM,
)
