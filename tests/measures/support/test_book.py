"""A book of tickets gives what a fresh one would."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as struct_replace
from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import MONDAY, PROJECT, comment, created, hours, resolved, step, ticketing

from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.folding import fold
from platform_meter.measures.support.stored import dump, load
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts import Event
from platform_meter.model.facts.tickets import GONE, Alias, Role, TicketChange, TicketEvent, ToolClock
from platform_meter.model.kept import Fold
from platform_meter.model.measure import Scene


def scene(
    facts: Sequence[Event | None],
    until: datetime,
    *definitions: Ticketing,
    before: datetime | None = None,
    kept: Mapping[str, Fold] | None = None,
) -> Scene:
    """Of all that was told in this order; None in the place of what is stored no more."""
    history = MemoryHistory(
        [("jira", owner("platform"), fact) for fact in facts], sources=[source("jira", watermark=until)], before=before
    )
    history.folds.update(kept or {})
    return Scene(history=history, definitions=Definitions(ticketing=definitions or (ticketing(),)), now=until)


def read(book: Book, at: Scene) -> dict[str, list[Ticket]]:
    return {
        queue.id: sorted(
            (t for s in at.history.sources(TicketEvent) for t in book.tickets(queue, s)), key=lambda t: t.id
        )
        for queue in book.queues(at)
    }


def test_a_ticket_counts_in_the_queue_where_it_is() -> None:
    """Moved after 2 h and resolved in OPS: there it was closed, and in PLAT it is open no more."""
    moved = [created(), step(hours(2), TicketChange.MOVED, queue="OPS"), resolved(hours(3))]
    ops = ticketing(id="ops", source={"type": "jira", "select": "OPS"})
    for at, open_, closings in ((1, [("help", True)], []), (9, [("help", False), ("ops", False)], [("ops", hours(3))])):
        found = read(Book(), scene(moved, hours(at), ticketing(), ops))
        assert [(name, t.open) for name, tickets in found.items() for t in tickets] == open_
        assert [(name, at) for name, tickets in found.items() for t in tickets for at in t.closings] == closings


def test_a_move_that_is_told_later_is_read_on() -> None:
    """The book had the ticket in one queue, and has it in both then, as a fresh one has."""
    ops = ticketing(id="ops", source={"type": "jira", "select": "OPS"})
    facts, book = [created(), step(hours(2), TicketChange.MOVED, queue="OPS")], Book()
    for told in (facts[:1], facts):
        at = scene(told, hours(9), ticketing(), ops)
        assert read(book, at) == read(Book(), at)
    assert [t.open for t in read(book, scene(facts, hours(9), ticketing(), ops))["ops"]] == [True]


def test_what_a_tool_never_says_is_no_lateness() -> None:
    """Until it told of some acknowledgement an SLA that waits for one has no cycles; then all tickets have, as afresh."""
    slas = [
        {"id": "seen", "measures": "acknowledgement", "goal": {"default": "1h"}},
        {"id": "first", "measures": "first_response", "answers": ["acknowledged"], "goal": {"default": "1h"}},
        {"id": "any", "measures": "first_response", "answers": ["acknowledged", "comment"], "goal": {"default": "1h"}},
        {"id": "resolution", "goal": {"default": "9h"}},
    ]
    queue, book = ticketing(slas=slas), Book()
    facts = [created(), created(ticket="PLAT-2"), step(hours(4), TicketChange.ACKNOWLEDGED, ticket="PLAT-2")]
    for told, expected in ((facts[:2], ["any", "resolution"]), (facts, ["seen", "first", "any", "resolution"])):
        at = scene(told, hours(5), queue)
        assert read(book, at) == read(Book(), at)
        assert [[c.sla for c in t.cycles] for t in read(book, at)["help"]] == [expected] * 2
    kept = book.dump()
    assert kept is not None
    assert read(Book(), scene(facts, hours(5), queue, kept={"tickets": kept})) == read(book, at)


def test_of_two_creations_the_first_counts() -> None:
    """Whenever the second is told: with the first, or after it."""
    facts = [created(), created(hours(1), queue="OPS", key="again")]
    book = Book()
    for told in (facts[:1], facts):
        for reader in (book, Book()):
            assert [t.created for t in read(reader, scene(told, hours(2)))["help"]] == [hours(0)]


def test_a_ticket_that_is_moved_stays_one_ticket() -> None:
    """Its id joins what was told before the move and after it; its creation says what people call it now."""
    born = created(ticket="10001", name="PLAT-1")
    facts = [born, comment(hours(1), ticket="10001"), resolved(hours(2), ticket="10001")]
    moved = [replace(born, name="OPS-9", updated=hours(30)), step(hours(30), TicketChange.ASSIGNED, ticket="10001")]
    (ticket,) = read(Book(), scene([*facts, *moved], hours(90)))["help"]
    assert (ticket.id, ticket.name, ticket.open) == ("10001", "OPS-9", False)
    assert [cycle.breached for cycle in ticket.cycles] == [False, False]


def test_a_ticket_that_is_gone_waits_no_more() -> None:
    """Deleted or out of sight it is closed and, whatever the definition calls invalid, no valid ticket."""
    gone = resolved(hours(50), GONE)
    (ticket,) = read(Book(), scene([created(), gone], hours(60), ticketing(invalid=[])))["help"]
    assert (ticket.open, ticket.valid) == (False, False)


def test_a_ticket_told_again_after_it_was_gone_is_there() -> None:
    """It was moved back: what was told since is newer than its being gone, which may be told again later."""
    gone, again = (resolved(at, GONE, key="gone", updated=at) for at in (hours(50), hours(75)))
    facts = [created(), resolved(hours(40)), gone]
    assert [t.valid for t in read(Book(), scene(facts, hours(60)))["help"]] == [False]
    facts.append(created(updated=hours(70)))
    (ticket,) = read(Book(), scene(facts, hours(80)))["help"]
    assert (ticket.open, ticket.valid, ticket.closings) == (False, True, (hours(40),))
    facts.append(again)
    assert [t.valid for t in read(Book(), scene(facts, hours(80)))["help"]] == [False]


def test_a_book_refolds_when_the_moment_passes_an_event_known_before() -> None:
    """What lies after the watermark is read, and counts once the watermark has passed it."""
    book = Book()
    events = [created(), resolved(hours(3))]
    assert [t.open for t in read(book, scene(events, hours(2)))["help"]] == [True]
    assert [t.open for t in read(book, scene(events, hours(4)))["help"]] == [False]


def test_what_the_store_pruned_leaves_the_book() -> None:
    """A ticket that began before the store does is in no number; one that is younger stays."""
    book = Book()
    old, young = created(ticket="PLAT-0"), created(hours(48))
    both = [old, comment(hours(30), ticket="PLAT-0"), young]
    assert [t.id for t in read(book, scene(both, hours(50)))["help"]] == ["PLAT-0", "PLAT-1"]
    pruned = [*both, created(hours(49), ticket="PLAT-2")]
    at = scene([None if event is old else event for event in pruned], hours(60), before=hours(24))
    assert [t.id for t in read(book, at)["help"]] == ["PLAT-1", "PLAT-2"]


def test_who_asks_again_gets_the_very_same_tickets() -> None:
    """Until something came, or the watermark moved; so that who made something of them need not make it again."""
    book = Book()
    facts = [created(), comment(hours(1))]
    told = [
        book.tickets(book.queues(at)[0], at.history.sources()[0])
        for at in (
            scene(facts[:1], hours(2)),
            scene(facts[:1], hours(2)),
            scene(facts, hours(2)),
            scene(facts, hours(3)),
        )
    ]
    assert [told[0] is told[1], told[1] is told[2], told[2] is told[3]] == [True, False, False]


def test_an_older_view_takes_nothing_away() -> None:
    """A page that looks at what was stored a moment ago shares the book with the tick."""
    book = Book()
    newer, older = scene([created(), created(ticket="PLAT-2")], hours(2)), scene([created()], hours(2))
    for at in (newer, older):
        assert [t.id for t in read(book, at)["help"]] == ["PLAT-1", "PLAT-2"]
        assert (book.dump() is None) == (at is older), "as far as it was"


def test_a_book_follows_other_definitions() -> None:
    """A reload changes what a status means."""
    book = Book()
    events = [created(status="New")]
    assert [t.unlisted for t in read(book, scene(events, hours(1)))["help"]] == [frozenset({"New"})]
    other = ticketing(status={"running": ["New"]})
    assert [t.unlisted for t in read(book, scene(events, hours(1), other))["help"]] == [frozenset()]


def test_an_event_corrected_to_another_ticket_leaves_the_first() -> None:
    """The answer was filed under the wrong ticket."""
    book = Book()
    wrong = comment(hours(1), ticket="PLAT-1", key="c")
    right = replace(wrong, ticket="PLAT-2", updated=hours(2))
    events = [created(), created(ticket="PLAT-2"), wrong]
    for facts, answered in ((events, [True, False]), ([*events, right], [False, True])):
        tickets = read(book, scene(facts, hours(3)))["help"]
        assert [t.cycles[0].decision is not None for t in tickets] == answered


ANSWER = comment(hours(1), Role.BOT, key="answer")
FACTS = [
    created(),
    ANSWER,
    replace(ANSWER, role=Role.AGENT, updated=hours(2)),
    resolved(hours(2)),
    created(ticket="PLAT-2"),
]


def dumped(*definitions: Ticketing) -> Fold:
    book = Book()
    read(book, scene(FACTS, hours(3), *definitions))
    fold = book.dump()
    assert fold is not None
    return fold


def with_state(fold: Fold, **changed: Any) -> Fold:
    state = load(fold.body)
    assert state is not None
    return replace(fold, body=dump(struct_replace(state, **changed)))


def test_a_new_process_goes_on_with_what_was_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It folds only tickets about which something came since, beside those by which it sees that it folds alike, and looks into no other."""
    monkeypatch.setattr("platform_meter.measures.support.book.keys", None)
    monkeypatch.setattr("platform_meter.measures.support.book._SAMPLE", 1)
    folded: list[str] = []

    def noted(events: Sequence[TicketEvent], *more: Any) -> Ticket | None:
        folded.append(events[0].ticket)
        return fold(events, *more)

    kept = {Book.name: dumped()}
    monkeypatch.setattr("platform_meter.measures.support.book.fold", noted)
    at = scene([*FACTS, comment(hours(3), ticket="PLAT-2")], hours(4), kept=kept)
    found = read(Book(), at)
    assert folded == ["PLAT-1", "PLAT-2"], "the first one to compare, and the one that was answered"
    monkeypatch.undo()
    assert found == read(
        Book(), replace(at, history=scene([*FACTS, comment(hours(3), ticket="PLAT-2")], hours(4)).history)
    )


