"""GitHub issues as tickets: an issue and its timeline to the steps of its history, and issues that are gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.tickets import MOST_ANSWERS, Role, TicketChange, TicketEvent, Today, ticket_labels
from platform_meter.model.source import Expired, Gap, Outside, Refused, Unexpected, Unreachable
from platform_meter.sources.github.facts import SYSTEM, is_bot
from platform_meter.sources.github.incidents import RESOLUTIONS, incident, incident_key
from platform_meter.sources.github.poll import Visit, read_updated
from platform_meter.sources.github.rows import Issue, TimelineItem, User, utc
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.incidents import gone_incident
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.open_tickets import OpenTickets, Sight, gone_event

AGENTS = frozenset({"MEMBER", "OWNER", "COLLABORATOR"})
AT_CREATION = timedelta(seconds=60)
"""Forms and triage bots label a new issue within seconds: labels that soon hold from the start."""
SETTLED = timedelta(minutes=10)
"""An issue whose timeline did not tell by then how it stands will never do so: it was imported, or transferred."""
LOOKED = 20
"""Open issues looked for in one poll, at a call each."""

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_PRIORITY = re.compile(r"(?:priority\s*[:/ -]\s*)(.+)|(p\d)", re.IGNORECASE)
_P = re.compile(r"p\d", re.IGNORECASE)


def priority_of(labels: Iterable[str]) -> str:
    """The most urgent priority among `P1` and `priority:high` kinds of label, by name; empty without one."""
    found = []
    for label in labels:
        if match := _PRIORITY.fullmatch(label.strip()):
            value = match.group(1) or match.group(2)
            found.append(value.upper() if _P.fullmatch(value) else value)
    return min(found, default="")


def category_of(issue: Issue) -> str:
    """The issue's type, else the first of its labels by name that is no priority."""
    if issue.type:
        return issue.type.name
    return min((label for label in issue.label_names() if not priority_of([label])), default="")


def _role(user: User | None, issue: Issue, association: str, bots: Iterable[str], agents: Collection[str]) -> Role:
    if is_bot(user, bots):
        return Role.BOT
    if user and issue.user and user.login == issue.user.login:
        return Role.REPORTER
    # A stranger's comment answers nobody, nor one of an account that is gone: it must not end the first response.
    if user is None:
        return Role.REPORTER
    known = user.login.lower() in agents if agents else association in AGENTS
    return Role.AGENT if known else Role.REPORTER


def _nobody(_: str) -> str:
    return ""


def ticket_events(
    ref: Ref,
    issue: Issue,
    timeline: Iterable[TimelineItem],
    bots: Iterable[str],
    agents: Collection[str] = (),
    hashed: Callable[[str], str] = _nobody,
) -> list[TicketEvent]:
    """Every step of the issue, oldest first. `agents` are logins in lower case; without any GitHub says who is one.

    `hashed` makes a person nobody (`Outside.hashed`); without it no person is told.
    """

    def person(user: User | None) -> str:
        return "" if user is None or is_bot(user, bots) else hashed(user.login.lower())

    items = sorted(
        ((item, utc(item.created_at)) for item in timeline if item.created_at and item.id is not None),
        key=lambda pair: (pair[1], pair[0].id or 0),
    )
    created = utc(issue.created_at)
    labels = _labels_at_creation(issue, items)
    early = [item for item, at in items if item.event == "labeled" and item.label and at - created <= AT_CREATION]
    start = labels | {item.label.name for item in early if item.label}
    base = TicketEvent(
        key=f"issue/{issue.id}/created",
        at=created,
        about=ref,
        updated=utc(issue.updated_at),
        queue=ref.id,
        ticket=str(issue.id),
        name=f"{ref.id}#{issue.number}",
        change=TicketChange.CREATED,
        role=Role.BOT if is_bot(issue.user, bots) else Role.REPORTER,
        status="open",
        priority=priority_of(start),
        category=category_of(issue),
        issue_type=issue.type.name if issue.type else "",
        labels=ticket_labels(start),
        requester=person(issue.user),
        actor=person(issue.user),
    )
    steps = [*_steps(base, issue, items, set(start), bots, agents, person)]
    ends = next((step.status for step in reversed(steps) if step.status), base.status)
    answers = [e.key for e in steps if e.change is TicketChange.COMMENT and e.role is Role.AGENT]
    resolution = RESOLUTIONS["completed"] if issue.state == "closed" else ""
    today = Today(issue.state, resolution) if ends != issue.state else None
    # A comment that was deleted is not in the timeline any more; the first ones are enough.
    return [replace(base, answers=tuple(answers[:MOST_ANSWERS]), today=today), *steps]


def _labels_at_creation(issue: Issue, items: list[tuple[TimelineItem, datetime]]) -> set[str]:
    """Today's labels with every change undone, newest first."""
    labels = set(issue.label_names())
    for item, _ in reversed(items):
        if item.label and item.event == "labeled":
            labels.discard(item.label.name)
        elif item.label and item.event == "unlabeled":
            labels.add(item.label.name)
    return labels


