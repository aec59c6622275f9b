"""Zendesk: the case of the contract test, and what only Zendesk does (cursors, custom statuses, merges, deletions)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.zendesk.zendesk_server import (
    RULE,
    Row,
    Zendesk,
    audit,
    born,
    change,
    comment,
    create,
    metric,
    rating,
    text,
    ticket,
    user,
)
from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import ticketing

from platform_meter.measures.support.book import Book
from platform_meter.model.access import Basic, Pace, Secret, Token
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.facts.tickets import Alias, Role, SlaResult, TicketChange, TicketEvent, Today, ToolClock
from platform_meter.model.measure import Scene
from platform_meter.model.source import Unexpected
from platform_meter.sources.zendesk import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.case import Told, poll
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=10)
SETTINGS: dict[str, Any] = {
    "url": "https://acme.zendesk.com",
    "email": "meter@acme.example",
    "token": {"env": "ZENDESK_TOKEN"},
    "priorities": {"urgent": "P1"},
    "bots": ["Bot@acme.example"],
    "sla_clocks": True,
    "ratings": True,
}
ADA, MONA, BOT, SYSTEM = 1, 2, 3, -1
VENDOR = {"id": 77, "status_category": "pending", "agent_label": "With vendor", "default": False}
STATUSES = [VENDOR, {"id": 70, "status_category": "open", "agent_label": "Offen", "default": True}]


def hours(before_now: float) -> datetime:
    return NOW - timedelta(hours=before_now)


hashed = FakeOutside({}).hashed
WHO_ADA, WHO_MONA = hashed("ada@acme.example"), hashed("mona@acme.example")


def full() -> Row:
    """One with all that happens to a ticket."""
    return ticket(
        101, hours(50), hours(3),
        status="solved", priority="urgent", tags=["ci-slow", "vip"], group_id=8, assignee_id=ADA, type="incident",
        audits=[
            born(1, hours(50), create("tags", ["vip"]), change("priority", "normal", "high", via=RULE)),
            audit(2, hours(49), BOT, comment(BOT)),
            audit(3, hours(48), ADA, comment(ADA, public=False), change("assignee_id", None, "1"), change("status", "new", "open")),
            audit(4, hours(47), ADA, comment(ADA)),
            audit(5, hours(46), ADA, comment(ADA), change("custom_status_id", "70", "77"), change("status", "open", "pending")),
            audit(6, hours(45), ADA, {"type": "CommentPrivacyChange", "comment_id": 400, "public": False}),
            audit(7, hours(30), MONA, comment(MONA), change("status", "pending", "open"), change("custom_status_id", "77", "70")),
            audit(8, hours(20), ADA, change("group_id", "7", "8"), change("type", "question", "incident")),
            audit(9, hours(10), SYSTEM, change("priority", "high", "urgent"), change("tags", ["vip"], ["vip", "ci-slow"]), via=RULE),
            audit(10, hours(3), ADA, change("status", "open", "solved"), {"type": "Notification", "body": "Mona"}),
        ],
        custom_status_id=70,
        metric_events={
            "reply_time": [
                metric(1, hours(50), "activate"),
                metric(2, hours(50), "apply_sla", sla={"target": 60, "target_in_seconds": 3600, "business_hours": True}),
                metric(3, hours(48.5), "breach"),
                metric(4, hours(46), "fulfill"),
                metric(5, hours(46), "update_status", status={"calendar": 240, "business": 120}),
                metric(6, hours(30), "activate", instance=2),
                metric(7, hours(30), "apply_sla", instance=2, sla={"target": 480, "business_hours": False}),
            ],
            "agent_work_time": [metric(8, hours(50), "activate", "agent_work_time")],
        },
    )  # fmt: skip


def small_world() -> Zendesk:
    """One with all that happens, one that an agent opened for somebody, one deleted, one merged, and one that waits since long."""
    for_mona = ticket(
        102, hours(5), hours(4),
        submitter_id=ADA, priority=None, type=None, organization_id=None, group_id=None,
        audits=[
            audit(20, hours(5), ADA, comment(ADA), create("status", "open")),
            audit(21, hours(4), ADA, change("subject", "a", "b")),
        ],
    )  # fmt: skip
    merged = ticket(
        104, hours(40), hours(39),
        status="closed", tags=["closed_by_merge"],
        audits=[
            born(40, hours(40)),
            audit(
                41, hours(39), ADA,
                comment(ADA), change("status", "new", "closed"), change("tags", [], ["closed_by_merge"]),
                via={"channel": "merge", "source": {"from": {"ticket_id": 104}, "to": {"ticket_id": 101}, "rel": "merge"}},
            ),
        ],
    )  # fmt: skip
    return Zendesk(
        tickets=[
            full(),
            for_mona,
            ticket(103, hours(60), hours(55), "deleted"),
            merged,
            ticket(105, hours(900), hours(800), "pending", audits=[born(50, hours(900), status="pending")]),
            ticket(106, hours(900), hours(700), "solved", audits=[born(60, hours(900), status="solved")]),
        ],
        users=[
            user(ADA, "Ada Lovelace"),
            user(MONA, "Mona Lisa", "end-user", 42),
            user(BOT, "Bot Ticket"),
        ],
        ratings=[
            rating(1, hours(30), hours(30), "offered", 101),
            rating(3, hours(29.5), hours(29.5), "unoffered", 102),
            rating(2, hours(29), hours(28), "good", 104),
        ],
        statuses=STATUSES,
    )  # fmt: skip


NAMES = {"7": "Platform", "8": "Gateways", "none": ""}


def about(group: str = "7") -> Ref:
    labels = (("name", NAMES[group]),) if NAMES[group] else ()
    return Ref(system="zendesk", kind="group", id=f"groups/{group}", labels=labels)


def event(id_: int, key: str, before_now: float, change_: TicketChange, group: str = "7", **more: Any) -> TicketEvent:
    """A step as a poll tells it; an agent's where nothing else is said."""
    role = more.pop("role", Role.AGENT)
    return TicketEvent(
        key=f"{id_}/{key}",
        at=hours(before_now),
        about=about(group),
        queue=NAMES[group] or "none",
        ticket=str(id_),
        change=change_,
        role=role,
        actor=more.pop("actor", {Role.AGENT: WHO_ADA, Role.REPORTER: WHO_MONA, Role.BOT: ""}[role]),
        **more,
    )


