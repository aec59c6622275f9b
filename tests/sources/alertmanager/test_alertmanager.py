"""Alertmanager: the case of the contract test, and which alerts are incidents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.push import Pushed, Unreadable
from platform_meter.sources.alertmanager import Config, read
from platform_meter.testing import Case

NOW = datetime(2026, 5, 4, 13, tzinfo=UTC)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LABELS = {"alertname": "PaymentsDown", "severity": "page", "service": "payments", "team": "pay"}


def alert(**told: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": LABELS,
        "annotations": {"summary": "payments answers nothing since 1.4.0, see PLAT-17"},
        "startsAt": "2026-05-04T12:00:00.000000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
        "fingerprint": "8f0e1b2c3d4e5f60",
        **told,
    }


def hook(*alerts: Mapping[str, Any], version: str = "4") -> Pushed:
    body = {
        "version": version,
        "groupKey": '{}:{alertname="PaymentsDown"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "platform-meter",
        "groupLabels": {"alertname": "PaymentsDown"},
        "commonLabels": LABELS,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": alerts,
    }
    return Pushed(headers={}, body=json.dumps(body).encode(), at=NOW, hashed=lambda person: person)


def said(*alerts: Mapping[str, Any], **settings: Any) -> Sequence[Event]:
    return read(Config.model_validate({"match": {"severity": "page"}, **settings}), hook(*alerts))


FIRING = Incident(
    key="8f0e1b2c3d4e5f60/2026-05-04T12:00:00.000000Z",
    at=NOON,
    about=Ref(
        system="alertmanager",
        kind="service",
        id="payments",
        labels=(("app.kubernetes.io/name", "payments"), ("team", "pay")),
    ),
    updated=NOON,
    severity=Severity.CRITICAL,
    way=IncidentWay.ALERT,
    name="PaymentsDown",
    mentions=("1.4.0", "PLAT-17"),
)
CASE = Case(
    settings={"match": {"severity": ["page", "critical"]}},
    answers={},
    now=NOW,
    since=NOW - timedelta(days=90),
    rows=False,
    pushed=[hook(alert(), alert(labels={"alertname": "DiskFull", "severity": "ticket"}))],
    expected=[FIRING],
    people=["answers nothing"],
)


def test_an_alert_that_ends_is_the_same_incident() -> None:
    """Its end is newer than its start, so that firing told late opens nothing again."""
    ended = alert(status="resolved", endsAt="2026-05-04T14:20:00.123456789+02:00")
    end = datetime(2026, 5, 4, 12, 20, 0, 123_457, tzinfo=UTC)
    assert said(ended) == [replace(FIRING, updated=end, resolved=end)]


def test_an_alert_that_fires_again_is_another_incident() -> None:
    """It has another start."""
    (again,) = said(alert(startsAt="2026-05-04T12:30:00Z"))
    assert again.key == "8f0e1b2c3d4e5f60/2026-05-04T12:30:00.000000Z"


def test_an_end_before_the_start_is_the_start() -> None:
    """Two Prometheus servers, two clocks."""
    (incident,) = said(alert(status="resolved", endsAt="2026-05-04T11:59:59Z"))
    assert isinstance(incident, Incident)
    assert (incident.resolved, incident.start) == (NOON, None)


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        ({"severity": "page"}, True),
        ({"severity": ["critical", "page"]}, True),
        ({"severity": "critical"}, False),
        ({"severity": "page", "team": "pay"}, True),
        ({"severity": "page", "team": "web"}, False),
        ({"region": "eu"}, False),
    ],
)
def test_each_label_has_one_of_its_values(match: Mapping[str, Any], taken: bool) -> None:
    """Or the alert is no incident."""
    assert len(said(alert(), match=match)) == taken


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("page", Severity.CRITICAL),
        ("critical", Severity.CRITICAL),
        ("error", Severity.MAJOR),
        ("warning", Severity.MINOR),
        ("P0", Severity.MINOR),
        ("emergency", Severity.MINOR),
        ("whatever", Severity.UNKNOWN),
    ],
)
def test_how_bad_it_is(value: str, severity: Severity) -> None:
    """By its label, as people's own words have it first."""
    told = alert(labels={"alertname": "A", "kind": "incident", "severity": value})
    (incident,) = said(told, match={"kind": "incident"}, severities={"p0": "minor", "emergency": "minor"})
    assert isinstance(incident, Incident)
    assert incident.severity is severity


@pytest.mark.parametrize(
    ("labels", "about"),
    [
        ({"alertname": "A"}, Ref(system="alertmanager", kind="alert", id="A")),
        (
            {"alertname": "A", "team": "pay"},
            Ref(system="alertmanager", kind="alert", id="A", labels=(("team", "pay"),)),
        ),
        ({}, Ref(system="alertmanager", kind="alert", id="8f0e1b2c3d4e5f60")),
        ({"alertname": "A", "service": "a\u0000b"}, Ref(system="alertmanager", kind="alert", id="A")),
    ],
)
def test_an_alert_of_no_service_is_about_itself(labels: Mapping[str, str], about: Ref) -> None:
    """And its team's, where it names one."""
    (incident,) = said(alert(labels={"severity": "page", **labels}))
    assert incident.about == about


def test_the_label_of_the_service_may_have_another_name() -> None:
    """As may those that say whose it is."""
    labels = {"severity": "page", "app": "ledger", "squad": "money"}
    (incident,) = said(alert(labels=labels), service="app", labels=["squad"])
    assert incident.about == Ref(
        system="alertmanager",
        kind="service",
        id="ledger",
        labels=(("app.kubernetes.io/name", "ledger"), ("squad", "money")),
    )


@pytest.mark.parametrize(
    ("pushed", "text"),
    [
        (hook(version="5"), "version is '5'; only the webhook of version 4 is read"),
        (
            hook(alert(status="resolved", endsAt=None)),
            "the body has another shape: `endsAt` is missing in an alert that is resolved - at `$.alerts[0]`",
        ),
        (
            hook(alert(startsAt="0001-01-01T00:00:00Z")),
            "the body has another shape: `startsAt` is an impossible time - at `$.alerts[0]`",
        ),
        (
            hook(alert(startsAt="2026-05-04T13:10:00Z")),
            "startsAt of alert 8f0e1b2c3d4e5f60 is 2026-05-04T13:10:00Z, which is still to come; set the sender's clock or zone",
        ),
    ],
)
def test_what_cant_be_read_is_told(pushed: Pushed, text: str) -> None:
    """Nothing of it is kept."""
    with pytest.raises(Unreadable) as caught:
        read(Config.model_validate({"match": {"severity": "page"}}), pushed)
    assert str(caught.value) == text


@pytest.mark.parametrize("match", [{}, {"severity": []}])
def test_not_every_alert_is_an_incident(match: Mapping[str, Any]) -> None:
    """Settings that would take all are refused."""
    with pytest.raises(ValidationError, match="it takes every alert for an incident; write labels with their values"):
        Config.model_validate({"match": match})
