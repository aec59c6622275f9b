"""One ticket's events as its cycles, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hypothesis import strategies as st
from tests.support.tickets import OFFICE, created, hours, step, ticketing

from platform_meter.measures.support.cycles import Cycle, Decision, Ticket
from platform_meter.measures.support.folding import fold
from platform_meter.measures.support.rules import Rules
from platform_meter.model.definitions import Ticketing
from platform_meter.model.facts.tickets import TicketChange, TicketEvent

LATER = hours(1000)


def see(events: Sequence[TicketEvent], until: datetime = LATER, definition: Ticketing | None = None) -> Ticket:
    rules = Rules.of(definition or ticketing())
    ticket = fold(events, rules, until)
    assert ticket is not None
    return ticket.at(until, rules)


def cycles(
    sla: str, events: Sequence[TicketEvent], until: datetime = LATER, definition: Ticketing | None = None
) -> list[Cycle]:
    return [c for c in see(events, until, definition).cycles if c.sla == sla]


def response(events: Sequence[TicketEvent], until: datetime = LATER, definition: Ticketing | None = None) -> Cycle:
    (cycle,) = cycles("first_response", events, until, definition)
    return cycle


def resolution(events: Sequence[TicketEvent], until: datetime = LATER, definition: Ticketing | None = None) -> Cycle:
    (cycle,) = cycles("resolution", events, until, definition)
    return cycle


def decision(cycle: Cycle) -> Decision:
    assert cycle.decision is not None
    return cycle.decision


steps = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.sampled_from(
            [
                (TicketChange.STATUS, {"status": "Open"}),
                (TicketChange.STATUS, {"status": "Waiting"}),
                (TicketChange.STATUS, {"status": "Closed"}),
                (TicketChange.STATUS, {"status": "Triage"}),
                (TicketChange.PRIORITY, {"priority": "P1"}),
                (TicketChange.PRIORITY, {"priority": "P3"}),
                (TicketChange.COMMENT, {}),
                (TicketChange.RESOLVED, {"resolution": "Fixed"}),
                (TicketChange.REOPENED, {}),
                (TicketChange.ASSIGNED, {}),
                (TicketChange.MOVED, {"queue": "OPS"}),
                (TicketChange.MOVED, {"queue": "PLAT"}),
            ]
        ),
    ),
    max_size=8,
).map(
    lambda found: [
        created(),
        *(step(hours(h), change, key=f"{i}", **more) for i, (h, (change, more)) in enumerate(found)),
    ]
)
definitions = st.sampled_from(
    [ticketing(c, reopen=r) for c in (None, OFFICE) for r in ("continue", "restart", "first_only")]
)