def created(id_: int, before_now: float, updated: float, group: str = "7", **more: Any) -> TicketEvent:
    said: dict[str, Any] = {
        "role": Role.REPORTER, "status": "new", "priority": "normal", "category": "question", "issue_type": "question",
        "labels": (), "answers": (), "asking": "zendesk:organizations/42", "requester": WHO_MONA, **more,
    }  # fmt: skip
    return event(
        id_, "created", before_now, TicketChange.CREATED, group,
        updated=hours(updated), name=f"#{id_}", **said,
    )  # fmt: skip


def gone(id_: int, before_now: float) -> TicketEvent:
    resolved = event(id_, "gone", before_now, TicketChange.RESOLVED, role=Role.BOT, resolution="gone")
    return replace(resolved, updated=hours(before_now))


def clock(instance: int, before_now: float, updated: float, **more: Any) -> ToolClock:
    return ToolClock(
        key=f"101/sla/reply_time/{instance}",
        at=hours(before_now),
        about=about("8"),
        updated=hours(updated),
        queue="Gateways",
        ticket="101",
        **more,
    )


CSAT: dict[str, Any] = {
    "about": Ref(system="zendesk", kind="organization", id="organizations/42"),
    "survey": "csat",
    "respondent": WHO_MONA,
}


def asked(id_: int, before_now: float, subject: str) -> Invitation:
    return Invitation(key=f"rating/{id_}/offered", at=hours(before_now), subject=subject, **CSAT)


def rated(id_: int, before_now: float, subject: str, score: float) -> SurveyResponse:
    at = hours(before_now)
    return SurveyResponse(key=f"rating/{id_}", at=at, updated=at, subject=subject, answers=(("score", score),), **CSAT)


