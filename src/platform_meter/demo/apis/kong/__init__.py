"""Kong in the simulated company: a control plane and two data planes, before what two of its orgs offer to the world."""

from __future__ import annotations

from collections.abc import Mapping
from wsgiref.types import WSGIApplication

from platform_meter.demo.apis.api import DemoApi, Instance, Told
from platform_meter.demo.apis.kong.routes import COUNTING, AdminApi, StatusApi
from platform_meter.demo.company.gateways import KONG, NODES, PUBLIC, served
from platform_meter.demo.company.layout import RUNTIME, Company
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.world import World


def app(world: World, at: Instance) -> WSGIApplication:
    return AdminApi(world) if at.name == KONG else StatusApi(world, at.name)


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The control plane and its nodes, whose the routes are, and the capability of which they are the use."""
    source = {
        "type": "kong",
        "url": urls[KONG],
        "metrics": [urls[node] for node in NODES],
        "data_planes": len(NODES),
        "slice": "1m",  # few routes, and nobody who looks on wants to wait
    }
    return Told(
        sources={KONG: source},
        definitions={"capabilities": [_capability(company)]},
        rules=[
            *({"match": f"kong:{KONG}/{name}", "team": RUNTIME} for name in (COUNTING, "gateway/*")),
            *(
                {"match": f"kong:{KONG}/{name}", "service": route.service.id}
                for route in served(company, Scenario(), KONG)
                if route.service
                for name in (route.name, f"{route.name}/*")
            ),
        ],
    )


def _capability(company: Company) -> Mapping[str, object]:
    orgs = sorted({team.org for team in company.teams} & PUBLIC)
    return {
        "kind": "Capability",
        "id": "api-gateway",
        "title": "API gateway",
        "unit": "team",
        "owner": RUNTIME,
        "eligible": {"any": [{"team": {"org": orgs}}]},
        "adopted": {"source": "kong", "count": "routes", "min": 1},
        "active": {"source": "kong", "verb": "request", "window": "28d", "min_amount": 100},
        "churned": {"inactive": "56d"},
    }


API = DemoApi(
    name="Kong",
    instances=lambda _: (KONG, *NODES),
    app=app,
    threads=3,
    told=told,
)