def _steps(
    base: TicketEvent,
    issue: Issue,
    items: list[tuple[TimelineItem, datetime]],
    labels: set[str],
    bots: Iterable[str],
    agents: Collection[str],
    person: Callable[[User | None], str],
) -> Iterator[TicketEvent]:
    priority, told = base.priority, base.labels
    for item, at in items:
        blank = replace(
            base,
            key=f"issue/{issue.id}/{item.event}/{item.id}",
            at=at,
            updated=None,
            name="",
            status=None,
            priority=None,
            category=None,
            issue_type=None,
            labels=None,
            requester="",
            actor=person(item.actor or item.user),
            change=TicketChange.COMMENT,
            role=_role(item.actor or item.user, issue, item.author_association or "MEMBER", bots, agents),
        )
        match item.event:
            case "commented":
                who = item.user or item.actor
                role = _role(who, issue, item.author_association, bots, agents)
                yield replace(blank, role=role, actor=person(who))
            case "assigned":
                yield replace(blank, change=TicketChange.ASSIGNED)
            case "labeled" | "unlabeled" if item.label:
                (labels.add if item.event == "labeled" else labels.discard)(item.label.name)
                have = ticket_labels(labels)
                new, told = (None if have == told else have), have
                if (now := priority_of(labels)) != priority:
                    priority = now
                    yield replace(blank, change=TicketChange.PRIORITY, priority=now, labels=new)
                elif new is not None:
                    yield replace(blank, change=TicketChange.LABELED, labels=new)
            case "closed":
                reason = RESOLUTIONS.get(item.state_reason or "completed", item.state_reason)
                yield replace(blank, key=f"{blank.key}/status", change=TicketChange.STATUS, status="closed")
                yield replace(blank, change=TicketChange.RESOLVED, resolution=reason)
            case "reopened":
                yield replace(blank, key=f"{blank.key}/status", change=TicketChange.STATUS, status="open")
                yield replace(blank, change=TicketChange.REOPENED)
            case _:
                pass


def read_issues(visit: Visit, cursor: Cursor) -> Iterator[list[Event]]:
    """Issues with their whole history, of all that changed."""
    return _issues(visit, cursor, "all")


def read_backlog(visit: Visit, cursor: Cursor) -> Iterator[list[Event]]:
    """Open issues that nobody touched since `read_issues` begins, once: they wait, however old they are."""
    if cursor.read is not None:
        # Whatever happens to them now is a change.
        cursor.unchanged(visit.now, visit.overlap)
        return
    yield from _issues(replace(visit, since=_EVER), cursor, "open", before=visit.since)


def _issues(visit: Visit, cursor: Cursor, state: str, before: datetime | None = None) -> Iterator[list[Event]]:
    """Issues of one list that changed last `before` a moment; pull requests, which it holds too, are passed over.

    GitHub may show an issue closed a moment before its timeline tells when. Then it was not read: the next poll asks
    for it again.
    """
    unsettled: set[str] = set()
    agents = frozenset(login.lower() for login in visit.agents)

    def tell(issue: Issue) -> Iterable[Event]:
        if issue.pull_request is not None or (before is not None and issue.updated_at >= before):
            return ()
        timeline = visit.all(f"issues/{issue.number}/timeline", list[TimelineItem])
        events = ticket_events(visit.ref, issue, timeline, visit.bots, agents, visit.outside.hashed)
        one = incident(visit.ref, issue, events, visit.incidents) if visit.incidents else None
        if events[0].today is not None and visit.now - issue.updated_at < SETTLED:
            unsettled.add(str(issue.id))
            cursor.fresh = ""
        elif events[0].today is not None:
            text = f"{visit.ref.id}#{issue.number}: nobody recorded when it became {issue.state}"
            visit.outside.gap(Gap(start=issue.created_at, end=issue.updated_at, reason="pruned", text=text))
        if issue.state == "open":
            place, made = f"{visit.ref.id}#{issue.number}", one.at if one else None
            visit.tickets.saw(str(issue.id), visit.now.date(), place, visit.ref.labels, made)
        else:
            visit.tickets.closed(str(issue.id))
        return [*events, one] if one else events

    params = {"state": state, "sort": "updated", "direction": "desc"}
    for step in read_updated(visit, cursor, "issues", list[Issue], params=params, tell=tell):
        cursor.done = {id_: mark for id_, mark in cursor.done.items() if id_ not in unsettled}
        yield step


class _Held(Struct):
    """An issue, asked for by its number: deleted ones are not there, a transferred one is another issue elsewhere."""

    id: int
    number: int
    repository_url: str


def missing_issues(outside: Outside, tickets: OpenTickets, queues: Container[str], now: datetime) -> Iterator[Event]:
    """Looks for open issues that were not seen today, and tells those that are gone.

    `queues` are the repositories whose issues are read: elsewhere an issue waits for nobody here.
    """
    today = now.date()
    for id_, sight in tickets.due(today, LOOKED).items():
        try:
            place = _place(outside, id_, sight)
        except (Refused, Unexpected):
            # Nothing is known of this one, which must not keep the others waiting.
            tickets.saw(id_, today, sight.place, sight.labels)
            continue
        except Unreachable:
            return
        if place.partition("#")[0] in queues:
            tickets.saw(id_, today, place, sight.labels)
            continue
        made = tickets.incidents.get(id_)
        if tickets.gone(id_, today):
            queue = sight.place.partition("#")[0]
            about = Ref(system=SYSTEM, kind="repository", id=queue, labels=sight.labels)
            yield gone_event(f"issue/{id_}/gone", id_, queue, about, now)
            if made is not None:
                yield gone_incident(incident_key(id_), about, made, now)


def _place(outside: Outside, id_: str, sight: Sight) -> str:
    """Where an issue is now; empty when it is nowhere."""
    repo, _, number = sight.place.partition("#")
    try:
        answer = unless_gone(lambda: outside.get(f"/repos/{repo}/issues/{number}", _Held))
    except Expired:  # 410: deleted
        return ""
    held = answer.body if answer else None
    if held is None or str(held.id) != id_:
        return ""
    return f"{'/'.join(held.repository_url.split('/')[-2:])}#{held.number}"
