"""Support: how much help people ask for, how fast they get it, and what is about to be late."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from platform_meter.measures import catalogue as c
from platform_meter.measures.support import belongs
from platform_meter.measures.support_queues import category_of
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts import TicketChange, TicketEvent
from platform_meter.web.charts import Chart, Form, Series
from platform_meter.web.view import View

WEEKS = 13
TOP = 7
AGES = (
    ("1d", "under 1 day"),
    ("3d", "1 to 3 days"),
    ("7d", "3 to 7 days"),
    ("30d", "7 to 30 days"),
    ("older", "older"),
)


def page(view: View) -> Mapping[str, Any]:
    return {"queues": [_queue(view, q) for q in view.definitions.ticketing]}


def _queue(view: View, queue: Ticketing) -> Mapping[str, Any]:
    weekly = _weekly(view, queue)
    weeks = sorted(weekly)
    totals: Counter[str] = sum(weekly.values(), Counter())
    top = [name for name, _ in sorted(totals.items(), key=lambda t: (-t[1], t[0]))[:TOP]]
    others = [name for name in totals if name not in top]
    series = [Series(name=name, values=tuple(float(weekly[w][name]) for w in weeks)) for name in top]
    if others:
        series.append(Series(name="all others", values=tuple(float(sum(weekly[w][n] for n in others)) for w in weeks)))
    opened = [(labels, v) for labels, v in view.get(c.TICKETS_OPEN) if labels["queue"] == queue.id]
    return {
        "id": queue.id,
        "title": queue.title or queue.id,
        "zone": queue.calendar.zone,
        "fresh": bool(opened),
        "open": sum(v for _, v in opened),
        "created": sum(weekly[w][n] for w in weeks[-4:] for n in weekly[w]),
        "age": {q: view.one(c.TICKET_BACKLOG_AGE, queue=queue.id, quantile=q) for q in ("0.5", "0.9", "1")},
        "reopen": view.one(c.TICKET_REOPEN, queue=queue.id, window="28d"),
        "load": view.one(c.TICKETS_PER_ACTIVE_TEAM, queue=queue.id, window="28d"),
        "ages": [(name, sum(v for labels, v in opened if labels["age"] == age)) for age, name in AGES],
        "slas": [row for sla in queue.slas for row in _sla(view, queue, sla.id)],
        "chart": Chart(
            title="Tickets created by category",
            caption="By week (from Monday); the running week is not over.",
            labels=tuple(f"{w:%d %b}" for w in weeks),
            series=tuple(series),
            form=Form.BARS,
        ),
    }


def _weekly(view: View, queue: Ticketing) -> dict[date, Counter[str]]:
    today = view.now.astimezone(view.zone).date()
    monday = today - timedelta(days=today.weekday())
    weekly: dict[date, Counter[str]] = {monday - timedelta(weeks=i): Counter() for i in range(WEEKS)}
    types = {s.instance: s for s in view.history.sources(TicketEvent)}
    for row in view.history.rows(TicketEvent, view.midnight(min(weekly)), view.now + timedelta(hours=1)):
        event = row.event
        if (
            event.change is not TicketChange.CREATED
            or row.source not in types
            or not belongs(queue, types[row.source], event)
        ):
            continue
        day = event.at.astimezone(view.zone).date()
        week = day - timedelta(days=day.weekday())
        if week in weekly:
            weekly[week][category_of(queue, event)] += 1
    return weekly


def _sla(view: View, queue: Ticketing, sla: str) -> list[Mapping[str, Any]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for metric, key in ((c.TICKET_AT_RISK, "at_risk"), (c.TICKET_EXPECTED_BREACHES, "expected")):
        for labels, value in view.get(metric):
            if (labels["queue"], labels["sla"]) == (queue.id, sla):
                found[labels["priority"]][key] = value
    for labels, value in view.get(c.TICKET_SLA_MET):
        if (labels["queue"], labels["sla"]) == (queue.id, sla):
            found[labels["priority"]][f"met_{labels['window']}"] = value
    for labels, value in view.get(c.TICKET_SLA_SECONDS):
        if (labels["queue"], labels["sla"]) == (queue.id, sla):
            found[labels["priority"]][f"q{labels['quantile']}"] = value
    return [{"sla": sla.replace("_", " "), "priority": p, **values} for p, values in sorted(found.items())]
