"""The golden path, worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.history import MemoryHistory, source
from tests.support.portal import DAY, NOW, Told, entity, ran, repository

from platform_meter.measures.portal.golden import PATH, STAYS
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Reading
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.portal import CatalogEntity, TemplateRun
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

GIVES: dict[str, frozenset[type[Fact]]] = {
    "backstage": frozenset({CatalogEntity, TemplateRun}),
    "github": frozenset({Repository}),
}
PORTAL, GITHUB = source("portal", "backstage", watermark=NOW), source("github", watermark=NOW)


def share(gauging: Gauging, *told: Told, sources: tuple[SourceState, ...] = (PORTAL, GITHUB)) -> list[float | None]:
    scene = Scene(history=MemoryHistory(told, sources=sources, gives=GIVES), definitions=Definitions(), now=NOW)
    adds_up(gauging, scene)
    return [resolve(sample.value) for sample in gauging.compute(scene)]


def test_a_new_repository_is_on_the_path_by_its_run_or_by_its_entry() -> None:
    """4 new ones: a by a run, b by its entry, c by hand, d by a run that failed; old and undated ones are not new."""
    told = [
        repository("a", 3),
        repository("b", 27),
        repository("c", 1),
        repository("d", 2),
        repository("old", 29),
        repository("undated", None),
        ran("1", days=3, made="github:Acme/A"),
        ran("2", days=29, made="github:acme/old"),
        ran("3", "failed", days=2),
        entity("b", notes="acme/b", template="new-service"),
        entity("c", notes="acme/c"),
    ]
    assert share(PATH, *told) == [0.5]


def test_the_window_holds_its_first_moment_and_not_its_last() -> None:
    """Half open, as all windows are."""
    assert share(PATH, repository("first", 28), ran("1", days=28, made="github:acme/first")) == [1.0]
    assert share(PATH, repository("last", 0), ran("1", days=0.001, made="github:acme/last")) == [None]


@pytest.mark.parametrize(
    "sources",
    [
        (GITHUB,),
        (PORTAL,),
        (PORTAL, source("github", watermark=NOW, fresh=False)),
        (source("portal", "backstage", watermark=NOW, fresh=False), GITHUB),
        (source("portal", "backstage", watermark=NOW, read_from=NOW - timedelta(days=27)), GITHUB),
    ],
    ids=["no portal", "no repositories", "stale repositories", "stale portal", "runs not read so far back"],
)
def test_there_is_no_share_while_one_half_is_unknown(sources: tuple[SourceState, ...]) -> None:
    """Without runs every repository would be off the path, without repositories none."""
    assert share(PATH, repository("a", 3), ran("1", days=3, made="github:acme/a"), sources=sources) == []


def entry(name: str, start: float, until: float | None, *missing: str) -> tuple[str, object, Reading, object, object]:
    """One that stood from so many days ago until so many days ago."""
    instance, whose, fact = entity(name, "component", *missing, notes=f"acme/{name}", template="new-service")
    return (instance, whose, fact, NOW - start * DAY, None if until is None else NOW - until * DAY)  # type: ignore[return-value]  # a reading


def stays(*held: object, since: float = 200, repositories: tuple[tuple[str, float], ...]) -> list[float | None]:
    portal = source("portal", "backstage", watermark=NOW, since=NOW - since * DAY, read_from=NOW - 400 * DAY)
    told = [repository(name, days) for name, days in repositories]
    told += [ran(name, days=days, made=f"github:acme/{name}") for name, days in repositories]
    history = MemoryHistory(told, sources=(portal, GITHUB), gives=GIVES, held=held)  # type: ignore[arg-type]  # as `entry` makes
    scene = Scene(history=history, definitions=Definitions(), now=NOW)
    adds_up(STAYS, scene)
    return [resolve(sample.value) for sample in STAYS.compute(scene)]


def test_whoever_has_a_complete_entry_on_the_90th_day_stays() -> None:
    """Of three born 100 days ago: one does, one has an entry that lacks something, one has none any more."""
    born = (("a", 100), ("b", 100), ("c", 100))
    held = (entry("a", 99, None), entry("b", 99, None, "owner"), entry("c", 99, 20))
    assert stays(*held, repositories=born) == [pytest.approx(1 / 3)]


def test_a_repository_counts_from_its_90th_day_and_where_the_catalog_was_known_then() -> None:
    """One of 89 days is not judged yet; of one whose day was before the first look at the catalog nothing is known."""
    assert stays(entry("a", 80, None), repositories=(("a", 89),)) == [None]
    assert stays(entry("a", 99, None), since=9, repositories=(("a", 100),)) == [None]
    assert stays(entry("a", 99, None), since=11, repositories=(("a", 100),)) == [1.0]
