"""Journeys: where newcomers drop off on the way into a capability, and how long they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from platform_meter.measures.adoption.book import Asked
from platform_meter.measures.adoption.use import whole_days
from platform_meter.measures.journeys.gauges import ENTERED
from platform_meter.measures.journeys.reading import SETTLING, asked_for, asked_of, journeys, known, least, read
from platform_meter.measures.journeys.walk import LOOK_BACK, Funnel, Way
from platform_meter.model.catalogue.journeys import (
    FUNNEL_DROPOFF,
    FUNNEL_UNITS,
    TIME_TO_FIRST,
    TIME_TO_FIRST_REACHED,
)
from platform_meter.model.definitions import Capability, Unit
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.view import View, span, such

DECLARE = """
journey: {start: {source: backstage, verb: view_docs}, window: 60d}
stages:
  - {id: created, when: {source: backstage, verb: template_completed}}
  - {id: live, when: {source: kong, verb: request, min_amount: 1000}}
"""


def page(view: View) -> Mapping[str, Any]:
    """Every journey: the funnel and the times."""
    return {
        "journeys": [_journey(view, cap) for cap in journeys(view.definitions.capabilities)],
        "declare": DECLARE,
        "back": whole_days(LOOK_BACK),
    }


def _journey(view: View, cap: Capability) -> Mapping[str, Any]:
    seen = known(view.history, cap)
    stages = [_stage(view, cap, stage) for stage in (ENTERED, *(stage.id for stage in cap.stages))]
    return {
        **_said(cap),
        "stages": stages,
        "worst": _worst(stages),
        "known": seen,
        "early": seen is not None and seen.since + SETTLING > seen.until,
        "settled": None if seen is None else (seen.since + SETTLING).astimezone(view.zone),
    }


def _said(cap: Capability) -> Mapping[str, Any]:
    journey = cap.journey
    return {
        "id": cap.id,
        "called": cap.title or cap.id,
        "unit": cap.unit,
        "window": 0 if journey is None else whole_days(journey.window),
        "loose": journey is not None and journey.order == "loose",
        "start": "" if journey is None else words(asked_of(journey.start)),
    }


def words(asked: Asked, amount: float = 1.0) -> str:
    """A use as people read it."""
    much = f" of {amount:g}" if amount != 1 else ""
    return f"{' or '.join(asked.verbs)}{much} in {asked.source}{such(dict(asked.select))}"


def _stage(view: View, cap: Capability, stage: str) -> dict[str, Any]:
    """One line of the funnel; a dash where there is no number."""
    units = {state: view.one(FUNNEL_UNITS, journey=cap.id, stage=stage, state=state) for state in ("mature", "pending")}
    entered = view.one(FUNNEL_UNITS, journey=cap.id, stage=ENTERED, state="mature")
    there = units["mature"]
    declared = next((one for one in cap.stages if one.id == stage), None)
    return {
        "id": stage,
        "means": "" if declared is None else words(asked_for(declared), least(declared)),
        **units,
        "share": there / entered if there is not None and entered else None,
        "dropoff": view.one(FUNNEL_DROPOFF, journey=cap.id, stage=stage),
        "reached": view.one(TIME_TO_FIRST_REACHED, journey=cap.id, milestone=stage),
        "times": [
            span(view.one(TIME_TO_FIRST, journey=cap.id, milestone=stage, quantile=word)) for word in ("0.5", "0.9")
        ],
    }


def _worst(stages: Sequence[Mapping[str, Any]]) -> str:
    """The stage that most of those who could come to it do not come to."""
    lost = [(one["dropoff"], one["id"]) for one in stages if one["dropoff"]]
    return max(lost)[1] if lost else ""


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """Who stands where on one journey; people are told by how many they are."""
    cap = next((c for c in journeys(view.definitions.capabilities) if c.id == name), None)
    if cap is None:
        return None
    found = read(view.scene, cap)
    return {**_said(cap), "people": cap.unit is Unit.PERSON, "stands": [] if found is None else _stands(found)}


def _stands(of: Funnel) -> Sequence[Mapping[str, Any]]:
    """By the last stage that they came to in time: who has time left, and who is stuck there or came too late."""
    return [
        {
            "stage": stage,
            "last": number == len(of.stages),
            "pending": _names(of.pending, number),
            "stuck": _names(of.mature, number),
        }
        for number, stage in enumerate((ENTERED, *of.stages))
    ]


def _names(ways: Sequence[Way], stages: int) -> Sequence[str]:
    return [one.unit for one in ways if one.stages() == stages]


PAGE = WebPage(
    path="/journeys",
    title="Journeys",
    place=2,
    template="journeys/journeys.html",
    fill=page,
    detail=Detail(template="journeys/detail.html", fill=detail),
)