FULL: list[Fact] = [
    created(101, 50, 3, priority="high", labels=("vip",), answers=("101/comment/500",)),
    event(101, "comment/200", 49, TicketChange.COMMENT, role=Role.BOT),
    event(101, "comment/300", 48, TicketChange.COMMENT, public=False),
    event(101, "3/assignee_id", 48, TicketChange.ASSIGNED),
    event(101, "3/status", 48, TicketChange.STATUS, status="open"),
    event(101, "comment/400", 47, TicketChange.COMMENT, public=False, updated=hours(45)),
    event(101, "comment/500", 46, TicketChange.COMMENT),
    event(101, "5/status", 46, TicketChange.STATUS, status="With vendor"),
    event(101, "comment/700", 30, TicketChange.COMMENT, role=Role.REPORTER),
    event(101, "7/status", 30, TicketChange.STATUS, role=Role.REPORTER, status="open"),
    event(101, "8/group_id", 20, TicketChange.MOVED, "8"),
    event(101, "8/type", 20, TicketChange.LABELED, "8", category="incident", issue_type="incident"),
    event(101, "9/priority", 10, TicketChange.PRIORITY, "8", role=Role.BOT, priority="P1"),
    event(101, "9/tags", 10, TicketChange.LABELED, "8", role=Role.BOT, labels=("ci-slow", "vip")),
    event(101, "10/status", 3, TicketChange.STATUS, "8", status="solved"),
]
FOR_MONA = created(
    102, 5, 4, "none",
    role=Role.AGENT, actor=WHO_ADA, status="open", priority="", category="", issue_type="", asking="",
)  # fmt: skip
MERGED: list[Fact] = [
    created(104, 40, 39),
    event(104, "comment/4100", 39, TicketChange.COMMENT, role=Role.BOT, actor=WHO_ADA),
    event(104, "41/status", 39, TicketChange.STATUS, status="closed"),
    event(104, "41/tags", 39, TicketChange.LABELED, labels=("closed_by_merge",)),
    event(104, "merged", 39, TicketChange.RESOLVED, resolution="Merged", into="101"),
]
HOUR = timedelta(hours=1)
FIRST_REPLY = clock(
    1, 50, 46, clock="first_reply_time",
    stopped=hours(46), breached=True, breached_at=hours(48.5), elapsed=2 * HOUR, goal=HOUR,
)  # fmt: skip


def later_world() -> Zendesk:
    """Three hours on: one was solved, one deleted, more came; of one the history may not be read, one is odd."""
    world = small_world()
    one, other, *_, old, _ = world.tickets
    one["metric_events"]["reply_time"].append(metric(9, hours(-1), "pause", instance=2))
    moved(other, -1, status="solved")
    other["audits"].append(audit(22, hours(-1), ADA, comment(ADA), change("status", "open", "solved")))
    moved(old, -2, status="deleted")
    world.tickets += [
        ticket(107, hours(-0.5), hours(-0.5)),
        ticket(108, hours(-1), hours(-1.5)) | {"created_at": "0001-01-01T00:00:00+14:00"},
        ticket(109, hours(-2), hours(-2), audits=[born(90, hours(-2), status="open")]),
    ]
    world.refused = {"/api/v2/tickets/107/audits"}
    world.ratings[0] |= {"score": "bad", "updated_at": text(hours(-1))}
    return world


CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=SINCE,
    people=("Ada", "Lovelace", "Mona", "acme.example", "secret", "angry"),
    expected=[
        *FULL,
        FOR_MONA,
        gone(103, 55),
        *MERGED,
        created(105, 900, 800, status="pending"),
        FIRST_REPLY,
        clock(2, 30, 30, clock="next_reply_time", goal=8 * HOUR),
        asked(1, 30, "101"),
        asked(2, 29, "104"),
        rated(2, 28, "104", 1.0),
    ],
    later=Later(
        answers=later_world,
        after=timedelta(hours=3),
        expected=[
            replace(FOR_MONA, updated=hours(-1), answers=("102/comment/2200",)),
            event(102, "comment/2200", -1, TicketChange.COMMENT, "none"),
            event(102, "22/status", -1, TicketChange.STATUS, "none", status="solved"),
            gone(105, -2),
            created(
                107,
                -0.5,
                -0.5,
                status="open",
                answers=None,
                whole=False,
                requester="",
                actor="",
                today=Today("open", "", untold=True),
            ),
            created(109, -2, -2, status="open"),
            clock(2, 30, -1, clock="next_reply_time", goal=8 * HOUR, paused=True),
            rated(1, -1, "101", 0.0),
        ],
        gaps=["ticket 107: its history can't be read"],
        rejected=1,
    ),
    without=[
        ({"sla_clocks": False}, frozenset({ToolClock})),
        ({"ratings": False}, frozenset({SurveyResponse, Invitation})),
    ],
)


