"""Grafana in the simulated company: one organisation, with a folder for each team that has dashboards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.grafana.routes import TOKEN, GrafanaApi
from platform_meter.demo.company.boards import TEAMS, teams
from platform_meter.demo.company.layout import RUNTIME, TEAM_LABEL, Company
from platform_meter.demo.company.watching import watched_service

NAME = "grafana"
STANDS = "1d"
"""Who is active is seen on the first day: with a longer window nothing would be said before a whole one was seen."""


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The organisation; whose a folder is, rules say, and of what lies in the shared one its tags; who has what there."""
    return Told(
        sources={NAME: {"type": "grafana", "url": urls[NAME], "token": secret(NAME), "tags": [TEAM_LABEL]}},
        secrets={NAME: TOKEN},
        definitions={"capabilities": list(_capabilities(company))},
        rules=[{"match": f"grafana:{TEAMS}/{team.id}/**", "team": team.id} for team in teams(company)],
    )


def _capabilities(company: Company) -> Iterator[Mapping[str, object]]:
    """Dashboards, active where somebody looks at one; and alert rules, of which the team with Datadog needs none here."""
    spared = {
        "unit": watched_service(company).team,
        "until": company.start.date() + timedelta(days=400),
        "reason": "is alerted by Datadog",
    }
    for id_, title, count, seen, exempt in (
        ("dashboards", "Dashboards", "dashboards", {"select": {"used": ["yes"]}}, []),
        ("alert-rules", "Alert rules", "alertrules", {}, [spared]),
    ):
        yield {
            "kind": "Capability",
            "id": id_,
            "title": title,
            "unit": "team",
            "owner": RUNTIME,
            "eligible": {"any": [{"team": {"org": company.served_orgs}}]},
            "adopted": {"source": "grafana", "count": count},
            "active": {"source": "grafana", "count": count, "window": STANDS, **seen},
            "exempt": exempt,
        }


API = DemoApi(
    name="Grafana",
    instances=lambda _: (NAME,),
    app=lambda world, _: GrafanaApi(world),
    threads=3,
    told=told,
)
