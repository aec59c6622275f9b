"""Fields that people made: how bad a ticket is and which group asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.jira.jira_server import SERVICE_FIELDS, Jira, Row, history, issue, item, person, requested

from platform_meter.model.facts.tickets import TicketChange, TicketEvent
from platform_meter.model.source import Unexpected
from platform_meter.sources.jira import Config, check, connect
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
FIELDS = [
    {"id": "customfield_8", "name": "Severity"},
    {"id": "customfield_9", "name": "Organizations"},
    *SERVICE_FIELDS,
]
ADA = person("ada")


def hours(before: float) -> datetime:
    return NOW - timedelta(hours=before)


def config(**settings: Any) -> Config:
    return Config.model_validate({"url": "https://acme.atlassian.net", "token": {"env": "T"}, **settings})


def poll(*rows: Row, checkpoint: bytes | None = None, **settings: Any) -> tuple[list[TicketEvent], FakeOutside, int]:
    """Events, what was asked, and how many rows were odd."""
    outside = FakeOutside(Jira(list(rows), listed={"field": FIELDS}))
    (stream,) = connect(config(**settings), outside, "jira")
    pages = list(stream.read(checkpoint, hours(240), NOW))
    found = [fact for page in pages for fact in page.facts if isinstance(fact, TicketEvent)]
    return found, outside, sum(sum(page.rejected.values()) for page in pages)


def severity(id_: int, before: float, was: str | None, to: str | None) -> Row:
    return history(id_, hours(before), ADA, item("Severity", was, to) | {"fieldId": "customfield_8"})


def test_a_severity_is_todays_with_its_changes_undone() -> None:
    """None at first, then two of them, each a step of its own; without changes it is today's."""
    rows = [
        issue(
            1, hours(9), hours(2), customfield_8={"value": "SEV1"},
            histories=[severity(1, 5, None, "SEV3"), severity(2, 2, "SEV3", "SEV1")],
        ),
        issue(2, hours(9), hours(3), customfield_8={"value": "SEV2"}),
    ]  # fmt: skip
    found, _, _ = poll(*rows, severity_field="severity")
    assert [(e.key, e.change, e.severity, e.priority) for e in sorted(found, key=lambda e: e.key)] == [
        ("10001/1/0", TicketChange.PRIORITY, "SEV3", None),
        ("10001/2/0", TicketChange.PRIORITY, "SEV1", None),
        ("10001/created", TicketChange.CREATED, "", "Medium"),
        ("10002/created", TicketChange.CREATED, "SEV2", "Medium"),
    ]


def test_the_group_that_asks_is_called_as_people_call_it() -> None:
    """By the field and its value; the first of several, nothing of none."""
    rows = [
        issue(1, hours(9), hours(2), customfield_9=[{"id": "7", "name": "Shop"}, {"id": "4", "name": "Cart"}]),
        issue(2, hours(9), hours(3), customfield_9=[]),
    ]
    found, outside, _ = poll(*rows, asking_field="customfield_9")
    assert {e.ticket: e.asking for e in found} == {"10001": "jira:Organizations/Cart", "10002": ""}
    (search,) = (call for call in outside.calls if call.method == "POST")
    assert search.body["fields"][-1] == "customfield_9"


def test_a_request_is_called_by_its_form() -> None:
    """Found by its kind, since the field has a name in each language; an issue that is no request has none."""
    rows = [
        issue(1, hours(9), hours(2), **requested("Get a  namespace")),
        issue(2, hours(9), hours(3), customfield_10=None),
        issue(3, hours(9), hours(4), customfield_10="sd/getit"),
    ]
    found, _, _ = poll(*rows, request_types=True)
    assert {e.ticket: e.request_type for e in found} == {"10001": "Get a namespace", "10002": None, "10003": None}


def test_nothing_more_is_asked_without_the_settings() -> None:
    """No list of fields, no field."""
    found, outside, _ = poll(issue(1, hours(9), hours(2), customfield_8={"value": "SEV1"}))
    assert [(e.severity, e.asking) for e in found] == [(None, "")]
    assert not any(call.path.endswith("/field") for call in outside.calls)


def test_an_odd_row_is_left_out_and_counted() -> None:
    """As without the settings."""
    odd, right = issue(1, hours(9), hours(2), priority="High"), issue(2, hours(9), hours(3))
    for name in ("", "Severity"):
        found, _, rejected = poll(odd, right, severity_field=name)
        assert ([e.ticket for e in found], rejected) == (["10002"], 1)


def test_a_field_that_is_not_there_is_said_by_check() -> None:
    """And the poll fails: without it every severity would be none."""
    outside = FakeOutside(Jira([], listed={"field": FIELDS}))
    said = "severity_field: no field is called 'Sevrity', or the account may not see it; correct its name"
    assert list(check(config(severity_field="Sevrity"), outside)) == [said]
    with pytest.raises(Unexpected, match=said):
        poll(severity_field="Sevrity")


def test_check_says_every_field_that_is_not_there() -> None:
    """All at once, those of a roadmap too."""
    plan = {
        "kind": "RoadmapSource",
        "id": "plan",
        "source": {"type": "jira", "project": "PLAT"},
        "period_field": "Qarter",
    }
    made = config(severity_field="Sevrity", asking_field="Organisations", roadmaps=[plan])
    rest = "or the account may not see it; correct its name"
    assert list(check(made, FakeOutside(Jira([], listed={"field": FIELDS})))) == [
        f"roadmap plan: no field is called 'Qarter', {rest}",
        f"severity_field: no field is called 'Sevrity', {rest}",
        f"asking_field: no field is called 'Organisations', {rest}",
    ]
