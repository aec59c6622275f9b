"""Support: how much help people ask for, how fast they get it, what is late and what is about to be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from platform_meter.measures.support.asking import asked
from platform_meter.measures.support.queues import category_of, reads
from platform_meter.measures.support.rules import answering
from platform_meter.measures.support.tickets import belongs
from platform_meter.measures.support.words import unmatched
from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_BACKLOG_AGE,
    TICKET_DISAGREEMENTS,
    TICKET_EXPECTED_BREACHES,
    TICKET_REOPEN,
    TICKET_SLA_MET,
    TICKET_SLA_SECONDS,
    TICKETS_OPEN,
    TICKETS_PER_ACTIVE_TEAM,
)
from platform_meter.model.definitions import Sla, Ticketing
from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.web.charts import Chart, Form, Series, Tone
from platform_meter.web.late import Lateness, lateness
from platform_meter.web.page import WebPage
from platform_meter.web.view import Tile, View, hours, lacking, percent, sentence, whole

WEEKS = 13
TOP = 7
ASKERS = 15
AGES = (
    ("1d", "under 1 day"),
    ("3d", "1 to 3 days"),
    ("7d", "3 to 7 days"),
    ("30d", "7 to 30 days"),
    ("older", "older"),
)


def page(view: View) -> Mapping[str, Any]:
    late, unlike = lateness(view.scene), unmatched(view.scene)
    queues = view.definitions.ticketing
    return {"queues": [{**_queue(view, q, late.get(q.id)), "unmatched": unlike.get(q.id)} for q in queues]}


def _queue(view: View, queue: Ticketing, late: Lateness | None) -> Mapping[str, Any]:
    opened = [(labels, v) for labels, v in view.get(TICKETS_OPEN) if labels["queue"] == queue.id]
    why = absence(view, queue) or ("" if opened else "no ticket of this queue was counted yet")
    weekly = {} if late is None else _weekly(view, queue)
    return {
        "id": queue.id,
        "title": queue.title or queue.id,
        "absence": why,
        "tiles": _tiles(view, queue, late if queue.slas else None, None if why else sum(v for _, v in opened), weekly),
        "ages": [(name, None if why else sum(v for labels, v in opened if labels["age"] == age)) for age, name in AGES],
        "slas": [row for sla in queue.slas for row in _sla(view, queue, sla.id, late)],
        "clocks": [] if why else [*_clocks(view, queue)],
        "askers": None if why else _askers(view, queue),
        "no_slas": sentence(why or ("" if queue.slas else "its Ticketing file has no slas")),
        "chart": _chart(weekly, why),
    }


def absence(view: View, queue: Ticketing) -> str:
    """Why the queue has no numbers; one stale source of several is enough."""
    wanted = queue.source
    named = f" named {wanted.instance}" if wanted.instance else ""
    sources = [s for s in view.history.sources(TicketEvent) if reads(queue, s)]
    return lacking(sources, f"no source of type {wanted.type}{named} is configured")


def _tiles(
    view: View, queue: Ticketing, late: Lateness | None, opened: float | None, weekly: Mapping[date, Counter[str]]
) -> list[Tile]:
    age = {q: view.one(TICKET_BACKLOG_AGE, queue=queue.id, quantile=q) for q in ("0.5", "0.9")}
    load = view.one(TICKETS_PER_ACTIVE_TEAM, queue=queue.id, window="28d")
    created = sum(weekly[week].total() for week in sorted(weekly)[-4:]) if weekly else None
    return [
        Tile(name="Open", value=whole(opened), more="tickets now"),
        Tile(
            name="Late",
            value=whole(late.late if late else None),
            more=f"past a goal, {whole(late.soon)} more about to be" if late else "tickets past a goal",
        ),
        Tile(
            name="Age of the backlog",
            value=hours(age["0.5"]),
            more="half are older" + ("" if age["0.9"] is None else f"; a tenth older than {hours(age['0.9'])}"),
        ),
        Tile(name="Created, 4 weeks", value=whole(created), more="the running week included"),
        Tile(
            name="Reopened, 28 d",
            value=percent(view.one(TICKET_REOPEN, queue=queue.id, window="28d")),
            more="of those resolved",
        ),
        Tile(
            name="Tickets per active team",
            value="–" if load is None else f"{load:.2f}",
            more="created in 28 d",
        ),
    ]


def _chart(weekly: Mapping[date, Counter[str]], why: str) -> Chart:
    weeks = sorted(weekly)
    totals: Counter[str] = sum(weekly.values(), Counter())
    top = [name for name, _ in sorted(totals.items(), key=lambda t: (-t[1], t[0]))[:TOP]]
    others = [name for name in totals if name not in top]
    series = [Series(name=name, values=tuple(float(weekly[w][name]) for w in weeks)) for name in top]
    if others:
        rest = tuple(float(sum(weekly[w][n] for n in others)) for w in weeks)
        series.append(Series(name="all others", values=rest, tone=Tone.QUIET))
    return Chart(
        title="Tickets created by category",
        caption="By week (from Monday); the running week is not over.",
        labels=tuple(f"{w:%d %b}" for w in weeks),
        series=tuple(series),
        form=Form.BARS,
        running=True,
        absence=f"No data: {why or 'no ticket in these weeks'}.",
    )


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


def _sla(view: View, queue: Ticketing, sla: str, late: Lateness | None) -> list[Mapping[str, Any]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for metric, name in (
        (TICKET_AT_RISK, "at_risk"),
        (TICKET_EXPECTED_BREACHES, "expected"),
        (TICKET_SLA_MET, "met_{window}"),
        (TICKET_SLA_SECONDS, "q{quantile}"),
    ):
        for labels, value in view.get(metric):
            if (labels["queue"], labels["sla"]) == (queue.id, sla):
                found[labels["priority"]][name.format(**labels)] = value
    if late is not None:
        for priority, values in found.items():
            values |= {"late": late.late_by_goal[sla, priority], "soon": late.soon_by_goal[sla, priority]}
    return [{"sla": sla.replace("_", " "), "priority": p, **values} for p, values in sorted(found.items())]


def _askers(view: View, queue: Ticketing) -> Mapping[str, Any] | None:
    """Tickets of 28 days by the team that asked, the most first; None where nobody knows of any."""
    by_team, tickets = asked(view.scene, timedelta(days=28), queue.id)
    if not by_team:
        return None
    most = sorted(by_team.items(), key=lambda t: (-t[1], t[0]))
    shown = [(team, n, percent(n / tickets)) for team, n in most[:ASKERS]]
    return {"teams": shown, "others": len(most) - len(shown), "tickets": tickets}


def _clocks(view: View, queue: Ticketing) -> Iterator[str]:
    """What one should know of the clocks of SLAs: whose they are, and what they wait for that nobody tells."""
    counted = {labels["sla"] for labels, _ in view.get(TICKET_AT_RISK) if labels["queue"] == queue.id}
    for sla in queue.slas:
        if sla.clock == "source":
            yield _clock(view, queue, sla)
        elif sla.measured != "resolution" and answering(sla, queue).acknowledged and sla.id not in counted:
            name = sla.id.replace("_", " ")
            yield f"{name} has no numbers: {queue.source.type} never told that a ticket was acknowledged"


def _clock(view: View, queue: Ticketing, sla: Sla) -> str:
    """Whose clock judges an SLA, and how often the other one says otherwise."""
    differ = [
        v for labels, v in view.get(TICKET_DISAGREEMENTS) if (labels["queue"], labels["sla"]) == (queue.id, sla.id)
    ]
    name = sla.id.replace("_", " ")
    if not differ:
        named = f" called '{sla.clock_name}'" if sla.clock_name else ""
        return (
            f"{name} is computed: {queue.source.type} told no clock of its own{named} that is open or ended in 28 days"
        )
    return (
        f"{name} is judged by the clock of {queue.source.type}; the computed one says otherwise of {whole(sum(differ))}"
    )


PAGE = WebPage(path="/support", title="Support", place=7, template="support/support.html", fill=page)
