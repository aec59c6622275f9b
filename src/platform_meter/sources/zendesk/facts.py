"""A ticket with its audits to the steps of its history. Pure.

An audit is one update, and what it does to a field is told once, as it stands after it. What the audit of the creation
says holds from the start, whatever triggers did to it then. The description is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import MOST_ANSWERS, Role, TicketChange, TicketEvent, Today, ticket_labels
from platform_meter.sources.zendesk.config import FIELDS, Queue
from platform_meter.sources.zendesk.names import Called
from platform_meter.sources.zendesk.rows import SPEAKS, SYSTEM, Audit, Said, Ticket, User, Via, utc

MERGED, MERGED_TAG = "Merged", "closed_by_merge"
"""The resolution that is told of a ticket that was merged away, and the tag by which Zendesk marks it."""
READ = frozenset(
    {"status", "custom_status_id", "priority", "type", "tags", "assignee_id", "group_id", "brand_id", "ticket_form_id"}
)
"""Fields whose history is told."""
ORGANIZATIONS = f"{SYSTEM}:organizations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """How a ticket is read."""

    queue: Queue = "group"
    priorities: Mapping[str, str] = field(default_factory=dict)
    bots: frozenset[str] = frozenset()
    """Ids and mail addresses, in small letters."""
    called: Called
    hashed: Callable[[str], str] = lambda _: ""
    """Makes a person nobody (`Outside.hashed`)."""

    def priority(self, word: str) -> str:
        return self.priorities.get(word, word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A ticket's steps, and what nobody recorded of it."""

    events: list[TicketEvent]
    unrecorded: str = ""
    """Which moment is missing, for people; empty where none is."""


@dataclass(slots=True)
class _People:
    """Who takes part in a ticket."""

    users: Mapping[int, User]
    requester: int | None
    conventions: Conventions

    def _bot(self, id_: int) -> bool:
        user = self.users.get(id_)
        return bool({str(id_), user.names_it if user else ""} & self.conventions.bots)

    def role(self, id_: int | None, via: Via | None) -> Role:
        """Whoever nobody knows is no agent."""
        if id_ is not None and (id_ < 0 or (via is not None and via.by_rule) or self._bot(id_)):
            return Role.BOT
        user = None if id_ is None or id_ == self.requester else self.users.get(id_)
        return Role.AGENT if user is not None and user.licensed else Role.REPORTER

    def person(self, id_: int | None) -> str:
        """As facts name one; empty for nobody, and for what is no person."""
        if id_ is None or id_ < 0 or self._bot(id_):
            return ""
        user = self.users.get(id_)
        return self.conventions.hashed(user.names_it if user else str(id_))


Values = dict[str, Any]
"""A ticket's fields at one moment of its history, each as a text or a list of them."""


def ticket_events(ticket: Ticket, audits: Iterable[Audit], users: Mapping[int, User], conventions: Conventions) -> Told:
    """Every step of a ticket that is not deleted, oldest first."""
    ordered = sorted(audits, key=lambda audit: (audit.created_at, audit.id))
    born = next((n for n, audit in enumerate(ordered) if audit.creates), None)
    people = _People(users, ticket.requester_id, conventions)
    today = _today(ticket)
    values = _at_creation(today, ordered, born)
    maker = ticket.submitter_id or ticket.requester_id
    first = TicketEvent(
        key=f"{ticket.id}/created",
        at=utc(ticket.created_at),
        about=_about(values, conventions),
        updated=utc(ticket.updated_at),
        queue=_queue(values, conventions),
        ticket=str(ticket.id),
        name=f"#{ticket.id}",
        change=TicketChange.CREATED,
        role=people.role(maker, ordered[born].via if born is not None else None),
        status=_status(values, conventions),
        priority=conventions.priority(values["priority"]),
        category=values["type"],
        issue_type=values["type"],
        labels=ticket_labels(values["tags"] or ()),
        requester=people.person(ticket.requester_id),
        actor=people.person(maker),
        assigned=bool(values["assignee_id"]),
        asking=f"{ORGANIZATIONS}/{ticket.organization_id}" if ticket.organization_id else "",
    )
    first = _named(first, conventions)
    events = [*_steps(first, values, ordered, people)]
    # Without the audits of its creation nobody knows which comment is the description: the first one is.
    said = [*_comments(events, ordered, people, first, born)]
    answers = sorted((e for e in said if e.public and e.role is Role.AGENT), key=lambda e: e.at)
    first = replace(first, answers=tuple(e.key for e in answers[:MOST_ANSWERS]))
    elsewhere = _elsewhere(ticket, ordered, values, today, conventions)
    if elsewhere:
        first = replace(first, today=Today(_status(today, conventions), ""))
    merged = _merge(first, ticket, ordered, people)
    whole = [first, *events, *said, *([merged] if merged else ())]
    text = "nobody recorded when its status became what it is today" if elsewhere else ""
    return Told(events=sorted(whole, key=lambda event: event.at), unrecorded=text)


