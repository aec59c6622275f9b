"""A ticket with its changes and comments to its steps. Pure.

Today's values lead: those at creation are today's with all changes undone. Where the changes end at another state than
today's, or can't be read, nobody recorded when that came about, which is told as such.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from platform_meter.model.facts.tickets import MOST_ANSWERS, Alias, Role, TicketChange, TicketEvent, Today
from platform_meter.sources.servicenow.histories import AUDITED, History
from platform_meter.sources.servicenow.names import Names
from platform_meter.sources.servicenow.rows import SYSTEM, Audit, Entry, Task, Value, about

DONE: Mapping[str, frozenset[str]] = {
    "incident": frozenset({"6", "7", "8"}),
    "problem": frozenset({"106", "107"}),
    "sn_customerservice_case": frozenset({"3", "6", "7"}),
    "task": frozenset({"3", "4", "7"}),
}
"""States in which nobody has to do anything, by table; of others those of `task`."""
MACHINES = frozenset({"system", "guest"})
"""Users that no person is."""
_BORN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """How a ticket is read."""

    table: str
    names: Names
    hashed: Callable[[str], str]
    done: frozenset[str]
    priorities: Mapping[str, str] = field(default_factory=dict)
    """Values or names of priorities in the words of the Ticketing files."""
    bots: frozenset[str] = MACHINES
    agents: Callable[[], Collection[str] | None] = lambda: None
    """Logins that answer, asked for when somebody acts first; None: everybody's but the requester's."""
    category: str = "category"
    since: datetime | None = None
    """When it was last said who answers: what is told since then takes the place of what was told before."""

    def priority(self, raw: str) -> str:
        name = self.names.of("priority", raw)
        return self.priorities.get(raw) or self.priorities.get(name) or name

    def aliases(self, raw: str) -> tuple[Alias, ...]:
        """Other names of a priority; none of one that is in our words."""
        return self.names.aliases("priority", raw) if self.priority(raw) == self.names.of("priority", raw) else ()

    def status(self, raw: str) -> str:
        return self.names.of("state", raw)

    def queue(self, group: str) -> str:
        """A ticket that no group has waits in its table."""
        return self.names.group(group) if group else self.table

    def done_of(self, task: Task) -> frozenset[str]:
        return self.done if task.open else self.done | {task.state.raw}


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who asks for one ticket, and so who answers."""

    known: frozenset[str]
    """Logins of who asks."""
    sure: bool
    """Whether the login of who asks may be seen."""
    requester: str

    def role(self, login: str, conventions: Conventions) -> Role:
        login = login.lower()
        if login in conventions.bots:
            return Role.BOT
        # An author whom nobody knows is no agent.
        if not login or login in self.known:
            return Role.REPORTER
        agents = conventions.agents()
        return Role.AGENT if agents is None or login in agents else Role.REPORTER


def people(task: Task, conventions: Conventions) -> People:
    """Who asks: the caller, else who it is for, the contact, who opened it, and who made the row."""
    asking = (
        (task.caller_id, task.caller_login, task.caller_mail),
        (task.requested_for, task.for_login, task.for_mail),
        (task.contact, task.contact_login, task.contact_mail),
        (task.opened_by, task.opener_login, task.opener_mail),
    )
    for reference, login, mail in asking:
        if reference.raw:
            known = login.raw.lower()
            name = mail.raw.lower() or known or reference.raw
            nobody = known in conventions.bots
            return People(
                known=frozenset({known or task.sys_created_by.raw.lower()}),
                sure=bool(known),
                requester="" if nobody else conventions.hashed(name),
            )
    made = task.sys_created_by.raw.lower()
    nobody = not made or made in conventions.bots
    return People(known=frozenset({made}), sure=True, requester="" if nobody else conventions.hashed(made))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    events: Sequence[TicketEvent]
    unrecorded: str = ""
    """What nobody recorded of it, for people."""