def test_a_new_process_knows_the_names_that_were_told() -> None:
    """Renamed before it began: a ticket that bears the old name later is in a status of the file."""
    told = created(status="Offen", aliases=(Alias("status", "Offen", "Open"),))
    book, later = Book(), created(hours(1), status="Offen", ticket="PLAT-2")
    read(book, scene([told], hours(1)))
    fold = book.dump()
    assert fold is not None
    at = scene([told, later], hours(2), kept={Book.name: fold})
    assert [t.unlisted for t in read(Book(), at)["help"]] == [frozenset(), frozenset()]


def test_nothing_is_stored_twice() -> None:
    """Not when nothing came, and not what was just read."""
    book, kept = Book(), {Book.name: dumped()}
    read(book, scene(FACTS, hours(3), kept=kept))
    assert book.dump() is None
    read(book, scene([*FACTS, comment(hours(3), ticket="PLAT-2")], hours(4), kept=kept))
    assert book.dump() is not None
    assert book.dump() is None


def test_what_was_folded_under_something_else_is_folded_anew() -> None:
    """Other definitions, a version that folds otherwise, bytes that nobody reads, and a store that knows less."""
    right = dumped()
    state = load(right.body)
    assert state is not None
    first, *others = state.tickets["jira"]
    (ticket,) = first.folded
    assert ticket is not None
    wrong = struct_replace(first, folded=(struct_replace(ticket, valid=False),))
    known = read(Book(), scene(FACTS, hours(3)))
    for stored in (
        dumped(ticketing(status={"running": ["New"]})),
        with_state(right, tickets={"jira": [wrong, *others]}),
        replace(right, body=b"?"),
        replace(right, body=zlib.compress(b"?")),
        with_state(right, seq=99, tickets={}),
        replace(with_state(right, tickets={}), made_under="something else"),
    ):
        assert read(Book(), scene(FACTS, hours(3), kept={Book.name: stored})) == known
    believed = with_state(right, tickets={})
    assert read(Book(), scene(FACTS, hours(3), kept={Book.name: believed})) == {"help": []}


