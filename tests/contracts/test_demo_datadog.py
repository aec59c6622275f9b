"""The simulated Datadog against the official description of version 1 of its API, and recorded answers of version 2."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.contracts.openapi import contract
from tests.demo.worlds import START, Caller, Clock, datadog, small_world

from platform_meter.demo.apis.datadog.bodies import SLO
from platform_meter.demo.company.watching import watched
from platform_meter.demo.world import World

NAME = "datadog-v1.openapi.json"
END = int(START.timestamp())
SPAN = f"from_ts={END - 86_400}&to_ts={END}"


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(at=START + timedelta(minutes=10)))


@pytest.fixture(scope="module")
def api(world: World) -> Caller:
    return datadog(world)


def query(world: World) -> str:
    service = watched(world.company, world.scenario).service.id
    text = f"sum:trace.http.request.hits{{service:{service}}}.as_count().rollup(sum, 60)"
    return f"/api/v1/query?from={END - 3600}&to={END}&query={quote(text)}"


def test_answers_keep_to_the_official_description(world: World, api: Caller) -> None:
    """Counts, monitors, the SLO and its keys, and what refusals look like."""
    calls = {
        "/api/v1/validate": "/api/v1/validate",
        query(world): "/api/v1/query",
        "/api/v1/monitor": "/api/v1/monitor",
        f"/api/v1/slo/{SLO}/history?{SPAN}&target=99.9": "/api/v1/slo/{slo_id}/history",
    }
    for call, path in calls.items():
        answer = api.get(call)
        assert answer.status_code == 200, answer.text
        assert contract(NAME).problem(path, answer.json) == ""
    missing = api.get(f"/api/v1/slo/none/history?{SPAN}")
    assert contract(NAME).problem("/api/v1/slo/{slo_id}/history", missing.json, status="404") == ""
    refused = api.get("/api/v1/query?from=1&to=2&query=avg:cpu{*}")
    assert contract(NAME).problem("/api/v1/query", refused.json, status="400") == ""


def shape(body: Any, at: str = "") -> Iterator[str]:
    """Every property, by where it is."""
    for key, value in body.items() if isinstance(body, dict) else ():
        yield f"{at}.{key}"
        yield from shape(value, f"{at}.{key}")


def test_incidents_have_recorded_properties_alone(api: Caller) -> None:
    """The description is of version 1; answers of version 2 were recorded, of incidents without teams and services."""
    folder = Path(os.environ["PLATFORM_METER_CONTRACTS"]) / "samples" / "datadog"
    recorded: set[str] = set()
    for file in sorted(folder.glob("*incidents*.json")):
        for pair in json.loads(file.read_text("utf-8")):
            body = pair["response"]["body"]
            rows = body.get("data") if isinstance(body, dict) else None
            recorded |= {name for row in rows or () if isinstance(row, dict) for name in shape(row)}
    ours = {name for row in api.get("/api/v2/incidents").json["data"] for name in shape(row)}
    assert ours - recorded == set()
