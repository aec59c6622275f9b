"""ServiceNow: every step of the tickets of some tables, by the Table API.

One list of each table, newest change first, so that a ticket which changes meanwhile moves to the front: its own change
is newer than the poll, so the next one has it, and none is pushed past the page being read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TypeVar

import msgspec

from platform_meter.model.facts import Event, Fact
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.tickets import TicketEvent, ToolClock
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import (
    Area,
    Forbidden,
    Gap,
    Outside,
    Page,
    Refused,
    Source,
    Stream,
    Unexpected,
)
from platform_meter.model.typed import decode
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.incidents import gone_incident
from platform_meter.sources.kit.open_tickets import OpenTickets, Sight, gone_event
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.servicenow import clocks
from platform_meter.sources.servicenow.config import Config, access
from platform_meter.sources.servicenow.facts import MACHINES, Conventions, ticket_events
from platform_meter.sources.servicenow.histories import Histories, History
from platform_meter.sources.servicenow.incidents import incident, incident_key
from platform_meter.sources.servicenow.lists import Rows, Table
from platform_meter.sources.servicenow.names import GROUP, Names, members
from platform_meter.sources.servicenow.rows import (
    FIELDS,
    NAMING,
    Audit,
    Choice,
    Clock,
    Entry,
    Named,
    Record,
    Task,
    about,
    names_of,
    stamp,
)

PAGE_TICKETS = 50
"""Tickets in one page of facts, whose history is asked for by their ids: more would make an address too long."""
_MINUTE = timedelta(minutes=1)


class _State(Cursor, omit_defaults=True):
    asked: str = ""
    """What was asked for; other settings start anew."""
    open: OpenTickets = msgspec.field(default_factory=OpenTickets)
    agents: tuple[str, ...] = ()
    """Who answers, as the settings said; who else does later starts anew."""
    since: datetime | None = None
    """When they said something else before."""


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del instance
    runs = [clocks.stream(config.tables, config.overlap, outside)] if config.sla_clocks else []
    return [*(_tickets(config, table, outside) for table in config.tables), *runs]


def _tickets(config: Config, table: str, outside: Outside) -> Stream:
    named, rules = tuple(sorted(config.agents)), config.incidents
    chosen = f"{config.select}^" if config.select else ""

    def pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        fresh = _State(asked=config.asked, agents=named)
        state = decode(checkpoint, _State) if checkpoint else fresh
        if (state.asked, state.agents) != (config.asked, named):
            # The open ones stay: those that the new query doesn't find are gone.
            since_ = state.since if state.agents == named else now
            state = msgspec.structs.replace(fresh, open=state.open, since=since_)
        if state.began is None:
            state.begin(now, state.next_start(since, config.overlap))
        start, began = state.start or since, state.began or now
        names, histories = Names(outside, table), Histories(outside)
        conventions = Conventions(
            table=table,
            names=names,
            hashed=outside.hashed,
            done=config.done_in(table),
            priorities=config.priorities,
            bots=frozenset(login.lower() for login in (*MACHINES, *config.bots)),
            agents=cache(partial(_agents, outside, named)),
            category=config.category,
            since=state.since,
        )
        # What is open is asked for at first however long nobody touched it: it waits, so it counts.
        waiting = "^ORactive=true" if state.read is None else ""
        found = Table(outside, table, Rows[Task], (*FIELDS, *NAMING) if rules else FIELDS, PAGE_TICKETS)
        rows = found.changed(f"{chosen}sys_updated_on>={stamp(start)}{waiting}", state.at)
        for tasks in state.changed(rows, lambda task: (task.id, task.updated), config.overlap, settled=_MINUTE):
            for task in tasks:
                names.saw(task)
            told = histories.of(tasks)
            names.know(_groups(told.values()))
            facts: list[Event] = []
            for task in tasks:
                story = ticket_events(task, told[task.id], conventions)
                facts += story.events
                one = incident(task, story.events, rules, config.url) if rules else None
                facts += [one] if one else ()
                if story.unrecorded and not histories.refused:
                    text = f"{task.number.raw}: {story.unrecorded}"
                    end = max(task.updated or now, task.created)
                    outside.gap(Gap(start=task.created, end=end, reason="unreadable", text=text))
                if task.state.raw in conventions.done_of(task):
                    state.open.closed(task.id)
                else:
                    place = conventions.queue(task.assignment_group.raw)
                    state.open.saw(task.id, now.date(), place, incident=one.at if one else None)
            progress = Progress(what="tickets", back_to=state.at) if state.at else None
            yield Page(facts=facts, checkpoint=msgspec.json.encode(state), progress=progress)
        for text in _lacking(found, histories):
            outside.gap(Gap(start=start, end=began, reason="forbidden", text=text))
        yield Page(checkpoint=msgspec.json.encode(state))
        if due := state.open.due(now.date(), PAGE_TICKETS):
            facts = _gone(outside, table, chosen, state.open, due, now)
            yield Page(facts=facts, checkpoint=msgspec.json.encode(state))

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

    gives: frozenset[type[Fact]] = frozenset({TicketEvent, Incident} if rules else {TicketEvent})
    return Stream(name=table, read=read, gives=gives)


def _agents(outside: Sieve, named: Sequence[str]) -> Collection[str] | None:
    """Logins of all who answer; None where the settings name nobody.

    Raises:
        Forbidden: the members of a group can't be read: without agents every ticket would look unanswered.
    """
    if not named:
        return None
    found = {name.lower() for name in named if not name.startswith(GROUP)}
    for name in named:
        if name.startswith(GROUP):
            found |= {*members(outside, name.removeprefix(GROUP))}
    return found


def _groups(told: Collection[History]) -> Iterator[str]:
    for history in told:
        for audit in history.audits or ():
            if audit.fieldname.raw == "assignment_group":
                yield from (audit.oldvalue.raw, audit.newvalue.raw)


def _lacking(found: Table[Task], histories: Histories) -> Iterator[str]:
    """What the account could not see in this poll, for people."""
    if found.hidden:
        yield (
            f"{found.name}: tickets are hidden from the account by an access rule; let it read them, or say in `select` "
            "which ones it may"
        )
    if histories.refused:
        yield f"{found.name}: {histories.refused}; {_GRANT}"


_GRANT = "give the account a role that reads both tables, such as itil with a read rule for them"


def _gone(
    outside: Sieve, table: str, chosen: str, tickets: OpenTickets, due: Mapping[str, Sight], now: datetime
) -> list[Event]:
    """Looks for open tickets not seen today, and tells those that are gone."""
    there = Table(outside, table, Rows[Record], names_of(Record), PAGE_TICKETS)
    found = {row.id for page in there.all(f"{chosen}sys_idIN{','.join(due)}") for row in page}
    facts: list[Event] = []
    for id_, sight in due.items():
        made = tickets.incidents.get(id_)
        if id_ in found:
            tickets.saw(id_, now.date(), sight.place)
        elif tickets.gone(id_, now.date()):
            ref = about(table, "" if sight.place == table else sight.place)
            facts.append(gone_event(f"{id_}/gone", id_, sight.place, ref, now))
            facts += [gone_incident(incident_key(id_), ref, made, now)] if made else ()
    return facts


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line for each table that the account may not read, or of which an access rule hides rows.

    Histories are asked for as polls do, by the ids of some tickets: their tables are the largest of an instance.
    """
    sieve = Sieve(outside)
    lines: list[str] = []
    tasks: list[Task] = []
    for name in config.tables:
        query = f"{config.select}^ORDERBYDESCsys_updated_on" if config.select else "ORDERBYDESCsys_updated_on"
        rows, found = _check(Table(sieve, name, Rows[Task], FIELDS, _SOME), query, "let it read all tickets there")
        tasks, lines = [*tasks, *rows], [*lines, *found]
    if not config.agents and any(task.caller_id.raw and not task.caller_login.raw for task in tasks):
        lines.append(
            "sys_user: the logins of callers are hidden: any comment may be theirs; let it read user_name there"
        )
    ids = ",".join(task.id for task in tasks)
    needed: dict[str, tuple[type[Record], str]] = {
        "sys_audit": (Audit, f"documentkeyIN{ids}"),
        "sys_journal_field": (Entry, f"element_idIN{ids}"),
        "sys_choice": (Choice, "name=task^element=state"),
        "sys_user_group": (Named, ""),
    }
    needed |= {"task_sla": (Clock, f"taskIN{ids}")} if config.sla_clocks else {}
    for name, (type_, query) in needed.items():
        lines += _check(Table(sieve, name, Rows[Record], names_of(type_), _SOME), query, _WHY[name])[1]
    for name in config.agents:
        if name.startswith(GROUP):
            lines += _unknown(sieve, name)
    return lines