def polled(world: Zendesk, before: Told | None = None, later: float = 0, **settings: Any) -> tuple[Told, FakeOutside]:
    outside = FakeOutside(world)
    case = replace(CASE, settings={**SETTINGS, "sla_clocks": False, "ratings": False, **settings})
    return poll(SOURCE, case, outside, later=timedelta(hours=later), before=before, whole=True), outside


def paths(outside: FakeOutside) -> list[str]:
    return [call.path.removeprefix("/api/v2/") for call in outside.calls]


def moved(row: Row, before_now: float, **more: Any) -> None:
    """The ticket changes; the export has it behind all others."""
    row |= {"updated_at": text(hours(before_now)), "generated_timestamp": int(hours(before_now).timestamp()), **more}


def test_a_poll_of_nothing_new_is_one_call_a_stream() -> None:
    """The cursor stands behind what was told, and no name is asked for in vain, or twice."""
    first, met = polled(small_world())
    assert sorted(call.params["ids"] for call in met.calls if call.path.endswith("show_many")) == ["1", "2"]
    _, outside = polled(small_world(), first, 0.1)
    assert paths(outside) == ["incremental/tickets/cursor"]
    assert outside.calls[0].params["cursor"] == f"{int(hours(3).timestamp())}.101"


def test_what_the_export_gives_again_is_not_read_again() -> None:
    """The system touched a ticket of late, and nobody changed it."""
    world = small_world()
    first, _ = polled(world)
    moved(world.tickets[1], 0.1)
    told, _ = polled(world, first)
    world.tickets[1]["generated_timestamp"] += 60
    silent, outside = polled(world, told, 0.1)
    assert told.facts == [replace(FOR_MONA, updated=hours(0.1))]
    assert (silent.facts, paths(outside)) == ([], ["incremental/tickets/cursor"])


def test_a_cursor_that_is_lost_begins_where_the_last_poll_was() -> None:
    """Less the overlap: what changed since then is told."""
    world = small_world()
    first, _ = polled(world)
    moved(world.tickets[1], 0.1)
    world.lost = {f"{int(hours(3).timestamp())}.101"}
    told, outside = polled(world, first, 0.2)
    assert [call.params.get("start_time") for call in outside.calls[:2]] == [None, int(hours(0.25).timestamp())]
    assert told.errors == {}
    assert told.facts == [replace(FOR_MONA, updated=hours(0.1))]


def test_a_ticket_stays_deleted_since_it_was_deleted_and_may_come_back() -> None:
    """Weeks later it is emptied, which moves nothing; restored, its history is told as newer than its deletion."""
    world = small_world()
    first, _ = polled(world)
    moved(world.tickets[2], 1)
    emptied, _ = polled(world, first)
    assert emptied.facts == [gone(103, 55)]
    moved(world.tickets[2], 0.5, status="open", audits=[born(30, hours(60), status="open")])
    restored, _ = polled(world, emptied)
    assert restored.facts == [created(103, 60, 0.5, status="open")]
    moved(world.tickets[2], 0.2, status="deleted")
    again, _ = polled(world, restored)
    assert again.facts == [gone(103, 0.2)]


def test_a_status_that_got_another_name_keeps_the_old_one() -> None:
    """It is known by id: told under today's name, with the one of the last poll beside it."""
    world = small_world()
    first, _ = polled(world)
    world.statuses = [{**VENDOR, "agent_label": "Waiting for vendor"}]
    moved(world.tickets[0], 0.1)
    told, _ = polled(world, first)
    (step,) = [fact for fact in told.facts if fact.key == "101/5/status"]
    assert isinstance(step, TicketEvent)
    assert (step.status, step.aliases) == (
        "Waiting for vendor",
        (Alias("status", "Waiting for vendor", "With vendor"),),
    )