def untold(ticket: Ticket, conventions: Conventions) -> TicketEvent:
    """A ticket whose audits may not be read: that it is there, and how it stands today."""
    (first,) = ticket_events(ticket, (), {}, conventions).events
    today = Today(_status(_today(ticket), conventions), "", untold=True)
    return replace(first, today=today, answers=None, whole=False, requester="", actor="")


def place(ticket: Ticket, conventions: Conventions) -> tuple[str, Ref]:
    """The queue that a ticket is in today, and what it is about."""
    values = _today(ticket)
    return _queue(values, conventions), _about(values, conventions)


def _today(ticket: Ticket) -> Values:
    return {name: _value(getattr(ticket, name)) for name in READ}


def _value(value: Any) -> Any:
    """As audits and tickets write the same value: ids as texts in one and as numbers in the other."""
    if isinstance(value, list):
        return [str(part) for part in value]
    return "" if value is None else str(value)


def _at_creation(today: Values, ordered: Sequence[Audit], born: int | None) -> Values:
    """What its creation set; a field that it does not name is as the first change of it found it, else as it is today."""
    values = dict(today)
    seen = set[str]()
    for audit in ordered:
        for said in _changes(audit):
            if said.type == "Change" and said.field_name and said.field_name not in seen:
                values[said.field_name] = _value(said.previous_value)
            seen.add(said.field_name or "")
    for said in _changes(ordered[born]) if born is not None else ():
        values[said.field_name or ""] = _value(said.value)
    return values


def _changes(audit: Audit) -> Iterator[Said]:
    return (said for said in audit.events if said.type in {"Create", "Change"} and said.field_name in READ)


def _queue(values: Values, conventions: Conventions) -> str:
    return conventions.called.queue(values[FIELDS[conventions.queue]])


def _about(values: Values, conventions: Conventions) -> Ref:
    return conventions.called.ref(values[FIELDS[conventions.queue]], values["group_id"])


def _status(values: Values, conventions: Conventions) -> str:
    return conventions.called.status(values["status"], values["custom_status_id"])


def _named(event: TicketEvent, conventions: Conventions) -> TicketEvent:
    """With what its status was called before."""
    aliases = conventions.called.aliases(event.status) if event.status else ()
    return replace(event, aliases=aliases) if aliases else event


def _blank(first: TicketEvent) -> TicketEvent:
    """What all steps of a ticket have in common."""
    return TicketEvent(
        key="", at=first.at, about=first.about, queue=first.queue, ticket=first.ticket, change=first.change
    )


def _steps(first: TicketEvent, values: Values, audits: Iterable[Audit], people: _People) -> Iterator[TicketEvent]:
    """Each field that an audit changes, once. `values` are those at creation and end as the last ones told."""
    conventions, blank = people.conventions, _blank(first)
    for audit in audits:
        before, by = dict(values), dict[str, Said]()
        for said in _changes(audit):
            values[said.field_name or ""] = _value(said.value)
            by[said.field_name or ""] = said
        blank = replace(blank, at=utc(audit.created_at), about=_about(values, conventions))
        for name in sorted(by):
            if values[name] == before[name]:
                continue
            author = by[name].author_id if by[name].author_id is not None else audit.author_id
            via = by[name].via or audit.via
            blank = replace(blank, role=people.role(author, via), actor=people.person(author))
            step = _step(name, replace(blank, queue=_queue(values, conventions)), before, values, conventions)
            if step is not None:
                word = "status" if step.change is TicketChange.STATUS else name
                yield _named(replace(step, key=f"{first.ticket}/{audit.id}/{word}"), conventions)


