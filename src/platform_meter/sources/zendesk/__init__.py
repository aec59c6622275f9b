"""Zendesk: tickets with their whole history, the clocks of its SLA policies, ratings of tickets.

The export by cursor says which tickets changed, and the audits of each tell all that ever happened to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import msgspec

from platform_meter.model.facts import Event, Fact
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.model.facts.tickets import TicketEvent, ToolClock
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Area, Forbidden, Gap, Outside, Page, Source, Stream, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.kit.open_things import put
from platform_meter.sources.kit.open_tickets import gone_event
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.zendesk.clocks import FEED, clock_pages
from platform_meter.sources.zendesk.config import LISTS, Config, Queue, access
from platform_meter.sources.zendesk.facts import Conventions, place, ticket_events, untold
from platform_meter.sources.zendesk.lists import CURSOR, Lists
from platform_meter.sources.zendesk.names import Called
from platform_meter.sources.zendesk.ratings import EVERY, PATH, rating_pages
from platform_meter.sources.zendesk.rows import Audits, Export, Me, Ticket, User, utc

__all__ = ["SOURCE", "Config"]

AT_ONCE = 25
"""Tickets in one page of facts."""
PRIORITIES = ("urgent", "high", "normal", "low")
BEHIND = timedelta(minutes=1)
"""Exports leave out the last minute."""
_GONE = 404


class State(msgspec.Struct, omit_defaults=True):
    """The checkpoint of tickets."""

    queue: Queue
    """What a queue was when the first ticket was told."""
    cursor: str = ""
    """Where the export goes on."""
    read: datetime | None = None
    """When the last export that came to its end began."""
    waiting: bool = False
    """Tickets that wait since before the history were told too."""
    of_late: dict[str, str] = msgspec.field(default_factory=dict)
    """Tickets told of late, with how they stood: the export gives one again that nobody changed."""
    gone: dict[str, datetime] = msgspec.field(default_factory=dict)
    """When tickets were deleted: weeks later they are emptied, which is another change."""
    refused: dict[str, datetime] = msgspec.field(default_factory=dict)
    """When tickets were made whose history may not be read."""
    statuses: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """What statuses that people made were called, by id."""


class _Poll:
    """One poll's way through the tickets."""

    def __init__(self, config: Config, outside: Sieve, state: State, since: datetime, now: datetime) -> None:
        self.config, self.outside, self.state, self.since, self.now = config, outside, state, since, now
        self.lists = Lists(outside)
        self.conventions = conventions(config, self.lists, outside, state)
        self.count = 0
        self.users: dict[int, User] = {}
        self.asked: set[int] = set()

    def pages(self) -> Iterator[Page]:
        state = self.state
        start = self.since if state.read is None else state.read - self.config.overlap
        for tickets, cursor in self.lists.changed(state.cursor, start):
            yield from self._pages(tickets)
            state.cursor = cursor
            yield self._page([])
        if not state.waiting:
            yield from self._waiting()
        state.waiting, state.read = True, self.now
        late = f"{self.now - self.config.overlap:%Y-%m-%dT%H:%M:%S}"
        state.of_late = {id_: mark for id_, mark in state.of_late.items() if mark >= late}
        yield self._page([])

    def _waiting(self) -> Iterator[Page]:
        try:
            for tickets in self.lists.waiting(self.since):
                yield from self._pages(tickets)
        except Forbidden as error:
            text = f"tickets that wait since before {self.since:%Y-%m-%d} can't be searched for: {error}"
            self.outside.gap(Gap(start=self.since, end=self.now, reason="forbidden", text=text))

    def _pages(self, tickets: Sequence[Ticket]) -> Iterator[Page]:
        fresh = [ticket for ticket in tickets if self.state.of_late.get(str(ticket.id)) != _mark(ticket)]
        for first in range(0, len(fresh), AT_ONCE):
            some = fresh[first : first + AT_ONCE]
            self._meet(some)
            yield self._page([fact for ticket in some for fact in self._tell(ticket)])

    def _meet(self, tickets: Sequence[Ticket]) -> None:
        """Who asks may have no part in the audits, and is known by mail address all the same."""
        there = (ticket for ticket in tickets if not ticket.deleted)
        ids = {id_ for ticket in there for id_ in (ticket.requester_id, ticket.submitter_id) if id_} - self.asked
        self.users |= self.lists.users(ids)
        self.asked |= ids

    def _page(self, facts: Sequence[Event]) -> Page:
        progress = Progress(what="tickets", done=self.count)
        return Page(facts=facts, checkpoint=msgspec.json.encode(self.state), progress=progress)

    def _tell(self, ticket: Ticket) -> Sequence[Event]:
        id_, state = str(ticket.id), self.state
        if ticket.deleted:
            at = state.gone.get(id_, utc(ticket.updated_at))
            put(state.gone, id_, at)
            put(state.of_late, id_, _mark(ticket))
            queue, about = place(ticket, self.conventions)
            return [gone_event(f"{id_}/gone", id_, queue, about, at)]
        try:
            history = self.lists.audits(ticket.id)
        except Forbidden as error:
            self._gap(ticket, "forbidden", f"its history can't be read: {error}", what=f"ticket {id_}")
            put(state.refused, id_, utc(ticket.created_at))
            return [untold(ticket, self.conventions)]
        # One that is deleted meanwhile comes again as such.
        if history is None:
            return []
        audits, users = history
        told = ticket_events(ticket, audits, {**self.users, **users}, self.conventions)
        if told.unrecorded:
            self._gap(ticket, "unreadable", told.unrecorded)
        if (since := state.refused.pop(id_, None)) is not None:
            self.outside.filled(f"ticket {id_}", since, self.now)
        state.gone.pop(id_, None)
        put(state.of_late, id_, _mark(ticket))
        self.count += 1
        return told.events

    def _gap(self, ticket: Ticket, reason: str, text: str, what: str = "") -> None:
        start, end = sorted((utc(ticket.created_at), utc(ticket.updated_at)))
        self.outside.gap(Gap(start=start, end=end, reason=reason, text=f"ticket {ticket.id}: {text}", what=what))


