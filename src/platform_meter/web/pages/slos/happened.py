"""Deployments and incidents beside an SLO: what was changed, and what broke, while its budget went."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_meter.measures.delivery.judged import judged
from platform_meter.measures.delivery.release import Outage, Release
from platform_meter.slo.plan import Plan
from platform_meter.web.charts import Mark
from platform_meter.web.view import View, brief, safe, span

SHOWN = 20
"""Rows of the table, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What happened in the days that the charts show."""

    whose: str
    """A service, or the team that keeps the SLO where nothing is deployed as its service."""
    rows: Sequence[Mapping[str, Any]]
    """The newest first."""
    marks: tuple[Mark, ...]
    more: int
    """How many are not among the rows."""


def happened(view: View, plan: Plan, bounds: Sequence[datetime]) -> Happened:
    """Deployments to production and incidents of the SLO's service; `bounds` part the days of the charts."""
    found = judged(view.scene)
    releases = list(found.by_service.get(plan.service, ()))
    outages = [one for one in found.outages if one.service == plan.service]
    whose = plan.service
    if not releases and not outages:
        whose = plan.owner
        releases = [one for one in found.releases if one.owner.team == plan.owner]
        outages = [one for one in found.outages if one.owner.team == plan.owner]
    told = [(one.at, _release(view, one)) for one in releases] + [(one.start, _outage(view, one)) for one in outages]
    inside = sorted(
        ((at, row) for at, row in told if bounds[0] <= at < bounds[-1]),
        key=lambda one: (one[0], one[1]["what"]),
        reverse=True,
    )
    marks = tuple(
        Mark(place=bisect_right(bounds, at) - 1, text=f"{row['kind']} {row['what']}", bad=row["bad"])
        for at, row in reversed(inside)
    )
    rows = [row for _, row in inside]
    return Happened(whose=whose, rows=rows[:SHOWN], marks=marks, more=max(0, len(rows) - SHOWN))


def _release(view: View, release: Release) -> Mapping[str, Any]:
    part, n = release.first.part, len(release.changes)
    return {
        "at": release.at.astimezone(view.zone),
        "kind": "deployment" if release.kind == "planned" else str(release.kind),
        "what": f"{release.owner.service} {brief(part.version or part.sha)}",
        "url": safe(part.url),
        "more": f"{n} change{'s' * (n != 1)}{', failed' if release.failures else ''}",
        "bad": False,
    }


def _outage(view: View, outage: Outage) -> Mapping[str, Any]:
    part = outage.first.part
    lasted = span(((outage.end or view.now) - outage.start).total_seconds())
    return {
        "at": outage.start.astimezone(view.zone),
        "kind": "incident",
        "what": f"{outage.owner.service} {part.name or part.key}",
        "url": safe(part.url),
        "more": f"{outage.severity}, {'lasted' if outage.end else 'open for'} {lasted}",
        "bad": True,
    }
