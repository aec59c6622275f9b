"""Which tickets and cycles of one look each number is made of."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import MONDAY, created, hours, reopened, resolved, ticketing

from platform_meter.measures.support.book import Book
from platform_meter.measures.support.looks import (
    Look,
    age_of,
    business_age,
    kept,
    look,
    of_queue,
)
from platform_meter.measures.support.looks import created as created_in
from platform_meter.measures.support.looks import resolved as resolved_in
from platform_meter.measures.support.queues import Queue
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.tickets import TicketEvent
from platform_meter.model.measure import WINDOWS, Scene

DAY = timedelta(days=1)
UNTIL = MONDAY + 100 * DAY
FACTS = [
    created(ticket="OLD-1"),
    resolved(hours(2), ticket="OLD-1"),
    created(UNTIL - 2 * DAY, ticket="PLAT-2", priority="P1"),
    created(UNTIL - 9 * DAY, ticket="PLAT-3"),
    resolved(UNTIL - 8 * DAY, ticket="PLAT-3"),
    reopened(UNTIL - 7 * DAY, ticket="PLAT-3"),
    resolved(UNTIL - 6 * DAY, ticket="PLAT-3"),
]


def seen(facts: list[TicketEvent], until: datetime = UNTIL, *, fresh: bool = True) -> tuple[Queue, Look | None]:
    history = MemoryHistory(
        [("jira", owner("platform"), fact) for fact in facts], sources=(source("jira", watermark=until, fresh=fresh),)
    )
    scene = Scene(history=history, definitions=Definitions(ticketing=(ticketing(),)), now=until)
    (queue,) = scene.kept.of(Book).queues(scene)
    told = of_queue(scene, queue)
    return queue, None if told is None else look(told)


def names(found: Look) -> list[str]:
    return [s.ticket.id for s in found.recent]


def test_what_no_window_reaches_is_not_recent() -> None:
    """But its priorities and SLAs are those that the queue has had."""
    queue, found = seen(FACTS)
    assert found is not None
    assert sorted(names(found)) == ["PLAT-2", "PLAT-3"]
    assert [s.ticket.id for s in found.waiting] == ["PLAT-2"]
    assert found.priorities == {"P1", "P3"}
    (open_,) = found.waiting
    assert (age_of(open_), business_age(queue, open_)) == ("3d", 2 * DAY.total_seconds())


def test_a_ticket_resolved_twice_is_one_that_was_reopened() -> None:
    """In the window of its first resolution."""
    _, found = seen(FACTS)
    assert found is not None
    assert [(s.ticket.id, again) for s, again in resolved_in(found, WINDOWS[0])] == [("PLAT-3", True)]


def test_cycles_stand_under_the_priority_that_they_have() -> None:
    """Decided ones under that of their decision; what is late is no more waiting and at risk still."""
    _, found = seen(FACTS)
    assert found is not None
    made = kept(found)
    late = made["resolution", "P1"]
    assert ([c.ticket.id for c in late.at_risk], late.waiting, late.breaches()) == (["PLAT-2"], [], None)
    assert [c.cycle.met for c in late.decided[WINDOWS[0]]] == [False]
    assert [c.cycle.elapsed for c in made["resolution", "P3"].stopped] == [2 * DAY.total_seconds()]


def test_a_queue_whose_source_is_stale_is_not_looked_at() -> None:
    """There is no number then, and no 0."""
    assert seen(FACTS, fresh=False)[1] is None


def test_tickets_count_in_the_window_of_their_creation() -> None:
    """Half-open: what was created at the very end counts in the next one."""
    history = MemoryHistory(
        [("jira", owner("platform"), fact) for fact in FACTS], sources=(source("jira", watermark=UNTIL - 2 * DAY),)
    )
    scene = Scene(history=history, definitions=Definitions(ticketing=(ticketing(),)), now=UNTIL)
    (queue,) = scene.kept.of(Book).queues(scene)
    told = of_queue(scene, queue)
    assert told is not None
    assert [ticket.id for ticket in created_in(told, WINDOWS[0])] == ["PLAT-3"]
