"""People in the portal and votes on its docs, counted by hand."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.history import MemoryHistory, source
from tests.support.portal import DAY, NOW, Told, search, view, visit, votes

from platform_meter.measures.portal.people import HELPFUL, PEOPLE
from platform_meter.model.definitions import Definitions
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

PORTAL = source("portal", "backstage", watermark=NOW)


def numbers(gauging: Gauging, told: Iterable[Told], *sources: SourceState) -> dict[str, float | None]:
    history = MemoryHistory(told, sources=sources or (PORTAL,))
    scene = Scene(history=history, definitions=Definitions(), now=NOW)
    adds_up(gauging, scene)
    return {sample.labels[0]: resolve(sample.value) for sample in gauging.compute(scene)}


def test_a_person_counts_once_in_each_window() -> None:
    """Whatever they did, and in however many portals; who is not named counts for nobody."""
    told = [
        visit("a", 0.5),
        visit("a", 0.6, "other"),
        view("a", 3, "gateway"),
        search("b", 6.9, "miss"),
        visit("c", 20),
        visit("", 0.2),
        visit("d", 28.5),
    ]
    other = source("other", "backstage", watermark=NOW)
    assert numbers(PEOPLE, told, PORTAL, other) == {"1d": 1.0, "7d": 2.0, "28d": 3.0}


def test_nobody_is_0_once_use_is_told_of() -> None:
    """And the edges of a window are half open."""
    assert numbers(PEOPLE, []) == {"1d": 0.0, "7d": 0.0, "28d": 0.0}
    assert numbers(PEOPLE, [visit("a", 7), visit("b", 0)]) == {"1d": 0.0, "7d": 1.0, "28d": 1.0}


def test_a_window_that_begins_before_anything_was_told_is_absent() -> None:
    """Two days ago the portal became a source: of a week nobody knows, unless older events were sent."""
    young = source("portal", "backstage", watermark=NOW, since=NOW - 2 * DAY)
    assert numbers(PEOPLE, [visit("a", 0.5)], young) == {"1d": 1.0}
    assert numbers(PEOPLE, [visit("a", 0.5), visit("b", 8)], young) == {"1d": 1.0, "7d": 1.0}
    stale = source("portal", "backstage", watermark=NOW, fresh=False)
    assert numbers(PEOPLE, [visit("a", 0.5)], stale) == {}


def test_votes_are_a_share_by_area() -> None:
    """From five of them in 28 days on; below that there is no share."""
    told = [
        *votes("gateway", 1, "yes", "yes", "yes", "no"),
        *votes("gateway", 27, "no"),
        *votes("gateway", 28.5, "no", "no"),
        *votes("ci", 1, "no", "no", "no", "no"),
        *votes("mesh", 2, "yes", "yes", "yes", "yes", "yes"),
    ]
    assert numbers(HELPFUL, told) == {"ci": None, "gateway": 0.6, "mesh": 1.0}


def test_a_window_in_which_people_have_two_names_is_absent() -> None:
    """Three days ago all were given other names: whoever came before and after would count twice in a week."""
    history = MemoryHistory([visit("a", 0.5), visit("b", 5)], sources=[PORTAL])
    history.renamed = NOW - 3 * DAY
    seen = Scene(history=history, definitions=Definitions(), now=NOW)
    assert {sample.labels[0]: resolve(sample.value) for sample in PEOPLE.compute(seen)} == {"1d": 1.0}
