"""Roadmap: what was committed and what came of it, what people ask for and what of that is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from statistics import median
from typing import Any, NamedTuple

from platform_meter.measures.roadmap import heard
from platform_meter.measures.roadmap.asks import Ask, by_pain, by_theme, not_asked, not_planned
from platform_meter.measures.roadmap.items import Item, by_period, items, known_to, standing, tellers
from platform_meter.measures.roadmap.judged import COMMITTED, Judged, Result, judge, overdue, slip
from platform_meter.measures.roadmap.voices import NONE, Answered, Pain, asked_for
from platform_meter.model.catalogue.roadmap import (
    FEEDBACK_CLOSED_LOOP,
    PAIN_POINT_REPORTS,
    ROADMAP_COMMITMENTS,
    ROADMAP_DELIVERY,
    ROADMAP_LINKED,
)
from platform_meter.model.definitions import RoadmapSource
from platform_meter.model.facts.roadmap import Feedback
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.web.page import WebPage
from platform_meter.web.view import Tile, View, lacking, percent, safe, whole

SHOWN = 25
"""Rows of a list."""
PERIODS = 8
"""Periods that are shown, the newest first."""


class Row(NamedTuple):
    """One item in a list."""

    name: str
    title: str
    url: str
    status: str
    became: str
    """What became of it, where it was committed or came in between."""
    target: str
    ended: str
    slip: str
    asked: int
    """How much feedback is behind it."""


def page(view: View) -> Mapping[str, Any]:
    scene = view.scene
    everything = items(scene, past=True)
    planned = standing(everything or ())
    told = heard(scene, None if everything is None else planned)
    counts = asked_for(told or (), planned)
    judged = [] if everything is None else judge(scene, everything)
    judged = sorted(judged, key=lambda one: (one.period.start, one.period.months), reverse=True)
    asks = by_theme(told or ())
    now = _running(view, judged)
    return {
        "roadmaps": [one.title or one.id for one in view.definitions.roadmaps],
        "absences": [
            f"{one.title or one.id}: {why}" for one in view.definitions.roadmaps if (why := absence(view, one))
        ],
        "unheard": "" if told is not None else _unheard(view),
        "tiles": _tiles(view, now, told),
        "periods": [_period(view, one, counts, is_open=one is now) for one in judged[:PERIODS]],
        "unscheduled": [_row(view, one, "", counts) for one in by_period(planned).get(None, ())],
        "not_planned": [_asked(view, theme, ask) for theme, ask in islice(not_planned(asks).items(), SHOWN)],
        "not_asked": [_row(view, one, "", counts) for one in not_asked(planned, counts)][:SHOWN],
        "themes": [_asked(view, theme, ask) for theme, ask in islice(asks.items(), SHOWN)],
        "pains": list(_pains(view, told or ())) if told is not None else [],
        "asks": bool(asks),
    }


def _unheard(view: View) -> str:
    """Why nothing is known of feedback."""
    late = [why for kind in (TicketEvent, Feedback, SurveyResponse) if (why := lacking(view.history.sources(kind), ""))]
    return f"Feedback is not known now: {' and '.join(dict.fromkeys(late)) or 'part of the roadmap is not'}."


def absence(view: View, roadmap: RoadmapSource) -> str:
    """Why nothing is known of a roadmap; empty where it is."""
    scene, wanted = view.scene, roadmap.source
    named = f" named {wanted.instance}" if wanted.instance else ""
    if not wanted.system:
        return ""
    why = lacking(tellers(scene, roadmap), f"no source of type {wanted.system}{named} reads it")
    return why or ("" if known_to(scene, roadmap) else "it was not read yet")


def _running(view: View, judged: Sequence[Judged]) -> Judged | None:
    """The shortest period that runs and of which is known what was committed."""
    today = view.now.astimezone(view.zone).date()
    running = [one for one in judged if one.results and one.period.start <= today < one.period.end]
    return min(running, key=lambda one: one.period.months, default=None)


def _tiles(view: View, now: Judged | None, told: Sequence[Answered] | None) -> list[Tile]:
    shipped = [one for one in told or () if one.shipped is not None and not one.voice.anonymous]
    label = now.period.label if now else ""
    delivered = view.one(ROADMAP_DELIVERY, period=label)
    results = _results(view, label)
    slipped = sum(results.get(r, 0.0) for r in (Result.LATE, Result.MOVED)) if results else None
    committed = sum(results.get(r, 0.0) for r in COMMITTED) if results else None
    unknown = "no period runs whose beginning was seen"
    return [
        Tile(
            name="Delivered so far",
            value=percent(delivered),
            more=f"of {whole(committed)} committed to {label}" if now else unknown,
        ),
        Tile(name="Slipped", value=whole(slipped), more="moved to another period" if now else unknown),
        Tile(
            name="Added",
            value=whole(results.get(Result.ADDED) if results else None),
            more="done and not committed" if now else unknown,
        ),
        Tile(
            name="Linked",
            value=percent(view.one(ROADMAP_LINKED, period=label)),
            more=f"of the items of {label} have feedback behind them" if now else unknown,
        ),
        Tile(
            name="Open feedback", value=whole(None if told is None else sum(one.open for one in told)), more="each once"
        ),
        Tile(
            name="Loop closed",
            value=percent(sum(one.looped for one in shipped) / len(shipped) if shipped else None),
            more=f"told, of {whole(len(shipped))} whose item shipped",
        ),
    ]


def _results(view: View, label: str) -> Mapping[str, float]:
    return {labels["result"]: v for labels, v in view.get(ROADMAP_COMMITMENTS) if labels["period"] == label}


def _period(view: View, one: Judged, counts: Mapping[str, int], *, is_open: bool) -> Mapping[str, Any]:
    label, results, found = one.period.label, _results(view, one.period.label), _all(one)
    slips = [days for item in found if (days := slip(item.told, view.zone)) is not None]
    began = one.period.start <= view.now.astimezone(view.zone).date()
    became = {item.unit: str(result) for result, some in one.results.items() for item in some}
    return {
        "label": label,
        "open": is_open,
        "results": {str(result): whole(results.get(result)) for result in Result},
        "committed": whole(one.committed) if one.results else "–",
        "delivery": percent(view.one(ROADMAP_DELIVERY, period=label)),
        "linked": percent(view.one(ROADMAP_LINKED, period=label)),
        "slip": f"{median(d.days for d in slips):+.0f} d" if slips else "–",
        "slips": len(slips),
        "unseen": began and not one.results,
        "coming": not began,
        "items": [_row(view, item, became.get(item.unit, ""), counts) for item in found],
    }


def _all(one: Judged) -> Sequence[Item]:
    """What is planned for a period now, and what was committed to it."""
    found = {item.unit: item for item in one.planned}
    found |= {item.unit: item for some in one.results.values() for item in some}
    return sorted(found.values(), key=lambda item: (item.told.name, item.unit))


def _row(view: View, item: Item, became: str, counts: Mapping[str, int]) -> Row:
    told = item.told
    today = view.now.astimezone(view.zone).date()
    late, over = slip(told, view.zone), overdue(told, today)
    return Row(
        name=told.name,
        title=told.title or told.name,
        url=safe(told.url),
        status="gone" if item.gone else str(told.status),
        became=became,
        target=_day(told.target),
        ended=_day(told.ended.astimezone(view.zone).date() if told.ended else None),
        slip=f"{late.days:+d} d" if late is not None else f"{over.days} d over, open" if over else "",
        asked=counts.get(item.unit, 0),
    )


def _day(day: date | None) -> str:
    return f"{day:%d %b %Y}" if day else ""


def _asked(view: View, name: str, ask: Ask) -> Mapping[str, Any]:
    return {
        "name": "without a theme" if name == NONE else name,
        "all": len(ask.heard),
        "open": ask.open,
        "oldest": _age(view, ask.oldest),
        "personas": ", ".join(sorted({who for one in ask.heard for who in one.voice.personas})),
        "items": [(item.told.name, safe(item.told.url)) for item in ask.items],
        "loop": percent(view.one(FEEDBACK_CLOSED_LOOP, theme=name)),
    }


def _age(view: View, at: datetime | None) -> str:
    return "" if at is None else f"{(view.now - at) // timedelta(days=1)} d"


def _pains(view: View, told: Sequence[Answered]) -> Iterator[Mapping[str, Any]]:
    """Pain points of each persona, the one that most told of in 91 days first."""
    reports = {
        (Pain(labels["persona"], labels["pain_point"]), labels["window"]): v
        for labels, v in view.get(PAIN_POINT_REPORTS)
    }
    asks = by_pain(told, view.definitions.personas)
    for pain in sorted(asks, key=lambda p: (p.persona, -reports.get((p, "91d"), 0.0), p.id)):
        yield {
            **_asked(view, pain.id, asks[pain]),
            "persona": pain.persona,
            "days28": whole(reports.get((pain, "28d"))),
            "days91": whole(reports.get((pain, "91d"))),
        }


PAGE = WebPage(path="/roadmap", title="Roadmap", place=9, template="roadmap/roadmap.html", fill=page)
