"""Jira: the case of the contract test, and what only Jira does (zones, changelogs read backwards, two versions)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.sources.jira.jira_server import (
    SERVICE_FIELDS,
    Jira,
    Row,
    comment,
    cycle,
    history,
    issue,
    item,
    person,
    rated,
    requested,
    sla,
    text,
)

from platform_meter.model.access import Basic, Secret, Token
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.facts.roadmap import ItemStatus, Planned, RoadmapItem
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import GONE, Role, TicketChange, TicketEvent, ToolClock
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Unexpected
from platform_meter.sources.jira import SOURCE, Config
from platform_meter.sources.jira.lists import wall
from platform_meter.testing import CHECKS, Case, Later
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=10)
SETTINGS: dict[str, Any] = {
    "url": "https://acme.atlassian.net",
    "email": "meter@example.test",
    "token": {"env": "JIRA_TOKEN"},
    "projects": ["PLAT"],
    "priorities": {"Highest": "P1", "Medium": "P3"},
    "bots": ["gitlab-sync"],
}
CLOSED = {"status": {"name": "Closed", "statusCategory": {"key": "done"}}, "resolution": {"name": "Done"}}
WHO = "ce7cac734c894713"
"""What the address that all people have here is hashed to."""
MONA, ADA, APP, SYNC = person("mona"), person("ada"), person("slack", "app"), person("gitlab-sync")


def hours(before_now: float) -> datetime:
    return NOW - timedelta(hours=before_now)


def small_world() -> Jira:
    """A ticket with a long history, one that nothing happened to, one resolved by import, and one too old."""
    full = issue(
        1,
        hours(50),
        hours(3),
        status={"name": "Closed"},
        priority={"name": "Highest"},
        resolution={"name": "Done"},
        components=[{"name": "Gateway"}],
        labels=["ci-slow", "b"],
        issuetype={"name": "Bug"},
        customfield_8={"id": "10", "value": "SEV2"},
        customfield_9=[{"id": "4", "name": "Payments"}],
        **requested("Get a namespace"),
        **rated(hours(2), 4),
        histories=[
            history(1, hours(48), ADA, item("priority", "Medium", "Highest"), item("assignee", None, "Ada")),
            history(2, hours(40), ADA, item("status", "Open", "In Progress"), item("description", "a", "b")),
            history(7, hours(35), ADA, item("issuetype", "Task", "Bug"), item("labels", "b a", "b ci-slow")),
            history(3, hours(30), ADA, item("Component", "CI", None), item("Component", None, "Gateway")),
            history(8, hours(25), ADA, item("Severity", "SEV1", "SEV2") | {"fieldId": "customfield_8"}),
            history(4, hours(20), ADA, item("resolution", None, "Fixed"), item("status", "In Progress", "Closed")),
            history(5, hours(10), MONA, item("resolution", "Fixed", None), item("status", "Closed", "Open")),
            history(6, hours(3), ADA, item("resolution", None, "Done"), item("status", "Open", "Closed")),
        ],
        comments=[
            comment(1, hours(49), APP),
            comment(2, hours(47), SYNC),
            comment(3, hours(46), MONA),
            comment(4, hours(45), ADA, jsdPublic=False),
            comment(5, hours(44), ADA, visibility={"type": "role", "value": "Team"}),
            comment(6, hours(43), ADA, jsdPublic=True),
            comment(7, hours(42), person("guest", "customer")),
        ],
    )
    imported = issue(
        3, hours(100), hours(30), resolution={"name": "Duplicate"}, resolutiondate="2026-05-16T08:00:00.000+0000"
    )
    old = issue(4, hours(900), hours(800), **CLOSED)
    return Jira([full, issue(2, hours(5), hours(5)), imported, old, planned()], listed=LISTED, slas={"10001": SLAS})


def planned(**more: Any) -> Row:
    """An item of a roadmap, in a project whose tickets nobody asks for."""
    fields = {
        "summary": "Gateway v2",
        "status": {"id": "3", "name": "Building", "statusCategory": {"key": "indeterminate"}},
        "project": {"key": "ROAD"},
        "customfield_7": {"value": "Q3 2026"},
        "duedate": "2026-09-30",
        "labels": ["feedback:builds"],
        "issuelinks": [{"inwardIssue": {"key": "PLAT-1"}}, {"outwardIssue": {"key": "ROAD-8"}}],
        "histories": [
            history(90, hours(90), ADA, item("Quarter", "Q1 2026", "Q2 2026") | {"fieldId": "customfield_7"}),
            history(91, hours(80), ADA, item("status", "Open", "Building")),
            history(92, hours(70), ADA, item("Quarter", "Q2 2026", "Q3 2026") | {"fieldId": "customfield_7"}),
        ],
    }
    return issue(90, hours(100), hours(70), **{**fields, **more}) | {"key": "ROAD-90"}


def _event(number: int, key: str, before_now: float, change: TicketChange, **more: Any) -> Fact:
    component = more.pop("component", "")
    return TicketEvent(
        key=f"{10_000 + number}/{key}",
        at=hours(before_now),
        about=Ref(system="jira", kind="project", id=f"PLAT/{component}" if component else "PLAT"),
        queue="PLAT",
        ticket=f"{10_000 + number}",
        change=change,
        role=(role := more.pop("role", Role.AGENT)),
        actor=more.pop("actor", "" if role is Role.BOT else WHO),
        **more,
    )


def _created(number: int, before_now: float, updated: float, category: str, **more: Any) -> Fact:
    return _event(
        number, "created", before_now, TicketChange.CREATED, role=Role.REPORTER,
        updated=hours(updated), name=f"PLAT-{number}", status="Open", priority="P3", category=category, issue_type="Task",
        requester=WHO, labels=more.pop("labels", ()), severity=more.pop("severity", ""), answers=more.pop("answers", ()), **more,
    )  # fmt: skip


def _clock(n: int, before_now: float, **more: Any) -> Fact:
    return ToolClock(
        key=f"10001/sla/4/{n}",
        at=hours(before_now),
        about=Ref(system="jira", kind="project", id="PLAT"),
        updated=hours(3),
        queue="PLAT",
        ticket="10001",
        clock="Time to first response",
        goal=timedelta(hours=8),
        **more,
    )


def later_world() -> Jira:
    """An hour on: an open ticket was closed, one was deleted, more came, and three of them are odd."""
    world = small_world()
    full, _, _, old, plan = world.issues
    plan["fields"]["summary"] = "Gateway v3"
    lost = planned()
    lost["fields"]["created"] = "2026-05-20T12:18:00"
    closing = history(20, hours(-0.5), ADA, item("resolution", None, "Done"), item("status", "Open", "Closed"))
    done = issue(2, hours(5), hours(-0.5), status=CLOSED["status"], resolution={"name": "Done"}, histories=[closing])
    more = [issue(n, hours(-0.1), hours(-0.1 - n / 100)) for n in (5, 6, 7)]
    ancient = issue(8, hours(1), hours(-0.8))
    ancient["fields"]["created"] = "0001-01-01T00:00:00.000+1400"
    odd = issue(
        9, hours(-0.2), hours(-0.9), histories=[history(21, hours(-0.3), ADA, item("priority", "Low", "Medium"))]
    )
    odd["histories"][0]["created"] = "2026-05-20T12:18:00"
    unreadable = issue(10, hours(-0.2), hours(-0.7))
    unreadable["fields"]["status"] = "Open"
    hidden = issue(
        11,
        hours(-0.4),
        hours(-0.4),
        histories=[history(22 + n, hours(-0.4), ADA, item("status", "Open", "Open")) for n in range(4)],
    )
    full["fields"] |= rated(hours(-0.6), 2)  # thought again
    old["fields"] |= rated(hours(-0.2), "4 of 5")
    world.issues = [full, done, old, *more, ancient, odd, unreadable, hidden, plan, lost | {"id": "10091"}]
    world.forbidden = hidden["id"]
    return world


ITEM = RoadmapItem(
    about=Ref(system="jira", kind="roadmap_item", id="10090", links=("jira:ROAD",)),
    since=hours(100),
    roadmap="plan",
    name="ROAD-90",
    title="Gateway v2",
    status=ItemStatus.STARTED,
    period="Q3 2026",
    periods=(
        Planned(hours(100), "Q1 2026"),
        Planned(hours(90), "Q2 2026"),
        Planned(hours(70), "Q3 2026"),
    ),
    target=date(2026, 9, 30),
    feedback=("jira-test:PLAT-1",),
    themes=("builds",),
    url="https://acme.atlassian.net/browse/ROAD-90",
)
RATING = SurveyResponse(
    key="10001/rating",
    at=hours(2),
    updated=hours(2),
    about=Ref(system="jira", kind="organization", id="Organizations/Payments"),
    survey="csat",
    respondent=WHO,
    answers=(("score", 4.0),),
    subject="10001",
)
CI, GATEWAY = {"component": "CI"}, {"component": "Gateway"}
LATER = Later(
    answers=later_world,
    after=timedelta(hours=1),
    expected=[
        _created(2, 5, -0.5, "Task"),
        _event(2, "20/0", -0.5, TicketChange.RESOLVED, resolution="Done"),
        _event(2, "20/1", -0.5, TicketChange.STATUS, status="Closed"),
        *(_created(n, -0.1, -0.1 - n / 100, "Task") for n in (5, 6, 7)),
        _created(9, -0.2, -0.9, "Task"),
        _created(11, -0.4, -0.4, "Task"),
        *(_event(11, f"{n}/0", -0.4, TicketChange.STATUS, status="Open") for n in (24, 25)),
        replace(ITEM, title="Gateway v3"),
        replace(RATING, at=hours(-0.6), updated=hours(-0.6), answers=(("score", 2.0),)),
    ],
    gaps=["PLAT-11: its changelog can't be read to the end"],
    rejected=5,
)
INCIDENTS: dict[str, Any] = {"incidents": {"types": ["bug"], "severities": {"Highest": "major"}}}
ROADMAPS: dict[str, Any] = {
    "roadmaps": [
        {
            "kind": "RoadmapSource",
            "id": "plan",
            "source": {"type": "jira", "project": "ROAD"},
            "period_field": "quarter",
            "feedback": {"label": "feedback:*"},
        }
    ]
}
MADE: dict[str, Any] = {"severity_field": "Severity", "asking_field": "organizations", "request_types": True}
CASE = Case(
    settings={**SETTINGS, **INCIDENTS, **ROADMAPS, "sla_clocks": True, "ratings": True, **MADE},
    without=[
        ({"incidents": None}, frozenset({Incident})),
        ({"roadmaps": []}, frozenset({RoadmapItem})),
        ({"sla_clocks": False}, frozenset({ToolClock})),
        ({"ratings": False}, frozenset({SurveyResponse})),
    ],
    answers=small_world,
    later=LATER,
    now=NOW,
    since=SINCE,
    people=("Mona", "Ada", "Lisa", "ada", "mona", "m@example.test", "log in"),
    expected=[
        _created(
            1,
            50,
            3,
            "CI",
            labels=("a", "b"),
            answers=("10001/comment/6",),
            severity="SEV1",
            asking="jira:Organizations/Payments",
            request_type="Get a namespace",
            **CI,
        ),
        _event(1, "1/0", 48, TicketChange.PRIORITY, priority="P1", **CI),
        _event(1, "1/1", 48, TicketChange.ASSIGNED, **CI),
        _event(1, "2/0", 40, TicketChange.STATUS, status="In Progress", **CI),
        _event(1, "7/0", 35, TicketChange.LABELED, issue_type="Bug", **CI),
        _event(1, "7/1", 35, TicketChange.LABELED, labels=("b", "ci-slow"), **CI),
        _event(1, "3/1", 30, TicketChange.ASSIGNED, category="Gateway", **GATEWAY),
        _event(1, "8/0", 25, TicketChange.PRIORITY, severity="SEV2", **CI),
        _event(1, "4/0", 20, TicketChange.RESOLVED, resolution="Fixed", **GATEWAY),
        _event(1, "4/1", 20, TicketChange.STATUS, status="Closed", **GATEWAY),
        _event(1, "5/0", 10, TicketChange.REOPENED, role=Role.REPORTER, **GATEWAY),
        _event(1, "5/1", 10, TicketChange.STATUS, role=Role.REPORTER, status="Open", **GATEWAY),
        _event(1, "6/0", 3, TicketChange.RESOLVED, resolution="Done", **GATEWAY),
        _event(1, "6/1", 3, TicketChange.STATUS, status="Closed", **GATEWAY),
        _event(1, "comment/1", 49, TicketChange.COMMENT, role=Role.BOT, **GATEWAY),
        _event(1, "comment/2", 47, TicketChange.COMMENT, role=Role.BOT, **GATEWAY),
        _event(1, "comment/3", 46, TicketChange.COMMENT, role=Role.REPORTER, **GATEWAY),
        _event(1, "comment/4", 45, TicketChange.COMMENT, public=False, **GATEWAY),
        _event(1, "comment/5", 44, TicketChange.COMMENT, public=False, **GATEWAY),
        _event(1, "comment/6", 43, TicketChange.COMMENT, **GATEWAY),
        _event(1, "comment/7", 42, TicketChange.COMMENT, role=Role.REPORTER, **GATEWAY),
        _created(2, 5, 5, "Task"),
        _created(3, 100, 30, "Task"),
        _event(3, "resolved", 100, TicketChange.RESOLVED, resolution="Duplicate", actor=""),
        ITEM,
        RATING,
        _clock(1, 50, stopped=hours(43), elapsed=timedelta(hours=7), breached_at=hours(42)),
        _clock(2, 10, elapsed=timedelta(hours=2), paused=True),
        Incident(
            key="10001/incident",
            at=hours(50),
            about=Ref(system="jira", kind="project", id="PLAT/Gateway"),
            updated=hours(3),
            severity=Severity.MAJOR,
            way=IncidentWay.TICKET,
            resolved=hours(3),
            name="PLAT-1",
            url="https://acme.atlassian.net/browse/PLAT-1",
            ids=("PLAT-1", "https://acme.atlassian.net/browse/PLAT-1"),
        ),
    ],
)
MADE_FIELDS = [{"id": "customfield_8", "name": "Severity"}, {"id": "customfield_9", "name": "Organizations"}]
LISTED: dict[str, list[Row]] = {
    "field": [
        {"id": "customfield_7", "name": "Quarter"},
        {"id": "duedate", "name": "Due date"},
        *MADE_FIELDS,
        *SERVICE_FIELDS,
    ],
    "status": [{"id": "3", "name": "Building"}, {"id": "5", "name": "Shipped", "statusCategory": {"key": "done"}}],
}
SLAS = [
    sla(
        "4",
        "Time to first response",
        cycle(hours(10), 2, paused=True),
        cycle(hours(50), 7, stop=hours(43), breach=hours(42)),
    ),
    sla("5", "Time to close"),
]
STEPS = [fact for fact in CASE.expected if isinstance(fact, TicketEvent)]


def data_center(world: Callable[[], Jira]) -> Callable[[], Jira]:
    """The same system as Data Center shows it: by offset, with everything inlined."""

    def made() -> Jira:
        jira = world()
        jira.version = "2"
        return jira

    return made


DATA_CENTER = replace(
    CASE,
    answers=data_center(small_world),
    later=replace(
        LATER,
        answers=data_center(later_world),
        expected=[
            *LATER.expected,
            *(_event(11, f"{n}/0", -0.4, TicketChange.STATUS, status="Open") for n in (22, 23)),
        ],
        gaps=[],
        rejected=6,  # each page begins with the last issue of the one before it
    ),
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_data_center_is_held_to_the_contract(check: Callable[[Any, Case], None]) -> None:
    """As Cloud is."""
    check(SOURCE, DATA_CENTER)


def _poll(
    world: Answering, checkpoint: bytes | None = None, now: datetime = NOW, **settings: Any
) -> tuple[list[Fact], bytes | None, FakeOutside]:
    outside = FakeOutside(world)
    (stream,) = SOURCE.connect(Config.model_validate({**SETTINGS, **settings}), outside, "test")
    facts: list[Fact] = []
    for page in stream.read(checkpoint, SINCE, now):
        facts += page.facts
        checkpoint = page.checkpoint or checkpoint
    return facts, checkpoint, outside


def test_search_asks_in_the_accounts_zone_and_a_minute_early() -> None:
    """12:00 UTC ten days ago is 08:00 in New York; JQL knows whole minutes, so the minute before is asked for."""
    _, _, outside = _poll(small_world())
    search = next(call for call in outside.calls if call.method == "POST")
    assert search.body["jql"] == (
        'project in ("PLAT") AND (updated >= "2026-05-10 07:59" OR statusCategory != Done) ORDER BY updated DESC'
    )
    assert search.body["expand"] == "changelog"
    assert search.body["fields"] == [
        "status", "priority", "resolution", "resolutiondate", "created", "updated", "creator", "reporter", "assignee",
        "components", "labels", "issuetype", "project", "comment",
    ]  # fmt: skip


def test_next_poll_overlaps_the_last() -> None:
    """The next search begins 15 min before the start of the last poll, and tells what happened since."""
    world = small_world()
    _, checkpoint, _ = _poll(world)
    world.issues.append(issue(9, NOW, NOW))
    facts, _, outside = _poll(world, checkpoint, NOW + timedelta(minutes=1))
    assert [fact.key for fact in facts] == ["10009/created"]
    search = next(call for call in outside.calls if call.method == "POST")
    assert search.body["jql"] == 'project in ("PLAT") AND updated >= "2026-05-20 07:44" ORDER BY updated DESC'


def test_first_read_tells_what_is_open_however_old_it_is() -> None:
    """An open ticket that nobody touched since the import begins waits all the same; what is closed so long is past."""
    resolved = issue(7, hours(900), hours(800), **CLOSED)
    done = issue(8, hours(900), hours(800), status=CLOSED["status"])
    world = Jira([issue(5, hours(5), hours(5)), issue(6, hours(900), hours(800)), resolved, done])
    first, checkpoint, _ = _poll(world)
    assert [fact.key for fact in first] == ["10005/created", "10006/created"]
    again, _, _ = _poll(world, checkpoint, NOW + timedelta(days=1))
    assert [fact.key for fact in again] == []


def test_a_ticket_that_is_open_again_waits_though_it_kept_its_resolution() -> None:
    """Its status says so, which is how it is counted: it is read however old it is, and looked for when it is gone."""
    again = issue(
        7,
        hours(900),
        hours(800),
        status={"name": "Open", "statusCategory": {"key": "new"}},
        resolution={"name": "Done"},
        resolutiondate=text(hours(850)),
    )
    world = Jira([again])
    facts, checkpoint, _ = _poll(world)
    assert [fact.key for fact in facts] == ["10007/created", "10007/resolved"]
    world.issues.clear()
    _, checkpoint, _ = _poll(world, checkpoint, NOW + timedelta(days=1))
    gone, _, _ = _poll(world, checkpoint, NOW + timedelta(days=2))
    assert [fact.key for fact in gone] == ["10007/gone"]


def test_first_read_that_broke_off_goes_on_among_the_old_open_ones() -> None:
    """Six tickets of a year, two on a page: after the second page the fifth comes next."""
    world = Jira([issue(n, hours(1000 * n), hours(1000 * n)) for n in range(1, 7)])
    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(world), "test")
    pages = stream.read(None, SINCE, NOW)
    checkpoint = [next(pages), next(pages)][-1].checkpoint
    facts, _, _ = _poll(world, checkpoint, NOW + timedelta(hours=1))
    assert [fact.key for fact in facts] == ["10004/created", "10005/created", "10006/created"]


def test_select_is_put_in_brackets() -> None:
    """More JQL can't widen the query beyond the projects."""
    config = Config.model_validate({**SETTINGS, "select": "labels = a OR labels = b"})
    assert config.query == 'project in ("PLAT") AND (labels = a OR labels = b)'


