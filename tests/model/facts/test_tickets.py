"""Steps of tickets and cycles of their clocks as facts: what they are tallied by, and what an SLO counts of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from platform_meter.model.facts import Ref, Tally
from platform_meter.model.facts.tickets import (
    MOST_LABELS,
    SLA_CYCLES,
    ClockDim,
    CycleDim,
    SlaCycle,
    SlaResult,
    TicketChange,
    TicketDim,
    TicketEvent,
    ToolClock,
    ticket_labels,
)
from platform_meter.model.objective import StoredSli

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
REF = Ref(system="jira", kind="project", id="PLAT")


def test_steps_are_tallied_by_what_changed() -> None:
    """Whatever else they say."""
    moved = TicketEvent(key="1/2", at=AT, about=REF, queue="OPS", ticket="1", change=TicketChange.MOVED, actor="8f2c")
    assert moved.tallies() == (Tally(dim=TicketDim(TicketChange.MOVED)),)


def test_a_step_says_nothing_that_its_tool_did_not() -> None:
    """Nobody asked, nobody had it, it was merged into nothing, and how bad it is was not told."""
    told = TicketEvent(key="1", at=AT, about=REF, queue="PLAT", ticket="1", change=TicketChange.CREATED)
    assert (told.requester, told.asking, told.actor, told.into) == ("", "", "", "")
    assert (told.severity, told.assigned) == (None, False)


def test_asking_is_use_by_a_person_and_of_a_queue() -> None:
    """Who only answers uses nothing: of all steps the creation counts."""
    assert TicketEvent.use_only == ("change", "created")
    assert {name: word.of for name, word in TicketEvent.use_words.items()} == {"actor": "role", "queue": "queue"}


def test_the_tools_clocks_are_tallied_by_what_it_calls_them() -> None:
    """One each, however long it ran; one that runs says nothing of its end."""
    told = ToolClock(key="1/10/1", at=AT, about=REF, queue="PLAT", ticket="1", clock="Time to resolution")
    assert told.tallies() == (Tally(dim=ClockDim("Time to resolution")),)
    assert (told.stopped, told.elapsed, told.goal, told.breached_at) == (None, None, None, None)
    assert (told.breached, told.paused, told.valid) == (False, False, True)


def test_decided_cycles_are_tallied_with_their_business_seconds() -> None:
    """By SLA, priority and result; an SLO counts those of its SLA, and a breach is told with its goal in hours."""
    cycle = SlaCycle(
        key="help/seen/1/1",
        at=AT,
        about=REF,
        queue="help",
        sla="seen",
        ticket="PLAT-1",
        priority="P1",
        result=SlaResult.BREACHED,
        elapsed=5400.0,
        goal=timedelta(hours=1).total_seconds(),
    )
    dim = CycleDim("seen", "P1", SlaResult.BREACHED)
    assert cycle.tallies() == (Tally(dim=dim, amount=5400.0),)
    sli = StoredSli(events=SLA_CYCLES, where={"queue": "help", "sla": "seen"})
    other = StoredSli(events=SLA_CYCLES, where={"queue": "desk", "sla": "resolution"})
    assert [SLA_CYCLES.good(one, dim) for one in (sli, other)] == [False, None]
    assert [SLA_CYCLES.belongs(one, cycle) for one in (sli, other)] == [True, False]
    assert SLA_CYCLES.told(cycle) == ("PLAT-1", "P1, goal 1.0 h passed")


def test_labels_of_a_ticket_are_bounded() -> None:
    """Each once, sorted, without empty ones, the first twenty of them."""
    assert ticket_labels(["b", "a", "", "b"]) == ("a", "b")
    assert len(ticket_labels(f"{n:03}" for n in range(99))) == MOST_LABELS
