"""API Gateway and CloudWatch as moto's server has them, put there by boto3 and read by the source over its own way out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from tests.real.conftest import REGION
from tests.support.real_source import connected, utc_now

from platform_meter.model.facts.traffic import Consumer, GatewayRequests, Route
from platform_meter.sources.apigateway import SOURCE, Config

ROLE = "arn:aws:iam::123456789012:role/meter"


def put(cloudwatch: Any, at: datetime, dimensions: dict[str, str], counts: dict[str, list[int]]) -> None:
    """Requests of one minute as API Gateway counts them: each is a value of each metric."""
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    rows = [
        {"MetricName": metric, "Dimensions": named, "Timestamp": at, "Values": [float(v) for v in values]}
        for metric, values in counts.items()
    ]
    cloudwatch.put_metric_data(Namespace="AWS/ApiGateway", MetricData=rows)


@pytest.mark.usefixtures("amazon")
def test_an_account_is_read() -> None:
    """As an assumed role: check, routes of both kinds of API, names of keys, counts of a REST and an HTTP API, late ones again."""
    rest, http, cloudwatch = (boto3.client(name) for name in ("apigateway", "apigatewayv2", "cloudwatch"))
    shop = rest.create_rest_api(name="shop", tags={"team": "pay", "cost": "7"})["id"]
    root = rest.get_resources(restApiId=shop)["items"][0]["id"]
    orders = rest.create_resource(restApiId=shop, parentId=root, pathPart="orders")["id"]
    rest.put_method(restApiId=shop, resourceId=orders, httpMethod="GET", authorizationType="NONE")
    rest.create_api_key(name="mobile", enabled=True, value="k3y-" * 6)
    web = http.create_api(Name="web", ProtocolType="HTTP")["ApiId"]
    http.create_route(ApiId=web, RouteKey="GET /a")

    now = utc_now()
    minute = now.replace(second=0, microsecond=0) - timedelta(minutes=10)
    prod = {"ApiName": "shop", "Stage": "prod"}
    put(cloudwatch, minute, prod, {"Count": [1] * 5, "4XXError": [0, 0, 0, 1, 0], "5XXError": [1, 0, 1, 0, 0]})
    put(cloudwatch, minute, {"ApiId": web, "Stage": "$default"}, {"Count": [1], "4xx": [0], "5xx": [0]})

    settings = {"gateway": "eu", "region": REGION, "role": ROLE, "tags": ["team"], "consumers": True}
    with connected(SOURCE, Config.model_validate(settings)) as meter:
        assert meter.check() == []
        listed, keys, requests = (meter.stream(name) for name in ("routes", "consumers", "requests"))
        listed.run(now)
        routes = {r.about.id: r.about.labels for r in listed.readings.values() if isinstance(r, Route)}
        assert routes == {"eu/shop/GET /orders": (("team", "pay"),), "eu/web/GET /a": ()}
        keys.run(now)
        assert [r.about.id for r in keys.readings.values() if isinstance(r, Consumer)] == ["eu/mobile"]
        requests.run(now, since=timedelta(days=2))
        told = {e.about.id: e for e in requests.events.values() if isinstance(e, GatewayRequests)}
        assert {id_: (e.good, e.bad) for id_, e in told.items()} == {"eu/shop/prod": (2, 2), "eu/web/$default": (1, 0)}
        assert told["eu/shop/prod"].at == minute + timedelta(minutes=1)
        assert told["eu/shop/prod"].about.labels == (("team", "pay"),)

        put(cloudwatch, minute, prod, {"Count": [1], "4XXError": [0], "5XXError": [1]})
        (again,) = [
            fact
            for page in requests.run(now)
            for fact in page.facts
            if isinstance(fact, GatewayRequests) and fact.about.id == "eu/shop/prod"
        ]
        assert (again.good, again.bad) == (2, 3)
        assert again.key == told["eu/shop/prod"].key
        assert (again.updated or now) > (told["eu/shop/prod"].updated or now)
        assert set(meter.outcomes) == {"ok"}
        assert requests.checkpoint is not None
        assert datetime.fromtimestamp(int(requests.checkpoint), UTC) <= now - timedelta(minutes=3)