_SOME = 10
_WHY = {
    "sys_audit": f"without the changes of tickets no clock of theirs can be told; {_GRANT}",
    "sys_journal_field": f"without comments no first response can be told; {_GRANT}",
    "sys_choice": "without it, states and priorities of old changes are numbers; let it read the table",
    "sys_user_group": "without it, groups of old changes are ids; let it read the table",
    "task_sla": "the instance's own clocks; let it read the table",
}
R = TypeVar("R", bound=Record)


def _check(table: Table[R], query: str, why: str) -> tuple[Sequence[R], Sequence[str]]:
    """Some rows, and what is wrong with the table."""
    try:
        part = table.page(query)
    except Forbidden as error:
        return (), [f"{table.name}: {error}; {why}"]
    except Unexpected as error:
        if error.status not in {400, 404}:
            raise
        return (), [f"{table.name}: {error}; correct `tables`, or `select`"]
    return part.rows, [f"{table.name}: an access rule hides rows from the account; {why}"] if part.hidden else []


def _unknown(outside: Sieve, name: str) -> Iterator[str]:
    try:
        if not members(outside, name.removeprefix(GROUP)):
            yield f"agents: {name} has no member that the account may see; correct the name, or add who answers"
    except Refused as error:
        yield f"agents: {name}: {error}; let the account read sys_user_grmember"


