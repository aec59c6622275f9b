"""The demo's interventions and its campaign: what the platform's teams changed, as their product manager writes it down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from platform_meter.demo.company.changes import AGENTS_DAY, CACHE_DAY, CAME, INVITED, ROADSHOW_DAY
from platform_meter.demo.company.layout import HISTORY_DAYS, Company
from platform_meter.demo.company.pipelines import System, pipelines

RUNS = "platform_pipeline_run_duration_seconds"


def impact(company: Company) -> Iterator[Mapping[str, Any]]:
    """Two interventions on different teams, and a campaign."""
    first = company.start.date() - timedelta(days=HISTORY_DAYS)
    windows = {"pre": "40d", "washout": "7d", "post": "35d"}
    for id_, title, day, system in (
        ("jenkins-agents", "Larger agents on Jenkins", AGENTS_DAY, System.JENKINS),
        ("gitlab-cache", "A cache of dependencies on GitLab", CACHE_DAY, System.GITLAB),
    ):
        yield {
            "kind": "Intervention",
            "id": id_,
            "title": title,
            "at": first + timedelta(days=day),
            "metric": {"name": RUNS, "labels": {"system": str(system)}},
            "windows": windows,
            "units": sorted({one.team.id for one in pipelines(company) if one.system is system}),
        }
    yield {
        "kind": "Campaign",
        "id": "delivery-roadshow",
        "title": "Roadshow: deliver continuously",
        "at": first + timedelta(days=ROADSHOW_DAY),
        "capability": "continuous-delivery",
        "audience": ["app-developer"],
        "reach": {"invited": INVITED, "attended": CAME},
    }