def ticket_events(task: Task, history: History, conventions: Conventions) -> Told:
    """Every step of a ticket, oldest first."""
    who, names = people(task, conventions), conventions.names
    changes = _changes(task, history.audits or ())
    states = [change for change in changes if change.fieldname.raw == "state"]
    born = {name: _born(task, name, changes) for name in AUDITED}
    done = conventions.done_of(task)
    ends_elsewhere = bool(states) and states[-1].newvalue.raw != task.state.raw
    # Closed before its row was made, or while nobody recorded it.
    unsaid = task.ended if task.state.raw in done and (not states or ends_elsewhere) else None
    unaudited = unsaid is not None and not states and history.audits is not None and unsaid > (task.made or unsaid)
    untold = unaudited or (history.audits is None and task.sys_mod_count.raw != "0")
    resolution = _resolution(task, conventions) if task.state.raw in done else ""
    today = Today(conventions.status(task.state.raw), resolution, untold)
    blank = TicketEvent(
        key="",
        at=task.created,
        about=about(conventions.table, names.group(born["assignment_group"])),
        queue=conventions.queue(born["assignment_group"]),
        ticket=task.id,
        change=TicketChange.CREATED,
    )
    created = replace(
        blank,
        key=f"{task.id}/created",
        updated=max(at for at in (task.updated, conventions.since) if at is not None),
        name=task.number.raw,
        role=_opened_as(task, who, conventions),
        status=conventions.status(born["state"]),
        priority=conventions.priority(born["priority"]),
        category=_category(task, conventions),
        issue_type=task.sys_class_name.shown or conventions.table,
        labels=(),
        severity=names.of("severity", born["severity"]) or None,
        today=today if untold or ends_elsewhere else None,
        requester=who.requester,
        actor=_actor(task.sys_created_by, conventions),
        assigned=bool(born["assigned_to"]),
        asking=_asking(task),
        aliases=(*names.aliases("state", born["state"]), *conventions.aliases(born["priority"])),
    )
    steps = [*_steps(blank, born, changes, task, conventions, who, done)]
    if unsaid is not None:
        step = replace(blank, key=f"{task.id}/resolved", at=unsaid, role=Role.AGENT)
        steps.append(replace(step, change=TicketChange.RESOLVED, resolution=resolution))
    said = [_said(blank, entry, steps, who, conventions) for entry in history.entries or ()]
    agents = sorted((one for one in said if one.public and one.role is Role.AGENT), key=lambda one: (one.at, one.key))
    sure = history.entries is not None and (who.sure or conventions.agents() is not None)
    created = replace(created, answers=tuple(one.key for one in agents[:MOST_ANSWERS]), whole=sure)
    events = sorted((*steps, *said), key=lambda event: event.at)
    return Told(events=[created, *events], unrecorded=_unrecorded(history, untold=untold, elsewhere=ends_elsewhere))


def _unrecorded(history: History, *, untold: bool, elsewhere: bool) -> str:
    if untold and history.audits is not None:
        return "it was closed and no change tells it; switch the audit of its table and of its field state on"
    if untold:
        return "its changes (sys_audit) can't be read"
    if elsewhere:
        return "nobody recorded when its state became what it is today"
    return "not all of its comments (sys_journal_field) can be read" if history.entries is None else ""


def _changes(task: Task, audits: Sequence[Audit]) -> list[Audit]:
    """In order, without those that tell what the row was made with."""
    told = [(at, audit) for audit in audits if (at := audit.made) is not None]
    made = task.made or task.created
    later = [(at, audit) for at, audit in told if audit.oldvalue.raw or at > made + _BORN]
    # Several changes of one second are told in the order of the row's versions.
    return [audit for _, audit in sorted(later, key=lambda one: (one[0], _version(one[1]), one[1].id))]


def _version(audit: Audit) -> int:
    return int(audit.record_checkpoint.raw) if audit.record_checkpoint.raw.isdecimal() else 0


