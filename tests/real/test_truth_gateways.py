"""Gateways: what Kong, NGINX and CloudWatch counted of the simulated requests, against `/metrics` and the store.

Kong and NGINX count by themselves: of what was before the first poll nothing is said. CloudWatch has a past.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from tests.support import reference
from tests.support.company import LOOKBACK, Running
from tests.support.imported import end, today_of

from platform_meter.demo.apis.aws.routes import callers
from platform_meter.demo.company.gateways import AWS, KONG, MOST, NGINX, NODES, served
from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests
from platform_meter.model.facts.use import Usage
from platform_meter.sources.apigateway import Config as AwsConfig

REQUESTS, DURATION = "platform_gateway_requests_total", "platform_gateway_request_duration_seconds"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EXACT = {KONG: (0.025, 0.1, 1, 5), NGINX: (0.005, 0.25, 1, 10), AWS: (0.01, 0.25, 1)}
"""Bounds at which each gateway's own histogram is ours."""


def whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def stretch(running: Running, gateway: str) -> tuple[datetime, datetime]:
    """Of which requests counters tell: between the first scrape and the last, or whole minutes since the first poll less
    the lookback, the last of which ended long enough ago."""
    if gateway == AWS:
        return whole(running.first - LOOKBACK) - MINUTE, whole(running.clock.at - delay(running))
    return running.looks[0], running.looks[-1]


def delay(running: Running) -> timedelta:
    config = running.service.config.sources[AWS].config
    assert isinstance(config, AwsConfig)
    return config.delay


@pytest.mark.parametrize("gateway", [KONG, NGINX, AWS])
def test_requests_by_team(imported: Running, gateway: str) -> None:
    """Good and bad ones of each team, and of nobody; those of both data planes together."""
    truth = imported.truth.gateway_requests(gateway, *stretch(imported, gateway))
    found = imported.counter(REQUESTS, "gateway", "team", "result")
    assert {key[1:]: n for key, n in found.items() if key[0] == gateway} == {key: n for key, n in truth.items() if n}
    assert truth["_unowned", "good"] > 100
    assert len({team for team, _ in truth}) > 1


@pytest.mark.parametrize("gateway", [KONG, NGINX, AWS])
def test_how_long_requests_took(imported: Running, gateway: str) -> None:
    """All of them, and those within each bound that the gateway's histogram shares with ours."""
    span = stretch(imported, gateway)
    found = imported.counter(f"{DURATION}_bucket", "gateway", "le")
    told = {float(le): n for (of, le), n in found.items() if of == gateway}
    assert {le: told[le] for le in EXACT[gateway]} == {
        le: imported.truth.gateway_within(gateway, *span, le) for le in EXACT[gateway]
    }
    count = imported.counter(f"{DURATION}_count", "gateway")[gateway,]
    assert count == imported.truth.gateway_within(gateway, *span)
    assert 0 < told[EXACT[gateway][0]] < told[1] <= count


def test_the_past_of_cloudwatch(imported: Running) -> None:
    """Half a day of it before the first poll, minute by minute, and all since: requests by team, and how many were timed."""
    begin = whole(imported.first - imported.service.config.sources[AWS].config.history)
    until = whole(imported.clock.at - delay(imported))
    found: Counter[tuple[str, str]] = Counter()
    timed = 0.0
    with imported.service.history() as history:
        for row in history.rows(GatewayRequests, begin, end(imported), source=AWS):
            team = history.owner(row.object).team
            found.update({(team, "good"): int(row.event.good), (team, "bad"): int(row.event.bad)})
        for timing in history.rows(GatewayLatency, begin, end(imported), source=AWS):
            timed += sum(timing.event.within.values())
    assert found == imported.truth.gateway_requests(AWS, begin, until)
    assert timed == imported.truth.gateway_within(AWS, begin, until)


def test_routes_by_team(imported: Running) -> None:
    """Those that stand, by who owns them: rules, tags of an API, the namespace of an Ingress; and nobody's."""
    found = imported.counter("platform_gateway_routes", "gateway", "team")
    for gateway in MOST:
        truth = imported.truth.gateway_routes(gateway)
        assert {team: n for (of, team), n in found.items() if of == gateway} == dict(truth)
        assert truth["_unowned"] > 0


def test_data_planes(imported: Running) -> None:
    """Both of them give signs of life."""
    found = imported.metrics()["platform_instances"]
    told = {dict(k)["state"]: n for k, n in found.items() if dict(k)["cluster"] == KONG}
    assert told == {"reporting": len(NODES), "silent": 0}


def test_who_uses_the_api_gateway(imported: Running) -> None:
    """Teams of the two orgs by whether they have a route, and whether it was called."""
    capability = next(c for c in imported.service.definitions.capabilities if c.id == "api-gateway")
    today = today_of(imported)
    standing = {team for team in imported.truth.gateway_routes(KONG) if team != "_unowned"}
    use: dict[str, Counter[date]] = {team: Counter() for team in standing}
    for (team, _), n in imported.truth.gateway_requests(KONG, *stretch(imported, KONG)).items():
        if team != "_unowned":
            use[team][today] += n
    states = reference.states(capability, imported.world.company, use, reference.Past(), today + DAY, standing)
    found = {
        dict(k)["state"]: n
        for k, n in imported.metrics()["platform_adoption_units"].items()
        if dict(k)["capability"] == capability.id
    }
    assert {k: v for k, v in found.items() if v} == dict(Counter(states.values()))
    assert found["active"] > 0


def test_who_used_their_usage_plan(imported: Running) -> None:
    """Each key belongs to the website of its name, and made half of the requests that the APIs it calls answered on a day.

    By whole days in UTC: those since the import begins and the two before them, up to yesterday.
    """
    company, config = imported.world.company, imported.service.config.sources[AWS].config
    names, rest = callers(company), served(company, imported.world.scenario, AWS)[::2]
    first = (imported.first - config.history).date() - 2 * DAY
    truth: Counter[tuple[str, date]] = Counter()
    for n in range((imported.clock.at.date() - first).days):
        midnight = datetime.combine(first + n * DAY, time(), UTC)
        for place, name in enumerate(names):
            for api in rest[place :: len(names)]:
                truth[name, midnight.date()] += (api.answered(midnight + DAY).all - api.answered(midnight).all) // 2
    found: Counter[tuple[str, date]] = Counter()
    with imported.service.history() as history:
        for row in history.rows(Usage, imported.first - 9 * DAY, end(imported), source=AWS):
            assert row.event.action == "planned_request"
            found[history.owner(row.object).service, row.event.at.date()] += int(row.event.amount)
    assert found == truth
    assert len(truth) >= 3
