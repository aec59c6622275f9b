"""Cycles by the tool's own clock, and where the computed one says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.folded import LATER, decision
from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import OFFICE, PROJECT, comment, created, hours, resolved, step, ticketing

from platform_meter.measures.support import tool_clocks
from platform_meter.measures.support.book import Book
from platform_meter.measures.support.cycles import ClockState, Cycle
from platform_meter.measures.support.tickets import configured
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts import Event
from platform_meter.model.facts.tickets import SlaCycle, SlaResult, TicketChange, TicketEvent, ToolClock
from platform_meter.model.measure import Deriving, Gauging, Scene
from platform_meter.model.metric import resolve

MET, BREACHED = SlaResult.MET, SlaResult.BREACHED


def clock(at: float = 0, *, n: int = 1, ticket: str = "PLAT-1", queue: str = "PLAT", **more: Any) -> ToolClock:
    name = more.pop("clock", "Time to resolution")
    told = {"elapsed": None, "goal": timedelta(hours=10)} | more
    return ToolClock(
        key=f"{ticket}/{name}/{n}", at=hours(at), about=PROJECT, queue=queue, ticket=ticket, clock=name, **told
    )


def desk(**more: Any) -> Ticketing:
    """One SLA of 24 h by the tool's own clock."""
    return ticketing(slas=[{"id": "resolution", "goal": {"default": "24h"}, "clock": "source"} | more])


def scene(
    facts: Sequence[Event | None], at: datetime, queue: Ticketing | None = None, before: datetime | None = None
) -> Scene:
    history = MemoryHistory(
        [("jira", owner("platform"), f) for f in facts], sources=[source("jira", watermark=at)], before=before
    )
    return Scene(history=history, definitions=Definitions(ticketing=(queue or desk(),)), now=at)


def cycles(facts: Sequence[Event], at: datetime = LATER, queue: Ticketing | None = None) -> list[Cycle]:
    seen = scene(facts, at, queue)
    book = seen.kept.of(Book)
    (made,) = book.queues(seen)
    return [c for t in book.tickets(made, seen.history.sources()[0]) for c in t.cycles]


def told(cycle: Cycle) -> tuple[datetime, SlaResult, float, float]:
    made = decision(cycle)
    return made.at, made.result, made.elapsed / 3600, made.goal / 3600


CLOSED: list[Event] = [created(), resolved(hours(30))]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ({"elapsed": timedelta(hours=6), "stopped": hours(30)}, (hours(30), MET, 6, 10)),
        ({"elapsed": timedelta(hours=12), "stopped": hours(30), "breached": True, "breached_at": hours(28)}, (hours(28), BREACHED, 10, 10)),
        ({"elapsed": timedelta(hours=12), "stopped": hours(30), "breached": True}, (hours(10), BREACHED, 10, 10)),
        ({"stopped": hours(30), "goal": None}, (hours(30), MET, 30, 24)),
        ({"stopped": hours(9), "breached": True}, (hours(9), BREACHED, 10, 10)),
    ],
    ids=["in time", "too late", "when is not told", "neither goal nor time is told", "no later than its end"],
)  # fmt: skip
def test_the_tool_judges(one: dict[str, Any], expected: tuple[datetime, SlaResult, float, float]) -> None:
    """By what it says elapsed, and by its own goal; what it leaves out is the file's."""
    (cycle,) = cycles([*CLOSED, clock(**one)])
    assert told(cycle) == expected
    assert cycle.beside is not None
    assert told(cycle.beside) == (hours(24), BREACHED, 24, 24), "the computed one stands beside it"


def test_a_running_one_passes_its_goal_between_two_polls() -> None:
    """4 of 10 h had elapsed after 5: due after 11 by the file's calendar, or when the tool says."""
    four = clock(elapsed=timedelta(hours=4), updated=hours(5))
    (cycle,) = cycles([created(), four], hours(6))
    assert (cycle.state, cycle.elapsed, cycle.due, cycle.decision) == (ClockState.RUNNING, 5 * 3600, hours(11), None)
    (cycle,) = cycles([created(), four], hours(12))
    assert told(cycle) == (hours(11), BREACHED, 10, 10)
    (cycle,) = cycles(
        [created(), clock(elapsed=timedelta(hours=4), updated=hours(5), breached_at=hours(20))], hours(30)
    )
    assert told(cycle) == (hours(20), BREACHED, 10, 10)


