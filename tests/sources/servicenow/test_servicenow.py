"""ServiceNow: the case of the contract test, and what only ServiceNow does (keys for pages, hidden rows, audits)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError
from tests.sources.servicenow.servicenow_server import ServiceNow, audit, both, choice, clock, entry, task, text

from platform_meter.model.access import Basic, OAuth, Secret, SecretHeaders
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.facts.tickets import GONE, Alias, Role, TicketChange, TicketEvent, Today, ToolClock
from platform_meter.model.source import Unexpected
from platform_meter.sources import servicenow
from platform_meter.sources.servicenow import SOURCE, clocks, rows
from platform_meter.sources.servicenow.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=10)
SETTINGS: dict[str, Any] = {
    "url": "https://acme.service-now.com",
    "user": "platform-meter",
    "password": {"env": "SERVICENOW_PASSWORD"},
    "priorities": {"1": "P1", "3": "P3"},
    "sla_clocks": True,
    "incidents": {"labels": ["P1", "major"]},
}
CI = both("ci1", "Checkout")


CHOICES = [
    ("task", "state", "2", "Work in Progress"),
    ("incident", "state", "1", "New"),
    ("incident", "state", "1", "Neu", "de"),
    ("incident", "state", "2", "In Progress"),
    ("incident", "state", "2", "In Bearbeitung", "de"),
    ("incident", "state", "6", "Resolved"),
    ("incident", "severity", "2", "2 - Medium"),
]


def hours(before_now: float) -> datetime:
    return NOW - timedelta(hours=before_now)


someone = FakeOutside({}).hashed
MONA, MONAS_MAIL, ADA = someone("mona"), someone("mona@example.test"), someone("ada")


def small_world() -> ServiceNow:
    """One with a long history, one untouched, one imported, one too old, and one that waits for long."""
    full = task(
        1, hours(50), hours(3), state="7", priority="1", group="g2", assigned_to="u2", active="false", cmdb_ci=CI,
        closed_at=text(hours(3)), resolved_at=text(hours(20)), close_code="Solved",
    )  # fmt: skip
    imported = task(
        3, hours(40), hours(30), state="7", active="false", mod="0", opened_at=text(hours(100)),
        closed_at=text(hours(90)), close_code="Duplicate",
    )  # fmt: skip
    old = task(4, hours(900), hours(800), state="7", active="false", closed_at=text(hours(800)))
    waits = task(5, hours(700), hours(600), group="", mod="0")
    audits = [
        audit(1, 1, hours(50), "state", "", "1", "mona"),
        audit(2, 1, hours(48), "priority", "3", "1"),
        audit(3, 1, hours(48), "assigned_to", "", "u2"),
        audit(4, 1, hours(45), "state", "1", "2"),
        audit(5, 1, hours(40), "assignment_group", "g1", "g2"),
        audit(6, 1, hours(20), "state", "2", "6"),
        audit(7, 1, hours(10), "state", "6", "2", "mona"),
        audit(8, 1, hours(3), "state", "2", "7", "system"),
        audit(9, 1, hours(9), "severity", "2", "3"),
    ]
    entries = [
        entry(1, 1, hours(49), "system"),
        entry(2, 1, hours(47), "mona"),
        entry(3, 1, hours(46), "ada", "work_notes"),
        entry(4, 1, hours(39), "ada"),
    ]
    clocks = [
        clock(1, 1, hours(50), hours(20), stage="completed", active="false", end_time=text(hours(20)), has_breached="true"),
        clock(2, 2, hours(5), hours(1), planned_end_time=text(hours(-3))),
    ]  # fmt: skip
    return ServiceNow({
        "incident": [full, task(2, hours(5), hours(5), mod="0"), imported, old, waits],
        "sys_audit": audits,
        "sys_journal_field": entries,
        "task_sla": clocks,
        "sys_choice": [choice(n, *said) for n, said in enumerate(CHOICES)],
        "sys_user_group": [{"sys_id": both("g1"), "name": both("Service Desk")}, {"sys_id": both("g2"), "name": both("Network")}],
        "sys_user_grmember": [],
    })  # fmt: skip


def step(number: int, key: str, before_now: float, change: TicketChange, **more: Any) -> TicketEvent:
    group, queue = more.pop("group", "Service Desk"), more.pop("queue", "Service Desk")
    role = more.pop("role", Role.AGENT)
    by = {Role.AGENT: ADA, Role.REPORTER: MONA, Role.BOT: ""}
    return TicketEvent(
        key=f"t{number}/{key}",
        at=hours(before_now),
        about=Ref(
            system="servicenow", kind="table", id="incident", links=(f"servicenow:group/{group}",) if group else ()
        ),
        queue=queue,
        ticket=f"t{number}",
        change=change,
        role=role,
        actor=more.pop("actor", by[role]),
        **more,
    )


def created(number: int, before_now: float, updated: float, **more: Any) -> TicketEvent:
    status, value = more.pop("status", "New"), more.pop("value", "1")
    said: dict[str, Any] = {"priority": "P3", "severity": "3 - Low", "answers": (), **more}
    return step(
        number, "created", before_now, TicketChange.CREATED, role=Role.REPORTER, updated=hours(updated),
        name=f"INC{number}", status=status, category="Network", issue_type="Incident", labels=(), requester=MONAS_MAIL,
        asking="servicenow:department/Payments", aliases=(Alias("status", status, value),), **said,
    )  # fmt: skip


def status(number: int, key: str, before_now: float, name: str, value: str, **more: Any) -> TicketEvent:
    aliases = (Alias("status", name, value),)
    return step(number, key, before_now, TicketChange.STATUS, status=name, aliases=aliases, **more)


def run(number: int, ticket: int, began: float, updated: float, **more: Any) -> ToolClock:
    return ToolClock(
        key=f"t{ticket}/sla/c{number}",
        at=hours(began),
        about=Ref(system="servicenow", kind="table", id="incident", links=("servicenow:group/Service Desk",)),
        updated=hours(updated),
        queue="Service Desk",
        ticket=f"t{ticket}",
        clock="Priority 1 response",
        goal=timedelta(hours=8),
        **more,
    )


def outage(updated: float, **more: Any) -> Incident:
    return Incident(
        key="t1/incident",
        at=hours(50),
        about=Ref(system="servicenow", kind="ci", id="ci/Checkout", links=("servicenow:group/Network",)),
        updated=hours(updated),
        severity=Severity.CRITICAL,
        way=IncidentWay.TICKET,
        name="INC1",
        url="https://acme.service-now.com/incident.do?sys_id=t1",
        ids=("INC1", "https://acme.service-now.com/incident.do?sys_id=t1"),
        mentions=("1.2.3", "PLAT-7"),
        **more,
    )


def later_world() -> ServiceNow:
    """Three hours on: one is resolved, one came whose changes are hidden, one is odd, a clock has stopped."""
    world = small_world()
    _, second, *_ = world.tables["incident"]
    second |= {
        "sys_updated_on": both(text(hours(-1))),
        "state": both("6", "Resolved"),
        "resolved_at": both(text(hours(-1))),
    }
    second |= {"sys_mod_count": both("1"), "close_code": both("Solved")}
    odd = task(7, hours(-1), hours(-2)) | {"opened_at": both("0001-01-01 00:00:00")}
    world.tables["incident"] += [task(6, hours(-1), hours(-2), state="3"), odd]
    world.tables["sys_audit"] += [
        audit(10, 2, hours(-1), "state", "1", "6"),
        audit(11, 6, hours(-2), "state", "1", "3"),
    ]
    world.hidden = {"a011"}
    world.tables["task_sla"][1] |= clock(
        2, 2, hours(5), hours(-1), stage="completed", active="false", end_time=text(hours(-1)),
        planned_end_time=text(hours(-3)), business_duration="1970-01-01 06:00:00",
    )  # fmt: skip
    return world


LATER = Later(
    answers=later_world,
    after=timedelta(hours=3),
    expected=[
        created(2, 5, -1),
        status(2, "a010", -1, "Resolved", "6"),
        step(2, "a010/resolved", -1, TicketChange.RESOLVED, resolution="Solved"),
        created(6, -1, -2, status="On Hold", value="3", today=Today("On Hold", "", untold=True)),
        run(2, 2, 5, -1, stopped=hours(-1), breached_at=hours(-3), elapsed=timedelta(hours=6)),
    ],
    gaps=["INC6: its changes (sys_audit) can't be read"],
    rejected=1,
)
CASE = Case(
    settings=SETTINGS,
    without=[({"incidents": None}, frozenset({Incident})), ({"sla_clocks": False}, frozenset({ToolClock}))],
    answers=small_world,
    later=LATER,
    now=NOW,
    since=SINCE,
    people=("Mona", "mona", "Lisa", "ada", "Dear", "printer"),
    expected=[
        created(1, 50, 3, severity="2 - Medium", answers=("t1/comments/j004",)),
        step(1, "comments/j001", 49, TicketChange.COMMENT, role=Role.BOT),
        step(1, "a002", 48, TicketChange.PRIORITY, priority="P1"),
        step(1, "a003", 48, TicketChange.ASSIGNED),
        step(1, "comments/j002", 47, TicketChange.COMMENT, role=Role.REPORTER),
        step(1, "work_notes/j003", 46, TicketChange.COMMENT, public=False),
        status(1, "a004", 45, "In Progress", "2"),
        step(1, "a005", 40, TicketChange.MOVED, group="Network", queue="Network"),
        step(1, "comments/j004", 39, TicketChange.COMMENT, group="Network"),
        status(1, "a006", 20, "Resolved", "6", group="Network"),
        step(1, "a006/resolved", 20, TicketChange.RESOLVED, group="Network", resolution="Resolved"),
        status(1, "a007", 10, "In Progress", "2", group="Network", role=Role.REPORTER),
        step(1, "a007/reopened", 10, TicketChange.REOPENED, group="Network", role=Role.REPORTER),
        step(1, "a009", 9, TicketChange.PRIORITY, group="Network", severity="3 - Low"),
        status(1, "a008", 3, "Closed", "7", group="Network", role=Role.BOT),
        step(1, "a008/resolved", 3, TicketChange.RESOLVED, group="Network", role=Role.BOT, resolution="Solved"),
        outage(3, resolved=hours(3)),
        created(2, 5, 5),
        created(3, 100, 30, status="Closed", value="7"),
        step(3, "resolved", 90, TicketChange.RESOLVED, resolution="Duplicate", actor=""),
        created(5, 700, 600, group="", queue="incident"),
        run(1, 1, 50, 20, stopped=hours(20), breached=True, elapsed=timedelta(hours=1.5)),
        run(2, 2, 5, 1, breached_at=hours(-3)),
    ],
)


def told(world: ServiceNow, **more: Any) -> tuple[list[Fact], FakeOutside, bytes | None]:
    """One poll of the tickets."""
    config = {**SETTINGS, "incidents": None, "sla_clocks": False, **more}
    return polled(world, config, None, NOW)


def polled(
    world: ServiceNow, config: dict[str, Any], checkpoint: bytes | None, now: datetime
) -> tuple[list[Fact], FakeOutside, bytes | None]:
    outside = FakeOutside(world)
    (stream,) = SOURCE.connect(Config.model_validate(config), outside, "test")
    pages = list(stream.read(checkpoint, SINCE, now))
    return [fact for page in pages for fact in page.facts], outside, pages[-1].checkpoint


def one(facts: list[Fact], key: str) -> TicketEvent:
    (found,) = [fact for fact in facts if fact.key == key]
    assert isinstance(found, TicketEvent)
    return found


def plain(*tasks: dict[str, Any]) -> ServiceNow:
    """Tickets to which nothing happened."""
    world = small_world()
    world.tables |= {"incident": [*tasks], "sys_audit": [], "sys_journal_field": []}
    return world


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servicenow, "PAGE_TICKETS", 3)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("changing", range(9))
def test_a_ticket_that_changes_while_pages_are_read_pushes_none_over_their_edge(changing: int) -> None:
    """Whichever it is: the others are told by this poll, and it by the next one at the latest."""
    world = plain(*(task(n, hours(10 + n), hours(10 + n)) for n in range(9)))

    def change(world: ServiceNow) -> None:
        world.tables["incident"][changing]["sys_updated_on"] = both(text(NOW + timedelta(minutes=1)))

    world.between = change
    first, outside, checkpoint = told(world)
    assert {fact.key for fact in first} | {f"t{changing}/created"} == {f"t{n}/created" for n in range(9)}
    assert {call.params["sysparm_offset"] for call in outside.calls} == {0}
    config = {**SETTINGS, "incidents": None, "sla_clocks": False}
    second, _, _ = polled(world, config, checkpoint, NOW + timedelta(hours=1))
    assert f"t{changing}/created" in {fact.key for fact in second}


@pytest.mark.usefixtures("small_pages")
def test_more_tickets_than_a_page_holds_may_change_in_one_second() -> None:
    """A job that closes them all: they are read by their ids, then those of before."""
    world = plain(*(task(n, hours(50), hours(5 if 2 <= n < 9 else 6)) for n in range(12)))
    facts, _, _ = told(world)
    assert sorted(fact.key for fact in facts) == sorted(f"t{n}/created" for n in range(12))


@pytest.mark.usefixtures("small_pages")
def test_pages_of_hidden_tickets_end_no_list_and_are_a_gap() -> None:
    """A rule hides six in a row, more than a page: what lies behind them is told."""
    world = plain(*(task(n, hours(10 + n), hours(10 + n)) for n in range(9)))
    world.hidden = {f"t{n}" for n in range(1, 7)}
    facts, outside, _ = told(world)
    assert sorted(fact.key for fact in facts) == ["t0/created", "t7/created", "t8/created"]
    (gap,) = outside.gaps
    assert (gap.reason, gap.start, gap.end) == ("forbidden", SINCE, NOW)
    assert gap.text.startswith("incident: tickets are hidden from the account by an access rule; let it read them")


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("left_out", [r"sys_updated_on[<>=]+[^^]*(\^ORactive=true)?\^?", r".*"])
def test_a_query_that_the_instance_does_not_apply_fails_the_poll(left_out: str) -> None:
    """A field that the account may not read is left out of a query: the same tickets would come again and again."""
    world = plain(*(task(n, hours(20 - n), hours(20 - n)) for n in range(9)))

    def answer(call: Call) -> Reply:
        query = re.sub(left_out, "", call.params["sysparm_query"])
        return world(replace(call, params={**call.params, "sysparm_query": query}))

    outside = FakeOutside(answer)
    config = Config.model_validate({**SETTINGS, "incidents": None, "sla_clocks": False})
    (stream,) = SOURCE.connect(config, outside, "test")
    with pytest.raises(
        Unexpected, match=r"incident: the instance gives rows that were not asked for: .*sys_updated_on"
    ):
        list(stream.read(None, SINCE, NOW))


def test_without_audits_tickets_are_told_and_no_clock_of_theirs() -> None:
    """The account may not read sys_audit: how they stand, when they were made and solved is known, nothing between."""
    world = small_world()
    world.refused = {"sys_audit"}
    facts, outside, _ = told(world)
    born = one(facts, "t1/created")
    assert (born.status, born.today, born.queue) == ("Closed", Today("Closed", "Solved", untold=True), "Network")
    assert (one(facts, "t1/resolved").at, one(facts, "t1/resolved").resolution) == (hours(20), "Solved")
    assert one(facts, "t2/created").today is None, "it never changed, which its own count of changes tells"
    assert "t1/comments/j004" in {fact.key for fact in facts}
    (gap,) = outside.gaps
    assert gap.text == (
        "incident: sys_audit: GET /api/now/table/sys_audit: 403; give the account a role that reads both tables, such as "
        "itil with a read rule for them"
    )


def test_hidden_audits_spoil_their_own_ticket_alone() -> None:
    """Of two tickets of one page, one has a hidden change: the other's history is whole."""
    world = small_world()
    world.tables["incident"].append(task(6, hours(4), hours(3), state="2"))
    world.tables["sys_audit"].append(audit(12, 6, hours(3), "state", "1", "2"))
    world.hidden = {"a012"}
    facts, outside, _ = told(world)
    assert one(facts, "t6/created").today == Today("In Progress", "", untold=True)
    assert one(facts, "t1/created").today is None
    assert [gap.text for gap in outside.gaps] == ["INC6: its changes (sys_audit) can't be read"]


