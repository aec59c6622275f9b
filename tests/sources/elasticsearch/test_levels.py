"""Minutes in which the values of a field kept their bound."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.sources.elasticsearch.elasticsearch_server import Elasticsearch, a
from tests.sources.elasticsearch.test_elasticsearch import NOON, NOW, stream

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.source import Page
from platform_meter.sources.elasticsearch import SOURCE
from platform_meter.sources.elasticsearch.config import Config
from platform_meter.testing.outside import FakeOutside

WORST: dict[str, Any] = {"id": "worst", "index": "logs-*", "field": "status", "stat": "max", "op": "lt", "value": 500}
SINCE = NOW - timedelta(minutes=10)


def world(**more: Any) -> Elasticsearch:
    types = {"@timestamp": ["date"], "status": ["long"], "path": ["keyword"]}
    logs = [a(NOON, -5, 10), a(NOON, -5, 50, 500), a(NOON, -1, 59.999, 404)]
    return Elasticsearch(documents={"logs-*": logs}, types=types, **more)


def amounts(pages: list[Page]) -> dict[str, tuple[float, float]]:
    found = [fact for page in pages for fact in page.facts]
    return {f"{fact.at:%H:%M}": (fact.good, fact.bad) for fact in found if isinstance(fact, SliCount)}


def test_a_minute_is_good_or_bad_by_its_level_and_told_again_when_that_changes() -> None:
    """Of a minute without documents nothing is said."""
    server = world()
    reading = stream(FakeOutside(server), "sli/worst", levels=[WORST])
    assert (reading.sli, reading.behind) == ("worst", timedelta(minutes=2))
    first = list(reading.read(None, SINCE, NOW))
    assert amounts(first) == {"11:56": (0.0, 1.0), "12:00": (1.0, 0.0)}
    server.documents = {"logs-*": [*server.documents["logs-*"], a(NOON, -1, 30, 503), a(NOON, 0, 5)]}
    second = list(reading.read(first[-1].checkpoint, SINCE, NOW + timedelta(minutes=1)))
    assert amounts(second) == {"12:00": (0.0, 1.0), "12:01": (1.0, 0.0)}


def test_what_has_no_number_is_no_level() -> None:
    """Documents without the field, and an answer that is no number: neither is good or bad, and what is odd is counted."""
    none = {**WORST, "stat": "p95"}
    assert amounts(list(stream(FakeOutside(world()), "sli/worst", levels=[none]).read(None, SINCE, NOW))) == {}
    odd = world(odd={NOON - timedelta(minutes=1): "NaN"})
    pages = list(stream(FakeOutside(odd), "sli/worst", levels=[WORST]).read(None, SINCE, NOW))
    assert amounts(pages) == {"11:56": (0.0, 1.0)}
    assert [dict(page.rejected) for page in pages if page.rejected] == [{("SliCount", "invalid"): 1}]


@pytest.mark.parametrize(
    ("field", "problems"),
    [
        ("status", []),
        ("path", ["sli/worst: path is keyword in logs-*; write a field of numbers, or name fewer indices"]),
        ("ms", ["sli/worst: ms is no field in logs-*; write a field of numbers, or name fewer indices"]),
    ],
)
def test_check_looks_at_the_field(field: str, problems: list[str]) -> None:
    """It has to be one of numbers."""
    config = Config.model_validate({"url": "https://logs.example", "levels": [{**WORST, "field": field}]})
    assert SOURCE.check(config, FakeOutside(world())) == problems
