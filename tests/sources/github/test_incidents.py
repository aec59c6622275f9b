"""Issues that are incidents: what their labels say, since when one stands resolved, and which were none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError
from tests.sources.github.github_server import Github, Row, text
from tests.sources.github.test_tickets import DAY, HELP, NOW, help_desk, hours, issue

from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.sources.github import SOURCE, Config
from platform_meter.sources.github.incidents import incident
from platform_meter.sources.github.rows import Issue, TimelineItem
from platform_meter.sources.github.tickets import ticket_events
from platform_meter.sources.kit.incidents import Incidents
from platform_meter.testing.outside import FakeOutside

RULES = Incidents(types=("Incident",), labels=("outage",))
PAGE = "https://github.com/acme/help/issues/5"
SETTINGS: dict[str, Any] = {"org": "acme", "token": {"env": "TOKEN"}, "issues": ["*"], "codeowners": False}


def made(*timeline: Row, **more: Any) -> Incident | None:
    """Of an issue with the label that makes one an incident, changed now."""
    found = msgspec.convert(issue(**{"labels": [{"name": "outage"}], "html_url": PAGE, **more}), Issue)
    steps = ticket_events(HELP, found, [msgspec.convert(item, TimelineItem) for item in timeline], [])
    return incident(HELP, found, steps, RULES)


def closed(reason: str | None = "completed") -> Row:
    return {"state": "closed", "state_reason": reason, "closed_at": text(hours(2))}


def test_an_issue_with_the_label_is_an_incident() -> None:
    """Its other labels say how bad it is, its texts what it names."""
    labels = [{"name": "Outage"}, {"name": "severity: major"}]
    found = made(labels=labels, title="since acme/shop#12", body="https://acme.pagerduty.com/incidents/PX1, see PLAT-7")
    assert found == Incident(
        key="issue/105",
        at=hours(9),
        about=HELP,
        updated=NOW,
        severity=Severity.MAJOR,
        way=IncidentWay.TICKET,
        name="acme/help#5",
        url=PAGE,
        ids=("acme/help#5", PAGE),
        mentions=("PLAT-7", "acme/shop#12", "https://acme.pagerduty.com/incidents/PX1"),
    )


def test_a_type_makes_one_too() -> None:
    """And without type or label it is none."""
    found = made(labels=[], type={"name": "incident"})
    assert found is not None
    assert found.valid is True
    assert made(labels=[]) is None


@pytest.mark.parametrize(
    ("reason", "valid"), [("completed", True), (None, True), ("not_planned", False), ("duplicate", False)]
)
def test_it_ended_when_it_was_closed(reason: str | None, valid: bool) -> None:
    """Some reasons say that it was none."""
    found = made(**closed(reason))
    assert found is not None
    assert (found.resolved, found.valid) == (hours(2), valid)


def test_one_that_is_open_again_has_no_end() -> None:
    """Whatever its last closing said."""
    found = made(state="open", state_reason="reopened")
    assert found is not None
    assert (found.resolved, found.valid) == (None, True)


def test_one_whose_label_was_taken_away_was_none() -> None:
    """Its timeline tells that it had it."""
    steps = [
        {"event": word, "id": n, "created_at": text(hours(n)), "label": {"name": "outage"}}
        for word, n in (("labeled", 8), ("unlabeled", 7))
    ]
    found = made(*steps, labels=[])
    assert found is not None
    assert found.valid is False


def test_incidents_without_issues_are_refused() -> None:
    """Nobody would read them."""
    with pytest.raises(ValidationError, match=r"`incidents` takes issues, and none are read; add `issues: \[REPO"):
        Config.model_validate({**SETTINGS, "issues": [], "incidents": {"labels": ["outage"]}})


def polled(world: Github, checkpoint: bytes | None = None, now: Any = NOW, **more: Any) -> tuple[list[Any], bytes]:
    """What a poll tells of incidents and issues that are gone, and where it goes on."""
    (stream,) = SOURCE.connect(Config.model_validate({**SETTINGS, **more}), FakeOutside(world), "test")
    pages = list(stream.read(checkpoint, NOW - 30 * DAY, now))
    found = [fact for page in pages for fact in page.facts if isinstance(fact, Incident)]
    return found, [page.checkpoint for page in pages if page.checkpoint][-1]


LABELLED: dict[str, Any] = {"incidents": {"labels": ["outage"]}}


def test_other_rules_read_all_issues_anew() -> None:
    """What was read before may be an incident now; the same rules tell nothing again."""
    world = Github([help_desk(issue(labels=[{"name": "outage"}]))])
    none, checkpoint = polled(world)
    found, checkpoint = polled(world, checkpoint, NOW + timedelta(minutes=5), **LABELLED)
    again, _ = polled(world, checkpoint, NOW + timedelta(minutes=10), **LABELLED)
    assert ([*none], [fact.key for fact in found], again) == ([], ["issue/105"], [])


def test_an_incident_whose_issue_is_gone_is_taken_back() -> None:
    """Missed on two days; nobody will ever say that it ended."""
    world = Github([help_desk(issue(labels=[{"name": "outage"}]))])
    (told,), checkpoint = polled(world, **LABELLED)
    world.repos[0].issues.clear()
    missed, checkpoint = polled(world, checkpoint, NOW + DAY, **LABELLED)
    (back,), _ = polled(world, checkpoint, NOW + 2 * DAY, **LABELLED)
    assert missed == []
    assert (back.key, back.at, back.valid, back.updated) == (told.key, told.at, False, NOW + 2 * DAY)