def test_other_settings_start_anew() -> None:
    """With another query, or other fields, the old checkpoint says nothing about what was read."""
    world = small_world()
    _, checkpoint, _ = _poll(world)
    for settings in ({**MADE, "select": "labels = a"}, MADE):
        facts, _, _ = _poll(world, checkpoint, **settings)
        assert len(facts) == len(STEPS)


def test_other_rules_for_incidents_start_anew() -> None:
    """Tickets that were told before may be incidents now; what names other records is asked for with such rules alone."""
    world = small_world()
    _, checkpoint, plain = _poll(world)
    facts, checkpoint, asking = _poll(world, checkpoint, **INCIDENTS)
    assert [fact for fact in facts if isinstance(fact, Incident)] == CASE.expected[-1:]
    assert _poll(world, checkpoint, **INCIDENTS)[0] == []
    fields = [{*call.body["fields"]} for outside in (plain, asking) for call in outside.calls if call.method == "POST"]
    assert {"summary", "description", "issuelinks"} == fields[-1] - fields[0]


def test_an_incident_whose_ticket_is_gone_is_taken_back() -> None:
    """Nobody will ever say that it ended; of a ticket that was none, nothing is taken back."""
    world = Jira([issue(n, hours(30), hours(30), labels=labels) for n, labels in ((1, ["incident"]), (2, []))])
    rules: dict[str, Any] = {"incidents": {"labels": ["Incident"]}}
    facts, checkpoint, _ = _poll(world, **rules)
    (told,) = [fact for fact in facts if isinstance(fact, Incident)]
    world.issues = []
    _, checkpoint, _ = _poll(world, checkpoint, NOW + timedelta(days=1), **rules)
    gone, _, _ = _poll(world, checkpoint, NOW + timedelta(days=2), **rules)
    assert [fact.key for fact in gone] == ["10001/gone", "10001/incident", "10002/gone"]
    (back,) = [fact for fact in gone if isinstance(fact, Incident)]
    assert (told.valid, back.valid) == (True, False)
    assert (back.at, back.about, back.updated) == (told.at, told.about, NOW + timedelta(days=2))


