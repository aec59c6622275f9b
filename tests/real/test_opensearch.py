"""The elasticsearch source on a real OpenSearch: minutes of two indices, late and corrected documents, the newest one, health."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.opensearch import OpenSearch, opensearch
from tests.support.real_source import Reader, connected

from platform_meter.model.facts.logs import LogIndex
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Unexpected, Unreachable
from platform_meter.sources.elasticsearch import SOURCE
from platform_meter.sources.elasticsearch.config import Config

NOW = datetime(2026, 5, 4, 12, 10, 30, tzinfo=UTC)
WEB = {"id": "web", "index": "logs-*", "total": "*", "bad": "status:>=500"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSearch]:
    with opensearch(tmp_path_factory.mktemp("opensearch")) as made:
        yield made


def told(reader: Reader, now: datetime) -> dict[str, tuple[float, float]]:
    """Good and bad of the minutes that a poll told, by their end."""
    pages = reader.run(now, timedelta(minutes=30))
    facts = [fact for page in pages for fact in page.facts if isinstance(fact, SliCount)]
    return {f"{fact.at:%H:%M}": (fact.good, fact.bad) for fact in facts}


def test_minutes_are_counted_over_all_indices_and_counted_again_when_they_change(server: OpenSearch) -> None:
    """One index has dates to the nanosecond; bounds of minutes are exact. What came late, what was corrected and what was
    deleted is right with the next poll.
    """
    server.index("logs-1")
    server.index("logs-2", dates="date_nanos")
    server.call("PUT", "/logs-empty")
    first, wrong = server.log("logs-1", [("2026-05-04T12:01:00.000Z", 200), ("2026-05-04T12:01:59.999Z", 500)])
    server.log("logs-2", [("2026-05-04T12:01:59.999999999Z", 200), ("2026-05-04T12:02:00Z", 404)])
    server.log("logs-2", [("2026-05-04T12:09:00Z", 500), ("2026-05-04T14:05:00+02:00", 503)])
    config = Config.model_validate({"url": server.url, "slis": [WEB], "indices": [{"index": "logs-*"}], "health": True})
    with connected(SOURCE, config) as meter:
        assert meter.check() == []
        reader = meter.stream("sli/web")
        assert told(reader, NOW) == {"12:02": (2.0, 1.0), "12:03": (1.0, 0.0), "12:06": (0.0, 1.0)}
        server.log("logs-1", [("2026-05-04T12:02:30Z", 500)])
        server.call("POST", f"/logs-1/_update/{wrong}?refresh=true", {"doc": {"status": 200}})
        assert told(reader, NOW + timedelta(minutes=1)) == {"12:02": (3.0, 0.0), "12:03": (1.0, 1.0)}
        server.call("DELETE", f"/logs-1/_doc/{first}?refresh=true")
        assert told(reader, NOW + timedelta(minutes=2)) == {"12:02": (2.0, 0.0), "12:10": (0.0, 1.0)}

        newest = meter.stream("index/logs-*")
        newest.run(datetime(2026, 5, 4, 12, 8, tzinfo=UTC))
        (index,) = newest.readings.values()
        assert isinstance(index, LogIndex)
        assert index.newest == datetime(2026, 5, 4, 12, 5, tzinfo=UTC)

        health = meter.stream("health")
        health.run(NOW)
        (probe,) = health.events.values()
        assert isinstance(probe, ProbeCheck)
        assert (probe.target, probe.result) == ("real/health", "ok")


def test_a_clause_of_the_query_dsl_and_good_events(server: OpenSearch) -> None:
    """As it stands in the settings, over an alias and a data stream: whatever has a name to be searched by."""
    requests = [("2026-05-04T12:01:10Z", status) for status in (200, 302, 404, 500)]
    server.index("ingress-1")
    server.log("ingress-1", requests)
    server.call("POST", "/_aliases", {"actions": [{"add": {"index": "ingress-1", "alias": "ingress"}}]})
    server.call("PUT", "/_index_template/edge", {"index_patterns": ["edge"], "data_stream": {}})
    server.log("edge", requests[1:])
    sli = {
        "id": "web",
        "index": "ingress,edge",
        "total": {"bool": {"must_not": [{"range": {"status": {"gte": 400, "lt": 500}}}]}},
        "good": {"range": {"status": {"lt": 500}}},
    }
    with connected(SOURCE, Config.model_validate({"url": server.url, "slis": [sli]})) as meter:
        assert meter.check() == []
        assert told(meter.stream("sli/web"), NOW) == {"12:02": (3.0, 2.0)}


def test_levels_of_a_field_by_the_minute(server: OpenSearch) -> None:
    """A percentile, a maximum, a mean of what a query finds; of a minute whose documents lack the field nothing is said."""
    server.index("slow-1")
    server.log("slow-1", [("2026-05-04T12:01:10Z", status) for status in (*[200] * 18, 404, 503)])
    server.log("slow-1", [("2026-05-04T12:02:10Z", 500), ("2026-05-04T12:02:50Z", 200)])
    levels = [
        {"id": "p50", "index": "slow-*", "field": "status", "stat": "p50", "op": "lte", "value": 200},
        {"id": "max", "index": "slow-*", "field": "status", "stat": "max", "op": "lt", "value": 503},
        {"id": "mean", "index": "slow-*", "field": "status", "query": "status:>=400", "op": "gt", "value": 499},
        {"id": "none", "index": "slow-*", "field": "ms", "op": "lt", "value": 1},
    ]
    with connected(SOURCE, Config.model_validate({"url": server.url, "levels": levels})) as meter:
        assert meter.check() == ["sli/none: ms is no field in slow-*; write a field of numbers, or name fewer indices"]
        found = {one["id"]: told(meter.stream(f"sli/{one['id']}"), NOW) for one in levels}
    assert found == {
        "p50": {"12:02": (1.0, 0.0), "12:03": (0.0, 1.0)},
        "max": {"12:02": (0.0, 1.0), "12:03": (1.0, 0.0)},
        "mean": {"12:02": (0.0, 1.0), "12:03": (1.0, 0.0)},
        "none": {},
    }


def test_what_is_not_there_and_what_is_no_query_is_told(server: OpenSearch) -> None:
    """A pattern that nothing fits, an index that is not there, a text that can't be parsed: none of them is 0 events."""
    server.index("broken-1")
    slis = [
        {**WEB, "id": "pattern", "index": "nothing-*"},
        {**WEB, "id": "name", "index": "nothing"},
        {**WEB, "id": "text", "index": "broken-1", "bad": "status:("},
        {**WEB, "id": "field", "index": "broken-1", "time_field": "when"},
    ]
    with connected(SOURCE, Config.model_validate({"url": server.url, "slis": slis})) as meter:
        pattern, name, text, field = meter.check()
        assert pattern.startswith("sli/pattern: /nothing-*/_search: no index fits nothing-*; correct the pattern")
        assert name.endswith("there is no index nothing: correct the pattern")
        assert "Failed to parse query [status:(]" in text
        assert field.endswith("has a field when; write the one that dates its documents as time_field")
        for id_ in ("pattern", "name", "text"):
            with pytest.raises(Unexpected):
                meter.stream(f"sli/{id_}").run(NOW, timedelta(minutes=5))


def test_a_shard_that_is_away_makes_no_number(server: OpenSearch) -> None:
    """One of two indices has no node that it may stand on, which no search calls failed: what the other one has is not the count."""
    server.index("half-1")
    server.log("half-1", [("2026-05-04T12:01:10Z", 200)])
    nowhere = {"index.routing.allocation.require._name": "another"}
    server.call("PUT", "/half-2?wait_for_active_shards=0", {"settings": nowhere})
    sli = {**WEB, "index": "half-*"}
    config = Config.model_validate({"url": server.url, "slis": [sli], "health": True})
    with connected(SOURCE, config) as meter:
        with pytest.raises(Unreachable, match="the answer is not whole: 1 of 3 shards did not answer"):
            meter.stream("sli/web").run(NOW, timedelta(minutes=5))
        health = meter.stream("health")
        health.run(NOW)
        assert [probe.result for probe in health.events.values() if isinstance(probe, ProbeCheck)] == ["error"]
    server.call("DELETE", "/half-2")