@pytest.mark.parametrize(
    ("queue", "name", "id_"), [("brand", "Acme", "brands/5"), ("form", "Access", "ticket_forms/6")]
)
def test_other_queues_are_owned_by_the_assigned_group_too(queue: str, name: str, id_: str) -> None:
    """By a link; a change of group hands the ticket over and moves it nowhere."""
    told, _ = polled(small_world(), queue=queue)
    steps = {fact.key: fact for fact in told.facts if isinstance(fact, TicketEvent)}
    handed = steps["101/8/group_id"]
    assert (handed.change, handed.queue, handed.about) == (
        TicketChange.ASSIGNED,
        name,
        Ref(system="zendesk", kind=queue, id=id_, labels=(("name", name),), links=("zendesk:groups/8",)),
    )


def test_another_meaning_of_queue_is_refused() -> None:
    """Steps told under the other one would move tickets to and fro."""
    first, _ = polled(small_world())
    told, outside = polled(small_world(), first, queue="brand")
    assert isinstance(told.error, Unexpected)
    assert str(told.error).startswith("queue was group and is brand now; give the source another name")
    assert outside.calls == []


def test_a_history_that_ends_elsewhere_is_a_gap() -> None:
    """How the ticket stands today is told; that a solved one was closed later is no news."""
    world = small_world()
    world.tickets[1]["status"], world.tickets[0]["status"] = "pending", "closed"
    told, outside = polled(world)
    born_ = {fact.key: fact for fact in told.facts if isinstance(fact, TicketEvent)}
    assert born_["102/created"].today == Today("pending", "")
    assert born_["101/created"].today is None
    assert [gap.text for gap in outside.gaps] == ["ticket 102: nobody recorded when its status became what it is today"]


def test_a_history_that_is_newer_than_the_ticket_is_no_gap() -> None:
    """It changed while it was read; the next export has the rest."""
    world = small_world()
    world.tickets[1]["audits"].append(audit(22, hours(1), ADA, change("status", "open", "pending")))
    told, outside = polled(world)
    assert "102/22/status" in {fact.key for fact in told.facts}
    assert outside.gaps == []


def test_tickets_that_wait_are_a_gap_where_search_is_refused() -> None:
    """All else is told."""
    world = small_world()
    world.refused = {"/api/v2/search/export"}
    told, outside = polled(world)
    keys = {fact.key for fact in told.facts}
    assert "101/created" in keys
    assert "105/created" not in keys
    assert [gap.text for gap in outside.gaps] == [
        "tickets that wait since before 2026-05-10 can't be searched for: GET /api/v2/search/export: 403"
    ]


def test_all_pages_of_tickets_that_wait_are_read_once() -> None:
    """However old they are; the checkpoint holds none of them for long."""
    world = small_world()
    world.tickets += [
        ticket(id_, hours(900), hours(800), audits=[born(id_, hours(900))]) for id_ in (201, 202, 203, 204)
    ]
    first, _ = polled(world)
    assert {"105/created", "204/created"} <= {fact.key for fact in first.facts}
    assert '"of_late"' not in (first.checkpoints["tickets"] or b"").decode()
    again, outside = polled(world, first)
    assert (again.facts, paths(outside)) == ([], ["incremental/tickets/cursor"])


def test_a_history_that_may_be_read_after_all_fills_its_gap() -> None:
    """When the ticket changes next; until then it stands as it does today."""
    world = later_world()
    first, outside = polled(world, later=3)
    assert [gap.what for gap in outside.gaps] == ["ticket 107"]
    world.refused.clear()
    moved(world.tickets[6], -2.9, audits=[born(70, hours(-0.5), status="open")])
    told, after = polled(world, first, 3.1)
    assert [fact.key for fact in told.facts] == ["107/created"]
    assert after.fills == [("ticket 107", hours(-0.5), hours(-3.1))]


def test_exports_tell_nothing_of_the_last_minute() -> None:
    """So no window holds it; ratings are read once an hour."""
    config = Config.model_validate(SETTINGS)
    streams = SOURCE.connect(config, FakeOutside({}), "test")
    assert [(stream.name, stream.behind, stream.every) for stream in streams] == [
        ("tickets", timedelta(minutes=1), None),
        ("clocks", timedelta(minutes=1), None),
        ("ratings", timedelta(0), timedelta(hours=1)),
    ]