def test_data_center_gives_the_same_facts() -> None:
    """Without API v3 the source speaks v2: pages by offset, changelog and comments inlined whole."""
    world = small_world()
    world.version = "2"
    facts, _, outside = _poll(world, **MADE)
    assert set(facts) == {*STEPS}
    assert {call.path for call in outside.calls} == {
        "/rest/api/2/field",
        "/rest/api/3/myself",
        "/rest/api/2/myself",
        "/rest/api/2/search",
    }


def test_internal_comments_can_be_left_out() -> None:
    """`public_comments_only` drops what customers don't see."""
    facts, _, _ = _poll(small_world(), public_comments_only=True, **MADE)
    assert {fact.key for fact in STEPS} - {fact.key for fact in facts} == {
        "10001/comment/4",
        "10001/comment/5",
    }


def test_comments_that_are_not_given_are_a_gap() -> None:
    """When fewer comments can be read than it counts, the ticket is said to be incomplete: nobody knows its answer.

    Only where the first ones hold an answer that is the first of all.
    """
    world = small_world()
    world.comments_limit = 4
    facts, _, outside = _poll(world)
    assert len([fact for fact in facts if isinstance(fact, TicketEvent) and fact.change is TicketChange.COMMENT]) == 4
    assert [fact.whole for fact in facts if isinstance(fact, TicketEvent) and fact.key == "10001/created"] == [False]
    world.comments_limit = 6
    facts, _, _ = _poll(world)
    assert [fact.whole for fact in facts if isinstance(fact, TicketEvent) and fact.key == "10001/created"] == [True]
    (gap,) = outside.gaps
    assert (gap.start, gap.end, gap.reason, gap.text) == (
        hours(50), hours(3), "pruned", "PLAT-1: 4 of 7 comments can be read",
    )  # fmt: skip