def test_what_is_left_of_the_goal_says_what_elapsed() -> None:
    """Told after 5 h that its 10 h will be over in 7, since it was paused for 2: 3 h were used up then, 9 h are now."""
    (cycle,) = cycles([created(), clock(18, updated=hours(23), breached_at=hours(30))], hours(29))
    assert (cycle.elapsed, cycle.due, cycle.at_risk) == (9 * 3600, hours(30), True)


def test_a_paused_one_stands() -> None:
    """However long it takes; the computed one beside it goes on."""
    (cycle,) = cycles([created(), clock(elapsed=timedelta(hours=4), updated=hours(5), paused=True)], hours(50))
    assert (cycle.state, cycle.elapsed, cycle.decision) == (ClockState.PAUSED, 4 * 3600, None)
    assert cycle.beside is not None
    assert (cycle.differs, cycle.beside.breached) == (True, True)


def test_each_cycle_is_told_in_its_turn() -> None:
    """The second one of a reopened ticket has none beside it; one that the tool took back is none."""
    facts = [*CLOSED, clock(elapsed=timedelta(hours=6), stopped=hours(30)), clock(40, n=2), clock(35, n=3, valid=False)]
    found = cycles(facts, hours(41))
    assert [(c.n, c.started, c.beside is None) for c in found] == [(1, hours(0), False), (2, hours(40), True)]
    assert cycles([*CLOSED, clock(valid=False)]) == []


def test_where_the_tool_tells_nothing_it_is_computed() -> None:
    """Of another clock, of another queue, of another ticket, of one that starts later: nothing of this one."""
    others: list[Event] = [
        clock(clock="Time to first response"),
        clock(n=2, queue="OPS"),
        clock(n=3, ticket="PLAT-2"),
        clock(2000, n=4),
    ]
    (cycle,) = cycles([*CLOSED, *others])
    assert (told(cycle), cycle.beside) == ((hours(24), BREACHED, 24, 24), None)


def test_a_clock_is_found_by_its_name() -> None:
    """A `*` is anything: some tools have one for each priority. Capitals say nothing."""
    one = clock(clock="Priority 2 resolution (8 hour)", elapsed=timedelta(hours=6), stopped=hours(30))
    (cycle,) = cycles([*CLOSED, one], queue=desk(clock_name="priority * resolution*"))
    assert decision(cycle).result is MET
    (cycle,) = cycles([*CLOSED, one], queue=desk(clock_name="priority * resolution"))
    assert decision(cycle).result is BREACHED


def test_a_computed_clock_may_be_compared() -> None:
    """`clock: computed` with a name: the computed one counts, the tool's stands beside it."""
    one = clock(elapsed=timedelta(hours=6), stopped=hours(30))
    queue = ticketing(slas=[{"id": "resolution", "goal": {"default": "24h"}, "clock_name": "Time to resolution"}])
    (cycle,) = cycles([*CLOSED, one], queue=queue)
    assert (decision(cycle).result, cycle.differs) == (BREACHED, True)


def gauges(facts: Sequence[Event], at: datetime, queue: Ticketing | None = None) -> dict[tuple[str, ...], float | None]:
    seen = scene(facts, at, queue)
    found = [s for m in configured(seen.definitions) if isinstance(m, Gauging) for s in m.compute(seen)]
    wanted = {"platform_ticket_sla_met_ratio", "platform_ticket_clock_disagreements", "platform_ticket_at_risk"}
    return {(s.metric.name[16:], *s.labels): resolve(s.value) for s in found if s.metric.name in wanted}


def test_disagreements_are_counted_and_the_tools_word_is_published() -> None:
    """By hand: of three tickets of 30 h the tool says in time, too late, and nothing; computed all are too late."""
    facts: list[Event] = []
    for n in (1, 2, 3):
        facts += [created(ticket=f"PLAT-{n}"), resolved(hours(30), ticket=f"PLAT-{n}")]
    facts += [
        clock(elapsed=timedelta(hours=6), stopped=hours(30)),
        clock(ticket="PLAT-2", breached=True, breached_at=hours(25), stopped=hours(30)),
    ]
    found = gauges(facts, hours(40))
    assert found["clock_disagreements", "help", "resolution", "P3"] == 1.0
    assert found["sla_met_ratio", "help", "resolution", "P3", "28d"] == pytest.approx(1 / 3)
    without = gauges([f for f in facts if isinstance(f, TicketEvent)], hours(40))
    assert [key for key in without if key[0] == "clock_disagreements"] == [], "nothing was compared"
    later = gauges(facts, hours(40 + 24 * 29))
    assert [key for key in later if key[0] == "clock_disagreements"] == [], "it was decided more than 28 days ago"


