"""The portal as a product: is its catalog true, do its templates work, does anybody use it (domain sections 8 and 13)."""

from __future__ import annotations

from collections.abc import Iterator

from platform_meter.measures.census import Share, census
from platform_meter.measures.portal.coverage import COVERAGE
from platform_meter.measures.portal.golden import PATH, STAYS
from platform_meter.measures.portal.people import HELPFUL, PEOPLE
from platform_meter.model.catalogue.portal import CATALOG_ENTITIES, DOCS_VIEWS, PORTAL_SEARCHES, TEMPLATE_RUNS
from platform_meter.model.facts.portal import CatalogEntity, DocsView, PortalSearch, TemplateRun
from platform_meter.model.history import Held, Owner, SourceState
from platform_meter.model.measure import Counting, Measures, Scene
from platform_meter.model.metric import Increment

KINDS = frozenset(CATALOG_ENTITIES.bounds["kind"].split(", "))
"""Kinds of entry that have an owner, and can be complete."""


def _entries(_scene: Scene, _source: SourceState, held: Held[CatalogEntity]) -> Iterator[Share]:
    """An entry, complete or not; the other answer stands at 0 beside it."""
    entity = held.reading
    if entity.kind in KINDS:
        yield Share((entity.kind, "yes"), float(entity.complete))
        yield Share((entity.kind, "no"), float(not entity.complete))


def count_run(event: TemplateRun, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    yield Increment(metric=TEMPLATE_RUNS, labels=(event.template, event.outcome))


def count_search(event: PortalSearch, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    yield Increment(metric=PORTAL_SEARCHES, labels=(event.found,))


def count_view(event: DocsView, _owner: Owner, _source: SourceState) -> Iterator[Increment]:
    yield Increment(metric=DOCS_VIEWS, labels=(event.area,))


ENTRIES = census(CATALOG_ENTITIES, CatalogEntity, _entries)

MEASURES = Measures(
    standing=(
        ENTRIES,
        COVERAGE,
        Counting(event=TemplateRun, metrics=(TEMPLATE_RUNS,), count=count_run),
        PATH,
        STAYS,
        PEOPLE,
        Counting(event=PortalSearch, metrics=(PORTAL_SEARCHES,), count=count_search),
        Counting(event=DocsView, metrics=(DOCS_VIEWS,), count=count_view),
        HELPFUL,
    )
)
