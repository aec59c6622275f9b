"""Jira: the case of the contract test, and what only Jira does (zones, changelogs read backwards, two versions)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.sources.contract import Case
from tests.sources.fake_outside import Call, FakeOutside, Reply
from tests.sources.jira_server import Jira, comment, history, issue, item, person

from platform_meter.model.facts import Fact, Ref, Role, TicketChange, TicketEvent
from platform_meter.sources.jira import SOURCE, Config, wall

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
        histories=[
            history(1, hours(48), ADA, item("priority", "Medium", "Highest"), item("assignee", None, "Ada")),
            history(2, hours(40), ADA, item("status", "Open", "In Progress"), item("description", "a", "b")),
            history(7, hours(35), ADA, item("issuetype", "Task", "Bug"), item("labels", "b a", "b ci-slow")),
            history(3, hours(30), ADA, item("Component", "CI", None), item("Component", None, "Gateway")),
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
    return Jira([full, issue(2, hours(5), hours(5)), imported, issue(4, hours(900), hours(800))])


def _event(number: int, key: str, before_now: float, change: TicketChange, **more: Any) -> Fact:
    component = more.pop("component", "")
    return TicketEvent(
        key=f"{10_000 + number}/{key}",
        at=hours(before_now),
        about=Ref(system="jira", kind="project", id=f"PLAT/{component}" if component else "PLAT"),
        queue="PLAT",
        ticket=f"PLAT-{number}",
        change=change,
        role=more.pop("role", Role.AGENT),
        **more,
    )


def _created(number: int, before_now: float, updated: float, category: str, **more: Any) -> Fact:
    return _event(
        number, "created", before_now, TicketChange.CREATED, role=Role.REPORTER,
        updated=hours(updated), status="Open", priority="P3", category=category, issue_type="Task",
        labels=more.pop("labels", ()), **more,
    )  # fmt: skip


CI, GATEWAY = {"component": "CI"}, {"component": "Gateway"}
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=SINCE,
    people=("Mona", "Ada", "Lisa", "ada", "mona", "m@example.test", "log in"),
    expected=[
        _created(1, 50, 3, "CI", labels=("a", "b"), **CI),
        _event(1, "1/0", 48, TicketChange.PRIORITY, priority="P1", **CI),
        _event(1, "1/1", 48, TicketChange.ASSIGNED, **CI),
        _event(1, "2/0", 40, TicketChange.STATUS, status="In Progress", **CI),
        _event(1, "7/0", 35, TicketChange.LABELED, issue_type="Bug", **CI),
        _event(1, "7/1", 35, TicketChange.LABELED, labels=("b", "ci-slow"), **CI),
        _event(1, "3/1", 30, TicketChange.ASSIGNED, category="Gateway", **GATEWAY),
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
        _event(3, "resolved", 100, TicketChange.RESOLVED, resolution="Duplicate"),
    ],
)


def _poll(
    world: Jira, checkpoint: bytes | None = None, now: datetime = NOW, **settings: Any
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
    assert search.body["jql"] == 'project in ("PLAT") AND updated >= "2026-05-10 07:59" ORDER BY updated DESC'
    assert search.body["expand"] == "changelog"
    assert search.body["fields"] == [
        "status", "priority", "resolution", "resolutiondate", "created", "updated", "creator", "reporter",
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
    assert 'updated >= "2026-05-20 07:44"' in search.body["jql"]


def test_select_is_put_in_brackets() -> None:
    """More JQL can't widen the query beyond the projects."""
    config = Config.model_validate({**SETTINGS, "select": "labels = a OR labels = b"})
    assert config.query == 'project in ("PLAT") AND (labels = a OR labels = b)'


def test_other_settings_start_anew() -> None:
    """With another query the old checkpoint says nothing about what was read."""
    world = small_world()
    _, checkpoint, _ = _poll(world)
    facts, _, _ = _poll(world, checkpoint, select="labels = a")
    assert len(facts) == len(CASE.expected)


def test_data_center_gives_the_same_facts() -> None:
    """Without API v3 the source speaks v2: pages by offset, changelog and comments inlined whole."""
    world = small_world()
    world.version = "2"
    facts, _, outside = _poll(world)
    assert set(facts) == set(CASE.expected)
    assert {call.path for call in outside.calls} == {
        "/rest/api/3/myself",
        "/rest/api/2/myself",
        "/rest/api/2/search",
    }


def test_internal_comments_can_be_left_out() -> None:
    """`public_comments_only` drops what customers don't see."""
    facts, _, _ = _poll(small_world(), public_comments_only=True)
    assert {fact.key for fact in CASE.expected} - {fact.key for fact in facts} == {
        "10001/comment/4",
        "10001/comment/5",
    }


def test_comments_that_are_not_given_are_a_gap() -> None:
    """When even the issue itself shows fewer comments than it counts, the ticket is said to be incomplete."""
    world = small_world()
    world.comments_limit = 4
    facts, _, outside = _poll(world)
    assert len([fact for fact in facts if isinstance(fact, TicketEvent) and fact.change is TicketChange.COMMENT]) == 4
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
    assert 'updated >= "2026-05-10 07:59" AND updated <= "2026-05-20 04:01"' in search.body["jql"]
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
    assert cloud.basic is not None
    assert (cloud.basic[0], cloud.token) == ("meter@example.test", None)
    center = SOURCE.access(Config.model_validate({**SETTINGS, "email": None}))
    assert center.basic is None
    assert center.token is not None
    assert center.token.env == "JIRA_TOKEN"


def test_check_names_what_is_missing() -> None:
    """A project the account may not browse, or a token that is not taken, gives a line with what to do."""
    config = Config.model_validate({**SETTINGS, "projects": ["PLAT", "SECRET"]})
    assert SOURCE.check(config, FakeOutside(small_world())) == [
        "project SECRET: POST /rest/api/3/search/jql: 400; give the account the permission 'Browse projects' in it"
    ]
    refused = FakeOutside(lambda call: Reply(status=401))
    (line,) = SOURCE.check(config, refused)
    assert line == (
        "GET /rest/api/3/myself: 401; give a valid token "
        "(Cloud: email and API token with scopes read:jira-work and read:jira-user)"
    )


def test_checkpoint_says_nothing_but_times_and_the_query() -> None:
    """What is kept between polls is small and holds no ticket."""
    _, checkpoint, _ = _poll(small_world())
    assert checkpoint is not None
    assert msgspec.json.decode(checkpoint) == {"query": 'project in ("PLAT")', "read": "2026-05-20T12:00:00Z"}