changes = st.sampled_from(
    [
        (TicketChange.CREATED, {"status": "Open", "priority": "P3"}),
        (TicketChange.STATUS, {"status": "Waiting"}),
        (TicketChange.STATUS, {"status": "Open"}),
        (TicketChange.PRIORITY, {"priority": "P1"}),
        (TicketChange.COMMENT, {"role": Role.AGENT}),
        (TicketChange.RESOLVED, {"resolution": "Fixed"}),
        (TicketChange.RESOLVED, {"resolution": "Duplicate"}),
        (TicketChange.RESOLVED, {"resolution": GONE}),
        (TicketChange.REOPENED, {}),
        (TicketChange.MOVED, {}),
        (TicketChange.ACKNOWLEDGED, {}),
        (None, {}),
    ]
)
"""None is a cycle of the tool's own clock."""
arrivals = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["PLAT-1", "PLAT-2"]), st.sampled_from(["PLAT", "OPS"]), st.integers(0, 40), changes),
    max_size=16,
)  # fmt: skip


WORDS = {TicketChange.ACKNOWLEDGED: "a"}
"""What tells that a tool has a word for it is not corrected to something else."""
SLAS = [
    {"id": "resolution", "goal": {"P1": "8h", "default": "24h"}, "clock": "source"},
    {"id": "first_response", "goal": {"default": "4h"}, "per_queue": True},
    {"id": "seen", "measures": "acknowledgement", "goal": {"default": "2h"}},
]
QUEUES = [ticketing(id=key, source={"type": "jira", "select": key}, slas=SLAS) for key in ("PLAT", "OPS")]


