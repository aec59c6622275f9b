"""SLA cycles as the tool itself counts them, beside those that are computed from a ticket's history (domain section 9).

The tool says what elapsed, what its goal is and whether that passed. What it does not tell is made up of the file's
calendar and goal: it tells a cycle when it is asked, and a goal passes between two polls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from sys import intern

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from platform_meter.measures.support.cycles import ClockState, Cycle, Decision, Ticket
from platform_meter.measures.support.names import NONE
from platform_meter.measures.support.rules import Rules, Terms, ToolName
from platform_meter.model.definitions import Sla
from platform_meter.model.facts.tickets import SlaResult, ToolClock


class Told(Struct, frozen=True, array_like=True, gc=False):
    """What is asked of a `ToolClock`, and held in memory."""

    key: str
    at: datetime
    known: datetime
    """The moment for which it is said."""
    queue: str
    clock: str
    stopped: datetime | None
    breached: bool
    breached_at: datetime | None
    elapsed: timedelta | None
    goal: timedelta | None
    paused: bool
    valid: bool


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Told])


def add(packed: bytes, events: Iterable[ToolClock]) -> bytes:
    """The clocks of one ticket with these in the place of those that have the same key."""
    held = {one.key: one for one in unpack(packed)}
    held |= {event.key: _told(event) for event in events}
    return _encoder.encode(list(held.values()))


def since(packed: bytes, moment: datetime) -> bytes:
    """Those that started then or later; empty where none did."""
    left = [one for one in unpack(packed) if one.at >= moment]
    return _encoder.encode(left) if left else b""


def unpack(packed: bytes) -> list[Told]:
    return _decoder.decode(packed) if packed else []


def _told(event: ToolClock) -> Told:
    return Told(
        event.key,
        event.at,
        max(event.at, event.updated or event.at),
        intern(event.queue),
        intern(event.clock),
        event.stopped,
        event.breached,
        event.breached_at,
        event.elapsed,
        event.goal,
        event.paused,
        event.valid,
    )


def judged(ticket: Ticket, told: Sequence[Told], rules: Rules, until: datetime) -> Ticket:
    """The ticket with the tool's cycles in the place of the computed ones, which stand beside them; or the other way round
    where the file only names a clock to compare with. Of an SLA of which the tool told nothing the computed ones stay.
    """
    coming = min((one.at for one in told if one.at >= until), default=None)
    if coming is not None:
        ticket = replace(ticket, next=coming if ticket.next is None else min(coming, ticket.next))
    cycles = list(ticket.cycles)
    for sla in rules.slas:
        name = rules.tool_names.get(sla.id)
        ours = [] if name is None else [c for c in told if name.fits(c.clock) and rules.holds(c.queue) and c.at < until]
        if name is None or not ours:
            continue
        mine = [cycle for cycle in cycles if cycle.sla == sla.id]
        cycles = [cycle for cycle in cycles if cycle.sla != sla.id]
        cycles += _both(mine, _cycles(sla, ours, rules, ticket, mine), name)
    return replace(ticket, cycles=tuple(cycles))


def _both(computed: Sequence[Cycle], told: Sequence[Cycle], name: ToolName) -> list[Cycle]:
    """The ones that count, each with the other clock's cycle of the same number where there is one."""
    ours, others = (told, computed) if name.judges else (computed, told)
    beside = {cycle.n: cycle for cycle in others}
    return [replace(cycle, beside=beside.get(cycle.n)) for cycle in ours]


def _cycles(sla: Sla, told: Sequence[Told], rules: Rules, ticket: Ticket, computed: Sequence[Cycle]) -> list[Cycle]:
    usual = ticket.priority if sla.by == "priority" else NONE
    priority = next((cycle.priority for cycle in reversed(computed)), usual)
    terms = rules.of_priority(sla.id, priority)
    valid = sorted((one for one in told if one.valid), key=lambda one: (one.at, one.key))
    return [_cycle(sla.id, n, one, priority, terms, here=ticket.open) for n, one in enumerate(valid, 1)]


def _cycle(sla: str, n: int, told: Told, priority: str, terms: Terms, *, here: bool) -> Cycle:
    goal = terms.goal if told.goal is None else told.goal
    known = told.stopped or told.known
    elapsed = _elapsed(told, known, goal, terms)
    state = ClockState.PAUSED if told.paused else ClockState.RUNNING
    if told.stopped is not None or not here:
        state = ClockState.STOPPED
    decision = _decision(told, elapsed, goal, priority, terms)
    return Cycle(
        sla=sla,
        n=n,
        started=told.at,
        priority=priority,
        goal=goal.total_seconds(),
        state=state,
        elapsed=elapsed.total_seconds(),
        known=known,
        due=_due(told, elapsed, goal, terms) if decision is None and state is ClockState.RUNNING else None,
        decision=decision,
        whole=told.stopped is not None or here,
    )


def _elapsed(told: Told, known: datetime, goal: timedelta, terms: Terms) -> timedelta:
    """As the tool says, or as what it leaves of the goal says, or by the file's calendar."""
    if told.elapsed is not None:
        return told.elapsed
    if told.stopped is None and told.breached_at is not None and told.breached_at > known:
        return max(goal - terms.clock.elapsed(known, told.breached_at), timedelta(0))
    return terms.clock.elapsed(told.at, known)


def _decision(told: Told, elapsed: timedelta, goal: timedelta, priority: str, terms: Terms) -> Decision | None:
    seconds = goal.total_seconds()
    if told.breached:
        # Where it does not say when, its goal passed no later than it was told or stopped.
        latest = told.stopped or told.known
        at = told.breached_at or min(terms.clock.passes(told.at, goal) or latest, latest)
        return Decision(at=at, result=SlaResult.BREACHED, elapsed=seconds, goal=seconds, priority=priority)
    if told.stopped is None:
        return None
    return Decision(
        at=told.stopped, result=SlaResult.MET, elapsed=elapsed.total_seconds(), goal=seconds, priority=priority
    )


def _due(told: Told, elapsed: timedelta, goal: timedelta, terms: Terms) -> datetime | None:
    """When a running one will pass its goal if nothing changes, by the tool's word where it tells."""
    if told.breached_at is not None:
        return told.breached_at
    return terms.clock.passes(told.known, goal - elapsed) if elapsed < goal else None