def test_changelog_that_is_not_given_is_a_gap() -> None:
    """A server without the changelog resource gives what it inlined, and a gap."""
    world = small_world()

    def without(call: Call) -> Reply:
        return Reply(status=404) if call.path.endswith("/changelog") else world(call)

    outside = FakeOutside(without)
    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), outside, "test")
    keys = {fact.key for page in stream.read(None, SINCE, NOW) for fact in page.facts}
    assert {"10001/6/0", "10001/5/0"} <= keys
    assert [gap.text for gap in outside.gaps] == ["PLAT-1: its changelog can't be read to the end"]


def test_issue_without_a_visible_creation_is_a_gap() -> None:
    """What the account may not see is said, not guessed."""
    world = Jira([issue(1, hours(2), hours(1))])
    world.issues[0]["fields"]["created"] = None
    facts, _, outside = _poll(world)
    assert facts == []
    assert [(gap.reason, gap.text) for gap in outside.gaps] == [
        ("forbidden", "PLAT-1: the account may not see its field 'created'")
    ]


def test_interrupted_import_goes_on_where_it_was() -> None:
    """After a failure the search is cut at the oldest change that was told."""
    world = Jira([issue(n, hours(n), hours(n)) for n in range(1, 9)])
    outside = FakeOutside(world)
    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), outside, "test")
    pages = stream.read(None, SINCE, NOW)
    checkpoint = [next(pages), next(pages)][-1].checkpoint
    facts, _, again = _poll(world, checkpoint, NOW + timedelta(hours=1))
    search = next(call for call in again.calls if call.method == "POST")
    assert 'updated >= "2026-05-10 07:59" OR ' in search.body["jql"]
    assert ' AND updated <= "2026-05-20 04:01" ORDER' in search.body["jql"]
    assert [fact.key for fact in facts] == [f"1000{n}/created" for n in range(4, 9)]


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
YEAR = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(YEAR, ZONES)
def test_bounds_of_a_search_never_cut_inside(at: datetime, zone: str) -> None:
    """However Jira reads the wall time, even in the hour that comes twice, nothing wanted is left out."""
    for fold in (0, 1):
        early, late = (
            datetime.strptime(wall(at, zone, late=late), "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone), fold=fold)
            for late in (False, True)
        )
        assert early.astimezone(UTC) <= at <= late.astimezone(UTC)
        assert late.astimezone(UTC) - early.astimezone(UTC) <= timedelta(hours=4, minutes=4)


@given(YEAR, st.integers(-12, 14))
def test_bounds_hold_in_every_zone_when_it_is_unknown(at: datetime, offset: int) -> None:
    """An account without a zone could be anywhere: the bounds are wide enough for all."""
    for late in (False, True):
        local = datetime.strptime(wall(at, "", late=late), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        meant = local - timedelta(hours=offset)
        assert meant >= at if late else meant <= at


CHANGE = st.tuples(
    st.sampled_from(["status", "priority", "components", "labels", "issuetype"]), st.sampled_from(["a", "b", "c"])
)


@given(st.lists(CHANGE, max_size=12), st.integers(1, 4))
def test_creation_is_todays_state_with_all_changes_undone(changes: list[tuple[str, str]], inlined: int) -> None:
    """Whatever was changed since, CREATED carries the values that the ticket was born with."""
    now: dict[str, Any] = {
        "status": "Open",
        "priority": "Medium",
        "components": {"CI"},
        "labels": {"b"},
        "issuetype": "Task",
    }
    histories = []
    for number, (what, value) in enumerate(changes):
        at = hours(40 - number)
        if what == "components":
            gone = value in now["components"]
            now["components"] ^= {value}
            change = item("Component", value if gone else None, None if gone else value)
        elif what == "labels":
            before = " ".join(now["labels"])
            now["labels"] ^= {value}
            change = item("labels", before, " ".join(now["labels"]))
        else:
            change = item(what, now[what], value)
            now[what] = value
        histories.append(history(number, at, ADA, change))
    row = issue(
        1, hours(50), hours(1), histories=histories,
        status={"name": now["status"]}, priority={"name": now["priority"]},
        components=[{"name": name} for name in now["components"]], labels=list(now["labels"]),
        issuetype={"name": now["issuetype"]},
    )  # fmt: skip
    facts, _, _ = _poll(Jira([row], inlined=inlined))
    created = facts[0]
    assert isinstance(created, TicketEvent)
    assert (created.status, created.priority, created.category) == ("Open", "P3", "CI")
    assert (created.issue_type, created.labels) == ("Task", ("b",))
    last = [fact for fact in facts if isinstance(fact, TicketEvent)]
    assert [f.status for f in last if f.status][-1] == now["status"]
    assert [f.category for f in last if f.category][-1] == min(now["components"], default=now["issuetype"])
    assert [f.issue_type for f in last if f.issue_type][-1] == now["issuetype"]
    assert [f.labels for f in last if f.labels is not None][-1] == tuple(sorted(now["labels"]))


def test_labels_of_an_event_are_bounded() -> None:
    """Of 30 labels the first 20 by name are told: somebody's script can't fill the store."""
    facts, _, _ = _poll(Jira([issue(1, hours(5), hours(5), labels=[f"l{n:02}" for n in range(30, 0, -1)])]))
    (created,) = facts
    assert isinstance(created, TicketEvent)
    assert created.labels == tuple(f"l{n:02}" for n in range(1, 21))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"select": "labels = a ORDER  by key"}, "leave ORDER BY out of select"),
        ({"projects": ['X" OR 1=1']}, "should match pattern"),
    ],
)
def test_settings_that_would_break_the_query_are_refused(settings: dict[str, Any], says: str) -> None:
    """Keys are keys, and the order is the source's own."""
    with pytest.raises(ValidationError, match=says):
        Config.model_validate({**SETTINGS, **settings})


