"""The elasticsearch source against Elastic's own OpenAPI description, which leaves queries and aggregations open."""

from __future__ import annotations

from tests.contracts.calls import description
from tests.contracts.openapi import contract
from tests.sources.elasticsearch.test_elasticsearch import CASE, SETTINGS, later_world, world

from platform_meter.sources.elasticsearch import SOURCE
from platform_meter.sources.elasticsearch.answers import Found
from platform_meter.testing.case import poll
from platform_meter.testing.outside import FakeOutside

NAME = "elasticsearch-serverless.openapi.json"
SEARCH = "/{index}/_search"


def test_every_search_is_one_of_the_description() -> None:
    """Its path, and each word of its body; those of a poll and of a check."""
    official = description(NAME)
    outside = FakeOutside(world())
    poll(SOURCE, CASE, outside)
    list(SOURCE.check(SOURCE.config.model_validate(dict(SETTINGS)), outside))
    calls = [call for call in outside.calls if call.method == "POST"]
    assert {call.path for call in calls} == {"/logs-*/_search", "/audit-*/_search"}
    for call in calls:
        template, operation = official.operation("post", call.path)
        body = official.resolve(operation["requestBody"])["content"]["application/json"]["schema"]
        assert template == SEARCH
        assert set(call.body) <= set(body["properties"])


def test_every_answer_of_the_description_can_be_read() -> None:
    """But for the names that our aggregations have there; of what hits are sorted by the description says any value."""
    official = description(NAME)
    unreadable = official.unreadable(Found, official.schema("post", "/logs-1/_search"), unknown=["Hit.sort"])
    assert unreadable == [f".aggregations.{name}: the description has no such field" for name in ("levels", "minutes")]


def test_the_cluster_in_memory_answers_as_the_description_says() -> None:
    """Counts by the minute and hits; but for what these are sorted by, of which each number is two kinds at once there."""
    held = 0
    for server in (world(), later_world()):
        outside = FakeOutside(server)
        poll(SOURCE, CASE, outside, whole=True)
        for body in (server(call).body for call in outside.calls if call.path == "/logs-*/_search"):
            hits = [{name: hit[name] for name in hit if name != "sort"} for hit in body["hits"]["hits"]]
            assert contract(NAME).problem(SEARCH, {**body, "hits": {"hits": hits}}, method="post") == ""
            held += 1
    assert held == 4
