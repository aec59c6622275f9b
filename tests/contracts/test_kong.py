"""The kong source on the official description of Kong's Admin API (open source edition)."""

from __future__ import annotations

from typing import Any

import msgspec
from tests.contracts.calls import description
from tests.contracts.openapi import Contract
from tests.sources.kong.kong_server import Kong
from tests.sources.kong.test_kong import CASE, SETTINGS, later_world, small_world

from platform_meter.sources.kong import SOURCE
from platform_meter.sources.kong.lists import NOT_FOUND
from platform_meter.sources.kong.rows import ConsumerRow, Info, PluginRow, RouteRow, ServiceRow
from platform_meter.testing.case import poll, world
from platform_meter.testing.outside import Call, FakeOutside

OFFICIAL = description("kong-admin.openapi.json")
LISTS: dict[str, Any] = {
    "/services": ServiceRow,
    "/routes": RouteRow,
    "/consumers": ConsumerRow,
    "/plugins": PluginRow,
}
ELSEWHERE = ("/workspaces", "/clustering/data-planes", "/metrics")
"""What the description lacks: the first is of another edition, the second of control planes, the third a plugin's."""


def row_of(path: str) -> dict[str, Any]:
    """The schema of one row; that of services and plugins stands for a whole page in the description."""
    schema = OFFICIAL.resolve(OFFICIAL.schema("get", path))
    inner = schema.get("properties", {}).get("data")
    return OFFICIAL.resolve(inner["items"]) if inner else schema


def test_every_call_is_one_of_the_description() -> None:
    """Lists with their size and offset, those of a check and of later pages too."""
    outside = world(CASE)
    poll(SOURCE, CASE, outside)
    list(SOURCE.check(SOURCE.config.model_validate(dict(SETTINGS)), outside))
    calls = [call for call in outside.calls if call.path not in ELSEWHERE]
    assert {call.path for call in calls} == {"/", *LISTS}
    assert any(call.params.get("offset") for call in calls)
    assert [problem for call in calls for problem in OFFICIAL.problems(call)] == []


def test_every_row_of_the_description_can_be_read() -> None:
    """Its ids are in every row that Kong keeps, and a plugin always has a name, which the description does not say."""
    found = {path: OFFICIAL.unreadable(row, row_of(path)) for path, row in LISTS.items()}
    missing = [".id: may be absent"]
    assert found == {
        "/services": missing,
        "/routes": [*missing, ".service.id: may be absent"],
        "/consumers": missing,
        "/plugins": [
            ".config.latency_metrics: the description has no such field",
            ".config.status_code_metrics: the description has no such field",
            *missing,
            ".name: may be absent",
        ],
    }


def test_examples_of_the_description_are_read() -> None:
    """Of plugins a page, and what an open source Kong says of itself, in which a list without rows is an object."""
    page = OFFICIAL.example(Call(method="GET", path="/plugins")).body
    names = [msgspec.convert(row, PluginRow).name for row in page["data"]]
    assert "rate-limiting" in names
    info = msgspec.convert(OFFICIAL.example(Call(method="GET", path="/")).body, Info)
    assert (info.plugins.enabled_in_cluster, info.configuration.role) == ([], None)


def test_the_server_in_memory_answers_as_the_description_says() -> None:
    """Every row of both worlds, but for nothing that is told as null, and a moment that no Kong would give."""
    contract = Contract("kong-admin.openapi.json")
    for kong in (small_world(), later_world()):
        assert contract.problem("/", kong.info()) == ""
        for path in ("/routes", "/consumers"):
            rows = [{k: v for k, v in row.items() if v is not None} for row in kong.lists[path]]
            assert rows
            assert contract.problem(path, {"data": rows}) == ""


def test_the_open_source_edition_has_no_workspaces() -> None:
    """Where there is no such list there is one, and its lists are those without a workspace in their paths."""
    outside = FakeOutside(Kong({path: [] for path in LISTS}))
    assert outside.answering(Call(method="GET", path="/workspaces")).status == NOT_FOUND
    poll(SOURCE, CASE, outside)
    assert {call.path for call in outside.calls if call.method == "GET"} == {*ELSEWHERE[:2], *LISTS}
