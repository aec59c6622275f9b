"""The simulated Kong: lists page by page, and what each data plane counted."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families as families
from tests.demo.worlds import START, Caller, Clock, kong, nowhere, small_world

from platform_meter.demo.apis.kong import API
from platform_meter.demo.company.gateways import KONG, NODES, served
from platform_meter.demo.world import World

REQUESTS, LATENCY = "kong_http_requests_total", "kong_request_latency_ms"
SECOND = timedelta(seconds=1)


def values(api: Caller, name: str, label: str = "code") -> dict[tuple[str, str], float]:
    """Samples of one name by route and one other label."""
    return {
        (sample.labels["route"], sample.labels.get(label, "")): sample.value
        for family in families(api.get("/metrics").text)
        for sample in family.samples
        if sample.name == name
    }


def test_lists_come_in_pages(still: World) -> None:
    """Each page but the last says where the next one begins; together they are the list, and nothing else stands here."""
    api = kong(still)
    names: list[str] = []
    offset = "0"
    while offset:
        page = api.get(f"/routes?size=2&offset={offset}").json
        assert len(page["data"]) <= 2
        names += [row["name"] for row in page["data"]]
        offset = page.get("offset", "")
    assert names == [route.name for route in served(still.company, still.scenario, KONG)]
    assert api.get("/workspaces").status_code == 404


def test_what_stands(still: World) -> None:
    """Every route has its service, one plugin counts for all of them and others are on one route each; no key is shown."""
    api = kong(still)
    services = {row["id"] for row in api.get("/services").json["data"]}
    routes = {row["id"]: row["service"]["id"] for row in api.get("/routes").json["data"]}
    assert set(routes.values()) == services
    plugins = api.get("/plugins").json["data"]
    assert [p["name"] for p in plugins] == ["prometheus", *(["rate-limiting"] * (len(plugins) - 1))]
    assert {p["route"]["id"] for p in plugins[1:]} < set(routes)
    assert [c["username"] for c in api.get("/consumers").json["data"]] == [
        "checkout-app",
        "partner-portal",
        "warehouse-scanner",
    ]
    assert api.get("/").json["configuration"] == {"role": "control_plane"}


def test_data_planes_live_by_the_clock_beside_them(still: World) -> None:
    """Both were heard from within half a minute of what the answer says is now."""
    answer = kong(still).get("/clustering/data-planes")
    assert answer.headers["Date"] == "Wed, 20 May 2026 09:40:00 GMT"
    assert {row["last_seen"] for row in answer.json["data"]} == {int(START.timestamp()) + 600}
    assert [row["hostname"] for row in answer.json["data"]] == list(NODES)


def test_nodes_count_together_what_was_answered() -> None:
    """By route and code; a minute later both counted more of each route, and a histogram's count is that of its requests."""
    clock = Clock()
    world = small_world(clock)
    route = served(world.company, world.scenario, KONG)[0]
    nodes = [kong(world, name) for name in NODES]
    answered = route.answered(clock.at)
    for code, number in (("200", answered.good), ("404", answered.missing), ("500", answered.failed)):
        assert sum(values(node, REQUESTS)[route.name, code] for node in nodes) == number
    for node in nodes:
        requests = values(node, REQUESTS)
        timed = values(node, f"{LATENCY}_bucket", "le")
        count = values(node, f"{LATENCY}_count")[route.name, ""]
        assert sum(n for (name, _), n in requests.items() if name == route.name) == count == timed[route.name, "+Inf"]
        assert timed[route.name, "25"] < timed[route.name, "100"] < timed[route.name, "1000"] < count
        assert 0 < values(node, f"{LATENCY}_sum")[route.name, ""] / count < 1_000
        clock.at += 60 * SECOND
        assert values(node, REQUESTS)[route.name, "200"] > requests[route.name, "200"]
    assert "kong_node_info" in nodes[0].get("/metrics").text
    assert nodes[0].get("/metrics").text != nodes[1].get("/metrics").text
    assert nodes[0].get("/routes").status_code == 404


def test_what_the_meter_is_told(still: World) -> None:
    """Nodes are read by their own addresses; rules name every route that is somebody's, and no other."""
    urls = nowhere(still.company).urls
    told = API.told(still.company, urls)
    assert told.sources["kong"]["metrics"] == [urls["kong-1"], urls["kong-2"]]
    named = {rule["match"].split("/")[1] for rule in told.rules if "service" in rule}
    assert named == {route.name for route in served(still.company, still.scenario, KONG) if route.service}
