"""Journeys: the stage at which most of those who could go on do not."""

from __future__ import annotations

from itertools import pairwise

from platform_meter.measures.adoption.use import whole_days
from platform_meter.measures.journeys.gauges import ENTERED
from platform_meter.measures.journeys.reading import journeys, read
from platform_meter.measures.journeys.walk import LOOK_BACK, Funnel
from platform_meter.model.definitions import Capability
from platform_meter.web.report.content import NOT_ENOUGH, Bullets, Paragraph, Section
from platform_meter.web.report.told import Chapter, Told
from platform_meter.web.view import percent


def tell(told: Told) -> Section | None:
    """None where no journey is declared."""
    declared = journeys(told.then.definitions.capabilities)
    if not declared:
        return None
    said = [_said(capability, read(told.then, capability)) for capability in declared]
    days = whole_days(LOOK_BACK)
    about = f"Of entrants of the last {days} days whose time is over; who has time left is not judged yet."
    return Section(title="Largest drop-off of each journey", blocks=[Bullets(said), Paragraph(about)])


def _said(capability: Capability, funnel: Funnel | None) -> str:
    title = capability.title or capability.id
    if funnel is None or not funnel.mature:
        return f"{title}: {NOT_ENOUGH}."
    stages = (ENTERED, *funnel.stages)
    reached = [funnel.reached(funnel.mature, number) for number in range(len(stages))]
    lost = [(1 - there / before, number) for number, (before, there) in enumerate(pairwise(reached), 1) if before]
    share, number = max(lost)
    if not share:
        return f"{title}: none of {reached[0]} dropped off."
    before, there = reached[number - 1 : number + 1]
    left = f"; {len(funnel.pending)} with time left" if funnel.pending else ""
    return (
        f"{title}: {before - there} of {before} {capability.unit}s that came to '{stages[number - 1]}' did not come to "
        f"'{stages[number]}' ({percent(share)}){left}."
    )


CHAPTER = Chapter(place=4, tell=tell)
