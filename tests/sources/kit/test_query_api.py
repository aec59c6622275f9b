"""A query API as settings enter it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Basic, Secret, Token
from platform_meter.sources.kit.query_api import QueryApi, TenantApi

SECRET = {"env": "T"}


def test_settings_become_the_way_in() -> None:
    """Nobody's where nothing is said."""
    assert QueryApi.model_validate({"url": "http://p"}).access == Access(url="http://p")
    token = QueryApi.model_validate({"url": "http://p", "token": SECRET, "headers": {"X-Scope-OrgID": "a"}})
    assert token.access == Access(
        url="http://p", credential=Token(secret=Secret(env="T")), headers={"X-Scope-OrgID": "a"}
    )
    basic = QueryApi.model_validate({"url": "http://p", "user": "u", "password": SECRET})
    assert basic.access.credential == Basic(user="u", password=Secret(env="T"))


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"user": "u"}, "basic auth needs both user and password; add the other one"),
        ({"password": SECRET}, "basic auth needs both user and password; add the other one"),
        ({"token": SECRET, "user": "u", "password": SECRET}, "token and user are two ways in; remove one"),
    ],
)
def test_half_a_way_and_two_are_told(said: dict[str, Any], text: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text):
        QueryApi.model_validate({"url": "http://p", **said})


def test_a_tenant_goes_with_each_call() -> None:
    """In the header that Mimir reads; of several tenants at once, as it joins them. Without one there is no such header."""
    said = TenantApi.model_validate({"url": "http://p", "headers": {"X-A": "b"}, "tenant": "shop|pay-2"})
    assert said.access == Access(url="http://p", headers={"X-A": "b", "X-Scope-OrgID": "shop|pay-2"})
    assert TenantApi.model_validate({"url": "http://p"}).access == Access(url="http://p")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"tenant": ""}, "'' is no tenant; write letters, digits"),
        ({"tenant": "shop|pay er"}, "'pay er' is no tenant; write letters, digits"),
        ({"tenant": ".."}, "'..' is no tenant"),
        ({"tenant": "a" * 151}, "at most 150"),
        ({"tenant": "shop", "headers": {"x-scope-orgid": "pay"}}, "which headers have too; remove one"),
    ],
)
def test_what_no_server_takes_for_a_tenant_is_told(said: dict[str, Any], text: str) -> None:
    """Before anything is asked: Mimir would answer each query with 400 or, of two headers, take either."""
    with pytest.raises(ValidationError, match=text):
        TenantApi.model_validate({"url": "http://p", **said})
