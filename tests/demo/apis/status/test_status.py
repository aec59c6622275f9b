"""The simulated status page: who may read it, and what the meter takes from it."""

from __future__ import annotations

from datetime import timedelta

from tests.demo.worlds import START, Clock, nowhere, settings, small_world, status_page

from platform_meter.demo.apis.status import API
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.model.facts.slis import SliCount
from platform_meter.sources.documents import SOURCE
from platform_meter.testing import FakeOutside

NOW = START + timedelta(minutes=10)


def test_the_source_takes_a_look_at_each_component() -> None:
    """Well are those that work, if slowly; each is known by its name behind that of the looks, and rules say whose it is."""
    world = small_world(Clock(at=NOW), Scenario(trouble=Trouble.CI_OUTAGE, begin=START))
    told = API.told(world.company, nowhere(world.company).urls)
    config = SOURCE.config.model_validate(settings(told, "status"))
    (stream,) = SOURCE.connect(config, FakeOutside(status_page(world).answer), "status")
    facts = [fact for page in stream.read(None, START, NOW) for fact in page.facts]
    found = {fact.sli: (fact.good, fact.bad) for fact in facts if isinstance(fact, SliCount)}
    assert found == {
        "said-up/portal": (1, 0),
        "said-up/ci": (0, 1),
        "said-up/api-gateway": (1, 0),
        "said-up/cluster-eu": (1, 0),
        "said-up/cluster-us": (1, 0),
    }
    assert {rule["match"].removeprefix("documents:"): rule["team"] for rule in told.rules} == {
        "said-up/portal": "platform-support",
        "said-up/ci": "platform-ci",
        "said-up/api-gateway": "platform-runtime",
        "said-up/cluster-eu": "platform-runtime",
        "said-up/cluster-us": "platform-runtime",
    }


def test_who_may_read_it() -> None:
    """Who has its token; nothing else is there."""
    api = status_page(small_world(Clock(at=NOW)))
    assert api.get("/api/v2/components.json", Authorization="").status_code == 401
    page = api.get("/api/v2/components.json").json["page"]
    assert page == {"id": "acme", "name": "Platform status", "updated_at": "2026-05-20T09:40:00Z"}
    assert api.get("/").status_code == 404