def test_access_is_an_api_token_or_an_oauth_token() -> None:
    """With a mail address the former; the quota is the account's, of which a part is taken."""
    secret = Secret(env="ZENDESK_TOKEN")
    both = SOURCE.access(Config.model_validate(SETTINGS))
    assert both.credential == Basic(user="meter@acme.example/token", password=secret)
    assert both.pace == Pace(points=100, per=timedelta(minutes=1))
    assert both.rate_headers == ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
    assert SOURCE.access(Config.model_validate({**SETTINGS, "email": None})).credential == Token(secret=secret)


def test_check_says_what_may_not_be_read() -> None:
    """A line for each, with what to give; nobody signed in is one line."""
    config = Config.model_validate(SETTINGS)
    world = small_world()
    world.refused = {
        "/api/v2/tickets/103/audits", "/api/v2/groups", "/api/v2/incremental/ticket_metric_events",
        "/api/v2/satisfaction_ratings",
    }  # fmt: skip
    world.tickets[4:] = []
    scope = "make the account an admin, and give an OAuth token the scope `read`"
    plan = f"{scope}, or leave it out where the plan does not have it"
    assert SOURCE.check(config, FakeOutside(world)) == [
        f"audits: GET /api/v2/tickets/103/audits: 403; the scope `tickets:read` is not enough: {scope}",
        f"names of queues (groups): GET /api/v2/groups: 403; {plan}",
        f"sla_clocks: GET /api/v2/incremental/ticket_metric_events: 403; {plan}",
        f"ratings: GET /api/v2/satisfaction_ratings: 403; {plan}",
    ]
    world.refused = {"/api/v2/incremental/tickets/cursor"}
    assert SOURCE.check(config, FakeOutside(world)) == [
        f"tickets: GET /api/v2/incremental/tickets/cursor: 403; {scope}"
    ]
    world.signed_in = False
    (line,) = SOURCE.check(config, FakeOutside(world))
    assert line.startswith("nobody is signed in; write email and token as they belong together")


def test_priorities_are_told_in_the_words_of_the_settings() -> None:
    """Zendesk has four."""
    config = Config.model_validate(SETTINGS)
    assert SOURCE.priorities(config, FakeOutside({})) == ("P1", "high", "normal", "low")


def test_what_is_told_becomes_a_queue() -> None:
    """Which tickets are open and which count, who answered when, and what Zendesk's own clock says of that."""
    desk = ticketing(
        source={"type": "zendesk"},
        status={"running": ["new", "open"], "paused": ["pending", "hold", "With vendor"], "done": ["solved", "closed"]},
        slas=[
            {"id": "first_response", "goal": {"default": "8h"}, "clock": "source"},
            {"id": "answer", "measures": "first_response", "goal": {"default": "8h"}},
        ],
    )
    facts = [fact for fact in CASE.expected if isinstance(fact, TicketEvent | ToolClock)]
    history = MemoryHistory(
        [("zendesk", owner("platform"), fact) for fact in facts],
        sources=[source("zendesk", watermark=NOW)],
    )
    seen = Scene(history=history, definitions=Definitions(ticketing=(desk,)), now=NOW)
    book = seen.kept.of(Book)
    (queue,) = book.queues(seen)
    tickets = {one.name: one for one in book.tickets(queue, history.sources()[0])}
    assert {name: (one.open, one.valid, one.priority) for name, one in tickets.items()} == {
        "#101": (False, True, "P1"),
        "#102": (True, True, "none"),
        "#104": (False, False, "normal"),
        "#105": (True, True, "normal"),
    }
    assert [one.unlisted for one in tickets.values()] == [frozenset()] * 4
    decided = {cycle.sla: cycle.decision for cycle in tickets["#101"].cycles}
    ours, theirs = decided["answer"], decided["first_response"]
    assert ours is not None
    assert theirs is not None
    assert (ours.result, ours.at, ours.elapsed) == (SlaResult.MET, hours(46), 4 * 3600)
    assert (theirs.result, theirs.at, theirs.goal) == (SlaResult.BREACHED, hours(48.5), 3600)