def test_without_comments_nobody_knows_the_first_answer() -> None:
    """The account may not read sys_journal_field."""
    world = small_world()
    world.refused = {"sys_journal_field"}
    facts, outside, _ = told(world)
    assert [one(facts, f"t{n}/created").whole for n in (1, 2)] == [False, False]
    assert "sys_journal_field" in outside.gaps[0].text


def test_changes_that_end_elsewhere_than_today_are_told_so() -> None:
    """A script that writes no audit closed it: how it stands is known, and since when by its own date."""
    world = small_world()
    closed = task(6, hours(9), hours(3), state="7", active="false", closed_at=text(hours(3)))
    world.tables["incident"].append(closed)
    world.tables["sys_audit"].append(audit(12, 6, hours(8), "state", "1", "2"))
    facts, outside, _ = told(world)
    assert one(facts, "t6/created").today == Today("Closed", "Closed")
    assert (one(facts, "t6/resolved").at, one(facts, "t6/a012").status) == (hours(3), "In Progress")
    assert [gap.text for gap in outside.gaps] == ["INC6: nobody recorded when its state became what it is today"]


def test_a_ticket_of_a_table_without_audit_has_no_clock() -> None:
    """It was closed after its row was made, and no change tells it: pauses are in no change either."""
    world = plain(task(6, hours(9), hours(3), state="7", active="false", closed_at=text(hours(3))))
    facts, outside, _ = told(world)
    assert one(facts, "t6/created").today == Today("Closed", "Closed", untold=True)
    assert one(facts, "t6/resolved").at == hours(3)
    assert [gap.text for gap in outside.gaps] == [
        "INC6: it was closed and no change tells it; switch the audit of its table and of its field state on"
    ]


