"""The simulated cluster of logs: who may ask, searches that count by the minute, the newest document, its health."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.demo.worlds import START, Answer, Caller, Clock, elasticsearch, nowhere, settings, small_world

from platform_meter.demo.apis.elasticsearch import API
from platform_meter.demo.company.gateways import KONG, served
from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.world import World
from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.facts.slis import SliCount
from platform_meter.sources.elasticsearch import SOURCE
from platform_meter.testing import FakeOutside

NOW = START + timedelta(minutes=10, seconds=30)
MINUTE = timedelta(minutes=1)
GATEWAY = "logs-gateway.access-*"
FAILED = "http.response.status_code:>=500"


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(at=NOW), services=60)


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    return elasticsearch(world)


def text(query: str) -> dict[str, Any]:
    return {"query_string": {"query": query}}


def count(api: Caller, begin: int, end: int, query: str = "*", part: str = FAILED, index: str = GATEWAY) -> Answer:
    """Documents of the minutes from `begin` to `end`, counted from the start of live time."""
    bounds = [int((START + n * MINUTE).timestamp()) * 1_000 for n in (begin, end)]
    dated = {"range": {"@timestamp": {"gte": bounds[0], "lt": bounds[1], "format": "epoch_millis"}}}
    histogram = {"field": "@timestamp", "fixed_interval": "1m", "min_doc_count": 1}
    parts = {"part": {"filter": text(part)}}
    body = {
        "size": 0,
        "query": {"bool": {"filter": [dated, text(query)]}},
        "aggregations": {"minutes": {"date_histogram": histogram, "aggregations": parts}},
    }
    return api.post(f"/{index}/_search", body)


def test_who_may_ask(api: Caller) -> None:
    """Who has the key."""
    for said in ("", "ApiKey other"):
        refused = api.get("/_cluster/health", Authorization=said)
        assert (refused.status_code, refused.json["error"]["type"]) == (401, "security_exception")
    assert api.get("/_cat/indices").status_code == 400


def test_minutes_have_the_requests_of_the_gateway(api: Caller, world: World) -> None:
    """What Kong answered in each, and how much of it failed; of the one that runs what there is of it."""
    buckets = count(api, 8, 12).json["aggregations"]["minutes"]["buckets"]
    routes = served(world.company, world.scenario, KONG)
    moments = [START + 8 * MINUTE, START + 9 * MINUTE, START + 10 * MINUTE, NOW]
    told = [[route.answered(at) for route in routes] for at in moments]
    every, failed = (
        [sum(of) for of in parts]
        for parts in (
            [[one.all for one in at] for at in told],
            [[one.failed for one in at] for at in told],
        )
    )
    assert [(b["key"], b["doc_count"], b["part"]["doc_count"]) for b in buckets] == [
        (int(at.timestamp()) * 1_000, every[n + 1] - every[n], failed[n + 1] - failed[n])
        for n, at in enumerate(moments[:-1])
    ]


def test_queries_over_statuses(api: Caller) -> None:
    """All of them, one, several, and what is not among those that are looked at at all."""

    def found(query: str, part: str) -> tuple[int, int]:
        buckets = count(api, -60, 0, query, part).json["aggregations"]["minutes"]["buckets"]
        return sum(b["doc_count"] for b in buckets), sum(b["part"]["doc_count"] for b in buckets)

    field = "http.response.status_code"
    every, failed = found("*", FAILED)
    missing, good = found(f"{field}:404", "*"), found(f"{field}:<400", f"{field}:>299")
    assert missing[0] == missing[1] > 0
    assert good[1] == 0
    valid = found(f"{field}:<400 OR {field}:>=500", FAILED)
    assert valid == (every - missing[0], failed)
    assert good[0] + missing[0] + failed == every
    assert 0 < failed < missing[0] < good[0]


def test_what_is_no_search_of_ours(api: Caller) -> None:
    """An index that is not there, queries in other words, and more buckets than an answer may have."""
    assert count(api, 8, 9, index="logs-none").json["error"]["type"] == "index_not_found_exception"
    assert count(api, 8, 9, index="none-*").json["_shards"]["total"] == 0
    assert count(api, 8, 9, query="level:error").json["error"]["type"] == "parsing_exception"
    assert "too many buckets" in count(api, -70_000, 0).json["error"]["reason"]
    others: tuple[dict[str, Any], ...] = ({"match_all": {}}, {"range": {"when": {"gte": 1}}})
    for query in others:
        body = {"query": {"bool": {"filter": [query]}}}
        assert api.post(f"/{GATEWAY}/_search", body).status_code == 400
    dated = {"range": {"@timestamp": {"gte": int(START.timestamp()) * 1_000, "format": "epoch_millis"}}}
    daily = {"days": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1d"}}}
    counted: dict[str, Any] = {"query": {"bool": {"filter": [dated]}}, "aggregations": daily}
    assert api.post(f"/{GATEWAY}/_search", counted).status_code == 400


def test_types_of_fields(api: Caller) -> None:
    """That which dates documents is a date; of others nothing is known."""
    told = api.get(f"/{GATEWAY}/_field_caps?fields=@timestamp").json
    assert told["indices"] == [".ds-logs-gateway.access-prod-000001"]
    assert [*told["fields"]["@timestamp"]] == ["date"]
    assert api.get(f"/{GATEWAY}/_field_caps?fields=when").json["fields"] == {}


def test_health(api: Caller) -> None:
    """Green, and yellow while the cluster of machines is slow."""
    assert api.get("/_cluster/health").json["status"] == "green"
    slow = small_world(Clock(at=NOW), Scenario(trouble=Trouble.CLUSTER_SLOW, begin=START))
    assert elasticsearch(slow).get("/_cluster/health").json["status"] == "yellow"


def test_the_source_reads_it(world: World) -> None:
    """Nothing is wrong with its settings; valid requests of 12 hours, and how old each stream is: the last one is silent."""
    told = API.told(world.company, nowhere(world.company).urls)
    config = SOURCE.config.model_validate(settings(told, "elasticsearch"))
    outside = FakeOutside(elasticsearch(world).answer)
    assert SOURCE.check(config, outside) == []
    facts = [
        fact
        for stream in SOURCE.connect(config, outside, "elasticsearch")
        if not stream.probe
        for page in stream.read(None, NOW - timedelta(hours=12), NOW)
        for fact in page.facts
    ]
    counts = [fact for fact in facts if isinstance(fact, SliCount)]
    spans = [
        [route.answered(START + n * MINUTE) for n in (-11 * 60 - 50, 8)]
        for route in served(world.company, world.scenario, KONG)
    ]
    assert len(counts) == 718
    assert sum(fact.bad for fact in counts) == sum(after.failed - before.failed for before, after in spans)
    assert sum(fact.good for fact in counts) == sum(after.good - before.good for before, after in spans)
    ages = [NOW - fact.newest for fact in facts if isinstance(fact, LogIndex) and fact.newest]
    assert len(ages) == len(config.indices)
    assert max(ages[:-1]) < MINUTE
    assert timedelta(hours=9) < ages[-1] < timedelta(hours=10)