def test_access_by_email_or_by_personal_token() -> None:
    """Cloud takes e-mail and API token, Data Center a bearer token."""
    cloud = SOURCE.access(Config.model_validate(SETTINGS))
    assert cloud.credential == Basic(user="meter@example.test", password=Secret(env="JIRA_TOKEN"))
    center = SOURCE.access(Config.model_validate({**SETTINGS, "email": None}))
    assert center.credential == Token(secret=Secret(env="JIRA_TOKEN"))


def test_check_names_what_is_missing() -> None:
    """A project the account may not browse, or a token that is not taken, gives a line with what to do."""
    config = Config.model_validate({**SETTINGS, "projects": ["PLAT", "SECRET"]})
    assert SOURCE.check(config, FakeOutside(small_world())) == [
        "project SECRET: POST /rest/api/3/search/jql: 400; give the account the permission 'Browse projects' in it"
    ]
    refused = FakeOutside(lambda call: Reply(status=401))
    (line,) = SOURCE.check(config, refused)
    assert line == (
        "GET /rest/api/3/myself: 401; Cloud takes email and API token with scopes read:jira-work and read:jira-user, "
        "and scoped tokens and service accounts are taken only at url: https://api.atlassian.com/ex/jira/CLOUD_ID"
    )


def test_checkpoint_says_nothing_but_times_the_query_and_what_is_open() -> None:
    """What is kept between polls is small: of tickets the ids of the open ones, and where they were when."""
    _, checkpoint, _ = _poll(small_world())
    assert checkpoint is not None
    assert msgspec.json.decode(checkpoint) == {
        "query": 'project in ("PLAT")',
        "read": "2026-05-20T12:00:00Z",
        "open": {"sights": {"10002": ["2026-05-20", "PLAT", [], False]}},
    }


