"""How many valid events an SLO has in an hour, as somebody counted them: the exporter's store, or Prometheus' rules."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

from sqlalchemy import make_url

from platform_meter.measures.objectives.reach import candidate_sources
from platform_meter.measures.objectives.windows import Windows
from platform_meter.model.access import Access
from platform_meter.model.dims import Dim
from platform_meter.model.measure import Scene
from platform_meter.model.objective import StoredObjective
from platform_meter.model.source import Outside, SourceError
from platform_meter.runtime.files.config import Config
from platform_meter.runtime.outside.http import Way
from platform_meter.runtime.service import PROMETHEUS, Service, brief_way
from platform_meter.slo import names
from platform_meter.slo.answers import series
from platform_meter.slo.plan import TILE, Plan
from platform_meter.slo.promql import number_text, quote
from platform_meter.slo.stored import stored_objective

_HOUR = timedelta(hours=1)
_PATIENCE = 10.0
"""Seconds that somebody who waits for the answer has."""


def has_store(config: Config) -> bool:
    """Whether the store is there already: a file of SQLite's is, a server is taken to be."""
    url = make_url(config.store.url)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


def stored(service: Service, plan: Plan) -> float | None:
    """Of an SLO over stored events, in its period up to the last good read; None where there are none, or no source."""
    objective = stored_objective(plan)
    read = [s.last_success for s in service.store.stream_states() if s.last_success is not None]
    if objective is None or not read:
        return None
    with service.store.history(max(read), service.configured) as history:
        definitions = replace(service.definitions, objectives=(objective,))
        scene = Scene(history=history, definitions=definitions, now=max(read), zone=service.zone)
        counts = Windows([objective]).of(scene, objective).counts
        start = max(read) - plan.period
        first = first_counted(scene, objective, start)
    if first is None or counts is None:
        return None
    since = max(start, first)
    return counts[plan.period_label].valid / max((max(read) - since) / _HOUR, 1.0) or None


def first_counted(scene: Scene, objective: StoredObjective, start: datetime) -> datetime | None:
    """When the first event since `start` ended; of what is kept by days alone, when its first day began."""
    kind, history = objective.sli.events, scene.history
    if not kind.elsewhere:
        return next((row.event.at for row in history.rows(kind.read, start, scene.now)), None)

    def its(dim: Dim) -> bool:
        return kind.good(objective.sli, dim) is not None

    summed = history.summed_before(kind.event)
    if summed is not None and start < summed:
        first, last = (moment.astimezone(scene.zone).date() for moment in (start, summed))
        instances = {source.instance for source in candidate_sources(scene, objective)}
        days = {told.day for told in history.daily(kind.event, instances, first, last) if its(told.dim)}
        if days:
            return datetime.combine(min(days), time(), scene.zone)
    rows = history.rows(kind.event, start, scene.now)
    return next((row.event.at for row in rows if any(its(tally.dim) for tally in row.event.tallies())), None)


def recorded(outside: Outside, plan: Plan) -> float | None:
    """Of an SLO whose rules Prometheus evaluates, in its period or as long as there are tiles; None without any events.

    Raises:
        SourceError: Prometheus does not answer.
    """
    slo, period = quote(plan.slo), plan.period_label
    tile = f"{names.tile('total', TILE)}{{slo={slo}}}[{period}]"
    hours = number_text(plan.period / _HOUR)
    query = (
        f"avg_over_time({tile}) * {number_text(_HOUR / TILE)} "
        f"or {names.TOTAL}{{slo={slo},window={quote(period)}}} / {hours}"
    )
    status, body = outside.text("/api/v1/query", params={"query": query}, timeout=_PATIENCE)
    try:
        found = next((float(one.value[1]) for one in series(body)), 0.0)
    except ValueError as error:
        raise SourceError(f"it answered {status}, and not as a Prometheus query API does") from error
    return found if 0 < found < math.inf else None


def prometheus_at(url: str) -> Way:
    """The way to a Prometheus that asks for no credentials.

    Raises:
        ValueError: no address.
    """
    return brief_way(Access(url=url), instance=PROMETHEUS, source_type=PROMETHEUS)