def _born(task: Task, name: str, changes: Sequence[Audit]) -> str:
    """What a field held at first: before its first change, which is today's value where it never changed."""
    first = next((change for change in changes if change.fieldname.raw == name), None)
    value: Value = getattr(task, name)
    return value.raw if first is None else first.oldvalue.raw


def _steps(
    blank: TicketEvent,
    born: Mapping[str, str],
    changes: Sequence[Audit],
    task: Task,
    conventions: Conventions,
    who: People,
    done: frozenset[str],
) -> Iterator[TicketEvent]:
    names, state, group = conventions.names, born["state"], born["assignment_group"]
    last = next((change for change in reversed(changes) if change.fieldname.raw == "state"), None)
    for change in changes:
        raw = change.newvalue.raw
        if change.fieldname.raw == "assignment_group":
            group = raw
        step = replace(
            blank,
            key=f"{task.id}/{change.id}",
            at=change.made or task.created,
            about=about(conventions.table, names.group(group)),
            role=who.role(change.user.raw, conventions),
            actor=_actor(change.user, conventions),
        )
        match change.fieldname.raw:
            case "state":
                status = conventions.status(raw)
                yield replace(step, change=TicketChange.STATUS, status=status, aliases=names.aliases("state", raw))
                was, state = state, raw
                if raw in done and was not in done:
                    today = change is last and task.state.raw == raw
                    resolution = _resolution(task, conventions) if today else status
                    step = replace(step, key=f"{step.key}/resolved")
                    yield replace(step, change=TicketChange.RESOLVED, resolution=resolution)
                elif was in done and raw not in done:
                    yield replace(step, key=f"{step.key}/reopened", change=TicketChange.REOPENED)
            case "priority":
                priority, others = conventions.priority(raw), conventions.aliases(raw)
                yield replace(step, change=TicketChange.PRIORITY, priority=priority, aliases=others)
            case "severity":
                yield replace(step, change=TicketChange.PRIORITY, severity=names.of("severity", raw))
            case "assignment_group":
                yield replace(step, change=TicketChange.MOVED, queue=conventions.queue(raw))
            case "assigned_to" if raw:
                yield replace(step, change=TicketChange.ASSIGNED)
            case _:
                pass


def _said(
    blank: TicketEvent, entry: Entry, steps: Sequence[TicketEvent], who: People, conventions: Conventions
) -> TicketEvent:
    at = entry.made or blank.at
    standing = next((step.about for step in reversed(steps) if step.at <= at), blank.about)
    return replace(
        blank,
        key=f"{blank.ticket}/{entry.element.raw}/{entry.id}",
        at=at,
        about=standing,
        change=TicketChange.COMMENT,
        role=who.role(entry.sys_created_by.raw, conventions),
        actor=_actor(entry.sys_created_by, conventions),
        public=entry.public,
    )


def _opened_as(task: Task, who: People, conventions: Conventions) -> Role:
    """A desk that opens a ticket for somebody speaks for them; a machine does not."""
    made = (task.opener_login.raw or task.sys_created_by.raw).lower()
    return Role.BOT if made in conventions.bots and made not in who.known - {""} else Role.REPORTER


def _actor(login: Value, conventions: Conventions) -> str:
    name = login.raw.lower()
    return "" if not name or name in conventions.bots else conventions.hashed(name)


def _resolution(task: Task, conventions: Conventions) -> str:
    return task.code or conventions.status(task.state.raw)


def _category(task: Task, conventions: Conventions) -> str:
    value: Value = getattr(task, conventions.category)
    return value.shown or task.cat_item.shown or task.sys_class_name.shown or conventions.table


def _asking(task: Task) -> str:
    """The department of who asks, else the company of the ticket."""
    department = next(
        (v.shown for v in (task.caller_department, task.for_department, task.opener_department) if v.raw), ""
    )
    if department:
        return f"{SYSTEM}:department/{department}"
    return f"{SYSTEM}:company/{task.company.shown}" if task.company.raw else ""