def _mark(ticket: Ticket) -> str:
    return f"{utc(ticket.updated_at):%Y-%m-%dT%H:%M:%S} {ticket.status}"


def conventions(config: Config, lists: Lists, outside: Outside, state: State | None = None) -> Conventions:
    """How tickets are read in one poll."""
    told = None if state is None else state.statuses
    return Conventions(
        queue=config.queue,
        priorities=config.priorities,
        bots=frozenset(bot.strip().lower() for bot in config.bots),
        called=Called(config.queue, partial(lists.queue, config.queue), lists.statuses, told),
        hashed=outside.hashed,
    )


Pages = Callable[[Sieve, bytes | None, datetime, datetime], Iterator[Page]]


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    del instance

    def tickets(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        state = decode(checkpoint, State) if checkpoint else State(queue=config.queue)
        if state.queue != config.queue:
            # Steps that were told under the other meaning would move tickets to and fro.
            raise Unexpected(
                f"queue was {state.queue} and is {config.queue} now; give the source another name, under which all "
                f"tickets are told anew, or write queue: {state.queue}"
            )
        yield from _Poll(config, outside, state, since, now).pages()

    def clocks(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        yield from clock_pages(outside, checkpoint, since, now, conventions(config, Lists(outside), outside))

    def stream(name: str, pages: Pages, *gives: type[Fact], behind: timedelta = BEHIND) -> Stream:
        def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
            return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

        return Stream(name=name, read=read, gives=frozenset(gives), behind=behind)

    found = [stream("tickets", tickets, TicketEvent)]
    if config.sla_clocks:
        found.append(stream("clocks", clocks, ToolClock))
    if config.ratings:
        ratings = stream("ratings", rating_pages, SurveyResponse, Invitation, behind=timedelta(0))
        found.append(replace(ratings, every=max(EVERY, config.every)))
    return found


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per thing that the account may not read."""
    scope = "make the account an admin, and give an OAuth token the scope `read`"
    me = outside.get("/api/v2/users/me", Me).body
    if me is not None and me.user.id is None:
        address = (
            "the account's mail address as email" if config.email is None else "email and token as they belong together"
        )
        return [f"nobody is signed in; write {address}, and switch token access on in Zendesk's Admin Center"]
    lines, found = list[str](), Export()
    try:
        # Any moment will do: this asks for the first ticket that there is.
        found = outside.get(CURSOR, Export, params={"start_time": 1, "per_page": 1}).body or found
    except Forbidden as error:
        lines.append(f"tickets: {error}; {scope}")
    for ticket in found.tickets[:1]:
        try:
            outside.get(f"/api/v2/tickets/{ticket.id}/audits", Audits, params={"page": 1, "per_page": 1})
        except Forbidden as error:
            lines.append(f"audits: {error}; the scope `tickets:read` is not enough: {scope}")
        except Unexpected as error:
            # The first ticket may be a deleted one.
            if error.status != _GONE:
                raise
    more: list[tuple[str, str, Mapping[str, int], bool]] = [
        (f"names of queues ({LISTS[config.queue]})", f"/api/v2/{LISTS[config.queue]}", {"per_page": 1}, True),
        ("sla_clocks", FEED, {"start_time": 1}, config.sla_clocks),
        ("ratings", PATH, {"page[size]": 1}, config.ratings),
    ]
    for what, path, params, wanted in more:
        try:
            if wanted:
                outside.get(path, msgspec.Raw, params=params)
        except Forbidden as error:
            lines.append(f"{what}: {error}; {scope}, or leave it out where the plan does not have it")
    return lines


def propose(around: Surroundings) -> Proposal:
    """A sample: nothing here tells of an account."""
    variable = around.variable("ZENDESK_TOKEN", "ZENDESK_API_TOKEN") or "ZENDESK_TOKEN"
    account = {"url": "https://acme.zendesk.com", "email": "meter@acme.example"}
    return Proposal(
        about="Tickets with their history, for the queues that Ticketing files declare. The account has to be an admin.",
        sample=("zendesk", {**account, "token": {"env": variable}}),
        fill_in="your site and account",
        by_hand=True,
    )


SOURCE = Source(
    name="zendesk",
    title="Zendesk",
    area=Area.TICKETS,
    reads="tickets with their whole history; on request the clocks of its SLA policies and ratings of tickets",
    needs="an admin's API token, or an OAuth token of one with the scope `read`",
    config=Config,
    gives=frozenset({TicketEvent, ToolClock, SurveyResponse, Invitation}),
    access=access,
    connect=connect,
    check=check,
    priorities=lambda config, _: tuple(config.priorities.get(word, word) for word in PRIORITIES),
    on_request={"clock": "sla_clocks"},
    propose=propose,
)
