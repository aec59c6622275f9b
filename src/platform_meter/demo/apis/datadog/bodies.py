"""Datadog's JSON: series of counts, monitors, how an SLO stood, incidents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from platform_meter.demo.company.layout import TEAM_LABEL, Service
from platform_meter.demo.company.records import Incident, sha_of, uid_of
from platform_meter.demo.company.watching import DECLARED, OWNED, TARGET, Check, Metric, Watched

MINUTE = 60
SLO = sha_of("datadog", "slo")[:32]
"""Id of the one SLO."""
FIRST = 71_001
"""Number of the first monitor."""
ORG = 1
_PERCENT = 100


def stamp(moment: datetime) -> str:
    """As Datadog writes a moment."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def series(metric: Metric, scope: str, points: Mapping[int, int], width: int) -> dict[str, Any]:
    """Counts by the beginning of their bucket, in epoch seconds."""
    first, last = min(points), max(points)
    return {
        "metric": str(metric),
        "display_name": str(metric),
        "expression": f"sum:{metric}{{{scope}}}.as_count().rollup(sum,{width})",
        "scope": scope,
        "aggr": "sum",
        "interval": width,
        "length": len(points),
        "start": first * 1_000,
        "end": (last + width) * 1_000 - 1,
        "pointlist": [[at * 1_000.0, float(count)] for at, count in points.items()],
        "query_index": 0,
        "tag_set": [],
    }


def reply(said: list[dict[str, Any]], query: str, start: int, end: int) -> dict[str, Any]:
    """The answer of a metric query."""
    return {
        "status": "ok",
        "res_type": "time_series",
        "resp_version": 1,
        "query": query,
        "from_date": start * 1_000,
        "to_date": end * 1_000,
        "series": said,
        "message": "",
        "group_by": [],
    }


def monitors(watched: Watched, now: datetime, made: datetime) -> list[dict[str, Any]]:
    """All of them by number; those that are nobody's have no tags that say otherwise."""
    service = watched.service
    rows = []
    for number, check in enumerate(Check, FIRST):
        draft = check is Check.DRAFT
        rows.append(
            {
                "id": number,
                "org_id": ORG,
                "name": f"{service.id}: {check}",
                "type": "query alert",
                "query": f"sum(last_5m):sum:{Metric.ERRORS}{{service:{service.id}}}.as_count() > 10",
                "message": "Look at the runbook.",
                "tags": _tags(service) if check in OWNED else [],
                "options": {"thresholds": {"critical": 10.0}, "include_tags": True},
                "multi": False,
                "priority": None,
                "restricted_roles": None,
                "created": stamp(made),
                "modified": stamp(made),
                "deleted": None,
                "overall_state": watched.state(check, now),
                "draft_status": "draft" if draft else "published",
            }
        )
    return rows


def _tags(service: Service) -> list[str]:
    return [f"service:{service.id}", f"{TEAM_LABEL}:{service.team}", "env:production"]


def history(watched: Watched, start: datetime, end: datetime, target: float) -> dict[str, Any]:
    """How the SLO stood in a stretch of time, and what was left of the budget of a target in percent."""
    hits = watched.counted(Metric.HITS, start, end)
    sli = None if not hits else _PERCENT * (1 - watched.counted(Metric.ERRORS, start, end) / hits)
    left = {} if sli is None else {"custom": _PERCENT * (1 - (_PERCENT - sli) / (_PERCENT - target))}
    overall = {
        "name": watched.slo,
        "sli_value": sli,
        "span_precision": 2.0,
        "precision": {"custom": 2.0, "30d": 2.0},
        "error_budget_remaining": left,
    }
    threshold = {"target": _PERCENT * TARGET, "target_display": "99.9", "timeframe": "30d"}
    data = {
        "from_ts": int(start.timestamp()),
        "to_ts": int(end.timestamp()),
        "type": "metric",
        "type_id": 1,
        "overall": overall,
        "thresholds": {"30d": threshold},
    }
    return {"data": data, "errors": None}


def incident(one: Incident, number: int, now: datetime) -> dict[str, Any]:
    """An incident of the service. Its title leads to what those on call have of it."""
    steps, ended = one.steps_at(now), one.ended_at(now)
    service, declared = one.repo.name, one.begun + DECLARED
    fields = {"severity": "dropdown", "state": "dropdown", "services": "autocomplete", "teams": "autocomplete"}
    values = {
        "severity": one.priority.replace("P", "SEV-") or "UNKNOWN",
        "state": "resolved" if ended else "active",
        "services": [service],
        "teams": [one.repo.team],
    }
    attributes = {
        "public_id": number,
        "title": f"{one.title}, see {one.address}",
        "created": stamp(declared),
        "modified": stamp(max([declared, *(at for at, _, _ in steps)])),
        "detected": stamp(declared),
        "resolved": stamp(ended) if ended else None,
        "customer_impacted": True,
        "customer_impact_start": stamp(declared),
        "customer_impact_end": stamp(ended) if ended else None,
        "customer_impact_scope": f"Clients of {service}",
        "severity": values["severity"],
        "state": values["state"],
        "fields": {name: {"type": kind, "value": values[name]} for name, kind in fields.items()},
    }
    return {"id": uid_of("datadog", one.number), "type": "incidents", "attributes": attributes}


def known_since(start: datetime) -> datetime:
    """When the monitors were made."""
    return start - timedelta(days=200)
