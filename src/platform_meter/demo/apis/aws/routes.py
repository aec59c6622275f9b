"""The simulated account at Amazon: the APIs of its API Gateway, and what CloudWatch counted of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from platform_meter.demo.apis.signed import SignedApi, refused
from platform_meter.demo.apis.wsgi import Reply, Request, encode
from platform_meter.demo.company.gateways import AWS, VERBS, Served, served, took, within
from platform_meter.demo.company.layout import TEAM_LABEL, Company
from platform_meter.demo.company.records import sha_of
from platform_meter.demo.world import World

KEY, SECRET = "AKIADEMO", "aws_demo"
NAMESPACE = "AWS/ApiGateway"
PLAN = "partners"
"""The one usage plan: each website has a key for it."""
CALLERS = 3
QUOTA = 1_000_000
"""Requests of a key and day."""
REST_STAGE, HTTP_STAGE = "prod", "$default"
_DAY = timedelta(days=1)
MOST = 100_800
"""Values of one answer of GetMetricData."""
_RANK = re.compile(r"PR\(:([0-9.]+)\)")


class AwsApi(SignedApi):
    """REST APIs and HTTP APIs in turn, each of one service, under an address that CloudWatch has too."""

    def __init__(self, world: World) -> None:
        self._world = world
        routes = served(world.company, world.scenario, AWS)
        self._rest, self._http = ({_id(r): r for r in routes[place::2]} for place in (0, 1))
        self._dimensions = {
            **{("ApiName", route.name, REST_STAGE): route for route in self._rest.values()},
            **{("ApiId", id_, HTTP_STAGE): route for id_, route in self._http.items()},
        }
        self._callers = {_key_id(name): (name, place) for place, name in enumerate(callers(world.company))}
        super().__init__(
            KEY,
            {
                "GET /restapis": self._rest_apis,
                "GET /restapis/<api>/resources": self._resources,
                "GET /apikeys": self._keys,
                "GET /usageplans": self._plans,
                "GET /usageplans/<plan>/usage": self._usage,
                "GET /v2/apis": self._http_apis,
                "GET /v2/apis/<api>/routes": self._http_routes,
                "POST /": self._cloudwatch,
            },
        )

    # API Gateway

    def _rest_apis(self, request: Request) -> Reply:
        del request  # there are fewer of them than a page has
        made = int(self._world.company.start.timestamp()) - 200 * 86_400
        rows = [{"id": id_, "name": r.name, "createdDate": made, "tags": _tags(r)} for id_, r in self._rest.items()]
        return Reply(body=encode({"item": rows}))

    def _resources(self, request: Request, api: str) -> Reply:
        del request
        if api not in self._rest:
            raise refused(404, "NotFoundException", "Invalid API identifier specified")
        methods: dict[str, Mapping[str, str]] = {verb: {} for verb in VERBS}
        root = {"id": f"{api[:5]}root", "path": "/"}
        item = {"id": f"{api[:5]}item", "path": "/items", "pathPart": "items", "resourceMethods": methods}
        return Reply(body=encode({"item": [root, {**item, "parentId": root["id"]}]}))

    def _http_apis(self, request: Request) -> Reply:
        del request
        rows = [
            {"apiId": id_, "name": r.name, "protocolType": "HTTP", "tags": _tags(r)} for id_, r in self._http.items()
        ]
        return Reply(body=encode({"items": rows}))

    def _http_routes(self, request: Request, api: str) -> Reply:
        del request
        if api not in self._http:
            raise refused(404, "NotFoundException", "Invalid API identifier specified")
        rows = [{"routeId": f"{api[:5]}{verb.lower()}", "routeKey": f"{verb} /items"} for verb in VERBS]
        return Reply(body=encode({"items": rows}))

    def _keys(self, request: Request) -> Reply:
        del request
        rows = [{"id": id_, "name": name, "enabled": True} for id_, (name, _) in self._callers.items()]
        return Reply(body=encode({"item": rows}))

    def _plans(self, request: Request) -> Reply:
        del request
        stages = [{"apiId": id_, "stage": REST_STAGE} for id_ in self._rest]
        quota = {"limit": QUOTA, "offset": 0, "period": "DAY"}
        return Reply(body=encode({"item": [{"id": PLAN, "name": PLAN, "apiStages": stages, "quota": quota}]}))

    def _usage(self, request: Request, plan: str) -> Reply:
        """Of each day that was asked for, the last one with them."""
        if plan != PLAN:
            raise refused(404, "NotFoundException", "Invalid Usage Plan ID specified")
        first, last = (date.fromisoformat(request.query[name]) for name in ("startDate", "endDate"))
        days = [datetime.combine(first, time(), UTC) + n * _DAY for n in range((last - first).days + 1)]
        values = {
            id_: [(used, QUOTA - used) for used in (self._used(place, day) for day in days)]
            for id_, (_, place) in self._callers.items()
        }
        return Reply(
            body=encode({"usagePlanId": plan, "startDate": str(first), "endDate": str(last), "values": values})
        )

    def _used(self, place: int, day: datetime) -> int:
        """Requests of one caller in one day, as far as it is over: the k-th one calls every k-th REST API, with half of what it answers."""
        until = min(day + _DAY, self._world.now())
        called = list(self._rest.values())[place :: len(self._callers)]
        return sum((r.answered(until).all - r.answered(day).all) // 2 for r in called) if until > day else 0

    # CloudWatch

    def _cloudwatch(self, request: Request) -> Reply:
        operation = request.header("X-Amz-Target").rpartition(".")[2]
        if operation == "ListMetrics":
            return self._list(request.json)
        if operation == "GetMetricData":
            return self._data(request.json)
        raise refused(400, "UnknownOperationException", f"no operation {operation!r}")

    def _list(self, asked: Mapping[str, Any]) -> Reply:
        """The one metric that is asked for, by API alone and by API and stage."""
        if asked.get("Namespace") != NAMESPACE:
            return Reply(body=encode({"Metrics": []}))
        named = [
            [{"Name": kind, "Value": api}, {"Name": "Stage", "Value": stage}] for kind, api, stage in self._dimensions
        ]
        rows = [
            {"Namespace": NAMESPACE, "MetricName": asked["MetricName"], "Dimensions": dimensions}
            for both in named
            for dimensions in (both[:1], both)
        ]
        return Reply(body=encode({"Metrics": rows}))

    def _data(self, asked: Mapping[str, Any]) -> Reply:
        """Whole slices that are over; one without a request has no value."""
        start, end = int(asked["StartTime"]), min(int(asked["EndTime"]), int(self._world.now().timestamp()))
        queries = asked["MetricDataQueries"]
        width = int(queries[0]["MetricStat"]["Period"])
        begins = range(start // width * width, end // width * width, width)
        if len(begins) * len(queries) > MOST:
            raise refused(400, "ValidationError", f"more than {MOST} values in one answer")
        rows = []
        for query in queries:
            found = self._values(query["MetricStat"], begins)
            times, values = list(found), list(found.values())
            rows.append({"Id": query["Id"], "StatusCode": "Complete", "Timestamps": times, "Values": values})
        return Reply(body=encode({"MetricDataResults": rows, "Messages": []}))

    def _values(self, asked: Mapping[str, Any], begins: range) -> Mapping[int, float]:
        metric = asked["Metric"]
        by = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
        stage = by.pop("Stage", "")
        route = next((self._dimensions.get((kind, api, stage)) for kind, api in by.items()), None)
        if route is None or metric["Namespace"] != NAMESPACE:
            return {}
        each = ((at, _value(route, metric["MetricName"], asked["Stat"], at, begins.step)) for at in begins)
        return {at: value for at, value in each if value is not None}


def _value(route: Served, metric: str, statistic: str, begin: int, width: int) -> float | None:
    """Of a slice; None where there was no request. A slice holds what came after its beginning, up to its end."""
    since = datetime.fromtimestamp(begin, UTC)
    before, after = route.answered(since), route.answered(since + timedelta(seconds=width))
    count = after.all - before.all
    if not count:
        return None
    match metric, statistic:
        case ("Count" | "Latency", "SampleCount"):
            return count
        case ("4XXError" | "4xx", "Sum"):
            return after.missing - before.missing
        case ("5XXError" | "5xx", "Sum"):
            return after.failed - before.failed
        case ("Latency", "Sum"):
            return (took(after.all) - took(before.all)) * 1_000
        case ("Latency", _) if rank := _RANK.fullmatch(statistic):
            bound = float(rank[1]) / 1_000
            return 100 * (within(after.all, bound) - within(before.all, bound)) / count
        case _:
            raise refused(400, "ValidationError", f"nobody asks for {statistic} of {metric} here")


def callers(company: Company) -> tuple[str, ...]:
    """Websites that call the account's REST APIs, each with an API key of its name."""
    return tuple(service.id for service in company.services if service.type == "website")[:CALLERS]


def _key_id(name: str) -> str:
    return sha_of("aws", "key", name)[:10]


def _id(route: Served) -> str:
    return sha_of("aws", route.name)[:10]


def _tags(route: Served) -> Mapping[str, str]:
    return {TEAM_LABEL: route.service.team} if route.service else {}
