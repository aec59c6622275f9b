"""One gateway: which of its routes fail, whose they are, who may call, what works in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_meter.model.facts.slis import Verdict
from platform_meter.model.facts.traffic import GatewayRequests
from platform_meter.model.metric import UNOWNED
from platform_meter.web.bounds import failed_words
from platform_meter.web.charts import Chart, Form, Series, Tone
from platform_meter.web.pages.gateways.traffic import Gateway, daily, gateways, lines, missing
from platform_meter.web.related import DAY, DAYS, names, slos
from platform_meter.web.view import Tile, View, sentence, whole

SHOWN = 20
"""Rows of a table, at most."""


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """One gateway; None for a name that nothing is known of."""
    gateway = next((one for one in gateways(view, DAY) if one.name == name), None)
    if gateway is None:
        return None
    flows = gateway.traffic
    why = missing(view, gateway)
    return {
        "gateway": gateway,
        "absence": why,
        "tiles": _tiles_of(gateway, why),
        "failing": [] if flows is None else lines(view, [(name, "", flows)], most=SHOWN),
        "nothing": sentence(why) or "No request failed in 24 hours.",
        "teams": _teams(view, gateway),
        "slos": slos(view, lambda sli: names(sli, "gateway", name)),
        "charts": [_requests(view, gateway)],
        "plugins": sorted((gateway.plugins or {}).items(), key=lambda one: (-one[1], one[0])),
        "no_plugins": "No plugin works in it." if gateway.plugins is not None else "No source tells its plugins.",
        "unowned": UNOWNED,
        "shown": SHOWN,
    }


def _tiles_of(gateway: Gateway, why: str) -> list[Tile]:
    flow = gateway.traffic.all if gateway.traffic else None
    routes = sum(gateway.teams.values())
    return [
        Tile(name="Requests, 24 h", value=whole(flow.requests if flow else None), more=why, href="#owners"),
        Tile(
            name="Failed",
            value=failed_words(flow.failed if flow else None),
            more=f"{whole(flow.bad)} of them" if flow else "",
            href="#fails",
        ),
        Tile(
            name="95 % done within",
            value=flow.most if flow else "–",
            more=f"half within {flow.half}" if flow and flow.took.total else "durations are not told",
        ),
        Tile(
            name="Routes",
            value=whole(routes) if routes else "–",
            more=f"{whole(gateway.teams[UNOWNED])} without an owner" if routes else "none is told",
            href="#owners",
        ),
        Tile(
            name="Consumers", value=whole(gateway.consumers), more="" if gateway.consumers is not None else "not told"
        ),
    ]


@dataclass(slots=True)
class Team:
    """What a team has in a gateway."""

    team: str
    routes: int = 0
    requests: float = 0.0
    bad: float = 0.0


def _teams(view: View, gateway: Gateway) -> list[Team]:
    """Routes and requests by owner, those with most failures first."""
    found = {team: Team(team=team, routes=n) for team, n in gateway.teams.items()}
    for object_, flow in gateway.traffic.parts.items() if gateway.traffic else ():
        team = view.history.owner(object_).team
        one = found.setdefault(team, Team(team=team))
        one.requests += flow.requests
        one.bad += flow.bad
    return sorted(found.values(), key=lambda one: (-one.bad, -one.routes, one.team))[:SHOWN]


def _requests(view: View, gateway: Gateway) -> Chart:
    days = view.days(DAYS)
    good, bad = [0.0] * DAYS, [0.0] * DAYS
    told = False
    for one in daily(view, GatewayRequests, gateway.sources):
        if one.dim.gateway == gateway.name:
            told = True
            into = good if one.dim.verdict is Verdict.GOOD else bad
            into[(one.day - days[0]).days] += one.amount
    return Chart(
        title="Requests by day",
        caption="Errors of clients are left out. The last day is not over.",
        labels=tuple(f"{d:%d %b}" for d in days),
        series=(
            Series(name="failed", values=tuple(bad) if told else (None,) * DAYS, tone=Tone.BAD),
            Series(name="answered well", values=tuple(good) if told else (None,) * DAYS),
        ),
        form=Form.BARS,
        running=True,
        absence=f"No data: {missing(view, gateway) or 'no request was counted'}.",
    )