def test_a_ticket_that_was_closed_before_it_was_opened_was_closed_nobody_knows_when() -> None:
    """It is never solved in no time for want of a date."""
    world = plain(task(6, hours(9), hours(3), state="7", active="false", mod="0", closed_at=text(hours(10))))
    assert [fact.key for fact in told(world)[0]] == ["t6/created"]


def test_several_changes_of_one_second_keep_the_order_of_the_rows_versions() -> None:
    """Ids tell no order."""
    world = small_world()
    world.tables["incident"] = [task(6, hours(9), hours(3), state="3")]
    later = audit(1, 6, hours(3), "state", "2", "3") | {"record_checkpoint": both("2")}
    sooner = audit(2, 6, hours(3), "state", "1", "2") | {"record_checkpoint": both("1")}
    world.tables["sys_audit"] = [later, sooner]
    facts, outside, _ = told(world)
    steps = [fact.status for fact in facts if isinstance(fact, TicketEvent) and fact.change is TicketChange.STATUS]
    assert (steps, outside.gaps) == (["In Progress", "On Hold"], [])
    assert one(facts, "t6/created").status == "New"


def test_what_a_ticket_shows_late_is_told_by_the_next_poll() -> None:
    """It changed half a minute before the first poll, and its audit was written after."""
    world, config = plain(task(6, hours(9), NOW - timedelta(seconds=30))), {**SETTINGS, "sla_clocks": False}
    _, _, checkpoint = polled(world, config, None, NOW)
    world.tables["sys_audit"] = [audit(12, 6, NOW - timedelta(seconds=30), "priority", "2", "3")]
    facts, _, checkpoint = polled(world, config, checkpoint, NOW + timedelta(minutes=5))
    assert [fact.key for fact in facts] == ["t6/created", "t6/a012"]
    assert polled(world, config, checkpoint, NOW + timedelta(minutes=10))[0] == []


