"""The catalog's entries, runs of templates, searches and views of docs, counted by hand."""

from __future__ import annotations

import pytest
from tests.support.history import NOBODY, MemoryHistory, owner, source
from tests.support.portal import NOW, Told, entity, ran, search, view

from platform_meter.measures import portal
from platform_meter.model.catalogue.portal import DOCS_VIEWS, PORTAL_SEARCHES, TEMPLATE_RUNS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.portal import DocsView, PortalSearch, TemplateRun
from platform_meter.model.measure import Scene
from platform_meter.model.metric import resolve
from platform_meter.testing.measures import adds_up, measures_held_to_contract

PORTAL = source("portal", "backstage", watermark=NOW)


def entries(*told: Told, fresh: bool = True) -> dict[tuple[str, ...], float | None]:
    sources = [source("portal", "backstage", watermark=NOW, fresh=fresh)]
    scene = Scene(history=MemoryHistory(told, sources=sources), definitions=Definitions(), now=NOW)
    adds_up(portal.ENTRIES, scene)
    return {sample.labels: resolve(sample.value) for sample in portal.ENTRIES.compute(scene)}


def test_they_keep_the_contract_of_measures() -> None:
    """Each metric is declared once and measured once."""
    measures_held_to_contract(portal.MEASURES)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], {}),
        (
            [entity("a"), entity("b", "component", "lifecycle"), entity("c", "component", "owner", "system")],
            {("component", "yes"): 1.0, ("component", "no"): 2.0},
        ),
        (
            [entity("a", "api"), entity("b", "template"), entity("pay", "group"), entity("x", "robot")],
            {("api", "yes"): 1.0, ("api", "no"): 0.0, ("template", "yes"): 1.0, ("template", "no"): 0.0},
        ),
    ],
    ids=["nothing", "two lack something", "kinds without an owner are left out"],
)
def test_entries_by_kind_and_completeness(told: list[Told], expected: dict[tuple[str, ...], float]) -> None:
    """Complete is one that lacks nothing; the other answer stands at 0 beside it."""
    assert entries(*told) == expected


def test_entries_of_a_stale_portal_are_absent() -> None:
    """What it lists now is not known."""
    assert entries(entity("a"), fresh=False) == {}


def test_an_ended_run_counts_by_template_and_outcome() -> None:
    """Once, however it ended."""
    for outcome in ("success", "failed", "cancelled"):
        _, _, run = ran("1", outcome)
        assert isinstance(run, TemplateRun)
        (found,) = portal.count_run(run, owner("pay"), PORTAL)
        assert (found.metric, found.labels, found.amount) == (TEMPLATE_RUNS, ("new-service", outcome), 1.0)


def test_a_search_counts_by_whether_it_found_anything() -> None:
    """And nothing else of it is told."""
    for word in ("hit", "miss"):
        _, _, one = search("a1", 1, word)
        assert isinstance(one, PortalSearch)
        (found,) = portal.count_search(one, NOBODY, PORTAL)
        assert (found.metric, found.labels, found.amount) == (PORTAL_SEARCHES, (word,), 1.0)


def test_a_view_of_docs_counts_by_what_they_document() -> None:
    """Whoever opened them."""
    _, _, one = view("a1", 1, "gateway")
    assert isinstance(one, DocsView)
    (found,) = portal.count_view(one, NOBODY, PORTAL)
    assert (found.metric, found.labels, found.amount) == (DOCS_VIEWS, ("gateway",), 1.0)
