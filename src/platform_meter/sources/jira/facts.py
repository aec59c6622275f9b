"""An issue with its changelog and comments to the steps of a ticket. Pure.

Today's values lead: the values at creation are today's with the whole changelog undone, and where the changelog ends
elsewhere than today, nobody recorded when that came about, which is told as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import (
    MOST_ANSWERS,
    Alias,
    Role,
    TicketChange,
    TicketEvent,
    Today,
    ticket_labels,
)
from platform_meter.sources.jira.names import NAMED, Names
from platform_meter.sources.jira.rows import (
    Comment,
    History,
    Issue,
    Item,
    Named,
    Person,
    moment,
    project_of,
    project_ref,
)

Change = tuple[datetime, History]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """How an issue is read: the tool's priorities in our words, who is no person, and who answers."""

    priorities: Mapping[str, str] = field(default_factory=dict)
    bots: frozenset[str] = frozenset()
    agents: frozenset[str] | None = None
    """Accounts that answer; None: every licensed one but the reporter's."""
    public_comments_only: bool = False
    names: Names = field(default_factory=Names)
    since: datetime | None = None
    """When it was last said who answers: what is told since then takes the place of what was told before."""
    hashed: Callable[[str], str] = lambda _: ""
    """Makes a person nobody (`Outside.hashed`)."""

    def person(self, who: Person | None) -> str:
        """A person as facts name it; empty for nobody, and for what is no person."""
        if who is None or not who.ids or who.account_type == "app" or who.ids & self.bots:
            return ""
        return self.hashed(who.names_it)

    def priority(self, name: str) -> str:
        """In the words of the Ticketing files, by any name that the tool has for it."""
        others = (alias.other for alias in self.names.aliases("priority", name))
        return next((self.priorities[word] for word in (name, *others) if word in self.priorities), name)

    def role(self, who: Person | None, reporter: Person | None) -> Role:
        if who is None or not who.ids:
            # An author whom nobody knows is no agent.
            return Role.REPORTER
        if who.account_type == "app" or who.ids & self.bots:
            return Role.BOT
        # A customer who takes part in another's request is no agent either.
        if (reporter and who.ids & reporter.ids) or who.account_type == "customer":
            return Role.REPORTER
        return Role.AGENT if self.agents is None or who.ids & self.agents else Role.REPORTER


@dataclass(slots=True, kw_only=True)
class _Standing:
    """An issue's values at one moment of its history."""

    names: Names
    project: str
    status: str
    priority: str
    resolution: str
    issuetype: str
    components: set[str]
    labels: tuple[str, ...]
    assigned: bool

    @property
    def category(self) -> str:
        return min(self.components, default=self.issuetype)

    @property
    def about(self) -> Ref:
        component = min(self.components, default="")
        return project_ref(f"{self.project}/{component}" if component else self.project)

    def move(self, item: Item, *, back: bool = False) -> None:
        gone, come = (item.to_string, item.from_string) if back else (item.from_string, item.to_string)
        match item.what:
            case "status" | "priority" | "resolution" | "issuetype":
                setattr(self, item.what, self.names.of(item.what, item.before if back else item.after, come))
            case "key" | "issuekey":
                # Moved to another project; the item `project` tells that one's name only.
                self.project = project_of(come or "") or self.project
            case "assignee":
                self.assigned = bool(come or (item.before if back else item.after))
            case "components":
                self.components -= {gone or ""}
                self.components |= {come} if come else set()
            case "labels":
                # One text with all of them: Jira allows no blanks in a label.
                self.labels = ticket_labels((come or "").split())
            case _:
                pass


def _name(value: Named | None) -> str:
    return value.name if value else ""