def test_what_the_tool_judged_is_written_once() -> None:
    """Met by the tool; the cycle's event says what it said."""
    seen = scene([*CLOSED, clock(elapsed=timedelta(hours=6), stopped=hours(30))], hours(40))
    (deriving,) = (m for m in configured(seen.definitions) if isinstance(m, Deriving))
    (event,) = (d.event for d in deriving.derive(seen))
    assert isinstance(event, SlaCycle)
    assert (event.key, event.result, event.elapsed, event.goal) == ("help/resolution/PLAT-1/1", MET, 21_600.0, 36_000.0)


def test_a_newer_telling_takes_the_place_of_the_older() -> None:
    """A clock that ran and has stopped: the book reads on, as a fresh one reads all; and comes back as it was stored."""
    queue, book = desk(), Book()
    first: list[Event] = [created(), comment(hours(1)), clock(elapsed=timedelta(hours=1), updated=hours(1))]
    ended = [*first, clock(elapsed=timedelta(hours=2), stopped=hours(2), updated=hours(2))]
    stored = []
    for facts, state in ((first, ClockState.RUNNING), (ended, ClockState.STOPPED)):
        seen = scene(facts, hours(3), queue)
        (made,) = book.queues(seen)
        (ticket,) = book.tickets(made, seen.history.sources()[0])
        assert [c.state for c in ticket.cycles] == [state]
        assert [ticket.cycles] == [tuple(cycles(facts, hours(3), queue))]
        stored.append(book.dump())
        assert book.dump() is None
    kept = stored[-1]
    assert kept is not None, "a clock alone is worth storing"
    seen = scene(ended, hours(3), queue)
    assert isinstance(seen.history, MemoryHistory)
    seen.history.folds["tickets"] = kept
    again = Book()
    (made,) = again.queues(seen)
    assert [t.cycles for t in again.tickets(made, seen.history.sources()[0])] == [tuple(cycles(ended, hours(3), queue))]
    assert again.dump() is None, "nothing was read but what was stored"


def test_packed_clocks_leave_with_what_the_store_prunes() -> None:
    """By their start, as events do."""
    packed = tool_clocks.add(b"", [clock(0), clock(5, n=2)])
    packed = tool_clocks.add(packed, [clock(5, n=2, paused=True)])
    assert [(one.at, one.paused) for one in tool_clocks.unpack(packed)] == [(hours(0), False), (hours(5), True)]
    assert [one.at for one in tool_clocks.unpack(tool_clocks.since(packed, hours(5)))] == [hours(5)]
    assert tool_clocks.since(packed, hours(6)) == b""
    assert tool_clocks.unpack(b"") == []


def test_a_ticket_whose_clock_was_pruned_is_judged_without_it() -> None:
    """As by a fresh book: the tool began to count before it dated the creation, and only that is still stored."""
    book, began = Book(), clock(-1, elapsed=timedelta(hours=6), stopped=hours(30))
    both: list[Event | None] = [began, *CLOSED]
    later = [None, *CLOSED, created(hours(31), ticket="PLAT-2")]
    made = []
    for seen in (scene(both, hours(40)), scene(later, hours(40), before=hours(-0.5))):
        (queue,) = book.queues(seen)
        ticket = book.tickets(queue, seen.history.sources()[0])[0]
        made += [told(cycle) for cycle in ticket.cycles]
    assert made == [(hours(30), MET, 6.0, 10.0), (hours(24), BREACHED, 24.0, 24.0)]


def test_a_ticket_that_left_has_no_running_clock() -> None:
    """The tool may tell a cycle of a ticket that is elsewhere now: it is not waited for here."""
    facts = [
        created(),
        clock(elapsed=timedelta(hours=1), updated=hours(1)),
        step(hours(2), TicketChange.MOVED, queue="OPS"),
    ]
    (cycle,) = cycles(facts, hours(50))
    assert (cycle.state, cycle.decision, cycle.whole) == (ClockState.STOPPED, None, False)


def test_office_hours_are_those_of_the_file() -> None:
    """Told at 16:00 in Berlin with one hour left: past its goal when the next day opens at 09:00."""
    queue = ticketing(OFFICE, slas=[{"id": "resolution", "goal": {"default": "24h"}, "clock": "source"}])
    told_ = clock(elapsed=timedelta(hours=7), goal=timedelta(hours=8), updated=hours(7))
    (cycle,) = cycles([created(), told_], hours(7.5), queue)
    assert (cycle.due, cycle.elapsed) == (hours(24), 7.5 * 3600)