def priorities(config: Config, outside: Outside) -> Collection[str]:
    """All that the instance has, in the words of the Ticketing files."""
    table = Table(Sieve(outside), "sys_choice", Rows[Choice], names_of(Choice), 200)
    rows = [row for page in table.all("name=task^element=priority^language=en^inactive=false") for row in page]
    said = ((row.value.raw, row.label.shown) for row in rows)
    return tuple(config.priorities.get(raw) or config.priorities.get(name) or name for raw, name in said)


def propose(around: Surroundings) -> Proposal:
    """A sample: nothing here tells of an instance."""
    variable = around.variable("SERVICENOW_PASSWORD", "SNOW_PASSWORD") or "SERVICENOW_PASSWORD"
    account = {"url": "https://acme.service-now.com", "user": "platform-meter"}
    return Proposal(
        about="Tickets with their history, for the queues that Ticketing files declare.",
        sample=("servicenow", {**account, "password": {"env": variable}}),
        fill_in="your instance and account",
        by_hand=True,
    )


SOURCE = Source(
    name="servicenow",
    title="ServiceNow",
    area=Area.TICKETS,
    reads="tickets of any table with their whole history, SLA clocks, and which of them are incidents",
    needs="a role that reads the tables of tickets, `sys_audit` and `sys_journal_field`",
    config=Config,
    gives=frozenset({TicketEvent, ToolClock, Incident}),
    access=access,
    connect=connect,
    check=check,
    priorities=priorities,
    on_request={"clock": "sla_clocks"},
    propose=propose,
)