def _today(issue: Issue, names: Names) -> _Standing:
    fields = issue.fields
    return _Standing(
        names=names,
        project=issue.project,
        status=_name(fields.status),
        priority=_name(fields.priority),
        resolution=_name(fields.resolution),
        issuetype=_name(fields.issuetype),
        components={component.name for component in fields.components or ()},
        labels=ticket_labels(fields.labels or ()),
        assigned=fields.assignee is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An issue's steps, and what nobody recorded of it."""

    events: list[TicketEvent]
    unrecorded: str = ""
    """Which moment is missing, for people; empty where none is."""


def ticket_events(
    issue: Issue,
    histories: Iterable[History],
    comments: Sequence[Comment],
    conventions: Conventions,
    *,
    whole: bool = True,
) -> Told:
    """Every step of an issue, oldest first; none when the account may not see when it was created.

    `whole` is False where only the first comments could be read: an answer among them is the first one all the same.
    """
    fields, created = issue.fields, moment(issue.fields.created)
    if created is None:
        return Told(events=[])
    names, reporter = conventions.names, reporter_of(issue)
    changes, elsewhere = _todays(issue, _in_order(histories), names)
    standing = _today(issue, names)
    for _, history in reversed(changes):
        for item in reversed(history.items or ()):
            standing.move(item, back=True)
    resolved = moment(fields.resolutiondate) if _name(fields.resolution) else None
    # Resolved as it was created or imported, or since the changelog's end: no change tells it.
    unsaid = resolved is not None and ("resolution" in elsewhere or not _changes_of(changes, "resolution"))
    unrecorded = _unrecorded(issue, changes, elsewhere - {"resolution"} if unsaid else elsewhere, closed=unsaid)
    first = TicketEvent(
        key=f"{issue.id}/created",
        at=created,
        about=standing.about,
        updated=_latest(moment(fields.updated), conventions.since),
        queue=standing.project,
        ticket=issue.id,
        name=issue.key,
        change=TicketChange.CREATED,
        role=conventions.role(fields.creator or fields.reporter, reporter),
        status=standing.status,
        priority=conventions.priority(standing.priority),
        category=standing.category,
        resolution=None if unsaid and "resolution" not in elsewhere else standing.resolution or None,
        issue_type=standing.issuetype,
        labels=standing.labels,
        today=Today(_name(fields.status), _name(fields.resolution)) if elsewhere else None,
        requester=conventions.person(reporter),
        actor=conventions.person(fields.creator or fields.reporter),
        assigned=standing.assigned,
    )
    blank = replace(
        first,
        updated=None,
        name="",
        status=None,
        priority=None,
        category=None,
        resolution=None,
        issue_type=None,
        labels=None,
        today=None,
        requester="",
        actor="",
        assigned=False,
    )
    first = replace(first, aliases=_aliases(first, conventions))
    events = [*_changes(blank, standing, changes, conventions, reporter)]
    if unsaid and resolved:
        name = _name(fields.resolution)
        step = replace(blank, key=f"{issue.id}/resolved", at=resolved, change=TicketChange.RESOLVED, role=Role.AGENT)
        events.append(replace(step, resolution=name, aliases=names.aliases("resolution", name)))
    said = [_comment(blank, standing.about, comment, conventions, reporter) for comment in comments]
    told = [event for event in said if event and (event.public or not conventions.public_comments_only)]
    agents = sorted((e for e in told if e.public and e.role is Role.AGENT), key=lambda event: event.at)
    answers = tuple(event.key for event in agents[:MOST_ANSWERS])
    first = replace(first, answers=answers, whole=whole or bool(answers))
    return Told(events=sorted([first, *events, *told], key=lambda event: event.at), unrecorded=unrecorded)


def standing_resolution(issue: Issue) -> str:
    """What it is resolved as today; empty while it is not."""
    return _name(issue.fields.resolution)


def reporter_of(issue: Issue) -> Person | None:
    """Whose request it is: whoever created it, where its reporter is gone or hidden."""
    reporter = issue.fields.reporter
    return reporter if reporter and reporter.ids else issue.fields.creator


def _in_order(histories: Iterable[History]) -> list[Change]:
    return sorted(
        ((at, history) for history in histories if (at := moment(history.created))),
        key=lambda change: (change[0], len(change[1].id), change[1].id),
    )


def _changes_of(changes: Iterable[Change], field_: str) -> list[Item]:
    return [item for _, history in changes for item in history.items or () if item.what == field_]


def _todays(issue: Issue, changes: list[Change], names: Names) -> tuple[list[Change], frozenset[str]]:
    """The changelog, ended at today's values, and of status and resolution those that it does not end at.

    Another priority or type than the last one told is that one, replaced by an administrator for all tickets that had
    it: it changes no moment. A status may have: when it came about is not known.
    """
    fields = issue.fields
    today: dict[str, Named | None] = {name: getattr(fields, name) for name in NAMED}
    elsewhere = set()
    for name, value in today.items():
        items = _changes_of(changes, name)
        if not items or names.ends(name, value, items[-1]):
            continue
        if name in {"status", "resolution"}:
            elsewhere.add(name)
            continue
        now = msgspec.structs.replace(items[-1], after=value.id if value else None, to_string=_name(value))
        changes = [(at, _with(history, items[-1], now)) for at, history in changes]
    return changes, frozenset(elsewhere)


def learn(issue: Issue, names: Names) -> None:
    """What an issue shows of names, for the others beside it."""
    for field_ in NAMED:
        names.saw(field_, getattr(issue.fields, field_))
    if issue.changelog:
        _todays(issue, _in_order(issue.changelog.histories), names)


def _with(history: History, old: Item, new: Item) -> History:
    if not any(item is old for item in history.items or ()):
        return history
    return msgspec.structs.replace(history, items=[new if item is old else item for item in history.items or ()])


def _unrecorded(issue: Issue, changes: list[Change], elsewhere: frozenset[str], *, closed: bool) -> str:
    if closed and issue.done:
        return ""
    if elsewhere:
        return f"nobody recorded when its {' and '.join(sorted(elsewhere))} became what it is today"
    if issue.done and not closed and not _changes_of(changes, "status") and not _changes_of(changes, "resolution"):
        return "nobody recorded when it was closed"
    return ""


def _latest(*moments: datetime | None) -> datetime | None:
    return max((at for at in moments if at is not None), default=None)


def _aliases(event: TicketEvent, conventions: Conventions) -> tuple[Alias, ...]:
    values = (("status", event.status), ("priority", event.priority), ("resolution", event.resolution))
    return tuple(alias for field_, name in values if name for alias in conventions.names.aliases(field_, name))


def _comment(
    blank: TicketEvent, about: Ref, comment: Comment, conventions: Conventions, reporter: Person | None
) -> TicketEvent | None:
    at, updated = moment(comment.created), moment(comment.updated)
    if at is None:
        return None
    return replace(
        blank,
        key=f"{blank.ticket}/comment/{comment.id}",
        at=at,
        # What is said of a comment may change: whether it is public, for one.
        updated=updated if updated != at else None,
        change=TicketChange.COMMENT,
        role=conventions.role(comment.author, reporter),
        actor=conventions.person(comment.author),
        public=comment.public,
        about=about,
    )


def _changes(
    blank: TicketEvent,
    standing: _Standing,
    changes: Iterable[Change],
    conventions: Conventions,
    reporter: Person | None,
) -> Iterator[TicketEvent]:
    """The changelog forwards. `standing` starts as the values at creation and ends as the last ones told."""
    for at, history in changes:
        items, category = history.items or (), standing.category
        # Another component is one removed and one added: only what holds after both is told.
        handed = max((n for n, item in enumerate(items) if item.what in {"components", "issuetype"}), default=0)
        for number, item in enumerate(items):
            standing.move(item)
            step = replace(
                blank,
                key=f"{blank.ticket}/{history.id}/{number}",
                at=at,
                about=standing.about,
                role=conventions.role(history.author, reporter),
                actor=conventions.person(history.author),
            )
            told: TicketEvent | None = None
            match item.what:
                case "status":
                    told = replace(step, change=TicketChange.STATUS, status=standing.status)
                case "priority":
                    priority = conventions.priority(standing.priority)
                    told = replace(step, change=TicketChange.PRIORITY, priority=priority)
                case "assignee" if standing.assigned:
                    told = replace(step, change=TicketChange.ASSIGNED)
                case "key" | "issuekey":
                    told = replace(step, change=TicketChange.MOVED, queue=standing.project)
                case "components" | "issuetype" if number == handed and standing.category != category:
                    # Handed to another component: the ticket is assigned anew, if not to a person.
                    kind = standing.issuetype if item.what == "issuetype" else None
                    told = replace(step, change=TicketChange.ASSIGNED, category=standing.category, issue_type=kind)
                case "issuetype":
                    told = replace(step, change=TicketChange.LABELED, issue_type=standing.issuetype)
                case "labels":
                    told = replace(step, change=TicketChange.LABELED, labels=standing.labels)
                case "resolution" if standing.resolution:
                    told = replace(step, change=TicketChange.RESOLVED, resolution=standing.resolution)
                case "resolution":
                    told = replace(step, change=TicketChange.REOPENED)
                case _:
                    pass
            if told is not None:
                yield replace(told, aliases=_aliases(told, conventions))