def test_a_ticket_that_is_closed_is_looked_for_no_more() -> None:
    """It may be archived one day, which takes it out of no queue."""
    world, config = plain(task(6, hours(9), hours(9))), {**SETTINGS, "sla_clocks": False}
    _, _, checkpoint = polled(world, config, None, NOW)
    world.tables["incident"] = [task(6, hours(9), hours(-1), state="7", active="false", closed_at=text(hours(-1)))]
    _, _, checkpoint = polled(world, config, checkpoint, hours(-2))
    world.tables["incident"] = []
    for day in (1, 2, 3):
        facts, _, checkpoint = polled(world, config, checkpoint, NOW + timedelta(days=day))
        assert facts == []


def test_a_ticket_that_is_deleted_leaves_its_queue_on_the_second_day() -> None:
    """It is looked for once a day, by its id."""
    world, config = small_world(), {**SETTINGS, "sla_clocks": False}
    _, _, checkpoint = polled(world, config, None, NOW)
    world.tables["incident"] = [row for row in world.tables["incident"] if row["sys_id"]["value"] != "t2"]
    facts: list[Fact] = []
    for day in (1, 2, 3):
        now = NOW + timedelta(days=day)
        more, outside, checkpoint = polled(world, config, checkpoint, now)
        facts += more
        asked = [c.params["sysparm_query"] for c in outside.calls if "sys_idIN" in c.params["sysparm_query"]]
        assert asked == [f"sys_idIN{'t2,t5' if day < 3 else 't5'}^ORDERBYsys_id"]
    (gone,) = [fact for fact in facts if fact.key == "t2/gone"]
    assert isinstance(gone, TicketEvent)
    assert (gone.at, gone.queue, gone.resolution) == (NOW + timedelta(days=2), "Service Desk", GONE)


