"""Error budgets that other tools reckon themselves, as they tell them (domain section 14)."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.census import Share, census
from platform_meter.model.catalogue.budgets import TOLD_BUDGET, TOLD_SLI
from platform_meter.model.facts.budgets import ToldBudget
from platform_meter.model.history import Held, SourceState
from platform_meter.model.measure import Measures, Scene


def _sli(_scene: Scene, source: SourceState, held: Held[ToldBudget]) -> Iterator[Share]:
    if held.reading.sli is not None:
        yield Share((source.instance, held.reading.slo), held.reading.sli)


def _remaining(_scene: Scene, source: SourceState, held: Held[ToldBudget]) -> Iterator[Share]:
    if held.reading.remaining is not None:
        yield Share((source.instance, held.reading.slo), held.reading.remaining)


SLI = census(TOLD_SLI, ToldBudget, _sli)
REMAINING = census(TOLD_BUDGET, ToldBudget, _remaining)

MEASURES = Measures(standing=(SLI, REMAINING))
