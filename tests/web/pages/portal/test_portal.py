"""The Portal page."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.history import MemoryHistory, source
from tests.support.portal import NOW, Told, built, entity, ran, search, visit, votes, workload
from tests.support.portal import view as opened
from tests.support.views import html, rows, tables, view

from platform_meter.measures import portal
from platform_meter.model.catalogue.training import TRAINING_COMPLETED, TRAINING_PEOPLE
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.kubernetes import Workload
from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import USE, CatalogEntity, TemplateRun, TemplateStarted
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.web.pages.portal import PAGE
from platform_meter.web.view import View

CATALOG: frozenset[type[Fact]] = frozenset({CatalogEntity, Membership, TemplateRun, TemplateStarted})
GIVES: dict[str, frozenset[type[Fact]]] = {
    "backstage": CATALOG | frozenset(USE),
    "kubernetes": frozenset({Workload}),
    "github": frozenset({PipelineRun}),
}
PORTAL, EU, GITHUB = (
    source(name, type_, watermark=NOW)
    for name, type_ in (("portal", "backstage"), ("eu", "kubernetes"), ("github", "github"))
)


def shown(told: Sequence[Told], *sources: SourceState, gives: dict[str, frozenset[type[Fact]]] = GIVES) -> View:
    """What is shown after a tick."""
    history = MemoryHistory(told, sources=sources or (PORTAL, EU, GITHUB), gives=gives)
    scene = Scene(history=history, definitions=Definitions(), now=NOW)
    samples = [s for one in portal.MEASURES.standing if isinstance(one, Gauging) for s in one.compute(scene)]
    said = rows(*((s.metric, s.labels, v) for s in samples if (v := resolve(s.value)) is not None))
    return view(NOW, history, rows=said)


def company() -> list[Told]:
    return [
        entity("pay"),
        entity("shop", "component", "lifecycle", "owner", team="shop"),
        entity("pay-api", "api", "description"),
        workload("pay", "pay"),
        workload("lost"),
        built("shop", "shop"),
        *(ran(str(n), days=n) for n in range(1, 4)),
        ran("4", "failed"),
        ran("5", "cancelled"),
        ran("6", "success", 30),
        ran("7", "failed", 2, template="new-gateway"),
        visit("a", 1),
        search("a", 1, "hit"),
        search("b", 2, "miss"),
        search("b", 2, "miss", "techdocs"),
        search("b", 2.5, "miss", "techdocs"),
        opened("a", 1, "gateway"),
        opened("b", 1, "gateway"),
        opened("b", 3, "ci"),
        *votes("gateway", 1, "yes", "yes", "yes", "yes", "no"),
    ]


def test_what_entries_lack_and_what_is_not_in_the_catalog() -> None:
    """By kind and by team, with a link to each entry."""
    seen = shown(company())
    found, text = tables(seen, PAGE.path), html(seen, PAGE.path)
    assert found["Catalog / By kind"].rows == (("api", "0", "1"), ("component", "1", "2"))
    assert found["Catalog / By team"].rows == (("pay", "1", "2"), ("shop", "0", "1"))
    assert found["Catalog / What entries lack"].rows == (
        ("pay-api", "api", "pay", "description"),
        ("shop", "component", "shop", "lifecycle, no owner"),
    )
    assert '<a href="https://portal.example/catalog/default/component/shop">shop</a>' in text
    assert found["Catalog / Deployables that are not in the catalog"].rows == (
        ("kubernetes:shop/deployment/lost", "pay", "kubernetes:eu/shop/deployment/lost"),
    )


def test_who_has_most_to_do_comes_first() -> None:
    """Of teams, by entries that are not complete."""
    told = [entity("a", team="a"), entity("b", "component", "system", team="b")]
    assert tables(shown(told), PAGE.path)["Catalog / By team"].rows == (("b", "0", "1"), ("a", "1", "1"))


def test_templates_and_use_of_28_days() -> None:
    """A cancelled run is in no share; areas with most searches for nothing come first."""
    found = tables(shown(company()), PAGE.path)
    assert found["Templates"].rows == (
        ("new-gateway", "0", "1", "0", "0.0 %"),
        ("new-service", "3", "1", "1", "75.0 %"),
    )
    assert found["Use / Searches, 28 d"].rows == (("techdocs", "0", "2"), ("search", "1", "1"))
    assert found["Use / Docs, 28 d"].rows == (("gateway", "2", "80.0 %"), ("ci", "1", "–"))


def test_the_numbers_are_those_of_the_metrics() -> None:
    """With what each is of."""
    text = html(shown(company()), PAGE.path)
    for name, value, more in (
        ("Complete entries", "33.3 %", "1 of 3"),
        ("Coverage", "66.7 %", "deployables that are in the catalog"),
        ("Golden path, 28 d", "–", "new repositories that a template made"),
        ("Templates that worked, 28 d", "60.0 %", "2 of 5 runs failed"),
        ("Active people, 28 d", "2", "2 in 7 d"),
        ("Searches with a hit, 28 d", "25.0 %", "3 of 4 found nothing"),
    ):
        tile = text.partition(f'<div class="name">{name}</div>')[2].partition("</div></div>")[0]
        assert (f">{value}<" in tile, tile.endswith(f">{more}")) == (True, True), tile


def test_what_is_not_known_is_no_0() -> None:
    """Each part says why: a stale portal, one that sends nothing of its use, nothing that runs."""
    stale = source("portal", "backstage", watermark=NOW, fresh=False)
    text = html(shown(company(), stale, EU), PAGE.path)
    assert "There is no current catalog: no fresh data from portal." in text
    assert ">0<" not in text.partition('<div class="tiles">')[2].partition("</h2>")[0]
    text = html(shown([entity("pay")], PORTAL, gives={"backstage": CATALOG}), PAGE.path)
    assert "Nothing is known of searches and views: no configured source gives it." in text
    assert "No source tells what runs or is built." in text
    assert "No run ended in 28 days." in text
    assert "There is no current catalog: no configured source gives it." in html(shown([], EU), PAGE.path)


def test_courses_stand_with_how_many_got_through() -> None:
    """The most taken first; of a course with few people no share. Without any there is no list."""
    said = rows(
        (TRAINING_PEOPLE, ("docs",), 4.0), (TRAINING_PEOPLE, ("gateway",), 9.0), (TRAINING_COMPLETED, ("gateway",), 2 / 3)
    )  # fmt: skip
    assert tables(view(NOW, rows=said), PAGE.path)["Courses"].rows == (("gateway", "9", "66.7 %"), ("docs", "4", "–"))
    assert "Courses" not in html(view(NOW), PAGE.path)
