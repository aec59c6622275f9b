"""A ticket that is moved between queues counts in each for the time that it is there."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.folded import LATER, decision, resolution, response, see
from tests.support.tickets import comment, created, hours, priority, reopened, resolved, status, step, ticketing

from platform_meter.measures.support.cycles import ClockState
from platform_meter.measures.support.folding import fold
from platform_meter.measures.support.rules import Rules
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import SlaResult, TicketChange, TicketEvent

MET, BREACHED = SlaResult.MET, SlaResult.BREACHED
PLAT = ticketing()
OPS = ticketing(id="ops", source={"type": "jira", "select": "OPS"})


def moved(at: float, queue: str = "OPS", **more: Any) -> TicketEvent:
    return step(hours(at), TicketChange.MOVED, queue=queue, **more)


def own_time(**more: Any) -> Ticketing:
    """OPS, whose clocks count its own time alone."""
    slas = [{"id": sla, "goal": {"default": goal}, "per_queue": True} for sla, goal in GOALS.items()]
    return ticketing(id="ops", source={"type": "jira", "select": "OPS"}, slas=slas, **more)


GOALS = {"first_response": "4h", "resolution": "24h"}


def test_each_queue_counts_what_was_decided_while_it_had_the_ticket() -> None:
    """Answered after 2 h in PLAT, moved after 3, resolved after 9 in OPS: the answer is PLAT's, the resolution OPS's."""
    events = [created(), comment(hours(2)), moved(3), resolved(hours(9))]
    left, came = see(events, definition=PLAT), see(events, definition=OPS)
    assert [(c.sla, decision(c).at, c.state) for c in left.cycles] == [("first_response", hours(2), ClockState.STOPPED)]
    assert [(c.sla, decision(c).at, decision(c).elapsed) for c in came.cycles] == [("resolution", hours(9), 9 * 3600)]
    assert (left.closings, came.closings) == ((), (hours(9),))
    assert (left.born, came.born) == (True, False)


def test_it_is_open_where_it_is_now() -> None:
    """After 5 h nobody waits for PLAT any more, and its late answer stays PLAT's."""
    events = [created(), moved(5)]
    left, came = see(events, hours(6)), see(events, hours(6), OPS)
    assert (left.open, came.open) == (False, True)
    (late,) = left.cycles
    assert (late.sla, decision(late).result, late.open, late.whole) == ("first_response", BREACHED, False, False)
    assert [(c.sla, c.decision, c.breached, c.open) for c in came.cycles] == [
        ("first_response", None, True, True),
        ("resolution", None, False, True),
    ]


@pytest.mark.parametrize(
    ("definition", "elapsed", "result", "at"),
    [(OPS, 24 * 3600, BREACHED, 24), (own_time(), 20 * 3600, MET, 30)],
    ids=["all time", "per_queue"],
)
def test_time_elsewhere_counts_unless_each_queue_has_its_own(
    definition: Ticketing, elapsed: float, result: SlaResult, at: float
) -> None:
    """10 h in PLAT and 20 in OPS: of a goal of 24 h, passed; of OPS's own time 20, in time."""
    made = decision(resolution([created(), comment(hours(1)), moved(10), resolved(hours(30))], definition=definition))
    assert (made.elapsed, made.result, made.at) == (elapsed, result, hours(at))


def test_own_time_is_that_of_all_visits() -> None:
    """2 h, away for 20, and 3 h again: 5 h; nothing passes while it is away."""
    events = [created(queue="OPS"), moved(2, "PLAT"), moved(22, "OPS", key="back"), resolved(hours(25))]
    made = decision(resolution(events, definition=own_time()))
    assert (made.elapsed, made.result) == (5 * 3600, MET)


def test_a_goal_that_passed_elsewhere_is_late_here_and_counted_there() -> None:
    """24 h passed in PLAT: OPS resolves it after 30, which is no cycle in time and none too late of its own."""
    events = [created(), comment(hours(1)), moved(25), resolved(hours(30))]
    assert decision(resolution(events)).at == hours(24)
    cycle = resolution(events, definition=OPS)
    assert (cycle.decision, cycle.breached, cycle.elapsed, cycle.whole) == (None, True, 30 * 3600, True)


def test_a_goal_lowered_elsewhere_is_passed_there() -> None:
    """P1 allows 8 h: made one after 9 h in OPS it is OPS that missed it, and PLAT has none."""
    events = [created(), comment(hours(1)), priority(hours(1.5), "P2"), moved(2), priority(hours(9), "P1")]
    assert [c.sla for c in see(events).cycles] == ["first_response"]
    assert see(events).priority == "P2", "what it was when it left"
    assert decision(resolution(events, definition=OPS)).at == hours(9)


def test_a_ticket_that_comes_back_goes_on() -> None:
    """The answer is given in OPS, which counts it; PLAT resolves it and counts that."""
    events = [created(), moved(2), comment(hours(3)), moved(4, "PLAT"), resolved(hours(5))]
    assert [(c.sla, decision(c).elapsed) for c in see(events).cycles] == [("resolution", 5 * 3600)]
    assert decision(response(events, definition=OPS)).elapsed == 3 * 3600


def test_a_reopening_elsewhere_takes_back_what_was_met() -> None:
    """Resolved in PLAT, reopened in OPS: PLAT's good resolution is none, and was reopened."""
    events = [created(), comment(hours(1)), resolved(hours(2)), moved(3), reopened(hours(4)), resolved(hours(6))]
    ticket = see(events)
    assert [c.sla for c in ticket.cycles] == ["first_response"]
    assert (ticket.closings, ticket.reopenings) == ((hours(2),), (hours(4),))
    assert decision(resolution(events, definition=OPS)).at == hours(6)


def test_a_status_of_elsewhere_is_not_missed_here() -> None:
    """Triage is in no list of either file, and only PLAT's tickets went through it."""
    events = [created(), status(hours(1), "Triage"), moved(2), status(hours(3), "Open")]
    assert [see(events, definition=queue).unlisted for queue in (PLAT, OPS)] == [{"Triage"}, set()]


def test_a_queue_has_nothing_of_what_did_not_come_yet() -> None:
    """Before the move there is no such ticket in OPS."""
    events = [created(), moved(5)]
    assert fold(events, Rules.of(OPS), hours(5)) is None
    assert fold(events, Rules.of(OPS), hours(6)) is not None


def test_a_move_within_one_queue_of_ours_is_none() -> None:
    """A file that selects both projects, or all, has the ticket all the time."""
    events = [created(), moved(2), comment(hours(3)), resolved(hours(9))]
    for select in ("project in (PLAT, OPS)", ""):
        ticket = see(events, LATER, ticketing(source={"type": "jira", "select": select}))
        assert [decision(c).at for c in ticket.cycles] == [hours(3), hours(9)]