def test_an_incident_whose_ticket_is_deleted_is_taken_back() -> None:
    """It was never one: nobody will say that it ended."""
    world, config = small_world(), {**SETTINGS, "sla_clocks": False}
    world.tables["incident"].append(task(6, hours(9), hours(9), priority="1", mod="0"))
    _, _, checkpoint = polled(world, config, None, NOW)
    world.tables["incident"].pop()
    for day in (1, 2):
        facts, _, checkpoint = polled(world, config, checkpoint, NOW + timedelta(days=day))
    assert [(f.key, f.valid) for f in facts if isinstance(f, Incident)] == [("t6/incident", False)]


@pytest.mark.parametrize(
    ("agents", "answers"),
    [((), ("t1/comments/j004",)), (("Ada",), ("t1/comments/j004",)), (("group:Desk",), ()), (("bob", "mona"), ())],
)
def test_agents_are_those_whom_the_settings_name(agents: tuple[str, ...], answers: tuple[str, ...]) -> None:
    """Logins, in capitals or not, and members of groups; who asks is none even where she is named."""
    world = small_world()
    world.tables["sys_user_grmember"] = [
        {"sys_id": both("m1"), "group.name": both("Desk"), "user.user_name": both("bob")},
        {"sys_id": both("m2"), "group.name": both("Other"), "user.user_name": both("ada")},
    ]
    facts, _, _ = told(world, agents=agents)
    assert one(facts, "t1/created").answers == answers


