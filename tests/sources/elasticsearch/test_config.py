"""What the config file may say of a cluster."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Basic, Secret, Token
from platform_meter.sources.elasticsearch.config import Config

URL = {"url": "https://logs.example"}
KEY = {"env": "K"}
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
        ({"slis": [SLI, SLI]}, "slis has web twice; remove one, or tell them apart"),
        ({"indices": [{"index": "a"}, {"index": "a"}]}, "indices has a twice"),
        ({"api_key": KEY, "token": KEY}, "api_key and token are two ways in; remove one"),
        ({"api_key": KEY, "user": "u", "password": KEY}, "api_key and user are two ways in; remove one"),
    ],
)
def test_what_is_wrong_is_told(said: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text):
        Config.model_validate({**URL, **said})
