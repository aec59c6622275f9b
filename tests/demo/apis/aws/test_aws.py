"""The simulated account: who may ask, APIs of both kinds, and what CloudWatch counted of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from tests.demo.worlds import START, Answer, Clock, aws, nowhere
from werkzeug.test import Client

from platform_meter.demo.apis.aws import API
from platform_meter.demo.apis.aws.routes import callers
from platform_meter.demo.company.gateways import AWS, Served, served, within
from platform_meter.demo.company.layout import Company
from platform_meter.demo.world import World

COMPANY = Company.build(1, START)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def world() -> World:
    return World.build(COMPANY, Clock(at=START + timedelta(minutes=10, seconds=30)))


def ask(world: World, operation: str, body: Any) -> Answer:
    api = aws(world)
    headers = {**api.headers, "X-Amz-Target": f"GraniteServiceVersion20100801.{operation}"}
    return Answer(Client(api.app).post("/", data=msgspec.json.encode(body), headers=headers))


def dimensions(**named: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in named.items()]


def values(world: World, metric: str, statistic: str, start: datetime, end: datetime, **named: str) -> dict[int, float]:
    of = {"Namespace": "AWS/ApiGateway", "MetricName": metric, "Dimensions": dimensions(**named)}
    query = {"Id": "q0", "MetricStat": {"Metric": of, "Period": 60, "Stat": statistic}}
    body = {"StartTime": start.timestamp(), "EndTime": end.timestamp(), "MetricDataQueries": [query]}
    (found,) = ask(world, "GetMetricData", body).json["MetricDataResults"]
    assert (found["Id"], found["StatusCode"]) == ("q0", "Complete")
    return dict(zip(found["Timestamps"], found["Values"], strict=True))


def route(world: World, place: int) -> Served:
    return served(world.company, world.scenario, AWS)[place]


def test_who_may_ask(world: World) -> None:
    """Only who signs with the demo's key."""
    for said in ("", "AWS4-HMAC-SHA256 Credential=AKIAREAL/20260520/eu-central-1/apigateway/aws4_request"):
        refused = aws(world).get("/restapis", Authorization=said)
        assert (refused.status_code, refused.json["__type"]) == (403, "UnrecognizedClientException")
    assert aws(world).get("/elsewhere").status_code == 404


def test_apis_of_both_kinds(world: World) -> None:
    """In turn REST and HTTP APIs, with tags that say whose they are but of one, and two routes each."""
    api = aws(world)
    rest, http = api.get("/restapis").json["item"], api.get("/v2/apis").json["items"]
    routes = served(world.company, world.scenario, AWS)
    assert [a["name"] for a in rest] == [r.name for r in routes[::2]]
    assert [a["name"] for a in http] == [r.name for r in routes[1::2]]
    tags = {a["name"]: a["tags"] for a in (*rest, *http)}
    assert tags == {r.name: {"acme.test/team": r.owner[1]} if r.service else {} for r in routes}
    resources = api.get(f"/restapis/{rest[0]['id']}/resources").json["item"]
    assert [(r["path"], sorted(r.get("resourceMethods", {}))) for r in resources] == [
        ("/", []),
        ("/items", ["GET", "POST"]),
    ]
    keys = api.get(f"/v2/apis/{http[0]['apiId']}/routes").json["items"]
    assert [r["routeKey"] for r in keys] == ["GET /items", "POST /items"]
    assert api.get("/restapis/none/resources").status_code == api.get("/v2/apis/none/routes").status_code == 404


def test_metrics_are_listed_by_api_and_by_stage(world: World) -> None:
    """REST APIs by name and HTTP APIs by id; of another namespace there are none."""
    listed = ask(world, "ListMetrics", {"Namespace": "AWS/ApiGateway", "MetricName": "Count"}).json["Metrics"]
    found = [{d["Name"]: d["Value"] for d in metric["Dimensions"]} for metric in listed]
    assert found[:2] == [{"ApiName": route(world, 0).name}, {"ApiName": route(world, 0).name, "Stage": "prod"}]
    ids = {a["apiId"] for a in aws(world).get("/v2/apis").json["items"]}
    assert {by["ApiId"] for by in found if by.get("Stage") == "$default"} == ids
    assert ask(world, "ListMetrics", {"Namespace": "AWS/EC2", "MetricName": "Count"}).json["Metrics"] == []


