"""The Datadog source against the official OpenAPI description of version 1, and answers that its own client recorded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from tests.contracts.calls import description
from tests.contracts.openapi import contract
from tests.sources.datadog.test_datadog import NOW, SETTINGS, SINCE, later_world, small_world

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.observability import AlertMonitor, MonitorState
from platform_meter.sources.datadog import SOURCE
from platform_meter.sources.datadog.config import Config
from platform_meter.sources.datadog.counts import ask
from platform_meter.sources.datadog.rows import MonitorRow, QueryReply, SloReply
from platform_meter.sources.kit.minutes import TooMuch
from platform_meter.sources.kit.rows import Sieve
from platform_meter.testing.outside import Call, FakeOutside, Reply

NAME = "datadog-v1.openapi.json"
SAMPLES = Path(os.environ.get("PLATFORM_METER_CONTRACTS", ""), "samples", "datadog")
ANSWERS: dict[str, Any] = {
    "/api/v1/query": QueryReply,
    "/api/v1/monitor": list[MonitorRow],
    "/api/v1/slo/abc/history": SloReply,
}
TEMPLATES = ("/api/v1/validate", "/api/v1/query", "/api/v1/monitor", "/api/v1/slo/{slo_id}/history")
READ = ("/api/v1/query", "/api/v1/monitor", "/api/v2/incidents")


def pairs(*words: str) -> list[tuple[str, dict[str, str], int, Any]]:
    """Path, parameters, status and body of each recorded GET in the files whose names have one of these words."""
    found = []
    for file in sorted(SAMPLES.glob("*.json")):
        if any(word in file.name for word in words):
            for pair in json.loads(file.read_text()):
                if pair["request"]["method"] == "GET":
                    address = urlsplit(pair["request"]["uri"])
                    answer = pair["response"]
                    found.append((address.path, dict(parse_qsl(address.query)), answer["status"], answer["body"]))
    return found


def recorded(call: Call) -> Reply:
    """What was recorded for pages of this list; each is as long as it was then."""
    listed = [(asked, body) for path, asked, status, body in pairs("pagination") if (path, status) == (call.path, 200)]
    if call.path == "/api/v1/monitor":
        rows = [row for _, body in listed for row in body if row["id"] > call.params["id_offset"]]
        return Reply(body=rows[:2])
    offset = call.params["page[offset]"]
    return Reply(body=next(body for asked, body in listed if int(asked.get("page[offset]", 0)) == offset))


def told(stream: str, world: Any) -> list[Fact]:
    config = Config.model_validate(SETTINGS)
    (found,) = (one for one in SOURCE.connect(config, FakeOutside(world), "datadog") if one.name == stream)
    return [fact for page in found.read(None, datetime(2020, 1, 1, tzinfo=UTC), NOW) for fact in page.facts]


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_of_the_description_can_be_read(path: str) -> None:
    """But for what it only does not say: that a monitor has a number."""
    found = description(NAME)
    unreadable = found.unreadable(ANSWERS[path], found.schema("get", path))
    assert unreadable == (["[].id: may be absent"] if path == "/api/v1/monitor" else [])


def asked() -> Iterator[Call]:
    """All calls of a first poll, a steady one, and `check`."""
    config = Config.model_validate(SETTINGS)
    for world in (small_world(), later_world()):
        outside = FakeOutside(world)
        for stream in SOURCE.connect(config, outside, "datadog"):
            if stream.name != "slo/search-availability":
                list(stream.read(None, SINCE, NOW))
        SOURCE.check(config, outside)
        yield from outside.calls


def test_every_call_is_in_the_description() -> None:
    """All paths and parameters of version 1; what version 2 asks for was recorded."""
    calls = list(asked())
    first = [call for call in calls if call.path.startswith("/api/v1/")]
    assert {description(NAME).operation("get", call.path)[0] for call in first} == {*TEMPLATES}
    problems = [problem for call in first for problem in description(NAME).problems(call)]
    # The bounds of `target` are exclusive in the words of OpenAPI 3.0, which no JSON Schema has.
    assert [problem for problem in problems if ": target: " not in problem] == []
    assert {call.params["target"] for call in first if "target" in call.params} == {99.9, 99.0}
    second = {(call.path, *sorted(call.params)) for call in calls if call not in first}
    known = {path for path, _, _, _ in pairs("list_of_incidents")}
    names = {name for path, asked, _, _ in pairs("list_of_incidents") for name in asked}
    assert second == {(path, *sorted(names)) for path in known}


def test_the_server_in_memory_answers_as_the_description_says() -> None:
    """Each answer of version 1, as JSON Schema."""
    answering = small_world()
    for call in asked():
        if call.path.startswith("/api/v1/"):
            template, _ = description(NAME).operation("get", call.path)
            found = answering(call)
            assert found.status == 200
            assert contract(NAME).problem(template, found.body) == ""


@pytest.mark.parametrize("path", ANSWERS)
def test_the_example_of_each_answer_is_read(path: str) -> None:
    """As the source reads it."""
    body = description(NAME).example(Call(method="GET", path=path)).body
    found = msgspec.json.decode(msgspec.json.encode(body), type=ANSWERS[path])
    assert found


def test_recorded_monitors_are_told_with_their_team() -> None:
    """Three on two pages, as they stood then."""
    labels = (("team", "developer_insights"),)
    assert told("monitors", recorded) == [
        AlertMonitor(
            about=Ref(system="datadog", kind="monitor", id=number, labels=labels),
            since=datetime(2021, 5, 3, 13, 3, 44, micros, tzinfo=UTC),
            state=MonitorState.NO_DATA,
        )
        for number, micros in (("34822915", 905_085), ("34822916", 909_928), ("34822917", 920_644))
    ]


def test_a_recorded_query_of_a_day_has_no_minutes() -> None:
    """Datadog gave five of them in one bucket, of which nothing is told."""
    ((_, params, _, body),) = pairs("query_timeseries_points")
    start = int(params["from"]) // 60 * 60
    with pytest.raises(TooMuch, match=r"buckets of the answer are 300 s long and not 60 s"):
        ask(Sieve(FakeOutside({"/api/v1/query": body})), params["query"], range(start + 60, start + 180, 60))
    (series,) = body["series"]
    assert (series["pointlist"][0][0] / 1000 % 300, series["start"] / 1000 >= int(params["from"])) == (0, True)


def test_recorded_incidents_are_told() -> None:
    """Three on two pages, none of them resolved, each about itself."""
    found = [fact for fact in told("incidents", recorded) if isinstance(fact, Incident)]
    assert [(fact.name, f"{fact.at:%Y-%m-%d %H:%M:%S}", fact.resolved, fact.about.kind) for fact in found] == [
        ("IR-62105", "2021-09-15 12:50:19", None, "incident"),
        ("IR-62582", "2021-09-17 13:12:08", None, "incident"),
        ("IR-62583", "2021-09-17 13:12:17", None, "incident"),
    ]


def test_recorded_refusals_are_told_as_such() -> None:
    """A monitor that is not there, a key that is missing: with the status, and a body that says why."""
    found = {(path, status): body for path, _, status, body in pairs("not_found", "forbidden") if "v1" in path}
    assert found == {
        ("/api/v1/monitor/12345", 404): {"errors": ["Monitor not found"]},
        ("/api/v1/validate", 403): {"errors": ["API key required"]},
    }
    outside = FakeOutside({"/api/v1/validate": Reply(body=found["/api/v1/validate", 403], status=403)})
    (line,) = SOURCE.check(Config.model_validate(SETTINGS), outside)
    assert line.endswith("write the API key of an organisation of datadoghq.eu, or the site that it is of")
