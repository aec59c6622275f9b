"""SLA cycles as time passes: what nothing but time makes of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.support.folded import definitions, see, steps
from tests.support.tickets import hours

from platform_meter.measures.support.folding import fold
from platform_meter.measures.support.rules import Rules
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import SlaResult, TicketEvent


@given(steps, definitions, st.integers(1, 80), st.integers(0, 80))
def test_looking_later_is_the_same_as_waiting(
    events: list[TicketEvent], definition: Ticketing, until: int, wait: int
) -> None:
    """A ticket folded early and moved on in time is the ticket folded late, as long as nothing happened between."""
    rules = Rules.of(definition)
    early = fold(events, rules, hours(until))
    assert early is not None
    if early.covers(hours(until + wait)):
        late = fold(events, rules, hours(until + wait))
        assert late is not None
        assert late.at(hours(until + wait), rules) == early.at(hours(until + wait), rules)
        assert late.at(hours(until + wait), rules) == early.at(hours(until), rules).at(hours(until + wait), rules)


@given(steps, definitions, st.integers(1, 80), st.integers(0, 80))
def test_once_bad_always_bad(events: list[TicketEvent], definition: Ticketing, until: int, wait: int) -> None:
    """A breached cycle stays breached, by the same decision, whatever comes."""
    then = {(c.sla, c.n): c for c in see(events, hours(until + wait), definition).cycles}
    for cycle in see(events, hours(until), definition).cycles:
        if cycle.breached:
            assert then[cycle.sla, cycle.n].decision == cycle.decision


@given(steps, definitions, st.integers(1, 80))
def test_every_cycle_is_consistent(events: list[TicketEvent], definition: Ticketing, until: int) -> None:
    """Decided before the moment; met only when stopped within the goal, breached only with the goal used up."""
    for cycle in see(events, hours(until), definition).cycles:
        if cycle.decision is None:
            assert cycle.open
            assert cycle.remaining >= 0
            continue
        assert cycle.started <= cycle.decision.at < hours(until)
        if cycle.decision.result is SlaResult.MET:
            assert not cycle.open
            assert cycle.decision.elapsed <= cycle.decision.goal
        else:
            assert cycle.decision.elapsed >= cycle.decision.goal
