"""Deployments and incidents beside an SLO, in its charts and in a table."""

from __future__ import annotations

from datetime import timedelta

from tests.support.delivery import NOW, at, broken, deployed, merged, scene
from tests.support.history import MemoryHistory, owner
from tests.support.slos import planned
from tests.support.views import html, tables, view

from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import DeployKind
from platform_meter.model.facts.incidents import Severity
from platform_meter.model.history import Owner
from platform_meter.web.charts import Mark
from platform_meter.web.pages.slos.happened import happened
from platform_meter.web.view import View

SLO = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: web
  annotations: {platform-meter.io/owner: pay}
spec:
  service: shop
  budgetingMethod: Occurrences
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {type: prometheus, spec: {query: 'errors_total'}}}
        total: {metricSource: {type: prometheus, spec: {query: 'requests_total'}}}
  objectives: [{target: 0.999}]
"""
DAYS = [at(24 * n) for n in range(4)]
A, B, C, D = "a" * 40, "b" * 40, "c" * 40, "d" * 40
STORY = (
    deployed(-1, D),
    merged(20, A),
    deployed(25, A, url="https://gh/a", version="1.4"),
    broken(30, 33, "#7", url="javascript:alert(1)", severity=Severity.MAJOR),
    deployed(31, B, kind=DeployKind.HOTFIX),
    broken(71, None, "#8"),
    deployed(72, C),
)


def seen(*facts: Event | tuple[Owner, Event], text: str = SLO) -> View:
    history = scene(*facts).history
    assert isinstance(history, MemoryHistory)
    return view(NOW, history, plans=(planned(text),))


def test_what_happened_to_the_service_is_marked_on_its_day() -> None:
    """From the first bound up to the last, which is no part of it; all of one kind in a day are told."""
    found = happened(seen(*STORY), planned(SLO), DAYS)
    assert found.marks == (
        Mark(place=1, text="deployment shop 1.4"),
        Mark(place=1, text="incident shop #7", bad=True),
        Mark(place=1, text="hotfix shop bbbbbbbb"),
        Mark(place=2, text="incident shop #8", bad=True),
    )
    assert [(row["kind"], row["what"], row["url"], row["more"]) for row in found.rows] == [
        ("incident", "shop #8", "", "unknown, open for 25.0 d"),
        ("hotfix", "shop bbbbbbbb", "", "0 changes"),
        ("incident", "shop #7", "", "major, lasted 3.0 h"),
        ("deployment", "shop 1.4", "https://gh/a", "1 change, failed"),
    ]
    assert (found.whose, found.more) == ("shop", 0)


def test_where_nothing_is_deployed_as_the_service_its_owner_is_shown() -> None:
    """A service of the platform is no service of the catalogue; a team that is not its owner stays away."""
    other = owner("web", "alpha")
    text = SLO.replace("service: shop", "service: requests")
    found = happened(seen(*STORY, (other, broken(50, 51, "#9"))), planned(text), DAYS)
    assert (found.whose, [row["what"] for row in found.rows]) == ("pay", ["shop bbbbbbbb", "shop 1.4"])


def test_the_page_lists_and_draws_it() -> None:
    """The newest twenty, and how many more; where nothing happened there is neither a list nor a mark."""
    many = [deployed(600 + n, f"{n:040x}") for n in range(25)]
    text = html(seen(*many), "/slos/web")
    assert len(tables(seen(*many), "/slos/web")["Deployments and incidents of shop"].rows) == 20
    assert "The newest in these days; 5 more." in text
    assert "Deployments and incidents of" not in html(seen(), "/slos/web")
    assert happened(seen(), planned(SLO), [NOW - timedelta(days=1), NOW]).marks == ()
