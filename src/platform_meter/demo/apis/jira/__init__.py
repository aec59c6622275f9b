"""Jira in the simulated company: two projects of tickets, each with its Ticketing file, and one of the roadmap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from platform_meter.demo.apis.api import DemoApi, Told, secret
from platform_meter.demo.apis.jira.plans import QUARTER
from platform_meter.demo.apis.jira.routes import TOKEN, USER, JiraApi
from platform_meter.demo.company.days import ZONE, german_holidays
from platform_meter.demo.company.incidents import LABEL
from platform_meter.demo.company.layout import HISTORY_DAYS, Company
from platform_meter.demo.company.roadmap import PROJECT
from platform_meter.demo.company.tickets import (
    CLOSED,
    COMPONENT_OWNERS,
    FEEDBACK,
    OPEN,
    PROGRESS,
    PROJECTS,
    RESOLVED,
    WAITING,
    components,
)
from platform_meter.demo.truth import QUEUES

NAME = "jira"


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The projects, how their time counts, and whose their components are."""
    section = {
        "type": "jira",
        "url": urls[NAME],
        "email": USER,
        "token": secret(NAME),
        "projects": list(QUEUES),
        "incidents": {"labels": [LABEL]},
    }
    return Told(
        sources={NAME: section},
        secrets={NAME: TOKEN},
        definitions={"ticketing": list(_ticketing(company)), "roadmap": [_roadmap()]},
        rules=list(_rules(company)),
    )


def _roadmap() -> dict[str, Any]:
    return {
        "kind": "RoadmapSource",
        "id": "platform",
        "title": "Platform roadmap",
        "source": {"type": "jira", "instance": NAME, "project": PROJECT},
        "period_field": QUARTER,
        "feedback": {"label": f"{FEEDBACK}*"},
    }


def _rules(company: Company) -> Iterator[dict[str, str]]:
    help_desk = next(project for project in PROJECTS if project.by_team)
    for team in components(company, help_desk):
        yield {"match": f"jira:{help_desk.key}/{team}", "team": team}
    yield {"match": f"jira:{PROJECT}", "team": help_desk.agents}
    for topic, owner in COMPONENT_OWNERS.items():
        yield {"match": f"jira:{PROJECTS[0].key}/{topic}", "team": owner}


def _ticketing(company: Company) -> Iterator[dict[str, Any]]:
    first, last = company.epoch - timedelta(days=30), company.start.date() + timedelta(days=HISTORY_DAYS)
    holidays = sorted(
        day for year in range(first.year, last.year + 1) for day in german_holidays(year) if first <= day <= last
    )
    goals = {
        "PLAT": ({"P1": "30m", "P2": "4h", "default": "8h"}, {"P1": "8h", "P2": "3bd", "default": "5bd"}),
        "HELP": ({"P1": "1h", "default": "8h"}, {"default": "10bd"}),
    }
    for project in PROJECTS:
        response, resolution = goals[project.key]
        yield {
            "kind": "Ticketing",
            "id": QUEUES[project.key],
            "source": {"type": "jira", "instance": NAME, "select": f"project = {project.key}"},
            "calendar": {"zone": ZONE.key, "days": {"mon-fri": ["09:00-17:00"]}, "holidays": holidays},
            "status": {"running": [OPEN, PROGRESS], "paused": [WAITING], "done": [RESOLVED, CLOSED]},
            "category": {"from": project.category_from},
            "slas": [
                {"id": "first_response", "goal": response},
                {"id": "resolution", "goal": resolution, "reopen": "continue"},
            ],
        }


API = DemoApi(
    name="Jira",
    instances=lambda _: (NAME,),
    app=lambda world, at: JiraApi(world, at.url),
    threads=4,
    told=told,
)
