"""Delivery: how often, how fast and how safely each team's changes come to production, beside its own past.

Teams stand in order of name and are compared with nobody but themselves (domain section 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_meter.measures.delivery.shadow import disagreements
from platform_meter.model.catalogue.delivery import DORA_OPEN, DORA_UNLINKED
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.runtime.access.roles import Role
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.pages.delivery import one
from platform_meter.web.pages.delivery.numbers import numbers
from platform_meter.web.pages.delivery.way import way
from platform_meter.web.view import View

PAGERDUTY = """
sources:
  pagerduty:
    type: pagerduty
    token: {env: PAGERDUTY_TOKEN}
"""
_KINDS: tuple[tuple[type[Event], str, str], ...] = (
    (Deployment, "deployments", "github, gitlab, argocd, kubernetes, jenkins, tekton or push"),
    (Change, "changes", "github, gitlab or push"),
    (Incident, "incidents", "pagerduty, jira, github, alertmanager or push"),
)


def page(view: View) -> Mapping[str, Any]:
    """All teams."""
    seen = numbers(view)
    lines = [
        {
            "team": team,
            "figures": seen.figures(team),
            "open": seen.one(DORA_OPEN, team),
            "unlinked": seen.one(DORA_UNLINKED, team),
        }
        for team in seen.teams
    ]
    return {
        "lines": lines,
        "heads": [figure.name for figure in seen.figures("")],
        "lacks": [(name, why, types) for kind, name, types in _KINDS if (why := view.lacking(kind))],
        "no_incidents": not view.history.sources(Incident),
        "pagerduty": PAGERDUTY,
        "past": bool(seen.before),
        "differing": disagreements(view.scene),
    }


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """A team, or the way of the change with this commit; None for what is neither."""
    team = one.detail(view, name)
    found = way(view, name) if team is None else None
    return None if team is None and found is None else {"one": team, "way": found}


PAGE = WebPage(
    path="/delivery",
    title="Delivery",
    place=12,
    template="delivery/delivery.html",
    fill=page,
    detail=Detail(template="delivery/detail.html", fill=detail),
    role=Role.PM,
)