def test_a_poll_of_nothing_new_is_one_call_a_table() -> None:
    """Who is in a group is asked for when a ticket has changed, once a poll."""
    world, config = small_world(), {**SETTINGS, "sla_clocks": False, "agents": ["group:Desk"]}
    _, first, checkpoint = polled(world, config, None, NOW)
    _, again, _ = polled(world, config, checkpoint, NOW + timedelta(hours=1))
    paths = [[call.path.rpartition("/")[2] for call in outside.calls] for outside in (first, again)]
    assert (paths[0].count("sys_user_grmember"), paths[1]) == (1, ["incident"])


def test_who_asks_without_a_login_that_may_be_seen_leaves_the_first_answer_open() -> None:
    """Any comment might be theirs; where agents are named it does not matter."""
    world = small_world()
    world.unseen = {"caller_id.user_name", "caller_id.email"}
    assert not one(told(world)[0], "t1/created").whole
    assert one(told(world, agents=["ada"])[0], "t1/created").whole
    assert one(told(world)[0], "t1/created").requester == someone("u1")


def test_other_agents_tell_everything_anew() -> None:
    """Since the history begins, and in place of what was told before."""
    world, config = small_world(), {**SETTINGS, "incidents": None, "sla_clocks": False}
    _, _, checkpoint = polled(world, config, None, NOW)
    now = NOW + timedelta(hours=1)
    facts, _, _ = polled(world, {**config, "agents": ["bob"]}, checkpoint, now)
    assert (one(facts, "t1/created").answers, one(facts, "t1/created").updated) == ((), now)


def test_names_follow_the_language_in_which_tickets_are_shown() -> None:
    """An account that sees German: old changes are told in German too, and the value is another name of each."""
    world = small_world()
    for row in world.tables["incident"]:
        row["state"] = both(row["state"]["value"], "Neu" if row["state"]["value"] == "1" else "Geschlossen")
    facts, _, _ = told(world)
    held = one(facts, "t1/a004")
    assert (held.status, held.aliases) == ("In Bearbeitung", (Alias("status", "In Bearbeitung", "2"),))


def test_values_are_their_own_names_where_choices_and_groups_may_not_be_read() -> None:
    """Nothing fails for want of a name."""
    world = small_world()
    world.tables["incident"] = world.tables["incident"][:1]
    world.refused = {"sys_choice", "sys_user_group"}
    facts, _, _ = told(world)
    assert (one(facts, "t1/created").queue, one(facts, "t1/a004").status) == ("g1", "2")
    assert one(facts, "t1/a005").queue == "Network"


@pytest.mark.parametrize(
    ("more", "key", "event"),
    [
        ({"by": "system", "opened_by.user_name": "system"}, "role", Role.BOT),
        ({"by": "ada"}, "role", Role.REPORTER),
        ({"caller_id.department": "", "company": both("x", "Globex")}, "asking", "servicenow:company/Globex"),
        ({"caller_id.department": ""}, "asking", ""),
        ({"category": ""}, "category", "Incident"),
        ({"category": "", "cat_item": both("i", "Laptop")}, "category", "Laptop"),
        ({"caller_id": "", "opened_by": "u3", "opened_by.user_name": "eve"}, "requester", someone("eve")),
        ({"caller_id": "", "by": "eve"}, "requester", someone("eve")),
        ({"priority": "2"}, "priority", "2 - High"),
    ],
)
def test_what_a_ticket_says_of_itself(more: dict[str, Any], key: str, event: object) -> None:
    """Each of these as its creation tells it."""
    world = small_world()
    world.tables["incident"] = [task(6, hours(9), hours(9), mod="0", **more)]
    assert getattr(one(told(world)[0], "t6/created"), key) == event