def test_minutes_that_are_over(world: World) -> None:
    """Each is there under its beginning with what came in it; the one that runs is not."""
    one = route(world, 0)
    stage = {"ApiName": one.name, "Stage": "prod"}
    counted = values(world, "Count", "SampleCount", START + 8 * MINUTE, START + 12 * MINUTE, **stage)
    begins = [START + n * MINUTE for n in (8, 9)]
    spans = [(one.answered(at), one.answered(at + MINUTE)) for at in begins]
    assert counted == {
        at.timestamp(): after.all - before.all for at, (before, after) in zip(begins, spans, strict=True)
    }
    before, after = spans[0]
    for metric, kind in (("4XXError", "missing"), ("5XXError", "failed")):
        found = values(world, metric, "Sum", begins[0], begins[1], **stage)
        assert found[int(begins[0].timestamp())] == getattr(after, kind) - getattr(before, kind)
    (rank,) = values(world, "Latency", "PR(:50)", begins[0], begins[1], **stage).values()
    quick = within(after.all, 0.05) - within(before.all, 0.05)
    assert rank == pytest.approx(100 * quick / (after.all - before.all))
    assert 0 < rank < 100


def test_what_it_does_not_have(world: World) -> None:
    """Of an API that does not exist nothing was counted; other operations, statistics and too much at once are refused."""
    now = START + 10 * MINUTE
    assert values(world, "Count", "SampleCount", now - MINUTE, now, ApiName="none", Stage="prod") == {}
    assert ask(world, "PutMetricData", {}).json["__type"] == "UnknownOperationException"
    by = dimensions(ApiName=route(world, 0).name, Stage="prod")
    metric = {"Namespace": "AWS/ApiGateway", "MetricName": "Count", "Dimensions": by}

    def refused(statistic: str, begin: datetime) -> int:
        query = {"Id": "q0", "MetricStat": {"Metric": metric, "Period": 60, "Stat": statistic}}
        body = {"StartTime": begin.timestamp(), "EndTime": now.timestamp(), "MetricDataQueries": [query]}
        return ask(world, "GetMetricData", body).status_code

    assert refused("SampleCount", now - MINUTE) == 200
    assert refused("Average", now - MINUTE) == 400
    assert refused("SampleCount", now - 100_801 * MINUTE) == 400


def test_the_account_has_a_profile_of_its_own(world: World) -> None:
    """Settings name it and hold no key; it leads to the simulated address. Of the first API a tag alone says whose it is."""
    urls = nowhere(world.company).urls
    told = API.told(world.company, urls)
    profile = told.profiles[told.sources["aws-eu"]["profile"]]
    assert (profile.url, profile.key) == (urls["aws"], "AKIADEMO")
    assert "aws_demo" not in repr(told)
    routes = served(world.company, world.scenario, AWS)
    assert [rule["match"] for rule in told.rules] == [
        *(f"apigateway:aws-eu/{r.name}/**" for r in routes[1:] if r.service),
        *(f"apigateway:aws-eu/{name}" for name in callers(world.company)),
    ]


def test_a_usage_plan_tells_days_of_its_keys(world: World) -> None:
    """Each website has a key; a day has what was used of its quota and what is left, and one to come has none."""
    api = aws(world)
    keys = api.get("/apikeys").json["item"]
    assert [key["name"] for key in keys] == list(callers(world.company))
    assert [plan["id"] for plan in api.get("/usageplans").json["item"]] == ["partners"]
    asked = {"startDate": str(START.date()), "endDate": str(START.date() + timedelta(days=1))}
    values = api.get(f"/usageplans/partners/usage?{urlencode(asked)}").json["values"]
    assert values.keys() == {key["id"] for key in keys}
    called = [[route(world, place) for place in places] for places in ((0, 6), (2,), (4,))]
    midnight = START.replace(hour=0, minute=0)
    used = [sum((r.answered(world.now()).all - r.answered(midnight).all) // 2 for r in each) for each in called]
    assert list(values.values()) == [[[n, 1_000_000 - n], [0, 1_000_000]] for n in used]
    assert api.get(f"/usageplans/none/usage?{urlencode(asked)}").status_code == 404
