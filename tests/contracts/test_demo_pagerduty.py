"""The simulated PagerDuty against the official description of its API, and against its documented examples."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.openapi import contract
from tests.demo.worlds import START, Clock, pagerduty, small_world

from platform_meter.demo.world import World

NAME = "pagerduty.openapi.json"
ALL = "/incidents?date_range=all&limit=100"
OPEN = "/incidents?date_range=all&statuses[]=triggered&statuses[]=acknowledged"
FULL = f"{ALL}&include[]=services&include[]=priorities&total=true"


@pytest.fixture(scope="module")
def world() -> World:
    return small_world(Clock(at=START + timedelta(minutes=10)), services=150)


def rows(world: World) -> list[Any]:
    found: list[Any] = pagerduty(world).get(ALL).json["incidents"]
    return found


def told(body: Any) -> Any:
    """Without what is null: the description forbids that, and the documented examples have it where there is nothing."""
    if isinstance(body, list):
        return [told(one) for one in body]
    if isinstance(body, dict):
        return {key: told(value) for key, value in body.items() if value is not None}
    return body


@pytest.mark.parametrize("call", [ALL, FULL, OPEN, "/services?limit=100", "/priorities"])
def test_lists_keep_to_the_official_description(world: World, call: str) -> None:
    """Lists have the documented properties and types."""
    answer = pagerduty(world).get(call)
    assert answer.status_code == 200, answer.text[:300]
    assert contract(NAME).problem(call.partition("?")[0], told(answer.json)) == ""


TWO_WORDS = "acknowledge_log_entry"
"""The description has another word for this type beside it, so that nothing could be both."""


def sound(entry: Any) -> Any:
    """A log entry as the description can have it: every channel, its own example's too, is of several kinds of its."""
    return {key: value for key, value in entry.items() if key != "channel"}


def test_logs_keep_to_the_official_description(world: World) -> None:
    """So do the log of every incident, and each incident alone."""
    kinds: set[str] = set()
    for row in rows(world):
        answer = pagerduty(world).get(f"/incidents/{row['id']}")
        assert contract(NAME).problem("/incidents/{id}", told(answer.json)) == "", row["id"]
        log = pagerduty(world).get(f"/incidents/{row['id']}/log_entries").json
        kinds.update(entry["type"] for entry in log["log_entries"])
        page = {**log, "log_entries": [sound(entry) for entry in log["log_entries"] if entry["type"] != TWO_WORDS]}
        assert contract(NAME).problem("/incidents/{id}/log_entries", told(page)) == "", row["id"]
    assert kinds == {"trigger_log_entry", "notify_log_entry", "acknowledge_log_entry", "resolve_log_entry"}


@pytest.mark.parametrize(
    ("status", "call"), [("404", "/incidents/QNONE/log_entries"), ("400", "/incidents?since=noon")]
)
def test_refusals_keep_to_the_official_description(world: World, status: str, call: str) -> None:
    """Errors have the documented form."""
    answer = pagerduty(world).get(call)
    assert str(answer.status_code) == status
    path = "/incidents/{id}/log_entries" if "log" in call else "/incidents"
    assert contract(NAME).problem(path, answer.json, status=status) == ""


def shape(body: Any, at: str = "") -> Iterator[str]:
    """Every property, by where it is."""
    for key, value in body.items() if isinstance(body, dict) else ():
        yield f"{at}.{key}"
        yield from shape(value, f"{at}.{key}")


def documented(file: str, part: str) -> set[str]:
    folder = Path(os.environ["PLATFORM_METER_CONTRACTS"]) / "samples" / "pagerduty"
    (row,) = json.loads((folder / file).read_text("utf-8"))[part][:1]
    return set(shape(row))


def test_alerts_are_as_documented(world: World) -> None:
    """The description leaves alerts out; the documented example has every property of ours."""
    real = documented("get_incidents_id_alerts-200.json", "alerts") | {
        ".body.details.service",
        ".body.details.rolled out last",
    }
    alerts = [pagerduty(world).get(f"/incidents/{row['id']}/alerts").json["alerts"] for row in rows(world)]
    found = {name for (alert,) in alerts for name in shape(alert)}
    assert found - real == set()


def test_incidents_have_what_the_documented_example_has(world: World) -> None:
    """Every property of it that anybody could ask for, but those of features that the account does not use."""
    unused = {"alert_grouping", "conference_bridge"}
    real = {name for name in documented("get_incidents-200.json", "incidents") if name.split(".")[1] not in unused}
    ours = {name for row in rows(world) for name in shape(row)}
    assert real - ours == set()
