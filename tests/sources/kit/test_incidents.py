"""What words say of incidents: how bad one is, and which tickets are incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.sources.kit.incidents import Incidents, Ticket, gone_incident, incident_of, severity_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ABOUT = Ref(system="jira", kind="project", id="PLAT")
RULES = Incidents(types=("Incident",), labels=("outage",))
OPEN = Ticket(
    key="1/incident",
    created=NOON,
    updated=NOON + timedelta(minutes=5),
    about=ABOUT,
    type="incident",
    labels=(),
    closed=False,
    resolved=None,
    resolution="",
    words=("P2",),
    name="PLAT-1",
    url="https://acme.example/PLAT-1",
    texts=("after v1.2.3, see PLAT-1", None),
    links=("OPS-4",),
)


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        (("P1",), Severity.CRITICAL),
        (("SEV-1",), Severity.CRITICAL),
        (("severity: critical",), Severity.CRITICAL),
        (("priority/high",), Severity.MAJOR),
        (("Sev 2",), Severity.MAJOR),
        (("p4",), Severity.MINOR),
        (("Lowest",), Severity.MINOR),
        (("bug", "sev3", "sev1"), Severity.CRITICAL),
        (("Whenever",), Severity.UNKNOWN),
        ((), Severity.UNKNOWN),
    ],
)
def test_every_tool_has_its_words(words: tuple[str, ...], severity: Severity) -> None:
    """In capitals or not, with or without what they are about; of several the worst."""
    assert severity_of(words, {}) is severity


def test_peoples_own_words_come_first() -> None:
    """They may say another thing of a word that is known."""
    own = {"Whenever": Severity.MINOR, "P1": Severity.MAJOR}
    assert [severity_of([word], own) for word in ("whenever", "p-1", "P2")] == [
        Severity.MINOR,
        Severity.MAJOR,
        Severity.MAJOR,
    ]


def test_rules_that_take_nothing_are_refused() -> None:
    """With what to write."""
    with pytest.raises(ValidationError, match=r"add `types: \[Incident\]`, `labels: \[incident\]` or both"):
        Incidents()


def test_an_open_ticket_is_an_open_incident() -> None:
    """Its own names are what it is known by, not what it mentions."""
    assert incident_of(OPEN, RULES, ()) == Incident(
        key="1/incident",
        at=NOON,
        about=ABOUT,
        updated=NOON + timedelta(minutes=5),
        severity=Severity.MAJOR,
        way=IncidentWay.TICKET,
        name="PLAT-1",
        url="https://acme.example/PLAT-1",
        ids=("PLAT-1", "https://acme.example/PLAT-1"),
        mentions=("OPS-4", "v1.2.3"),
    )


def test_a_label_makes_a_ticket_one() -> None:
    """Of any type."""
    assert incident_of(replace(OPEN, type="Task", labels=("a", "Outage")), RULES, ()) == incident_of(OPEN, RULES, ())
    assert incident_of(replace(OPEN, type="Task", labels=("a",)), RULES, ()) is None


def test_an_end_is_told_of_what_is_closed() -> None:
    """And of what is open again no more."""
    ended = replace(OPEN, closed=True, resolved=NOON + timedelta(hours=1), resolution="Done")
    found = [incident_of(ticket, RULES, ()) for ticket in (ended, replace(ended, closed=False))]
    assert [(i.resolved, i.valid) for i in found if i] == [(NOON + timedelta(hours=1), True), (None, True)]


def test_some_were_none() -> None:
    """What its resolution says, what its end is unknown of, and what was an incident once."""
    ended = replace(OPEN, closed=True, resolved=NOON, resolution="duplicate")
    step = TicketEvent(
        key="1/2", at=NOON, about=ABOUT, queue="PLAT", ticket="1", change=TicketChange.LABELED, role=Role.AGENT,
        labels=("outage",),
    )  # fmt: skip
    was = replace(OPEN, type="Task")
    found = [
        incident_of(ended, RULES, ()),
        incident_of(replace(ended, resolved=None, resolution="Done"), RULES, ()),
        incident_of(was, RULES, [step]),
    ]
    assert [i.valid for i in found if i] == [False, False, False]
    assert gone_incident("1/incident", ABOUT, NOON, NOON).valid is False