def _moved() -> Row:
    """A ticket of PLAT, answered, then moved to OPS and taken up there. Jira tells projects by their names."""
    ops = {"key": "OPS"}
    moved = [
        item("project", "Platform", "Operations"),
        item("Key", "PLAT-1", "OPS-9") | {"fieldId": None},
        item("Component", "CI", None),
    ]
    return issue(
        1, hours(50), hours(30), status={"name": "In Progress"}, project=ops,
        histories=[
            history(1, hours(40), ADA, *moved),
            history(2, hours(30), ADA, item("status", "Open", "In Progress")),
        ],
        comments=[comment(1, hours(49), ADA)],
    ) | {"key": "OPS-9"}  # fmt: skip


def test_moved_ticket_keeps_its_id_and_the_queue_it_was_created_in() -> None:
    """Its creation is of PLAT, a step says that it came to OPS, what was done later is about that, and no move parts them."""
    facts, _, _ = _poll(Jira([_moved()]), projects=["PLAT", "OPS"])
    steps = [fact for fact in facts if isinstance(fact, TicketEvent)]
    assert {step.ticket for step in steps} == {"10001"}
    assert [step.key for step in steps if step.change is TicketChange.MOVED] == ["10001/1/1"]
    assert [(step.key, step.name, step.queue, step.about.id) for step in steps] == [
        ("10001/created", "OPS-9", "PLAT", "PLAT/CI"),
        ("10001/comment/1", "", "PLAT", "OPS"),
        ("10001/1/1", "", "OPS", "OPS/CI"),
        ("10001/1/2", "", "PLAT", "OPS"),
        ("10001/2/0", "", "PLAT", "OPS"),
    ]


def test_ticket_of_a_renamed_project_is_the_same_one() -> None:
    """A project's other key changes names alone; no step of the ticket tells of it."""
    row = issue(1, hours(50), hours(30), histories=[history(1, hours(30), ADA, item("assignee", None, "Ada"))])
    renamed = {**row, "key": "PLT-1", "fields": {**row["fields"], "project": {"key": "PLT"}}}
    before, after = (_poll(Jira([world]), projects=[])[0] for world in (row, renamed))
    assert [(fact.key, fact.ticket) for fact in before if isinstance(fact, TicketEvent)] == [
        (fact.key, fact.ticket) for fact in after if isinstance(fact, TicketEvent)
    ]


