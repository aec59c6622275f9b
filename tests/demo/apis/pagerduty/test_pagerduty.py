from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.demo.worlds import START, Caller, Clock, nowhere, pagerduty, small_world

from platform_meter.demo.apis.pagerduty import API
from platform_meter.demo.apis.pagerduty.bodies import service_id
from platform_meter.demo.company.incidents import watched
from platform_meter.demo.company.records import Incident
from platform_meter.demo.world import World
from platform_meter.model.access import Secret
from platform_meter.model.facts.incidents import Incident as Fact
from platform_meter.sources.pagerduty import SOURCE, Config
from platform_meter.testing import FakeOutside

NOW = START + timedelta(minutes=10)
ALL = "/incidents?date_range=all"


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(at=NOW), services=150)


@pytest.fixture
def api(world: World) -> Caller:
    return pagerduty(world)


def every(api: Caller, call: str, size: int = 7) -> list[Any]:
    """All rows of a list of incidents, page by page."""
    found: list[Any] = []
    while True:
        page = api.get(f"{call}&limit={size}&offset={len(found)}").json
        assert (page["limit"], page["offset"], page["total"]) == (size, len(found), None)
        found += page["incidents"]
        if not page["more"]:
            return found


def stories(world: World) -> list[Incident]:
    return [one for one in world.history.incidents if one.begun <= NOW]


def test_pages(world: World, api: Caller) -> None:
    """By offset, with `more` until the last one; whoever asks is told the total; further than 10,000 nobody reads."""
    listed = every(api, ALL)
    assert [row["incident_number"] for row in listed] == [one.number for one in stories(world)]
    assert len(listed) > 30
    assert api.get(f"{ALL}&total=true").json["total"] == len(listed)
    down = every(api, f"{ALL}&sort_by=created_at:desc")
    assert down == listed[::-1]
    refused = api.get(f"{ALL}&limit=100&offset=9901")
    assert refused.status_code == 400
    assert refused.json["error"]["code"] == 2001


def test_ranges(world: World, api: Caller) -> None:
    """By when they were made; without a range the last 30 days, and no more than half a year at once."""
    since, until = NOW - timedelta(days=40), NOW - timedelta(days=20)
    got = every(api, f"/incidents?since={since:%Y-%m-%dT%H:%M:%SZ}&until={until:%Y-%m-%dT%H:%M:%SZ}")
    wanted = [one.number for one in stories(world) if since <= one.begun < until]
    assert [row["incident_number"] for row in got] == wanted != []
    recent = [one.number for one in stories(world) if one.begun >= NOW - timedelta(days=30)]
    assert [row["incident_number"] for row in every(api, "/incidents?sort_by=created_at:asc")] == recent
    wide = api.get("/incidents?since=2020-01-01T00:00:00Z&until=2026-01-01T00:00:00Z")
    assert wide.status_code == 400


def test_filters(world: World, api: Caller) -> None:
    """By state, service and team; several values of one mean any of them."""
    states = [row["status"] for row in every(api, ALL)]
    opened = every(api, f"{ALL}&statuses[]=triggered&statuses[]=acknowledged")
    assert len(opened) == states.count("triggered") + states.count("acknowledged") > 0
    assert len(every(api, f"{ALL}&statuses[]=resolved")) == states.count("resolved") > 20
    repo = stories(world)[0].repo
    of = every(api, f"{ALL}&service_ids[]={service_id(repo)}&service_ids[]=PNONE")
    assert {row["service"]["summary"] for row in of} == {repo.name}
    team = of[0]["teams"][0]
    assert {row["teams"][0]["summary"] for row in every(api, f"{ALL}&team_ids[]={team['id']}")} == {repo.team}


def test_an_incident_goes_its_way() -> None:
    """Triggered, acknowledged, resolved; each step stands in its log as soon as it happened, the newest first."""
    clock = Clock()
    world = small_world(clock, services=150)
    world.now()
    one = next(i for i in world.history.incidents if [what for _, what, _ in i.steps] == ["acknowledged", "resolved"])
    api, seen = pagerduty(world), []
    for clock.at in (one.begun, *(at for at, _, _ in one.steps)):
        row = api.get(f"/incidents/{one.id}").json["incident"]
        log = [
            entry["type"] for entry in api.get(f"/incidents/{one.id}/log_entries?is_overview=true").json["log_entries"]
        ]
        seen.append((row["status"], row["resolved_at"] is not None, len(row["acknowledgements"]), log))
    assert seen == [
        ("triggered", False, 0, ["trigger_log_entry"]),
        ("acknowledged", False, 1, ["acknowledge_log_entry", "trigger_log_entry"]),
        ("resolved", True, 0, ["resolve_log_entry", "acknowledge_log_entry", "trigger_log_entry"]),
    ]
    clock.at = one.begun - timedelta(seconds=1)
    assert api.get(f"/incidents/{one.id}").status_code == 404


def test_what_was_merged_says_into_which(world: World, api: Caller) -> None:
    """It stands resolved, and its reason names the other one, which comes before it."""
    merged = [row for row in every(api, ALL) if row["resolve_reason"]]
    assert merged != []
    numbers = {one.id: one for one in stories(world)}
    for row in merged:
        into = numbers[row["resolve_reason"]["incident"]["id"]]
        assert row["status"] == "resolved"
        assert into.repo.name == row["service"]["summary"]
        assert into.begun < numbers[row["id"]].begun


def test_who_may_ask(api: Caller) -> None:
    """Nobody without the key, and nobody more often than agreed: the headers say how much is left of the minute."""
    for given in ("Bearer pagerduty_demo", "Token token=other", ""):
        refused = api.get("/services", Authorization=given)
        assert (refused.status_code, refused.json["error"]["message"]) == (401, "Unauthorized")
    clock = Clock()
    few = pagerduty(small_world(clock), limit=2)
    answers = [few.get("/priorities") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["ratelimit-remaining"] for a in answers] == ["1", "0", "0"]
    assert answers[-1].headers["ratelimit-reset"] == "60"
    clock.at += timedelta(seconds=60)
    assert few.get("/priorities").status_code == 200


def test_every_service_has_an_owner_by_a_rule(world: World, api: Caller) -> None:
    """What is on call has an id of its own, and the rules name all of them."""
    listed = {row["id"]: row["name"] for row in api.get("/services?limit=100").json["services"]}
    assert len(listed) == 100
    told = API.told(world.company, nowhere(world.company).urls)
    rules = {rule["match"].removeprefix("pagerduty:"): rule["service"] for rule in told.rules}
    assert listed.items() <= rules.items()
    assert len(rules) == len(watched(world.company))
    one = next(iter(listed))
    assert api.get(f"/services/{one}").json["service"]["name"] == listed[one]
    assert api.get("/services/PNONE").status_code == 404


def test_the_source_reads_every_incident(world: World) -> None:
    """Each once, with its end; what was merged is none of its own."""
    outside = FakeOutside(pagerduty(world).answer)
    config = Config(url="http://pagerduty.test", token=Secret(env="TOKEN"))
    (stream,) = SOURCE.connect(config, outside, "pagerduty")
    pages = list(stream.read(None, START - timedelta(days=95), NOW))
    found = {fact.name: fact for page in pages for fact in page.facts if isinstance(fact, Fact)}
    told = {f"#{one.number}": one for one in stories(world)}
    assert found.keys() == told.keys()
    assert {name: fact.resolved for name, fact in found.items()} == {n: one.ended_at(NOW) for n, one in told.items()}
    assert {name for name, fact in found.items() if not fact.valid} == {n for n, one in told.items() if one.into}
