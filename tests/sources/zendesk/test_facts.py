"""Zendesk: audits to steps, at the edges."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.sources.zendesk.test_zendesk import ADA, BOT, MONA, SYSTEM, hours
from tests.sources.zendesk.zendesk_server import RULE, Row, audit, born, change, comment, create, ticket, user

from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.sources.zendesk.facts import Conventions, ticket_events
from platform_meter.sources.zendesk.names import Called
from platform_meter.sources.zendesk.rows import Audit, CustomStatus, Ticket, User

NOBODY = 99
USERS = [user(ADA, "Ada"), user(MONA, "Mona", "end-user"), user(BOT, "Bot"), user(4, "Root", "admin")]
MERGE = {"channel": "web", "source": {"from": {"ticket_id": 8}, "to": {}, "rel": "merge"}}


MADE = [
    {"id": 70, "status_category": "open", "agent_label": "Open", "default": True},
    {"id": 71, "status_category": "open", "agent_label": "Open in Berlin", "default": True},
    {"id": 79, "status_category": "solved", "agent_label": "Fixed", "default": False},
]


def told(row: Row) -> list[TicketEvent]:
    people = {one.id: one for one in msgspec.convert(USERS, list[User])}
    made = {str(one.id): one for one in msgspec.convert(MADE, list[CustomStatus])}
    called = Called("group", {"7": "Platform", "8": "Gateways"}.__getitem__, lambda: made)
    known = Conventions(bots=frozenset({"bot@acme.example"}), called=called, hashed=lambda name: f"<{name}>")
    return ticket_events(
        msgspec.convert(row, Ticket), msgspec.convert(row["audits"], list[Audit]), people, known
    ).events


def of(row: Row, change_: TicketChange) -> list[TicketEvent]:
    return [event for event in told(row) if event.change is change_]


@pytest.mark.parametrize(
    ("author", "via", "role", "actor"),
    [
        (ADA, {}, Role.AGENT, "<ada@acme.example>"),
        (4, {}, Role.AGENT, "<root@acme.example>"),
        (MONA, {}, Role.REPORTER, "<mona@acme.example>"),
        (NOBODY, {}, Role.REPORTER, "<99>"),
        (BOT, {}, Role.BOT, ""),
        (SYSTEM, {}, Role.BOT, ""),
        (ADA, {"via": RULE}, Role.BOT, "<ada@acme.example>"),
        (ADA, {"via": {"channel": 8}}, Role.BOT, "<ada@acme.example>"),
        (ADA, {"via": MERGE}, Role.BOT, "<ada@acme.example>"),
        (ADA, {"via": {"channel": "sms", "source": {"from": [], "to": None}}}, Role.AGENT, "<ada@acme.example>"),
    ],
)
def test_who_answers(author: int, via: Row, role: Role, actor: str) -> None:
    """Agents and admins; nobody whom Zendesk does not show, no trigger, and not the text of a merge."""
    row = ticket(1, hours(5), hours(4), audits=[born(1, hours(5)), audit(2, hours(4), author, comment(author), **via)])
    (said,) = of(row, TicketChange.COMMENT)
    (first,) = of(row, TicketChange.CREATED)
    assert (said.role, said.actor) == (role, actor)
    assert first.answers == (("1/comment/200",) if role is Role.AGENT else ())


def test_an_agent_who_asks_does_not_answer() -> None:
    """Neither in the description nor later."""
    row = ticket(
        1, hours(5), hours(4), requester_id=ADA, submitter_id=ADA,
        audits=[born(1, hours(5), author=ADA), audit(2, hours(4), ADA, comment(ADA))],
    )  # fmt: skip
    (said,) = of(row, TicketChange.COMMENT)
    assert said.role is Role.REPORTER


def test_the_first_comment_is_the_description_where_no_audit_creates() -> None:
    """Of a ticket that was imported: it is no answer of whoever wrote it."""
    row = ticket(1, hours(5), hours(4), audits=[audit(n, hours(5 - n / 4), ADA, comment(ADA)) for n in (1, 2)])
    assert [said.key for said in of(row, TicketChange.COMMENT)] == ["1/comment/200"]


@pytest.mark.parametrize(
    ("audits", "priority"),
    [
        ([born(1, hours(5), create("priority", "high")), audit(2, hours(4), ADA, change("priority", "high", "low"))], "high"),
        ([born(1, hours(5), change("priority", "normal", "urgent", via=RULE))], "urgent"),
        ([audit(2, hours(4), ADA, change("priority", None, "low")), audit(3, hours(3), ADA, change("priority", "low", "x"))], ""),
        ([audit(2, hours(4), ADA, comment(ADA))], "normal"),
    ],
    ids=["as created", "as triggers made it at once", "as the first change found it", "as it is today"],
)  # fmt: skip
def test_priority_at_creation(audits: list[Row], priority: str) -> None:
    """What the creation set leads, then the first change, then today."""
    (first,) = of(ticket(1, hours(5), hours(3), audits=audits), TicketChange.CREATED)
    assert first.priority == priority


def test_an_audit_tells_a_field_once() -> None:
    """As it stands after it, by whoever changed it last; what ends as it was is no step."""
    there_and_back = [change("type", "question", "task"), change("type", "task", "question")]
    twice = [change("status", "new", "pending"), change("status", "pending", "open", via=RULE)]
    row = ticket(1, hours(5), hours(4), audits=[born(1, hours(5)), audit(2, hours(4), ADA, *there_and_back, *twice)])
    assert [(step.key, step.status, step.role) for step in told(row)[1:]] == [("1/2/status", "open", Role.BOT)]


def test_audits_may_come_in_any_order() -> None:
    """They are told by time, and each in the queue that the ticket was in then."""
    steps = [
        audit(2, hours(4), ADA, change("status", "new", "open"), comment(ADA)),
        audit(3, hours(3), ADA, change("group_id", "7", "8")),
        audit(4, hours(2), ADA, change("status", "open", "pending"), comment(ADA)),
    ]
    row = ticket(1, hours(5), hours(2), "pending", group_id=8, audits=[*reversed(steps), born(1, hours(5))])
    assert [(step.key, step.queue, step.about.id) for step in told(row)] == [
        ("1/created", "Platform", "groups/7"),
        ("1/2/status", "Platform", "groups/7"),
        ("1/comment/201", "Platform", "groups/7"),
        ("1/3/group_id", "Gateways", "groups/8"),
        ("1/4/status", "Gateways", "groups/8"),
        ("1/comment/401", "Gateways", "groups/8"),
    ]


def test_a_status_that_people_made_holds_until_it_is_closed() -> None:
    """Another id that is called the same is no step; a closed ticket keeps its own status, and is closed."""
    row = ticket(
        1, hours(5), hours(1), "closed", custom_status_id=79,
        audits=[
            born(1, hours(5), create("custom_status_id", "70"), status="open"),
            audit(2, hours(4), ADA, change("custom_status_id", "70", "71")),
            audit(3, hours(3), ADA, change("custom_status_id", "71", "79"), change("status", "open", "solved")),
            audit(4, hours(1), SYSTEM, change("status", "solved", "closed")),
        ],
    )  # fmt: skip
    assert [(step.key, step.status) for step in told(row)] == [
        ("1/created", "open"),
        ("1/3/status", "Fixed"),
        ("1/4/status", "closed"),
    ]


@pytest.mark.parametrize(
    ("via", "tags", "expected"),
    [
        (MERGE, ["closed_by_merge"], [("Merged", "8")]),
        (
            {"channel": 19, "source": {"from": {"ticket_id": 8}, "to": {"ticket_id": 7}}},
            ["closed_by_merge"],
            [("Merged", "7")],
        ),
        ({"channel": "web"}, ["closed_by_merge"], [("Merged", "")]),
        (MERGE, [], []),
    ],
    ids=["from", "by number", "by its tag alone", "the one that others were merged into"],
)
def test_merges(via: Row, tags: list[str], expected: list[tuple[str, str]]) -> None:
    """A ticket that was merged away bears a tag, and its audit names the other one where it does."""
    closing = audit(2, hours(4), ADA, change("tags", [], tags), comment(ADA), via=via)
    row = ticket(1, hours(5), hours(4), "new", tags=tags, audits=[born(1, hours(5)), closing])
    assert [(step.resolution, step.into) for step in of(row, TicketChange.RESOLVED)] == expected


def test_a_comment_made_public_again_answers() -> None:
    """The last change of its privacy holds, and dates what is said of it."""
    privacy = [
        audit(n, at, ADA, {"type": "CommentPrivacyChange", "comment_id": 200, "public": public})
        for n, at, public in ((3, hours(3), False), (4, hours(2), True))
    ]
    row = ticket(1, hours(5), hours(2), audits=[born(1, hours(5)), audit(2, hours(4), ADA, comment(ADA)), *privacy])
    (said,) = of(row, TicketChange.COMMENT)
    assert (said.public, said.at, said.updated) == (True, hours(4), hours(2))


def test_taken_from_everybody_is_no_assignment() -> None:
    """That somebody had it from the start is told with its creation."""
    row = ticket(
        1, hours(5), hours(4),
        audits=[born(1, hours(5), create("assignee_id", "1")), audit(2, hours(4), ADA, change("assignee_id", "1", None))],
    )  # fmt: skip
    (first,) = of(row, TicketChange.CREATED)
    assert first.assigned
    assert of(row, TicketChange.ASSIGNED) == []


def moments(events: list[TicketEvent]) -> list[tuple[datetime, Any]]:
    return [(event.at, event.change) for event in events]


def test_steps_are_in_order_of_time() -> None:
    """Whatever said them: fields, comments, merges."""
    row = ticket(
        1, hours(5), hours(3),
        audits=[
            born(1, hours(5)),
            audit(2, hours(4), ADA, comment(ADA)),
            audit(3, hours(4.5), ADA, change("status", "new", "open")),
        ],
    )  # fmt: skip
    assert moments(told(row)) == [
        (hours(5), TicketChange.CREATED),
        (hours(5) + timedelta(minutes=30), TicketChange.STATUS),
        (hours(4), TicketChange.COMMENT),
    ]