def test_states_of_ones_own_may_be_the_end() -> None:
    """`done` says so by table; of a table that nobody knows those of `task` hold."""
    world = small_world()
    world.tables["incident"] = [task(6, hours(9), hours(3), state="3")]
    world.tables["sys_audit"] = [audit(12, 6, hours(3), "state", "2", "3")]
    kinds = [event.change for event in told(world)[0] if isinstance(event, TicketEvent)]
    assert kinds == [TicketChange.CREATED, TicketChange.STATUS]
    kinds = [event.change for event in told(world, done={"incident": ["3"]})[0] if isinstance(event, TicketEvent)]
    assert kinds == [TicketChange.CREATED, TicketChange.STATUS, TicketChange.RESOLVED]
    world.tables["incident"] = [task(6, hours(9), hours(3), state="3", active="false")]
    kinds = [event.change for event in told(world)[0] if isinstance(event, TicketEvent)]
    assert kinds == [TicketChange.CREATED, TicketChange.STATUS, TicketChange.RESOLVED], "nobody works on it any more"
    world.tables["sc_task"] = [task(6, hours(9), hours(3), state="3")]
    kinds = [event.change for event in told(world, tables=["sc_task"])[0] if isinstance(event, TicketEvent)]
    assert kinds == [TicketChange.CREATED, TicketChange.STATUS, TicketChange.RESOLVED]


@pytest.mark.parametrize(
    ("state", "priority", "valid"),
    [("accepted", "3", [True]), ("proposed", "3", []), ("canceled", "3", [False]), ("canceled", "1", [True])],
)
def test_a_major_incident_is_one_until_that_is_taken_back(state: str, priority: str, valid: list[bool]) -> None:
    """Unless its priority makes it one too."""
    world = small_world()
    more = task(
        6, hours(9), hours(9), mod="0", priority=priority, major_incident_state=state, problem_id=both("p", "PRB7")
    )
    world.tables["incident"] = [more]
    facts, _, _ = told(world, incidents=SETTINGS["incidents"])
    found = [fact for fact in facts if isinstance(fact, Incident)]
    assert [incident.valid for incident in found] == valid
    assert [incident.mentions for incident in found] == [("1.2.3", "PLAT-7", "PRB7")] * len(valid)


@pytest.mark.parametrize(
    ("more", "key", "value"),
    [
        ({"stage": "paused", "planned_end_time": text(hours(1))}, "breached_at", None),
        ({"stage": "paused", "planned_end_time": text(hours(1))}, "elapsed", timedelta(hours=1.5)),
        ({"stage": "paused"}, "paused", True),
        ({"stage": "cancelled"}, "valid", False),
        ({"sla.duration": ""}, "goal", None),
        ({"task.assignment_group": ""}, "queue", "incident"),
    ],
)
def test_clocks_say_what_is_known(more: dict[str, str], key: str, value: object) -> None:
    """Each word of a run of one SLA."""
    row = msgspec.convert(clock(1, 1, hours(5), hours(4), **more), rows.Clock)
    assert getattr(clocks.clock(row), key) == value


def test_clocks_are_read_by_themselves() -> None:
    """One that runs for long is told by the first poll; those of other tables start anew; hidden ones are a gap."""
    world = small_world()
    world.tables["task_sla"] = [clock(1, 1, hours(900), hours(800)), clock(2, 2, hours(5), hours(4))]
    outside = FakeOutside(world)
    _, stream = SOURCE.connect(Config.model_validate(SETTINGS), outside, "test")
    pages = list(stream.read(None, SINCE, NOW))
    assert [fact.key for page in pages for fact in page.facts] == ["t2/sla/c2", "t1/sla/c1"]
    world.hidden = {"c2"}
    _, _, stream = SOURCE.connect(
        Config.model_validate({**SETTINGS, "tables": ["incident", "problem"]}), outside, "test"
    )
    pages = list(stream.read(pages[-1].checkpoint, SINCE, NOW + timedelta(hours=1)))
    assert [fact.key for page in pages for fact in page.facts] == ["t1/sla/c1"]
    assert [gap.text for gap in outside.gaps] == [
        "rows of task_sla are hidden from the account by an access rule; let it read the clocks of all tickets"
    ]


