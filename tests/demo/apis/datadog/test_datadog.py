"""The simulated organisation of Datadog: who may ask, counts by the minute, monitors, an SLO, incidents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.demo.worlds import START, Caller, Clock, datadog, nowhere, settings, small_world

from platform_meter.demo.apis.datadog import API
from platform_meter.demo.apis.datadog.bodies import SLO
from platform_meter.demo.company.watching import watched
from platform_meter.demo.world import World
from platform_meter.model.facts.budgets import ToldBudget
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.observability import AlertMonitor
from platform_meter.model.facts.slis import SliCount
from platform_meter.sources.datadog import SOURCE
from platform_meter.testing import FakeOutside

NOW = START + timedelta(minutes=10, seconds=30)
MINUTE = timedelta(minutes=1)
EPOCH = int(START.timestamp())


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(at=NOW))


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    return datadog(world)


def query(api: Caller, world: World, metric: str, start: int, end: int, service: str = "") -> Any:
    of = service or watched(world.company, world.scenario).service.id
    text = quote(f"sum:{metric}{{service:{of}}}.as_count().rollup(sum, 60)")
    return api.get(f"/api/v1/query?from={start}&to={end}&query={text}")


def test_who_may_ask(api: Caller) -> None:
    """Who has both keys; with that of the organisation alone one may only ask whether it holds."""
    assert api.get("/api/v1/validate", DD_APPLICATION_KEY="").json == {"valid": True}
    assert api.get("/api/v1/validate", DD_API_KEY="").status_code == 403
    assert api.get("/api/v1/monitor", DD_APPLICATION_KEY="").json == {"errors": ["Forbidden"]}
    assert api.get("/api/v1/monitor", DD_API_KEY="other").status_code == 403
    assert api.get("/api/v1/dashboard").status_code == 404


def test_each_kind_of_call_has_its_own_limit(world: World) -> None:
    """Headers tell what is left of it and of how much; the other kinds go on where one is used up."""
    few = datadog(world, limit=2)
    told = [few.get("/api/v1/monitor") for _ in range(3)]
    names = ("Limit", "Period", "Remaining", "Reset", "Name")
    assert [answer.status_code for answer in told] == [200, 200, 429]
    assert [[answer.headers[f"X-RateLimit-{name}"] for name in names] for answer in told] == [
        ["2", "3600", "1", "3600", "list_monitors"],
        ["2", "3600", "0", "3600", "list_monitors"],
        ["2", "3600", "0", "3600", "list_monitors"],
    ]
    assert few.get("/api/v2/incidents").status_code == 200


def test_counts_by_the_minute(api: Caller, world: World) -> None:
    """A point for each bucket with any, at its beginning: what the service answered in it; the last one still runs."""
    one = watched(world.company, world.scenario)
    (series,) = query(api, world, "trace.http.request.hits", EPOCH + 8 * 60, EPOCH + 12 * 60).json["series"]
    moments = [START + n * MINUTE for n in (8, 9, 10)]
    assert series["interval"] == 60
    assert series["pointlist"] == [
        [at.timestamp() * 1_000, sum(one.traffic.codes(end).values()) - sum(one.traffic.codes(at).values())]
        for at, end in zip(moments, [*moments[1:], NOW], strict=True)
    ]
    (failed,) = query(api, world, "trace.http.request.errors", EPOCH - 3600, EPOCH).json["series"]
    errors = one.traffic.codes(START + MINUTE)["500"] - one.traffic.codes(START - 60 * MINUTE)["500"]
    assert sum(count for _, count in failed["pointlist"]) == errors
    assert 0 < len(failed["pointlist"]) < 61
    assert all(count > 0 for _, count in failed["pointlist"])


def test_what_it_does_not_count(api: Caller, world: World) -> None:
    """Of other services and metrics there is nothing; of a day there are no minutes; what is no query is refused."""
    assert query(api, world, "trace.http.request.hits", EPOCH - 60, EPOCH, service="other").json["series"] == []
    assert query(api, world, "system.cpu.user", EPOCH - 60, EPOCH).json["series"] == []
    (series,) = query(api, world, "trace.http.request.hits", EPOCH - 100_000, EPOCH).json["series"]
    assert (series["interval"], len(series["pointlist"])) == (300, 334)
    for asked in ("from=1&to=2&query=avg:cpu{*}", "from=2&to=1&query=x", "from=x&to=1&query=x", "query=x"):
        assert api.get(f"/api/v1/query?{asked}").status_code == 400


def test_monitors_in_pages(api: Caller) -> None:
    """By number, behind the one that was read last."""
    rows = api.get("/api/v1/monitor").json
    assert [row["overall_state"] for row in rows] == ["OK", "OK", "OK", "No Data", "No Data"]
    page = api.get(f"/api/v1/monitor?id_offset={rows[1]['id']}&page_size=2").json
    assert page == rows[2:4]


def test_how_its_slo_stands(api: Caller) -> None:
    """Over the stretch that is asked for, with the budget of the target that is asked for; no other SLO is there."""
    path = f"/api/v1/slo/{SLO}/history?from_ts={EPOCH - 28 * 86_400}&to_ts={EPOCH}"
    overall = api.get(f"{path}&target=99.9").json["data"]["overall"]
    assert overall["sli_value"] == pytest.approx(99.94, abs=0.005)
    assert overall["error_budget_remaining"]["custom"] == pytest.approx(40, abs=5)
    assert api.get(f"{path}&target=99").json["data"]["overall"]["error_budget_remaining"]["custom"] > 90
    empty = f"/api/v1/slo/{SLO}/history?from_ts=1&to_ts=2"
    assert api.get(empty).json["data"]["overall"]["sli_value"] is None
    assert api.get("/api/v1/slo/none/history?from_ts=1&to_ts=2").status_code == 404
    assert api.get(f"{path}&target=much").status_code == 400


def test_incidents_in_pages(world: World) -> None:
    """By offset, with the next one while there is one; each is there by its id too."""
    api = datadog(world)
    first = api.get("/api/v2/incidents?page[size]=1&page[offset]=0").json
    whole = api.get("/api/v2/incidents?page[size]=100").json
    rows = whole["data"]
    assert whole["meta"]["pagination"] == {"offset": 0, "size": len(rows)}
    assert first["data"] == rows[:1]
    assert first["meta"]["pagination"].get("next_offset") == (1 if len(rows) > 1 else None)
    assert api.get(f"/api/v2/incidents/{rows[0]['id']}").json == {"data": rows[0]}
    assert api.get("/api/v2/incidents/none").status_code == 404


def test_the_source_reads_it_all(world: World) -> None:
    """Every minute that is over with its errors, monitors with their team but for drafts, the SLO, and the incident that
    leads to what those on call have of it."""
    told = API.told(world.company, nowhere(world.company).urls)
    config = SOURCE.config.model_validate(settings(told, "datadog"))
    outside = FakeOutside(datadog(world).answer)
    facts = [
        fact
        for stream in SOURCE.connect(config, outside, "datadog")
        for page in stream.read(None, NOW - timedelta(hours=12), NOW)
        for fact in page.facts
    ]
    one = watched(world.company, world.scenario)
    counts = [fact for fact in facts if isinstance(fact, SliCount)]
    begin, end = (one.traffic.codes(START + n * MINUTE) for n in (-11 * 60 - 50, 8))
    assert len(counts) == 718
    assert sum(fact.bad for fact in counts) == end["500"] - begin["500"]
    assert sum(fact.good for fact in counts) == end["200"] + end["404"] - begin["200"] - begin["404"]
    monitors = [fact for fact in facts if isinstance(fact, AlertMonitor)]
    owned = [("acme.test/team", one.service.team), ("app.kubernetes.io/name", one.service.id)]
    assert [[*fact.about.labels] for fact in monitors] == [owned, owned, owned, []]
    (budget,) = [fact for fact in facts if isinstance(fact, ToldBudget)]
    assert budget.slo == one.slo
    assert budget.sli == pytest.approx(0.9994, abs=1e-5)
    incidents = [fact for fact in facts if isinstance(fact, Incident)]
    assert {f"{fact.at:%H:%M}" for fact in incidents} >= {"06:31"}
    assert all(any("acme.pagerduty.test" in word for word in fact.mentions) for fact in incidents)
    assert {fact.about.id for fact in incidents} == {one.service.id}
