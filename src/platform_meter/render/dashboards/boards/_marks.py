"""What changed and what broke, on the time axis of several dashboards. Counters have no event time: each is drawn when it counted."""

from __future__ import annotations

from platform_meter.model.catalogue.delivery import DEPLOYMENTS, INCIDENTS
from platform_meter.render.dashboards import queries as q
from platform_meter.render.dashboards.board import Mark


def deployments(name: str, where: str) -> Mark:
    """Of the teams that fit `where`."""
    grown = q.total(q.increase(DEPLOYMENTS, "5m", where), by="team, environment, result, kind")
    return Mark(
        name=name,
        expr=f"{grown} > 0",
        title="{{team}} deployed to {{environment}}",
        text="{{kind}}, {{result}}; drawn when it was read, not when it happened",
        color="blue",
        step="5m",
    )


def incidents(name: str, where: str = "") -> Mark:
    """As `deployments`; of all where nothing is said."""
    grown = q.total(q.increase(INCIDENTS, "5m", where), by="team, severity, link")
    return Mark(
        name=name,
        expr=f"{grown} > 0",
        title="{{severity}} incident of {{team}}",
        text="linked: {{link}}; drawn when it was over or too old to be linked, not when it began",
        color="orange",
        step="5m",
    )
