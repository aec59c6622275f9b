"""Incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.sources.datadog.datadog_server import Datadog, incident, moment
from tests.sources.datadog.test_datadog import NOW, ONE, TWO, facts, read

from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity


def happened(*rows: dict[str, Any], checkpoint: bytes | None = None, **settings: Any) -> list[Incident]:
    told = facts(read(Datadog(counted={}, incidents=list(rows)), "incidents", checkpoint, **settings))
    return [fact for fact in told if isinstance(fact, Incident)]


def test_an_incident_begins_when_customers_felt_it() -> None:
    """Its title is looked through for names, and not kept; the field `severity` stands in for the attribute."""
    row = incident(
        ONE,
        7,
        moment("10:00"),
        moment("11:45"),
        title="Ada saw v1.2.3 fail, PLAT-17, see IR-7",
        customer_impact_scope="https://acme.example/i/9",
        customer_impact_start="2026-06-01T09:30:00+00:00",
        detected="2026-06-01T09:45:00+00:00",
        severity=None,
        fields={"severity": {"type": "dropdown", "value": "SEV-2"}, "services": {"value": ["a", "b"]}},
    )
    (told,) = happened(row)
    assert (told.at, told.detected, told.severity) == (moment("09:30"), moment("09:45"), Severity.MAJOR)
    assert told.mentions == ("PLAT-17", "https://acme.example/i/9", "v1.2.3")
    assert (told.about.id, told.way) == ("a", IncidentWay.INCIDENTS_API)
    (told,) = happened(row, severities={"SEV-2": "minor"}, site="us5.datadoghq.com")
    assert (told.severity, told.url) == (Severity.MINOR, "https://us5.datadoghq.com/incidents/7")


@pytest.mark.parametrize(
    ("more", "valid", "resolved"),
    [
        ({"state": "resolved", "resolved": "2026-06-01T11:44:00+00:00"}, True, moment("11:44")),
        ({"state": "stable", "resolved": "2026-06-01T11:44:00+00:00"}, True, None),
        ({"state": "resolved"}, False, None),
        ({"is_test": True}, False, None),
    ],
)
def test_an_incident_ends_when_it_is_resolved(more: dict[str, Any], valid: bool, resolved: datetime | None) -> None:
    """One that was opened again has no end; a test, or one whose end nobody recorded, is not counted."""
    (told,) = happened(incident(ONE, 7, moment("10:00"), moment("11:45"), **more))
    assert (told.valid, told.resolved) == (valid, resolved)


def test_what_did_not_change_is_not_told_again() -> None:
    """Since the last look, and a little before it."""
    rows = [incident(ONE, 1, moment("09:00"), moment("11:46")), incident(TWO, 2, moment("09:00"), moment("11:44"))]
    checkpoint = b'{"at":"2026-06-01T12:00:00Z","open":{}}'
    assert [told.key for told in happened(*rows, checkpoint=checkpoint)] == [f"incident/{ONE}"]


def test_the_first_look_tells_what_is_open_since_whenever() -> None:
    """What is over for longer than `history` is not told."""
    over = {"state": "resolved", "resolved": "2026-06-01T09:30:00+00:00"}
    rows = [
        incident(ONE, 1, moment("09:00"), moment("09:10")),
        incident(TWO, 2, moment("09:00"), moment("09:40"), **over),
    ]
    assert [told.key for told in happened(*rows)] == [f"incident/{ONE}"]


def test_an_open_incident_that_is_in_no_list_but_there_is_not_taken_back() -> None:
    """It is asked for by its id, again at each poll until it is listed or gone."""
    world = Datadog(counted={}, incidents=[incident(ONE, 1, moment("09:00"), moment("11:46"))])
    (*_, last) = read(world, "incidents")
    world.unlisted, world.incidents = world.incidents, []
    (*_, later) = read(world, "incidents", last.checkpoint, NOW + timedelta(minutes=5))
    assert later.facts == []
    world.unlisted = []
    (*_, gone) = read(world, "incidents", later.checkpoint, NOW + timedelta(minutes=10))
    assert [(fact.key, fact.valid) for fact in gone.facts if isinstance(fact, Incident)] == [(f"incident/{ONE}", False)]
