"""Folders with their paths, and how often dashboards were looked at."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sources.grafana.grafana_server import Grafana, dashboard, folder
from tests.sources.grafana.test_grafana import OPS, PAY, SHOP, small_world, told

from platform_meter.model.facts.observability import Dashboard
from platform_meter.model.source import Unexpected
from platform_meter.sources.grafana.lists import Folders, folders, views
from platform_meter.testing.outside import FakeOutside, Reply


def test_paths_run_from_the_top_down() -> None:
    """A folder that may not be seen goes by its title, where a dashboard tells it, or by its uid; at the top is none."""
    paths = folders(FakeOutside(Grafana(folders=[PAY, SHOP, OPS], dashboards=[])))
    assert [paths.path(uid) for uid in ("f2", "f1", "f3", "gone", "")] == [
        "Shop/Payments",
        "Shop",
        "Operations",
        "gone",
        "",
    ]
    assert paths.path("gone", "Hidden") == "Hidden"
    assert paths.path("f2", "Hidden") == "Shop/Payments"


def test_a_folder_whose_parent_is_hidden_lies_under_its_uid() -> None:
    """The title that a dashboard tells is that of its own folder."""
    paths = folders(FakeOutside(Grafana(folders=[PAY], dashboards=[])))
    assert paths.path("f2", "Payments") == "f1/Payments"


def test_folders_that_lie_in_each_other_have_an_end() -> None:
    """As long as they are moved they may do so."""
    one, other = folder("a", "A", "b"), folder("b", "B", "a")
    assert folders(FakeOutside(Grafana(folders=[one, other], dashboards=[]))).path("a") == "B/A"
    assert Folders().path("a") == "a"


def test_views_are_told_where_the_edition_has_them() -> None:
    """By its own list of sortings; elsewhere nobody sorts by them, and every dashboard's use is unknown."""
    outside = FakeOutside(small_world())
    assert views(outside) == {"d1": 12, "d2": 0, "d3": 1}
    world = small_world()
    world.insights = False
    outside = FakeOutside(world)
    assert views(outside) == {}
    assert {call.params.get("sort") for call in outside.calls} == {None}
    assert {fact.used.value for fact in told(world) if isinstance(fact, Dashboard)} == {"unknown"}


def test_a_list_that_is_not_sorted_by_views_tells_nothing_of_them() -> None:
    """0 views of all would make each of them unused."""
    world = small_world()

    def answer(call: Any) -> Reply:
        found = world(call)
        if call.params.get("sort"):
            return Reply(body=[{name: row[name] for name in row if name != "sortMetaName"} for row in found.body])
        return found

    assert {fact.used.value for fact in told(answer) if isinstance(fact, Dashboard)} == {"unknown"}


@pytest.mark.parametrize(("status", "fails"), [(404, False), (400, True)])
def test_a_release_without_sortings_tells_no_views(status: int, fails: bool) -> None:
    """Any other failure is one of the poll."""
    world = small_world()
    outside = FakeOutside(lambda call: Reply(status=status) if call.path == "/api/search/sorting" else world(call))
    if fails:
        with pytest.raises(Unexpected):
            views(outside)
    else:
        assert views(outside) == {}


def test_what_stands_is_not_read_off_the_list_of_views() -> None:
    """One that is missed there, as it moves while that list is read, stands all the same: its use is unknown."""
    world = Grafana(folders=[], dashboards=[dashboard(f"d{n}", None, views=n) for n in range(1, 5)])

    def answer(call: Any) -> Reply:
        found = world(call)
        missed = {"d2"} if call.params.get("sort") else set[str]()
        return Reply(body=[row for row in found.body if row["uid"] not in missed]) if "limit" in call.params else found

    told_of = {fact.about.id: fact.used.value for fact in told(answer) if isinstance(fact, Dashboard)}
    assert told_of == {"d1": "yes", "d2": "unknown", "d3": "yes", "d4": "yes"}


def test_a_dashboard_tells_the_title_of_a_folder_that_may_not_be_seen() -> None:
    """Better than a uid: people know it."""
    (one,) = told(Grafana(folders=[], dashboards=[dashboard("d1", OPS)]))
    assert one.about.id == "Operations/d1"


def test_a_list_without_an_end_is_no_list() -> None:
    """Nothing of it is taken for all that stands."""
    world = small_world()
    outside = FakeOutside(lambda call: Reply(body=[OPS]) if call.path == "/api/search" else world(call))
    with pytest.raises(Unexpected, match="/api/search of dash-folder: the same page again and again"):
        folders(outside)