def test_check_says_what_the_account_lacks() -> None:
    """By table: what is refused, what is not there, of what rows are hidden, and a group of nobody."""
    world = small_world()
    world.refused = {"sys_audit"}
    world.hidden = {"j001", "j002", "j003", "j004"}
    config = Config.model_validate({**SETTINGS, "tables": ["incident", "sc_nothing"], "agents": ["group:Desk"]})
    lines = SOURCE.check(config, FakeOutside(world))
    assert [line.split(";")[0] for line in lines] == [
        "sc_nothing: GET /api/now/table/sc_nothing: 400",
        "sys_audit: GET /api/now/table/sys_audit: 403",
        "sys_journal_field: an access rule hides rows from the account",
        "agents: group:Desk has no member that the account may see",
    ]


def test_check_says_that_nobody_knows_who_asks() -> None:
    """The account may not see logins; where agents are named it needs none."""
    world = small_world()
    world.unseen = {"caller_id.user_name"}
    (line,) = SOURCE.check(Config.model_validate(SETTINGS), FakeOutside(world))
    assert line.startswith("sys_user: the logins of callers are hidden")
    assert SOURCE.check(Config.model_validate({**SETTINGS, "agents": ["ada"]}), FakeOutside(world)) == []


@pytest.mark.parametrize(
    ("changed", "text_"),
    [
        ({"password": None}, "`user` and `password` go together"),
        ({"user": None, "password": None}, "one way to be let in is wanted"),
        ({"api_key": {"env": "K"}}, "one way to be let in is wanted"),
        ({"select": "active=true^ORDERBYnumber"}, "leave ORDERBY and \\^NQ out of select"),
        ({"select": "a=1^NQb=2"}, "leave ORDERBY and \\^NQ out of select"),
        ({"select": "a=1^"}, "has a \\^ at its edge"),
        ({"select": "^a=1"}, "has a \\^ at its edge"),
        ({"agents": ["group: "]}, "names nobody"),
        ({"tables": []}, "at least 1 item"),
        ({"tables": ["../x"]}, "should match pattern"),
    ],
)
def test_settings_that_can_not_be_meant_are_refused(changed: dict[str, Any], text_: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError, match=text_):
        Config.model_validate({**SETTINGS, **changed})


def test_ways_to_be_let_in() -> None:
    """An account, a key in the header of ServiceNow's own, or a client whose tokens the instance gives."""
    account = SOURCE.access(Config.model_validate(SETTINGS)).credential
    assert account == Basic(user="platform-meter", password=Secret(env="SERVICENOW_PASSWORD"))
    key = {"user": None, "password": None, "api_key": {"env": "KEY"}}
    found = SOURCE.access(Config.model_validate({**SETTINGS, **key})).credential
    assert found == SecretHeaders(headers={"x-sn-apikey": Secret(env="KEY")})
    client = {"client": "c1", "secret": {"env": "S"}, "refresh_token": {"env": "R"}}
    oauth = {"user": None, "password": None, "oauth": client}
    found = SOURCE.access(Config.model_validate({**SETTINGS, **oauth})).credential
    assert found == OAuth(
        client="c1",
        secret=Secret(env="S"),
        refresh=Secret(env="R"),
        url="https://acme.service-now.com",
        path="/oauth_token.do",
    )


def test_select_holds_for_every_question_about_tickets() -> None:
    """Beside the time, the open ones of the first poll, and the looks for those that were not seen."""
    world, config = small_world(), {**SETTINGS, "incidents": None, "sla_clocks": False, "select": "assignment_group=g1"}
    facts, _, checkpoint = polled(world, config, None, NOW)
    assert {fact.ticket for fact in facts if isinstance(fact, TicketEvent)} == {"t2", "t3"}
    _, outside, _ = polled(world, config, checkpoint, NOW + timedelta(days=1))
    asked = [call.params["sysparm_query"] for call in outside.calls if call.path.endswith("/incident")]
    assert asked == [
        "assignment_group=g1^sys_updated_on>=2026-05-20 11:45:00^ORDERBYDESCsys_updated_on^ORDERBYsys_id",
        "assignment_group=g1^sys_idINt2^ORDERBYsys_id",
    ]


def test_priorities_of_the_instance_in_the_words_of_the_settings() -> None:
    """As its list of choices has them."""
    world = small_world()
    world.tables["sys_choice"] = [
        choice(1, "task", "priority", "1", "1 - Critical"),
        choice(2, "task", "priority", "2", "2 - High"),
    ]
    assert SOURCE.priorities(Config.model_validate(SETTINGS), FakeOutside(world)) == ("P1", "2 - High")
