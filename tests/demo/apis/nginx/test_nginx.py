"""The simulated ingress-nginx: requests by Ingress and status, and the totals of `stub_status`."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families as families
from tests.demo.worlds import Clock, nginx, nowhere, small_world

from platform_meter.demo.apis.nginx import API
from platform_meter.demo.company.gateways import NGINX, served
from platform_meter.demo.world import World

PREFIX = "nginx_ingress_controller"


def test_requests_by_ingress(still: World) -> None:
    """Of every route by status, with a histogram for each that holds as many; and when the controller began to count.

    The parser gives counters the end of their names that the controller leaves out.
    """
    found: dict[tuple[str, str, str], float] = {}
    names: set[str] = set()
    for family in families(nginx(still).get("/metrics").text):
        names.add(family.name)
        for sample in family.samples:
            place = f"{sample.labels.get('namespace')}/{sample.labels.get('ingress')}"
            if sample.labels.get("le", "+Inf") == "+Inf":
                found[sample.name, place, sample.labels.get("status", "")] = sample.value
    assert names == {f"{PREFIX}_requests", f"{PREFIX}_request_duration_seconds", "process_start_time_seconds"}
    for route in served(still.company, still.scenario, NGINX):
        answered = route.answered(still.now())
        for status, count in (("200", answered.good), ("404", answered.missing), ("500", answered.failed)):
            assert found[f"{PREFIX}_requests_total", route.name, status] == count
            assert found[f"{PREFIX}_request_duration_seconds_bucket", route.name, status] == count
            assert found[f"{PREFIX}_request_duration_seconds_count", route.name, status] == count


def test_totals() -> None:
    """Three numbers that grow: accepted and handled connections, and the requests of all routes; few connections are dropped."""
    clock = Clock()
    world = small_world(clock)
    last = [0, 0, 0]
    for _ in range(3):
        lines = nginx(world).get("/nginx_status").text.splitlines()
        accepted, handled, requests = map(int, lines[2].split())
        assert requests == sum(r.answered(clock.at).all for r in served(world.company, world.scenario, NGINX))
        assert 0 < accepted - handled < accepted / 10_000
        assert [accepted, handled, requests] > last
        last = [accepted, handled, requests]
        clock.at += timedelta(minutes=1)
    assert nginx(world).get("/elsewhere").status_code == 404


def test_the_first_route_is_found_by_its_namespace(still: World) -> None:
    """Rules name all others that are somebody's; NGINX itself is the platform's."""
    told = API.told(still.company, nowhere(still.company).urls)
    assert told.sources["nginx"]["cluster"] == "eu"
    first, *others = [r for r in served(still.company, still.scenario, NGINX) if r.service]
    assert first.service
    assert first.name == f"{first.service.team}/{first.service.id}"
    assert [rule["match"] for rule in told.rules] == ["nginx:nginx", *(f"nginx:nginx/{r.name}" for r in others)]
