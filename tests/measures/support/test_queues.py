"""Which tickets belong to a queue, and a book of tickets that gives what a fresh one would."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import MONDAY, comment, created, hours, resolved, step, ticketing

from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.queues import Book, queue_keys
from platform_meter.measures.support.tickets import belongs
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts.tickets import GONE, Role, TicketChange, TicketEvent
from platform_meter.model.measure import Scene


@pytest.mark.parametrize(
    ("select", "keys"),
    [
        ("", set()),
        ("  ", set()),
        ("PLAT", {"PLAT"}),
        ("acme/payments", {"acme/payments"}),
        ('"Platform support"', {"Platform support"}),
        ("project = PLAT", {"PLAT"}),
        ("project=PLAT", {"PLAT"}),
        ("PROJECT = 'PLAT'", {"PLAT"}),
        ("project in (PLAT)", {"PLAT"}),
        ('project IN (PLAT, "OPS" ,HELP)', {"PLAT", "OPS", "HELP"}),
    ],
)
def test_a_select_names_queues(select: str, keys: set[str]) -> None:
    """One project, several, a bare key, or nothing for all."""
    assert queue_keys(select) == keys


@pytest.mark.parametrize(
    "select",
    [
        "project = PLAT AND priority = P1",
        "project != PLAT",
        "project in ()",
        "project in (PLAT OPS)",
        "labels = ci",
        "PLAT OPS",
        "PLAT,",
    ],
)
def test_any_other_query_is_refused(select: str) -> None:
    """The text shows it and says what can be written."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared below
        queue_keys(select)
    assert str(caught.value) == (
        f"{select!r} says more than which queues; write project = PLAT, project in (PLAT, OPS), "
        "one queue's key, or leave select out for every queue of the source"
    )


@pytest.mark.parametrize(
    ("wanted", "belonging"),
    [
        ({"type": "jira"}, True),
        ({"type": "jira", "instance": "jira-eu"}, True),
        ({"type": "jira", "select": "project in (OPS, PLAT)"}, True),
        ({"type": "jira", "select": "project = OPS"}, False),
        ({"type": "jira", "instance": "jira-us"}, False),
        ({"type": "github"}, False),
    ],
)
def test_a_ticket_belongs_by_source_type_instance_and_queue(wanted: dict[str, str], belonging: bool) -> None:
    """The instance only counts where it is named, the queue only where one is selected."""
    state = source("jira-eu", "jira", watermark=MONDAY)
    assert belongs(ticketing(source=wanted), state, created()) is belonging


def scene(facts: list[TicketEvent], until: datetime, *definitions: Ticketing) -> Scene:
    history = MemoryHistory(
        [("jira", owner("platform"), fact) for fact in facts], sources=[source("jira", watermark=until)]
    )
    return Scene(history=history, definitions=Definitions(ticketing=definitions or (ticketing(),)), now=until)


def read(book: Book, at: Scene) -> dict[str, list[Ticket]]:
    return {
        queue.id: sorted(
            (t for s in at.history.sources(TicketEvent) for t in book.tickets(queue, s)), key=lambda t: t.id
        )
        for queue in book.queues(at)
    }


def test_a_ticket_counts_in_the_queue_it_was_created_in() -> None:
    """Time in another team's queue counts, and the ticket does not count twice."""
    moved = [created(), comment(hours(2), queue="OPS"), resolved(hours(3), queue="OPS")]
    ops = ticketing(id="ops", source={"type": "jira", "select": "OPS"})
    found = read(Book(), scene(moved, hours(9), ticketing(), ops))
    assert [t.closings for t in found["help"]] == [(hours(3),)]
    assert found["ops"] == []


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


def test_a_book_forgets_with_the_day_and_with_another_store() -> None:
    """What the store pruned leaves it at midnight; a store with a lower seq is another one."""
    book = Book()
    both = [created(ticket="PLAT-0"), created()]
    assert [t.id for t in read(book, scene(both, hours(1)))["help"]] == ["PLAT-0", "PLAT-1"]
    assert [t.id for t in read(book, scene([created(ticket="PLAT-9")], hours(2)))["help"]] == ["PLAT-9"]
    pruned = [*both[1:], created(ticket="PLAT-2")]
    assert [t.id for t in read(book, scene(pruned, hours(24)))["help"]] == ["PLAT-1", "PLAT-2"]


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
    ]
)
arrivals = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["PLAT-1", "PLAT-2"]), st.sampled_from(["PLAT", "OPS"]), st.integers(0, 40), changes),
    max_size=16,
)  # fmt: skip


@settings(max_examples=150)
@given(arrivals, st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=6))
def test_a_book_read_on_gives_what_a_fresh_one_gives(
    found: list[tuple[int, str, str, int, tuple[TicketChange, dict[str, str]]]], reads: list[tuple[int, int]]
) -> None:
    """Whatever comes in whatever order, corrections of one key included, and whenever one looks."""
    facts = [
        step(hours(at), change, ticket=ticket, queue=queue, key=f"k{key}", updated=hours(n), **more)
        for n, (key, ticket, queue, at, (change, more)) in enumerate(found)
    ]
    book = Book()
    seen, until = 0, MONDAY
    for more, wait in reads:
        seen, until = seen + more, until + timedelta(hours=wait)
        at = scene(facts[:seen], until)
        assert read(book, at) == read(Book(), at)