def _step(
    name: str, blank: TicketEvent, before: Values, values: Values, conventions: Conventions
) -> TicketEvent | None:
    """What a change of one field is; None where another field of the same audit tells it."""
    if name == FIELDS[conventions.queue]:
        return replace(blank, change=TicketChange.MOVED)
    match name:
        case "status" | "custom_status_id":
            status = _status(values, conventions)
            # Both fields change together: the first one tells.
            twice = name == "status" and values["custom_status_id"] != before["custom_status_id"]
            known = status == _status(before, conventions) or twice
            return None if known else replace(blank, change=TicketChange.STATUS, status=status)
        case "priority":
            priority = conventions.priority(values[name])
            return replace(blank, change=TicketChange.PRIORITY, priority=priority)
        case "type":
            return replace(blank, change=TicketChange.LABELED, issue_type=values[name], category=values[name])
        case "tags":
            return replace(blank, change=TicketChange.LABELED, labels=ticket_labels(values[name] or ()))
        case "assignee_id" | "group_id" if values[name]:
            return replace(blank, change=TicketChange.ASSIGNED)
        case _:
            return None


def _comments(
    steps: Sequence[TicketEvent], audits: Sequence[Audit], people: _People, first: TicketEvent, born: int | None
) -> Iterator[TicketEvent]:
    """What was said after the description, as public as it is today."""
    privacy = {s.comment_id: (s.public, utc(a.created_at)) for a in audits for s in a.events if s.comment_id}
    moved = [step for step in steps if step.change in {TicketChange.MOVED, TicketChange.ASSIGNED}]
    opening = born if born is not None else next((n for n, a in enumerate(audits) if _speaks(a)), None)
    for audit in (audit for n, audit in enumerate(audits) if n != opening):
        at = utc(audit.created_at)
        stood = next((step for step in reversed(moved) if step.at <= at), first)
        for said in _speaks(audit):
            public, since = privacy.get(said.id, (said.public, None))
            author = said.author_id if said.author_id is not None else audit.author_id
            via = said.via or audit.via
            yield replace(
                _blank(first),
                key=f"{first.ticket}/comment/{said.id}",
                at=at,
                about=stood.about,
                queue=stood.queue,
                # Whether it is public may change.
                updated=since,
                change=TicketChange.COMMENT,
                # The text of a merge comes with it, and answers nobody.
                role=Role.BOT if via is not None and via.by_merge else people.role(author, via),
                actor=people.person(author),
                public=public is not False,
            )


def _speaks(audit: Audit) -> list[Said]:
    return [said for said in audit.events if said.type in SPEAKS]


def _elsewhere(
    ticket: Ticket, audits: Sequence[Audit], values: Values, today: Values, conventions: Conventions
) -> bool:
    """Whether the ticket stands otherwise today than its history ends.

    Audits are read after the ticket: one that is newer says how it stands later, and the next export has the rest. That
    a solved ticket was closed some days later changes nothing, and not all of Zendesk's ways to close one are recorded.
    """
    newer = any(audit.created_at > ticket.updated_at for audit in audits)
    closed = values["status"] == "solved" and today["status"] == "closed"
    return not newer and not closed and _status(values, conventions) != _status(today, conventions)


def _merge(first: TicketEvent, ticket: Ticket, audits: Sequence[Audit], people: _People) -> TicketEvent | None:
    """The merge by which a ticket was closed, where it is marked so today."""
    if MERGED_TAG not in (ticket.tags or ()):
        return None
    tagged = [a for a in audits if any(MERGED_TAG in _tags(s.value) - _tags(s.previous_value) for s in _changes(a))]
    audit = next((a for a in reversed(audits) if _merging(a)), None) or (tagged[-1] if tagged else None)
    if audit is None:
        return None
    other = next((id_ for id_ in _merging(audit) if id_ != first.ticket), "")
    return replace(
        _blank(first),
        key=f"{first.ticket}/merged",
        at=utc(audit.created_at),
        change=TicketChange.RESOLVED,
        role=people.role(audit.author_id, audit.via),
        actor=people.person(audit.author_id),
        resolution=MERGED,
        into=other,
    )


def _tags(value: Any) -> set[str]:
    return {str(tag) for tag in value} if isinstance(value, list) else set()


def _merging(audit: Audit) -> list[str]:
    """Tickets that a merge names; nothing of another update."""
    ways = [audit.via, *(said.via for said in audit.events)]
    return [id_ for via in ways if via is not None and via.by_merge for id_ in (*via.tickets, "")]
