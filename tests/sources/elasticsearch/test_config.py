"""What the config file may say of a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Basic, Secret, Token
from platform_meter.model.objective import Asked, Bound
from platform_meter.sources.elasticsearch.config import Config, LevelQuery, with_asked

URL = {"url": "https://logs.example"}
KEY = {"env": "K"}
LEVEL = {"id": "took", "index": "logs-*", "field": "ms", "op": "lt", "value": 300}
SLI = {"id": "web", "index": "logs-*", "total": "*", "bad": "status:>=500"}


def test_ways_in() -> None:
    """An API key, a bearer token, or a user; each beside the authority of the server."""
    found = Config.model_validate({**URL, "api_key": KEY, "headers": {"X-Tenant": "a"}, "ca_file": "/ca.pem"})
    assert found.access == Access(
        url="https://logs.example",
        credential=Token(secret=Secret(env="K"), prefix="ApiKey"),
        headers={"X-Tenant": "a"},
        ca_file="/ca.pem",
    )
    assert Config.model_validate({**URL, "token": KEY}).access.credential == Token(secret=Secret(env="K"))
    assert Config.model_validate({**URL, "user": "u", "password": KEY}).access.credential == Basic(
        user="u", password=Secret(env="K")
    )


@pytest.mark.parametrize(
    "index", ["logs-*", "*", ".ds-logs-web-default-*", "logs-*,-logs-debug-*", "eu:logs-*", "Alias_1"]
)
def test_names_of_indices(index: str) -> None:
    """Data streams, aliases, several of them, without some, and those of other clusters."""
    assert Config.model_validate({**URL, "indices": [{"index": index}]}).indices[0].index == index


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"indices": [{"index": "_all"}]}, "'_all' names no indices; write for example logs-\\*, or several"),
        ({"indices": [{"index": "logs/_doc"}]}, "'logs/_doc' names no indices"),
        ({"indices": [{"index": "<logs-{now/d}>"}]}, "names no indices"),
        ({"slis": [{**SLI, "total": " "}]}, "the query is empty; write for example status:>=500, or '\\*'"),
        ({"slis": [{**SLI, "total": {}}]}, "a query is one clause, and this is no clause; join several"),
        ({"slis": [{**SLI, "bad": {"term": {}, "range": {}}}]}, "a query is one clause, and this is term, range"),
        ({"slis": [{**SLI, "good": "*"}]}, "an SLI needs exactly one of good and bad beside total"),
        ({"slis": [SLI, SLI]}, "slis and levels has web twice; remove one, or tell them apart"),
        ({"levels": [{**LEVEL, "stat": "p100"}]}, "'p100' is no statistic; write avg, max, min, sum or such as p95"),
        ({"indices": [{"index": "a"}, {"index": "a"}]}, "indices has a twice"),
        ({"api_key": KEY, "token": KEY}, "api_key and token are two ways in; remove one"),
        ({"api_key": KEY, "user": "u", "password": KEY}, "api_key and user are two ways in; remove one"),
    ],
)
def test_what_is_wrong_is_told(said: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text):
        Config.model_validate({**URL, **said})


@pytest.mark.parametrize(("stat", "percent"), [("avg", None), ("p95", 95.0), ("p99.9", 99.9), ("p5", 5.0)])
def test_a_level_is_a_number_of_each_minute(stat: str, percent: float | None) -> None:
    """A mean unless it says else, or a percentile."""
    found = Config.model_validate({**URL, "levels": [{**LEVEL, "stat": stat}]}).levels[0]
    assert (found.query, found.percent, found.bound) == ("*", percent, Bound(operator="lt", value=300.0))


def test_slo_files_add_levels() -> None:
    """With the bound of their objective."""
    level = {"index": "logs-*", "field": "ms", "stat": "p95", "query": "service:web"}
    asked = Asked(name="took", type="elasticsearch", total=level, bound=Bound(operator="lte", value=0.5))
    found = with_asked(Config.model_validate(URL), [asked])
    assert found.slis == ()
    assert found.levels == (LevelQuery(**level, id="elasticsearch:took", op="lte", value=0.5),)
