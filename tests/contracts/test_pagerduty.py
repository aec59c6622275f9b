"""The PagerDuty source against the official OpenAPI description, its example answers and recorded incidents."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.contracts.calls import description, recorded
from tests.sources.pagerduty.pagerduty_server import reference, step
from tests.sources.pagerduty.test_pagerduty import NOW, SETTINGS, SINCE, small_world

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import Incident, Severity
from platform_meter.sources.pagerduty import SOURCE, Config
from platform_meter.sources.pagerduty.facts import Conventions, read_incident, texts_in
from platform_meter.sources.pagerduty.rows import Alerts, IncidentRow, Incidents, LogEntries, LogEntry, One
from platform_meter.testing.outside import FakeOutside

NAME = "pagerduty.openapi.json"
ANSWERS: dict[str, Any] = {
    "/incidents": Incidents,
    "/incidents/P1": One,
    "/incidents/P1/log_entries": LogEntries,
}
ELSEWHERE = (
    "IncidentRow.number",
    "Reference.name",
    "Reference.id",
    "Reference.summary",
    "Reference.html_url",
    "LogEntry.id",
)
"""The number as a delivery calls it, and what all references and log entries inherit: the examples show those."""
SAMPLES = Path(os.environ.get("PLATFORM_METER_CONTRACTS", ""), "samples", "pagerduty")


def sample(name: str, type_: Any) -> Any:
    return msgspec.json.decode((SAMPLES / f"{name}-200.json").read_bytes(), type=type_)


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_of_the_description_can_be_read(path: str) -> None:
    """But for what the description only says: that an incident has an id, a status, a time and a service."""
    found = description(NAME)
    unreadable = found.unreadable(ANSWERS[path], found.schema("get", path), unknown=ELSEWHERE)
    absent = {text.rpartition(".")[2].partition(":")[0] for text in unreadable}
    assert all(text.endswith(": may be absent") for text in unreadable)
    assert absent == ({"id", "status", "created_at", "service"} if "log" not in path else set())


def test_every_call_is_in_the_description() -> None:
    """All paths and parameters of a first poll, a steady one and `check`; alerts and teams are in no part held here."""
    world = small_world()
    outside = FakeOutside(world)
    config = Config.model_validate({**SETTINGS, "services": ["PCHECK"], "teams": ["PTEAM"], "details": True})
    (stream,) = SOURCE.connect(config, outside, "test")
    checkpoint = list(stream.read(None, SINCE, NOW))[-1].checkpoint
    world.incidents[1] |= {"status": "resolved"}
    list(stream.read(checkpoint, SINCE, NOW + timedelta(hours=1)))
    SOURCE.check(config, outside)
    known = [call for call in outside.calls if call.path.startswith("/incidents") and not call.path.endswith("/alerts")]
    templates = {description(NAME).operation("get", call.path)[0] for call in known}
    assert templates == {"/incidents", "/incidents/{id}", "/incidents/{id}/log_entries"}
    names = {name for call in known for name in call.params}
    assert names == {
        "since", "until", "date_range", "statuses[]", "service_ids[]", "team_ids[]", "sort_by", "limit", "offset",
        "is_overview",
    }  # fmt: skip
    parameters = {
        description(NAME).resolve(parameter)["name"]
        for template in templates
        for parameter in description(NAME).doc["paths"][template]["get"]["parameters"]
    }
    assert names <= parameters


def test_the_examples_become_an_incident() -> None:
    """The list's, with the log's."""
    (row,) = sample("get_incidents", Incidents).incidents
    (entry,) = sample("get_incidents_id_log_entries", LogEntries).log_entries
    assert not entry.acknowledges
    assert read_incident(row, Conventions(), [entry]) == Incident(
        key="incident/PT4KHLK",
        at=datetime(2015, 10, 6, 21, 30, 42, tzinfo=UTC),
        about=Ref(system="pagerduty", kind="service", id="PIJ90N7", labels=(("name", "My Mail Service"),)),
        updated=datetime(2015, 10, 6, 21, 40, 23, 992_000, tzinfo=UTC),
        severity=Severity.MAJOR,
        resolved=datetime(2015, 10, 6, 21, 38, 23, tzinfo=UTC),
        name="#1234",
        url="https://subdomain.pagerduty.com/incidents/PT4KHLK",
        ids=("PT4KHLK", "https://subdomain.pagerduty.com/incidents/PT4KHLK"),
    )


def test_the_example_of_an_alert_has_texts() -> None:
    """Its details and what kind its contexts are."""
    (alert,) = sample("get_incidents_id_alerts", Alerts).alerts
    assert alert.body is not None
    assert [*texts_in(alert.body.details)] == ["Server is on fire!", "Other stuff!"]


def test_recorded_incidents_are_acknowledged_first_and_resolved_last() -> None:
    """Of an account: one that three acknowledgements have not resolved, and one that is."""
    found = {}
    for record in recorded("pagerduty/incidents.devlake.json"):
        row = msgspec.convert(record["data"], IncidentRow)
        log = msgspec.convert(record["data"]["log_entries"], list[LogEntry])
        told = read_incident(row, Conventions(), log)
        found[told.name] = (f"{told.at:%H:%M:%S}", told.acknowledged, told.resolved, told.severity)
    day = datetime(2022, 11, 3, tzinfo=UTC)
    assert found == {
        "#4": ("06:23:06", day + timedelta(hours=6, minutes=23, seconds=7), None, Severity.MAJOR),
        "#6": (
            "06:45:36",
            day + timedelta(hours=6, minutes=45, seconds=46),
            day + timedelta(hours=6, minutes=51, seconds=44),
            Severity.MINOR,
        ),
    }


def test_the_server_in_memory_answers_as_the_description_says() -> None:
    """Every field of its rows is one of the description's."""
    listed = description(NAME).schema("get", "/incidents")
    (incidents,) = [part for part in description(NAME)._alternatives(listed) if "incidents" in part["properties"]]
    (known,) = description(NAME)._alternatives(incidents["properties"]["incidents"]["items"])
    for row in small_world().incidents:
        assert row.keys() - {"log", "alerts"} <= known["properties"].keys()
    entry = description(NAME).doc["components"]["schemas"]["LogEntry"]
    (fields,) = description(NAME)._alternatives(entry)
    assert step(1, NOW, "notify").keys() <= fields["properties"].keys()
    assert step(1, NOW, "acknowledge")["type"] in fields["properties"]["type"]["enum"]
    assert reference("user", "P1", "Ada", "users").keys() <= fields["properties"].keys()
