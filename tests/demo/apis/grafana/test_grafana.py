"""The simulated Grafana: who may ask, folders and dashboards in pages, views, alert rules."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.demo.worlds import START, Caller, grafana, nowhere, settings

from platform_meter.demo.apis.grafana import API
from platform_meter.demo.company.boards import boards, rules
from platform_meter.demo.world import World
from platform_meter.model.facts.observability import AlertRule, Dashboard
from platform_meter.sources.grafana import SOURCE
from platform_meter.testing import FakeOutside


@pytest.fixture
def api(still: World) -> Caller:
    return grafana(still)


def every(api: Caller, query: str) -> list[Any]:
    """All rows of a search, seven by seven."""
    found: list[Any] = []
    for page in range(1, 100):
        rows = api.get(f"/api/search?limit=7&page={page}&{query}").json
        if not rows:
            break
        found += rows
    return found


def test_who_may_ask(api: Caller) -> None:
    """Who has the token of the service account."""
    assert api.get("/api/search", Authorization="Bearer other").json == {"message": "Invalid API key"}
    assert api.get("/api/search").status_code == 200
    assert api.get("/api/teams").status_code == 404


def test_searches(api: Caller, still: World) -> None:
    """Folders of teams lie in one at the top; dashboards by name or by views, with their number beside them."""
    folders = {row["uid"]: row for row in every(api, "type=dash-folder")}
    assert folders["folder-platform-ci"]["folderUid"] == "folder-teams"
    there = list(boards(still.company))
    rows = every(api, "type=dash-db")
    assert [row["uid"] for row in rows] == [one.uid for one in there]
    assert {row.get("folderUid", "") for row in rows} - {""} <= folders.keys()
    assert "viewed-recently-desc" in {one["name"] for one in api.get("/api/search/sorting").json["sortOptions"]}
    viewed = every(api, "type=dash-db&sort=viewed-recently-desc")
    assert {row["uid"]: row["sortMeta"] for row in viewed} == {one.uid: one.views for one in there}
    assert [row["sortMeta"] for row in viewed] == sorted((one.views for one in there), reverse=True)
    assert {row["sortMetaName"] for row in viewed} == {"Views"}


def test_the_source_reads_it(still: World) -> None:
    """Each dashboard with whether anybody looks at it, each rule that is not paused; whose they are, rules and tags say."""
    told = API.told(still.company, nowhere(still.company).urls)
    config = SOURCE.config.model_validate(settings(told, "grafana"))
    outside = FakeOutside(grafana(still).answer)
    assert SOURCE.check(config, outside) == []
    facts = [
        fact
        for stream in SOURCE.connect(config, outside, "grafana")
        for page in stream.read(None, START, START)
        for fact in page.facts
    ]
    assert {rule["match"][-3:] for rule in told.rules} == {"/**"}
    owners = {rule["match"].removeprefix("grafana:").removesuffix("**"): rule["team"] for rule in told.rules}

    def team(fact: Dashboard | AlertRule) -> str:
        ruled = next((team for begin, team in owners.items() if fact.about.id.startswith(begin)), "")
        return ruled or dict(fact.about.labels).get("acme.test/team", "")

    seen = Counter((team(fact), str(fact.used)) for fact in facts if isinstance(fact, Dashboard))
    assert seen == Counter((one.team, "yes" if one.views else "no") for one in boards(still.company))
    ruled = Counter(team(fact) for fact in facts if isinstance(fact, AlertRule))
    assert ruled == Counter(one.team for one in rules(still.company) if not one.paused)
