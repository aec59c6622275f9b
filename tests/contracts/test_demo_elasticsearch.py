"""The simulated Elasticsearch against Elastic's own OpenAPI description: as much of a search's answer as it has in types."""

from __future__ import annotations

from datetime import timedelta

from tests.contracts.openapi import contract
from tests.demo.worlds import START, Clock, elasticsearch, small_world

NAME = "elasticsearch-serverless.openapi.json"
BODY = {
    "query": {"bool": {"filter": [{"query_string": {"query": "*"}}]}},
    "size": 1,
    "sort": [{"@timestamp": {"order": "desc"}}],
}


def test_answers_keep_to_the_official_description() -> None:
    """The newest document of all data streams; types of fields are not in the description."""
    api = elasticsearch(small_world(Clock(at=START + timedelta(minutes=10))))
    found = api.post("/logs-*/_search", BODY)
    assert [row["_index"] for row in found.json["hits"]["hits"]] == [".ds-logs-gateway.access-prod-000001"]
    hits = [{key: value for key, value in row.items() if key != "sort"} for row in found.json["hits"]["hits"]]
    said = {**found.json, "hits": {**found.json["hits"], "hits": hits}}  # what rows are sorted by has two types there
    assert contract(NAME).problem("/{index}/_search", said, method="post") == ""