def test_who_asks_and_who_acts_are_nobody_by_name() -> None:
    """By the address where it is shown, whatever its capitals; a bot is no person; nothing of them is told in clear."""
    ada, bot = {"name": "ada.lovelace", "key": "JIRAUSER7"}, {**person("slack", "app")}
    row = issue(
        1, hours(5), hours(1), creator=bot, reporter={**MONA, "emailAddress": " M@Example.test"}, assignee=ada,
        histories=[history(1, hours(4), ada, item("priority", "Low", "High"))], comments=[comment(1, hours(3), bot)],
    )  # fmt: skip
    facts, _, outside = _poll(Jira([row]))
    login = outside.hashed("ada.lovelace")
    told = [(f.change, f.requester, f.actor) for f in facts if isinstance(f, TicketEvent)]
    assert told == [
        (TicketChange.CREATED, WHO, ""),
        (TicketChange.PRIORITY, "", login),
        (TicketChange.COMMENT, "", ""),
    ]


def test_a_ticket_is_assigned_to_somebody() -> None:
    """From the start, where no change says otherwise; that it is taken away from them is no assignment."""
    at = [
        history(1, hours(4), ADA, item("assignee", "Ada", None)),
        history(2, hours(3), ADA, item("assignee", None, "B")),
    ]
    rows = [issue(1, hours(5), hours(1), assignee=ADA), issue(2, hours(5), hours(3), assignee=ADA, histories=at)]
    rows += [issue(3, hours(5), hours(3), assignee=ADA, histories=at[1:])]
    facts, _, _ = _poll(Jira(rows))
    steps = sorted((f for f in facts if isinstance(f, TicketEvent)), key=lambda f: f.key)
    assert [(f.key, f.assigned) for f in steps] == [
        ("10001/created", True),
        ("10002/2/0", False),
        ("10002/created", True),
        ("10003/2/0", False),
        ("10003/created", False),
    ]


class _Days:
    """One poll a day of a world that changes: what each tells of tickets that are gone, and how often it looks."""

    def __init__(self, world: Jira, **settings: Any) -> None:
        self.world, self.settings = world, settings
        self.now = NOW
        self.gone: list[tuple[str, Any, Any]] = []
        self.calls: list[str] = []
        _, self.checkpoint, _ = _poll(world, **settings)

    def poll(self, later: timedelta = timedelta(days=1)) -> list[str]:
        self.now += later
        facts, self.checkpoint, outside = _poll(self.world, self.checkpoint, self.now, **self.settings)
        self.calls = [str((call.body or call.params).get("jql", call.path)) for call in outside.calls]
        found = [fact for fact in facts if isinstance(fact, TicketEvent) and fact.resolution == GONE]
        assert all((fact.at, fact.change, fact.role) == (self.now, TicketChange.RESOLVED, Role.BOT) for fact in found)
        return [fact.key for fact in found]


@pytest.mark.parametrize("version", ["3", "2"])
@pytest.mark.parametrize("strict", [True, False])
def test_deleted_ticket_is_gone_when_it_was_missed_on_two_days(strict: bool, version: str) -> None:
    """Whether Jira refuses a list with its id or leaves it out. The others stay, closed ones are not looked for."""
    closed = issue(3, hours(7), hours(7), resolution={"name": "Done"})
    done = issue(4, hours(8), hours(8), status={"name": "Fertig", "statusCategory": {"key": "done"}})
    world = Jira([issue(1, hours(5), hours(5)), issue(2, hours(6), hours(6)), closed, done], version=version)
    world.strict = strict
    days = _Days(world)
    world.issues = world.issues[1:2]
    assert [days.poll(), days.poll(timedelta(hours=1)), days.poll(), days.poll()] == [[], [], ["10001/gone"], []]
    assert days.calls[-1] == 'id in (10002) AND project in ("PLAT")'


def test_ticket_deleted_after_it_was_closed_stays_a_valid_one() -> None:
    """It was helped; nobody waits for it, so nobody looks for it."""
    world = Jira([issue(1, hours(5), hours(5))])
    days = _Days(world)
    world.issues[0]["updated"] = NOW
    world.issues[0]["fields"] |= {"resolution": {"name": "Done"}, "updated": text(NOW)}
    days.poll(timedelta(minutes=1))
    world.issues.clear()
    assert [days.poll() for _ in range(3)] == [[], [], []]


def test_open_tickets_are_looked_for_once_a_day_and_some_at_a_time() -> None:
    """A poll looks for 50 at most, after all it has to read, and no more on a day than each once."""
    world = Jira([issue(n, hours(5), hours(5)) for n in range(120)], page=50)
    days = _Days(world)
    looked = []
    for later in (timedelta(days=1), *[timedelta(minutes=1)] * 3):
        assert days.poll(later) == []
        looked.append(sum(call.count(",") + 1 for call in days.calls if call.startswith("id in")))
    assert looked == [50, 50, 20, 0]


def test_ticket_that_left_the_query_is_gone() -> None:
    """One moved to a project that is not read is open somewhere, but it waits for nobody here."""
    world = Jira([issue(1, hours(5), hours(5))])
    days = _Days(world)
    world.issues[0]["fields"]["project"] = {"key": "SECRET"}
    assert [days.poll(), days.poll(), days.poll()] == [[], ["10001/gone"], []]


def test_tickets_of_a_project_no_longer_read_are_gone() -> None:
    """Other settings start anew, but what was open under the old ones is still looked for."""
    world = Jira([issue(1, hours(5), hours(5))])
    days = _Days(world, projects=["PLAT", "OPS"])
    world.issues[0]["fields"]["project"] = {"key": "OPS"}
    days.settings = {"projects": ["PLAT"]}
    assert [days.poll(), days.poll()] == [[], ["10001/gone"]]