def _clock(n: int, key: int, ticket: str, queue: str, at: int) -> ToolClock:
    """One of a ticket; a newer telling may say that it stopped, or passed its goal."""
    return ToolClock(
        key=f"{ticket}/{key}",
        at=hours(at),
        about=PROJECT,
        updated=hours(n),
        queue=queue,
        ticket=ticket,
        clock="Time to resolution",
        stopped=hours(at + 2) if n % 2 else None,
        breached=n % 3 == 0,
        goal=timedelta(hours=3),
    )


@settings(max_examples=150)
@given(arrivals, st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=6))
def test_a_book_read_on_gives_what_a_fresh_one_gives(
    found: list[tuple[int, str, str, int, tuple[TicketChange | None, dict[str, str]]]], reads: list[tuple[int, int]]
) -> None:
    """Whatever comes in whatever order, corrections of one key included, and whenever one looks or a process begins."""
    facts = [
        _clock(n, key, ticket, queue, at)
        if change is None
        else step(
            hours(at),
            change,
            ticket=ticket,
            queue=queue,
            key=f"{WORDS.get(change, 'k')}{key}",
            updated=hours(n),
            **more,
        )
        for n, (key, ticket, queue, at, (change, more)) in enumerate(found)
    ]
    book, kept = Book(), dict[str, Fold]()
    seen, until = 0, MONDAY
    for more, wait in reads:
        seen, until = seen + more, until + timedelta(hours=wait)
        at = scene(facts[:seen], until, *QUEUES, kept=kept)
        expected = read(Book(), scene(facts[:seen], until, *QUEUES))
        assert read(book, at) == expected
        assert read(Book(), at) == expected
        if fold := book.dump():
            kept[Book.name] = fold
