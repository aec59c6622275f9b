"""Issues that are incidents: since when one stands resolved, what it names, and which were none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.jira.jira_server import Row, history, issue, item, person

from platform_meter.model.facts.incidents import Incident, Severity
from platform_meter.sources.jira.facts import Conventions, ticket_events
from platform_meter.sources.jira.incidents import incident, texts
from platform_meter.sources.jira.rows import History, Issue
from platform_meter.sources.kit.incidents import Incidents

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
RULES = Incidents(types=("Incident",), severities={"Showstopper": Severity.CRITICAL})
SITE = "https://acme.atlassian.net"
DONE, TODO = ({"name": name, "statusCategory": {"key": key}} for name, key in (("Closed", "done"), ("Open", "new")))
ADA = person("ada")


def hours(before_now: float) -> datetime:
    return NOW - timedelta(hours=before_now)


def made(histories: Sequence[Row] = (), address: str = SITE, **fields: Any) -> Incident | None:
    """Of an issue of type Incident that was created nine hours ago and changed an hour ago."""
    row = issue(7, hours(9), hours(1), **{"issuetype": {"name": "Incident"}, "status": TODO, **fields})
    found = msgspec.convert({**row, "updated": None}, Issue)
    conventions = Conventions()
    steps = ticket_events(found, msgspec.convert(histories, list[History]), [], conventions).events
    return incident(found, steps, RULES, conventions.names, address)


def moved(at: datetime, before: str, after: str) -> Row:
    return history(1, at, ADA, item("status", before, after))


RESOLUTION: Row = {"resolution": {"name": "Done"}, "resolutiondate": "2026-05-20T08:30:00.000+0000"}


@pytest.mark.parametrize(
    ("histories", "fields", "resolved"),
    [
        ([], {}, None),
        ([], {"status": DONE, **RESOLUTION}, hours(3.5)),
        ([moved(hours(3), "Open", "Closed")], {"status": DONE}, hours(3)),
        # A resolution stays with many a ticket that is open again.
        ([], {"status": TODO, **RESOLUTION}, None),
    ],
)
def test_it_is_resolved_while_it_stands_so(histories: list[Row], fields: Row, resolved: datetime | None) -> None:
    """By its resolution, or by the status that ended it."""
    found = made(histories, **fields)
    assert found is not None
    assert (found.at, found.resolved, found.valid) == (hours(9), resolved, True)


def test_one_that_was_closed_when_nobody_knows_is_none() -> None:
    """Any moment would be made up: its history ends elsewhere, or is gone."""
    for histories in ([], [moved(hours(3), "Open", "Solved")]):
        found = made(histories, status=DONE)
        assert found is not None
        assert (found.resolved, found.valid) == (None, False)


@pytest.mark.parametrize(("resolution", "valid"), [("Done", True), ("Duplicate", False), ("won't do", False)])
def test_resolutions_say_that_it_was_none(resolution: str, valid: bool) -> None:
    """In the words of support, and some more."""
    found = made(status=DONE, resolutiondate=RESOLUTION["resolutiondate"], resolution={"name": resolution})
    assert found is not None
    assert found.valid is valid


def test_one_that_is_called_so_no_more_was_none() -> None:
    """Its changelog tells that it was; what never was one says nothing."""
    renamed = history(2, hours(2), ADA, item("issuetype", "Incident", "Task"))
    found = made([renamed], issuetype={"name": "Task"})
    assert found is not None
    assert found.valid is False
    assert made(issuetype={"name": "Task"}) is None


def test_what_it_names() -> None:
    """Its summary, its description as a document, and the issues that it is linked to; itself is none of them."""
    described = {
        "type": "doc",
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "since v2.3.1, not PLAT-7 itself"}]},
            {
                "type": "paragraph",
                "content": [
                    {"type": "inlineCard", "attrs": {"url": "https://acme.pagerduty.com/incidents/PX1"}},
                    {
                        "type": "text",
                        "text": "here",
                        "marks": [{"type": "link", "attrs": {"href": "https://ci.example/7"}}],
                    },
                ],
            },
        ],
    }
    links = [
        {"inwardIssue": {"key": "OPS-3"}},
        {"outwardIssue": {"key": "OPS-4"}},
        {"outwardIssue": {"key": "PLAT-7"}},
        {"type": {"name": "Blocks"}},
    ]
    found = made(summary="acme/checkout#12 broke it", description=described, issuelinks=links)
    assert found is not None
    assert found.mentions == (
        "OPS-3",
        "OPS-4",
        "acme/checkout#12",
        "https://acme.pagerduty.com/incidents/PX1",
        "https://ci.example/7",
        "v2.3.1",
    )


def test_a_description_of_data_center_is_a_text() -> None:
    """As it is; nothing comes of none."""
    assert [*texts("since *v2.3.1*")] == ["since *v2.3.1*"]
    assert [*texts(None)] == []


def test_a_scoped_token_tells_no_page() -> None:
    """The host that takes it has none for people."""
    found = made(address="https://api.atlassian.com/ex/jira/1a2b")
    assert found is not None
    assert (found.url, found.ids) == ("", ("PLAT-7",))


@pytest.mark.parametrize(
    ("priority", "severity"),
    [("Highest", Severity.CRITICAL), ("Showstopper", Severity.CRITICAL), ("Soon", Severity.UNKNOWN)],
)
def test_its_priority_says_how_bad_it_is(priority: str, severity: Severity) -> None:
    """In Jira's own words, or in those of the settings."""
    found = made(priority={"name": priority})
    assert found is not None
    assert found.severity is severity


def test_a_priority_is_known_by_its_other_names() -> None:
    """Fields speak the account's language, the changelog the Jira's own."""
    renamed = history(3, hours(4), ADA, {**item("priority", "Low", "Highest"), "from": "4", "to": "1"})
    found = made([renamed], priority={"id": "1", "name": "Höchste"})
    assert found is not None
    assert found.severity is Severity.CRITICAL
