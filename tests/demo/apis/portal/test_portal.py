from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.demo.worlds import START, Caller, Clock, nowhere, settings, small_world

from platform_meter.demo.apis.portal import SOURCE, told
from platform_meter.demo.apis.portal.routes import TOKEN, PortalApi
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.portal import IN_PLACE, entries, runs
from platform_meter.demo.world import World
from platform_meter.sources.backstage.config import Config as Backstage
from platform_meter.sources.probes import Config

ENTITIES, TASKS = "/api/catalog/entities/by-query", "/api/scaffolder/v2/tasks"


def portal(world: World, token: str = TOKEN) -> Caller:
    return Caller(PortalApi(world), {"Authorization": f"Bearer {token}"}, "")


def section(company: Company, name: str) -> dict[str, Any]:
    return settings(told(company, nowhere(company).urls), name)


def test_its_page_is_what_the_probe_expects(still: World) -> None:
    """And nothing else of it is; nobody has to show who he is for it."""
    config = Config.model_validate(section(still.company, "probes"))
    assert [target.name for target in config.targets] == ["portal", "gateway/kong-1", "gateway/kong-2"]
    api = portal(still, "wrong")
    page = api.get("/")
    assert (page.status_code, config.targets[0].expect.body in page.text) == (200, True)
    lost = api.get("/lost")
    assert (lost.status_code, config.targets[0].expect.body in lost.text) == (404, False)


def test_who_may_ask(still: World) -> None:
    """A wrong token gets 401, unknown runs and paths 404, in Backstage's words."""
    assert Backstage.model_validate(section(still.company, SOURCE)).analytics
    refused = portal(still, "wrong").get(ENTITIES)
    assert (refused.status_code, refused.json) == (
        401,
        {"error": {"name": "AuthenticationError", "message": "Missing credentials"}},
    )
    assert [portal(still).get(path).status_code for path in (f"{TASKS}/none", "/api/search")] == [404, 404]


def test_the_catalog_comes_by_cursor(still: World) -> None:
    """Every entry once, with its relations; teams stand below their organizations, people are in teams."""
    api, found, cursor = portal(still), list[Any](), "0"
    while cursor:
        body = api.get(f"{ENTITIES}?limit=40&cursor={cursor}").json
        found += body["items"]
        cursor = body["pageInfo"].get("nextCursor", "")
    assert len(found) == body["totalItems"]
    refs = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(set(refs)) == len(refs)
    company = still.company
    assert sum(kind == "Group" for kind, _ in refs) == len(company.teams) + len({t.org for t in company.teams})
    assert sum(kind == "User" for kind, _ in refs) == sum(len(team.people) for team in company.teams)
    assert {one.name for one in entries(company)} <= {name for _, name in refs}
    group = next(one for one in found if one["metadata"]["name"] == company.teams[0].id)
    assert group["relations"] == [{"type": "childOf", "targetRef": "group:default/platform"}]


def test_a_run_goes_on_and_ends() -> None:
    """Its heart beats until then; at its end it tells where it put what nobody asked a place for."""
    clock = Clock(START)
    world = small_world(clock)
    made = next(one for one in runs(world.company, START) if one.template == IN_PLACE and one.outcome == "completed")
    world = small_world(clock := Clock(made.began))
    api = portal(world)
    assert api.get(f"{TASKS}?limit=1").json["tasks"][0]["id"] == made.id
    assert api.get(f"{TASKS}/{made.id}").json["status"] == "processing"
    assert [one["type"] for one in api.get(f"{TASKS}/{made.id}/events").json] == ["log"]
    clock.at = made.ended + timedelta(seconds=1)
    over = api.get(f"{TASKS}/{made.id}").json
    assert (over["status"], "repoUrl" in over["spec"]["parameters"]) == ("completed", False)
    (_, end) = api.get(f"{TASKS}/{made.id}/events").json
    assert end["body"]["output"] == {"remoteUrl": f"https://github.com/acme/{made.repository}"}