def test_ticket_out_of_sight_for_a_day_is_not_gone() -> None:
    """A permission taken away for a while, or an index built anew, ends no ticket."""
    world = Jira([issue(1, hours(5), hours(5))])
    days = _Days(world)
    rows, world.issues = world.issues, []
    assert days.poll() == []
    world.issues = rows
    assert [days.poll(), days.poll()] == [[], []]
    world.issues = []
    assert [days.poll(), days.poll()] == [[], ["10001/gone"]]


def test_data_center_skips_nothing_when_an_issue_is_deleted_between_two_pages() -> None:
    """Those behind it move up by one, past the page that is read next: some are read again."""
    world = Jira([issue(n, hours(5 + n), hours(5 + n)) for n in range(8)], version="2", page=3)
    asked: list[int] = []

    def serve(call: Call) -> Reply:
        reply = world(call)
        if call.path.endswith("/search"):
            asked.append(call.params["startAt"])
            if len(asked) == 2:
                world.issues = [row for row in world.issues if row["key"] not in {"PLAT-0", "PLAT-3", "PLAT-4"}]
        return reply

    facts, _, _ = _poll(serve)
    assert {fact.key for fact in facts} == {f"1000{n}/created" for n in range(8)}
    assert asked == [0, 2, 4, 0, 2]


def test_empty_page_with_a_token_is_not_the_last() -> None:
    """Cloud may give an empty page in the middle; only a page without a token ends the search."""
    world = Jira([issue(n, hours(5 + n), hours(5 + n)) for n in range(6)])

    def serve(call: Call) -> Reply:
        reply = world(call)
        if (call.body or {}).get("nextPageToken") == "2":
            reply.body["issues"] = []
        return reply

    facts, _, _ = _poll(serve)
    assert [fact.key for fact in facts] == [f"1000{n}/created" for n in (0, 1, 4, 5)]


def test_tokens_that_go_round_in_a_circle_end_the_poll() -> None:
    """The same token again would never end: the poll fails, and the next goes on from what was told."""
    world = Jira([issue(n, hours(5 + n), hours(5 + n)) for n in range(6)])

    def serve(call: Call) -> Reply:
        reply = world(call)
        if (call.body or {}).get("nextPageToken") == "4":
            reply.body["nextPageToken"] = "2"
        return reply

    with pytest.raises(Unexpected, match="the same page again and again"):
        _poll(serve)


@pytest.mark.parametrize("version", ["3", "2"])
def test_what_is_null_is_nothing(version: str) -> None:
    """Fields that are not on the project's screens, and changes of what is no field, come as null."""
    empty = history(2, hours(3), ADA) | {"items": None}
    change = history(1, hours(4), ADA, item("status", "New", "Open") | {"fieldId": None})
    row = issue(1, hours(5), hours(3), components=None, labels=None, histories=[change, empty])
    facts, _, _ = _poll(Jira([row], version=version))
    assert [(fact.key, fact.labels) for fact in facts if isinstance(fact, TicketEvent)] == [
        ("10001/created", ()),
        ("10001/1/0", None),
    ]


def test_priorities_of_the_tool_are_in_the_words_of_the_settings() -> None:
    """Nothing where the list can't be read."""
    config = Config.model_validate(SETTINGS)
    world = Jira(listed={"priority": [{"id": "1", "name": "Highest"}, {"id": "4", "name": "Low"}]})
    assert SOURCE.priorities(config, FakeOutside(world)) == ("P1", "Low")
    assert SOURCE.priorities(config, FakeOutside(Jira())) == ()


def test_it_proposes_a_sample_to_fill_in() -> None:
    """Nothing around tells of a site; a variable that is set is named."""
    found = SOURCE.propose(Surroundings(variables=frozenset({"JIRA_API_TOKEN"})))
    assert found is not None
    assert (found.by_hand, dict(found.found), found.sample[1]["token"]) == (True, {}, {"env": "JIRA_API_TOKEN"})


def test_an_import_that_an_earlier_version_broke_off_is_read_again() -> None:
    """Its checkpoint says how far it was in another way: all since its start is told, with what was open."""
    checkpoint = (
        b'{"query":"project in (\\"PLAT\\")","began":"2026-05-20T11:50:00Z","start":"2026-05-10T12:00:00Z",'
        b'"upper":"2026-05-20T08:00:00Z","open":{"sights":{"10009":["2026-05-19","PLAT",[],true]}}}'
    )
    world = Jira([issue(n, hours(n), hours(n)) for n in range(1, 9)])
    facts, checkpoint_, _ = _poll(world, checkpoint)
    assert [fact.key for fact in facts] == [*(f"1000{n}/created" for n in range(1, 9)), "10009/gone"]
    assert checkpoint_ is not None
    assert msgspec.json.decode(checkpoint_)["read"] == "2026-05-20T11:50:00Z"


def test_what_was_told_is_not_told_again() -> None:
    """The next search overlaps the last: an issue that stands there as it was costs no call for its history.

    One that had changed within the minute before is told once more: not all of it may have been there.
    """
    old, young = issue(1, hours(5), hours(0.1)), issue(2, hours(5), hours(0.005))
    for row in (old, young):
        row["histories"] = [history(n, hours(4), ADA, item("status", "Open", "Open")) for n in range(1, 6)]
    world = Jira([old, young])
    _, checkpoint, first = _poll(world)
    again, checkpoint, second = _poll(world, checkpoint, NOW + timedelta(minutes=1))
    third, _, _ = _poll(world, checkpoint, NOW + timedelta(minutes=2))
    assert {fact.key.partition("/")[0] for fact in again} == {"10002"}
    assert third == []
    asked = [[call.path for call in outside.calls if "10001" in call.path] for outside in (first, second)]
    assert [len(calls) for calls in asked] == [3, 0]
