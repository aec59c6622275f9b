"""Tickets and their SLA cycles, and what time alone makes of them (domain section 9).

The clock runs while the ticket is in a running status and the calendar is open. A cycle is decided once: met when it
stops within its goal, breached at the moment it passes the goal, whichever comes first.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from platform_meter.measures.support.calendars import Clock
from platform_meter.measures.support.rules import Rules
from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import SlaResult

AT_RISK = 0.2
"""Share of the goal left at which a running cycle is at risk."""


class ClockState(StrEnum):
    RUNNING = "running"
    """Business time passes for it (while the calendar is open)."""
    PAUSED = "paused"
    STOPPED = "stopped"


class Decision(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """How a cycle was decided, with what held at that moment. Times are business seconds."""

    at: datetime
    result: SlaResult
    elapsed: float
    goal: float
    priority: str


class Cycle(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One run of one SLA clock of one ticket."""

    sla: str
    n: int
    """1, and one more with each reopening where the SLA says `reopen: restart`."""
    started: datetime
    priority: str
    """The ticket's priority now, or when the cycle stopped; its severity where the SLA goes by that."""
    goal: float
    """Business seconds that this priority allows."""
    state: ClockState
    elapsed: float
    """Business seconds until `known`."""
    known: datetime
    """The moment for which `elapsed` is said; of a stopped cycle, when it stopped."""
    due: datetime | None
    """When it will pass its goal if nothing changes; None when decided or not running."""
    decision: Decision | None
    """None while undecided, and again after a reopening took back that it was met; and where it was decided while
    another queue had the ticket, which counts it."""
    whole: bool = True
    """False when nobody recorded when it stopped or went on, after it was decided: how long it took is not known."""
    passed: bool = False
    """Its goal passed while another queue had the ticket: it is late here too, and counts there."""
    beside: Cycle | None = None
    """The same by the other clock, the tool's own or the computed one, where both tell."""

    @property
    def open(self) -> bool:
        return self.state is not ClockState.STOPPED

    @property
    def breached(self) -> bool:
        return self.passed or (self.decision is not None and self.decision.result is SlaResult.BREACHED)

    @property
    def moves(self) -> bool:
        """Whether time alone changes it."""
        return self.state is ClockState.RUNNING or (self.beside is not None and self.beside.moves)

    @property
    def differs(self) -> bool:
        """Whether the other clock says otherwise: in time, too late, or nothing yet."""
        return self.beside is not None and (self.breached, self.met) != (self.beside.breached, self.beside.met)

    @property
    def met(self) -> bool:
        return self.decision is not None and self.decision.result is SlaResult.MET

    @property
    def remaining(self) -> float:
        """Business seconds left of the goal; negative when it is passed."""
        return self.goal - self.elapsed

    @property
    def at_risk(self) -> bool:
        """Running, with a fifth of its goal left at most; one that passed it has nothing left, and stays at risk."""
        return self.state is ClockState.RUNNING and self.remaining <= AT_RISK * self.goal

    def at(self, until: datetime, clock: Clock) -> Cycle:
        """The same cycle at a later moment, when nothing happened but time."""
        if self.beside is not None:
            return replace(replace(self, beside=None).at(until, clock), beside=self.beside.at(until, clock))
        if self.state is not ClockState.RUNNING or until <= self.known:
            return self
        elapsed = self.elapsed + clock.elapsed(self.known, until).total_seconds()
        if self.due is None or self.due >= until:
            return replace(self, elapsed=elapsed, known=until)
        breach = Decision(
            at=self.due, result=SlaResult.BREACHED, elapsed=self.goal, goal=self.goal, priority=self.priority
        )
        return replace(self, elapsed=elapsed, known=until, due=None, decision=breach)


class Ticket(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One ticket after its events so far, with its cycles."""

    id: str
    name: str
    """What people call it."""
    born: bool
    """Created in this queue; False of one that came into it later."""
    about: Ref
    created: datetime
    priority: str
    open: bool
    """Not done, and in this queue now."""
    valid: bool
    """False for what was closed as duplicate, spam and the like, was merged into another one, or is gone."""
    closings: tuple[datetime, ...]
    reopenings: tuple[datetime, ...]
    cycles: tuple[Cycle, ...]
    unlisted: frozenset[str]
    """Statuses it went through that stand in no list of the definition; they count as running."""
    priorities: frozenset[str]
    severities: frozenset[str]
    """All that it had so far."""
    changed: datetime
    """When it last changed, by its events' own times and by when the source last touched them."""
    last: datetime
    """Time of the last event folded."""
    next: datetime | None
    """Time of the first event not folded yet, since it lies after the moment asked for."""
    requester: str = ""
    asking: str = ""
    """Who asks, as of `TicketEvent`."""

    def covers(self, until: datetime) -> bool:
        """Whether the events before `until` are just the folded ones."""
        return self.last < until and (self.next is None or until <= self.next)

    def at(self, until: datetime, rules: Rules) -> Ticket:
        """The same ticket at a later moment, when nothing happened but time."""
        if not self.open or not any(c.moves for c in self.cycles):
            return self
        return replace(self, cycles=tuple(c.at(until, rules.of_priority(c.sla, c.priority).clock) for c in self.cycles))
