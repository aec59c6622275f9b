"""API Gateway: the case of the contract test, and what only API Gateway and CloudWatch do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.apigateway.amazon import Amazon, Minute, epoch

from platform_meter.model.access import Access, Aws
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.traffic import Consumer, GatewayLatency, GatewayRequests, Route
from platform_meter.model.facts.use import Usage
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Forbidden, Gap, Unexpected, Unreachable
from platform_meter.sources.apigateway import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=40)
SETTINGS: dict[str, Any] = {
    "gateway": "eu",
    "region": "eu-central-1",
    "tags": ["team"],
    "latency": True,
    "consumers": True,
    "plans": True,
    "delay": "2m",
}
SHOP, WEB = ("ApiName", "shop", "prod"), ("ApiId", "h1", "$default")
TEAM = (("team", "pay"),)


def small_world() -> Amazon:
    return Amazon(
        rest=[{"id": "r1", "name": "shop", "createdDate": 1, "tags": {"team": "pay", "cost": "7"}}],
        http=[
            {"apiId": "h1", "name": "web", "protocolType": "HTTP", "tags": {}},
            {"apiId": "w1", "name": "chat", "protocolType": "WEBSOCKET"},
        ],
        keys=[
            {"id": "k1", "name": "mobile", "enabled": True},
            {"id": "k2", "name": "old", "enabled": False},
            {"id": "k3", "name": "partner", "enabled": True},
        ],
        plans=[{"id": "p1", "name": "gold", "apiStages": []}, {"id": "p2", "name": "gone since"}],
        used={"p1": {"k1": {"2026-05-31": 7, "2026-06-01": 5}, "k3": {}, "secret": {"2026-05-31": 9}}},
        routes={
            "/restapis/r1/resources": [
                {"id": "1", "path": "/"},
                {"id": "2", "path": "/orders", "resourceMethods": {"POST": {}, "GET": {}}},
            ],
            "/v2/apis/w1/routes": [{"routeId": "9", "routeKey": "$connect"}],
            "/v2/apis/h1/routes": [
                {"routeId": "1", "routeKey": "$default"},
                {"routeId": "2", "routeKey": "GET /a"},
                {"routeId": "3", "routeKey": "GET /b"},
            ],
        },
        counted={
            SHOP: {
                epoch("11:20"): Minute(count=99),
                epoch("11:31"): Minute(count=10, client=2, bad=1, took=[5, 6, 20, 800, 70_000]),
                epoch("11:50"): Minute(count=3),
                epoch("11:59"): Minute(count=99),
            },
            WEB: {epoch("11:58"): Minute(count=5, bad=5)},
        },
    )


def later_world() -> Amazon:
    world = small_world()
    world.rest.append({"id": "r2", "name": "sealed"})
    world.keys[2] = {"id": 3, "name": "partner", "enabled": True}
    world.routes |= {
        "/restapis/r2/resources": Reply(status=403),
        "/v2/apis/h1/routes": [{"routeId": "1", "routeKey": "$default"}, {"routeId": "2", "routeKey": "GET /a"}],
    }
    world.counted[SHOP] |= {epoch("11:50"): Minute(count=4, bad=1), epoch("11:59"): Minute(count=2)}
    world.counted["ApiName", "sealed", "v1"] = {epoch("12:05"): Minute(count=1)}
    return world


def stage(name: str, labels: tuple[tuple[str, str], ...] = ()) -> Ref:
    return Ref(system="apigateway", kind="stage", id=f"eu/{name}", labels=labels)


def requests(key: str, clock: str, about: Ref, good: float, bad: float, seen: float) -> GatewayRequests:
    """`seen` is what stands for the time of the last change: all requests, and those of errors once more."""
    end = epoch(clock)
    return GatewayRequests(
        key=f"{key}/{end}",
        at=datetime.fromtimestamp(end, UTC),
        about=about,
        updated=datetime.fromtimestamp(seen, UTC),
        gateway="eu",
        good=float(good),
        bad=float(bad),
    )


def route(name: str, labels: tuple[tuple[str, str], ...] = ()) -> Route:
    return Route(about=Ref(system="apigateway", kind="route", id=f"eu/{name}", labels=labels), gateway="eu")


def consumer(name: str) -> Consumer:
    return Consumer(about=Ref(system="apigateway", kind="consumer", id=f"eu/{name}"), gateway="eu")


def planned(day: str, name: str, key: str, amount: float) -> Usage:
    return Usage(
        key=f"plan/p1/{key}/{day}",
        at=datetime.fromisoformat(f"{day}T12:00Z"),
        about=consumer(name).about,
        updated=datetime.fromtimestamp(amount, UTC),
        action="planned_request",
        amount=amount,
        subject="gold",
    )


TOOK = GatewayLatency(
    key=f"ApiName/shop/prod/{epoch('11:31')}",
    at=datetime(2026, 6, 1, 11, 31, tzinfo=UTC),
    about=stage("shop/prod", TEAM),
    updated=datetime.fromtimestamp(5, UTC),
    gateway="eu",
    within={"0.005": 1.0, "0.01": 1.0, "0.025": 1.0, "1": 1.0, "+Inf": 1.0},
    seconds=70.831,
)
CASE = Case(
    settings={**SETTINGS, "lookback": "15m"},
    answers=small_world,
    now=NOW,
    since=SINCE,
    expected=[
        requests("ApiName/shop/prod", "11:31", stage("shop/prod", TEAM), 7, 1, 13),
        requests("ApiName/shop/prod", "11:50", stage("shop/prod", TEAM), 3, 0, 3),
        requests("ApiId/h1/$default", "11:58", stage("web/$default"), 0, 5, 10),
        TOOK,
        route("shop/GET /orders", TEAM),
        route("shop/POST /orders", TEAM),
        route("web/$default"),
        route("web/GET /a"),
        route("web/GET /b"),
        consumer("mobile"),
        consumer("partner"),
        planned("2026-05-31", "mobile", "k1", 7.0),
    ],
    later=Later(
        answers=later_world,
        after=timedelta(minutes=10),
        expected=[
            requests("ApiName/shop/prod", "11:50", stage("shop/prod", TEAM), 3, 1, 5),
            requests("ApiName/shop/prod", "11:59", stage("shop/prod", TEAM), 2, 0, 2),
            requests("ApiName/sealed/v1", "12:05", stage("sealed/v1"), 1, 0, 1),
        ],
        over=frozenset({(Route, "route/eu/web/GET /b"), (Consumer, "consumer/eu/partner")}),
        gaps=["sealed: "],
        rejected=4,  # the odd key for both who list keys, its use, and that of a key that is not listed
    ),
    people=["k3"],
    without=[
        ({"latency": False}, frozenset({GatewayLatency})),
        ({"consumers": False}, frozenset({Consumer})),
        ({"plans": False}, frozenset({Usage})),
    ],
)


def polled(
    world: Amazon,
    stream: str = "requests",
    checkpoint: bytes | None = None,
    *,
    now: datetime = NOW,
    since: datetime = SINCE,
    **settings: object,
) -> tuple[list[Fact], bytes | None, FakeOutside]:
    """What one poll of a stream says, and where it goes on."""
    outside = FakeOutside(world)
    config = Config.model_validate({**SETTINGS, "latency": False, **settings})
    facts: list[Fact] = []
    for one in SOURCE.connect(config, outside, "aws"):
        if one.name == stream:
            for page in one.read(checkpoint, since, now):
                facts += page.facts
                checkpoint = page.checkpoint or checkpoint
    return facts, checkpoint, outside


def counted(facts: Sequence[Fact]) -> dict[str, tuple[float, float]]:
    return {fact.key: (fact.good, fact.bad) for fact in facts if isinstance(fact, GatewayRequests)}


def test_two_services_are_entered_as_one_identity() -> None:
    """API Gateway, and CloudWatch beside it."""
    config = Config.model_validate({"gateway": "eu", "region": "eu-central-1", "role": "r", "profile": "p"})
    assert SOURCE.access(config) == Access(
        credential=Aws(service="apigateway", region="eu-central-1", role="r", profile="p"),
        beside={
            "cloudwatch": Access(credential=Aws(service="cloudwatch", region="eu-central-1", role="r", profile="p"))
        },
    )


def test_a_gateway_without_a_name_is_called_as_its_section() -> None:
    """Two sections of two regions are two gateways unasked."""
    facts, _, _ = polled(small_world(), gateway="")
    assert {fact.gateway for fact in facts if isinstance(fact, GatewayRequests)} == {"aws"}


def test_a_minute_is_read_again_until_it_is_half_an_hour_old() -> None:
    """Its counts came late; one that is older stays as it was told, until in the next quarter of an hour it is read again."""
    world = small_world()
    facts, place, _ = polled(world)
    assert counted(facts)[f"ApiName/shop/prod/{epoch('11:31')}"] == (7, 1)
    world.counted[SHOP] |= {epoch("11:31"): Minute(count=11), epoch("11:28"): Minute(count=50)}
    late, place, _ = polled(world, checkpoint=place, now=NOW + timedelta(minutes=1))
    assert counted(late)[f"ApiName/shop/prod/{epoch('11:31')}"] == (11, 0)
    assert f"ApiName/shop/prod/{epoch('11:28')}" not in counted(late)
    assert place == str(epoch("11:59")).encode()
    late, place, _ = polled(world, checkpoint=place, now=NOW + timedelta(minutes=2))
    assert counted(late)[f"ApiName/shop/prod/{epoch('11:28')}"] == (50, 0)


def test_a_minute_is_read_once_its_delay_is_over() -> None:
    """As long after its end as the setting says, three minutes unasked."""
    facts, place, _ = polled(small_world(), delay="10m")
    assert sorted(counted(facts).values()) == [(3, 0), (7, 1)]
    assert place == str(epoch("11:50")).encode()
    assert Config(region="eu").delay == timedelta(minutes=3)


def test_a_minute_that_was_corrected_is_the_later_one() -> None:
    """Errors of requests that were counted before came late: the minute has as many requests and is told as newer."""
    world = small_world()
    world.counted = {SHOP: {epoch("11:50"): Minute(count=3)}}
    (first,), place, _ = polled(world)
    world.counted[SHOP][epoch("11:50")] = Minute(count=3, bad=1)
    (second,), _, _ = polled(world, checkpoint=place)
    assert isinstance(first, GatewayRequests)
    assert isinstance(second, GatewayRequests)
    assert (first.good, second.good, second.bad) == (3, 2, 1)
    assert first.updated is not None
    assert second.updated is not None
    assert first.updated < second.updated


@pytest.mark.parametrize("minute", [Minute(count=2, client=2, bad=1), Minute(count=9, client=-1), Minute(count=10**12)])
def test_a_minute_of_impossible_counts_is_left_out(minute: Minute) -> None:
    """More errors than requests, fewer than none, more than anybody makes: it is counted and not told, those beside it are."""
    world = small_world()
    world.counted[SHOP][epoch("11:31")] = minute
    config = Config.model_validate({**SETTINGS, "latency": False})
    pages = list(SOURCE.connect(config, FakeOutside(world), "aws")[0].read(None, SINCE, NOW))
    assert sorted(counted([fact for page in pages for fact in page.facts]).values()) == [(0, 5), (3, 0)]
    assert [dict(page.rejected) for page in pages if page.rejected] == [{("GatewayRequests", "contradiction"): 1}]


def test_of_a_stage_with_an_odd_count_nothing_is_told() -> None:
    """Without its errors it would look better than it was; the next stage is told."""
    world = small_world()

    def odd(result: dict[str, Any]) -> None:
        if result["Id"] == "q5":  # the errors of the second stage
            result["Values"] = result["Values"][1:]

    world.odd = odd
    facts, _, _ = polled(world)
    assert counted(facts) == {f"ApiId/h1/$default/{epoch('11:58')}": (0, 5)}


def test_many_stages_are_asked_for_together() -> None:
    """Three metrics for each, at most 500 in a call: 166 stages, then the rest."""
    world = small_world()
    world.counted = {("ApiName", f"api{n}", "prod"): {epoch("11:50"): Minute(count=1)} for n in range(200)}
    facts, _, _ = polled(world)
    assert len(facts) == 200
    assert world.asked == [498, 102]


def test_a_long_time_is_read_in_parts() -> None:
    """Of 201 minutes each; one that fails is asked for again, and nothing before it."""
    world = small_world()
    world.counted = {SHOP: {epoch(f"{hour:02}:30"): Minute(count=1) for hour in range(12)}}
    outside = FakeOutside(world, fail_at=4, error=Unreachable("away"))
    config = Config.model_validate(SETTINGS | {"latency": False})
    pages = SOURCE.connect(config, outside, "aws")[0].read(None, NOW - timedelta(hours=12), NOW)
    facts, place = list(next(pages).facts), next(pages).checkpoint
    assert len(facts) == 3
    assert place == str(epoch("03:21")).encode()
    with pytest.raises(Unreachable):
        next(pages)
    rest, _, _ = polled(world, checkpoint=place, lookback="15m")
    assert sorted(counted(rest)) == [f"ApiName/shop/prod/{epoch(f'{hour:02}:30')}" for hour in range(3, 12)]


def test_what_cloudwatch_has_no_minutes_of_is_a_gap() -> None:
    """They are joined to longer slices after 15 days."""
    _, _, outside = polled(small_world(), since=NOW - timedelta(days=20))
    text = "CloudWatch keeps what it counted in a minute for 15 days"
    start, end = NOW - timedelta(days=20), NOW - timedelta(days=14, hours=23)
    assert outside.gaps == [Gap(start=start, end=end, reason="pruned", text=text)]
    stopped = str(int(start.timestamp())).encode()
    _, _, outside = polled(small_world(), checkpoint=stopped)
    assert outside.gaps == [Gap(start=start, end=end, reason="pruned", text=text)]
    _, _, outside = polled(small_world(), since=NOW - Config.model_fields["history"].default)
    assert outside.gaps == []


def test_where_nothing_was_called_nothing_is_told() -> None:
    """No number stands for no requests; the place moves on."""
    world = small_world()
    world.counted = {}
    facts, place, _ = polled(world)
    assert facts == []
    assert place == str(epoch("11:58")).encode()


def test_apis_of_one_name() -> None:
    """REST APIs of one name are counted as one, with the tags on which they agree; an HTTP API of that name is told with its id.

    CloudWatch leaves out of a name what is no ASCII, and an API that is deleted is called by what CloudWatch has.
    """
    world = small_world()
    world.rest = [
        {"id": "r1", "name": "shöp", "tags": {"team": "pay", "cost": "7"}},
        {"id": "r3", "name": "both", "tags": {"team": "pay", "zone": "a"}},
        {"id": "r4", "name": "both", "tags": {"team": "shop", "zone": "a"}},
    ]
    world.http = [{"apiId": n, "name": "both", "protocolType": "HTTP", "tags": {"team": "web"}} for n in ("h1", "h2")]
    minute = {epoch("11:50"): Minute(count=1)}
    world.counted = {
        ("ApiName", "shp", "v1"): minute,
        ("ApiName", "both", "v1"): minute,
        ("ApiId", "h1", "v1"): minute,
        ("ApiId", "gone", "v1"): minute,
    }
    facts, _, _ = polled(world, tags=["team", "zone"])
    assert {fact.about for fact in facts if isinstance(fact, GatewayRequests)} == {
        stage("shp/v1", TEAM),
        stage("both/v1", (("zone", "a"),)),
        stage("both.h1/v1", (("team", "web"),)),
        stage("gone/v1"),
    }


def test_routes_of_an_api_that_is_deleted_meanwhile() -> None:
    """It has none, and the others have theirs."""
    world = small_world()
    world.http.append({"apiId": "h9", "name": "brief", "protocolType": "HTTP"})
    facts, _, outside = polled(world, "routes")
    assert len(facts) == 5
    assert outside.gaps == []


def test_routes_that_may_be_seen_of_no_api() -> None:
    """The stream fails: a policy lacks them."""
    world = small_world()
    world.routes = dict.fromkeys(world.routes, Reply(status=403))
    with pytest.raises(Forbidden):
        polled(world, "routes")


def test_a_hidden_api_is_one_gap_however_often_it_is_asked() -> None:
    """It begins when it was first refused."""
    world = small_world()
    world.routes["/v2/apis/h1/routes"] = Reply(status=403)
    _, place, first = polled(world, "routes")
    _, _, second = polled(world, "routes", place, now=NOW + timedelta(hours=1))
    text = "web: GET /v2/apis/h1/routes: 403"
    assert first.gaps == second.gaps == [Gap(start=NOW, end=NOW, reason="forbidden", text=text)]


def test_keys_of_one_name_are_told_with_their_ids() -> None:
    """And one without a name is its id. The key itself is asked for nowhere."""
    world = small_world()
    world.keys = [{"id": "k1", "name": "app"}, {"id": "k2", "name": "app"}, {"id": "k3"}, {"id": "k4", "name": "web"}]
    facts, _, outside = polled(world, "consumers")
    assert facts == [consumer("app.k1"), consumer("app.k2"), consumer("k3"), consumer("web")]
    assert [call.params for call in outside.calls] == [{"limit": 500}, {"limit": 500, "position": "at2"}]


def test_use_of_a_plan_is_told_by_whole_days() -> None:
    """By key; of a day that is not over nothing is told, and the two days before the last read are read again."""
    world = small_world()
    since = NOW - timedelta(days=3)
    facts, place, outside = polled(world, "plans", since=since)
    assert facts == [planned("2026-05-31", "mobile", "k1", 7.0)]
    assert place == b'"2026-06-01"'
    world.used["p1"]["k1"] |= {"2026-05-30": 2, "2026-05-31": 8, "2026-05-29": 6}
    late, place, outside = polled(world, "plans", place, now=NOW + timedelta(days=1))
    assert late == [
        planned("2026-05-30", "mobile", "k1", 2.0),
        planned("2026-05-31", "mobile", "k1", 8.0),
        planned("2026-06-01", "mobile", "k1", 5.0),
    ]
    assert place == b'"2026-06-02"'
    asked = [call.params for call in outside.calls if call.path == "/usageplans/p1/usage"]
    assert asked[0] == {"startDate": "2026-05-30", "endDate": "2026-06-01", "limit": 500}


def test_a_key_that_is_not_listed_is_told_nowhere() -> None:
    """It was deleted, or what stands there is the key itself: it is counted, and does not come out. So is an odd log."""
    world = small_world()
    world.used["p1"]["k3"] = [["many", 0]]
    config = Config.model_validate(SETTINGS)
    stream = next(one for one in SOURCE.connect(config, FakeOutside(world), "aws") if one.name == "plans")
    pages = list(stream.read(None, NOW - timedelta(days=3), NOW))
    assert [fact.about.id for page in pages for fact in page.facts] == ["eu/mobile"]
    assert [dict(page.rejected) for page in pages] == [{("Usage", "unknown_key"): 1, ("Usage", "invalid"): 1}]
    assert "secret" not in repr(pages)


def test_no_call_asks_for_more_days_than_one_may() -> None:
    """Each call has 90 days at most; where it ended the next begins, and a poll that broke off goes on there."""
    world = small_world()
    world.used["p1"]["k1"] |= {"2026-01-02": 1, "2026-04-02": 3}
    since = datetime(2026, 1, 4, 8, tzinfo=UTC)
    facts, place, outside = polled(world, "plans", since=since)
    assert [fact.key for fact in facts if isinstance(fact, Usage)] == [
        "plan/p1/k1/2026-01-02",
        "plan/p1/k1/2026-04-02",
        "plan/p1/k1/2026-05-31",
    ]
    asked = [call.params for call in outside.calls if call.path == "/usageplans/p1/usage" and len(call.params) == 3]
    assert [(params["startDate"], params["endDate"]) for params in asked] == [
        ("2026-01-02", "2026-04-01"),
        ("2026-04-02", "2026-05-31"),
    ]
    assert place == b'"2026-06-01"'
    nothing, _, outside = polled(world, "plans", b'"2026-06-03"')
    assert (nothing, outside.calls) == ([], [])


def test_check_says_what_to_allow() -> None:
    """One line for each call that is refused."""
    config = Config.model_validate(SETTINGS)
    lines = SOURCE.check(config, FakeOutside(lambda _: Reply(status=403)))
    assert lines == [
        "GET /restapis: 403; allow apigateway:GET on /restapis to this identity",
        "GET /v2/apis: 403; allow apigateway:GET on /apis to this identity",
        "POST /: 403; allow cloudwatch:ListMetrics to this identity",
        "POST /: 403; allow cloudwatch:GetMetricData to this identity",
        "GET /usageplans: 403; allow apigateway:GET on /usageplans to this identity",
        "GET /apikeys: 403; allow apigateway:GET on /apikeys to this identity",
    ]


def test_check_minds_no_answer_about_a_minute_of_long_ago() -> None:
    """CloudWatch let us ask; any other odd answer is an error."""
    world, config = small_world(), Config.model_validate(SETTINGS)

    def refusing(word: str) -> FakeOutside:
        return FakeOutside(lambda call: Reply(status=400) if word in str(call) else world(call))

    assert SOURCE.check(config, refusing("MetricDataQueries")) == []
    with pytest.raises(Unexpected):
        SOURCE.check(config, refusing("/restapis"))


def test_init_has_a_sample() -> None:
    """Nothing around tells that an account has APIs."""
    proposal = SOURCE.propose(Surroundings(variables=frozenset({"AWS_REGION"})))
    assert proposal is not None
    assert (proposal.found, proposal.sample) == ({}, ("aws-eu", {"region": "eu-central-1"}))


def test_what_is_newer_than_the_delay_is_not_known_yet() -> None:
    """CloudWatch is not asked for it, so no window may hold it; plans are told by whole days, and lists tell of now."""
    streams = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside({}), "aws")
    assert {s.name: s.behind for s in streams} == {
        "requests": timedelta(minutes=2),
        "routes": timedelta(0),
        "consumers": timedelta(0),
        "plans": timedelta(days=1),
    }
