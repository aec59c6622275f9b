"""From the history of one ticket to its SLA cycles (domain section 9). Pure: events and a moment in, values out.

The clock runs while the ticket is in a running status and the calendar is open. A cycle is decided once: met when it
stops within its goal, breached at the moment it passes the goal, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from platform_meter.measures.support.calendars import Clock, clock, day_seconds
from platform_meter.model.definitions import Goal, Sla, Ticketing
from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import GONE, Role, SlaResult, TicketChange, TicketEvent

NONE = "none"
"""The label value of a ticket without priority or category."""
AT_RISK = 0.2
"""Share of the goal left at which a running cycle is at risk."""
_ZERO = timedelta(0)


class ClockState(StrEnum):
    RUNNING = "running"
    """Business time passes for it (while the calendar is open)."""
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a cycle was decided, with what held at that moment. Times are business seconds."""

    at: datetime
    result: SlaResult
    elapsed: float
    goal: float
    priority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One run of one SLA clock of one ticket."""

    sla: str
    n: int
    """1, and one more with each reopening where the SLA says `reopen: restart`."""
    started: datetime
    priority: str
    """The ticket's priority now, or when the cycle stopped."""
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
    """None while undecided, and again after a reopening took back that it was met."""

    @property
    def open(self) -> bool:
        return self.state is not ClockState.STOPPED

    @property
    def breached(self) -> bool:
        return self.decision is not None and self.decision.result is SlaResult.BREACHED

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
        if self.state is not ClockState.RUNNING or until <= self.known:
            return self
        elapsed = self.elapsed + clock.elapsed(self.known, until).total_seconds()
        if self.due is None or self.due >= until:
            return replace(self, elapsed=elapsed, known=until)
        breach = Decision(
            at=self.due, result=SlaResult.BREACHED, elapsed=self.goal, goal=self.goal, priority=self.priority
        )
        return replace(self, elapsed=elapsed, known=until, due=None, decision=breach)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket after its events so far, with its cycles."""

    id: str
    name: str
    """What people call it."""
    queue: str
    """The tool's queue that it was created in: a ticket counts there, wherever it moves."""
    about: Ref
    created: datetime
    priority: str
    open: bool
    valid: bool
    """False for what was closed as duplicate, spam and the like, or is gone."""
    closings: tuple[datetime, ...]
    reopenings: tuple[datetime, ...]
    cycles: tuple[Cycle, ...]
    unlisted: frozenset[str]
    """Statuses it went through that stand in no list of the definition; they count as running."""
    changed: datetime
    """When it last changed, by its events' own times and by when the source last touched them."""
    last: datetime
    """Time of the last event folded."""
    next: datetime | None
    """Time of the first event not folded yet, since it lies after the moment asked for."""

    def covers(self, until: datetime) -> bool:
        """Whether the events before `until` are just the folded ones."""
        return self.last < until and (self.next is None or until <= self.next)

    def at(self, until: datetime, clock: Clock) -> Ticket:
        """The same ticket at a later moment, when nothing happened but time."""
        if not self.open or not any(c.state is ClockState.RUNNING for c in self.cycles):
            return self
        return replace(self, cycles=tuple(c.at(until, clock) for c in self.cycles))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A Ticketing definition made ready for folding."""

    clock: Clock
    running: frozenset[str]
    paused: frozenset[str]
    done: frozenset[str]
    invalid: frozenset[str]
    slas: tuple[Sla, ...]
    goals: Mapping[str, Mapping[str, timedelta]]
    """By SLA, then priority or `default`."""

    @classmethod
    def of(cls, ticketing: Ticketing) -> Rules:
        """Rules of a definition.

        Raises:
            ValueError: a goal in business days on a calendar whose open days differ in length.
        """
        length = day_seconds(ticketing.calendar) if _uses_days(ticketing) else 0.0
        return cls(
            clock=clock(ticketing.calendar),
            running=frozenset(ticketing.status.running),
            paused=frozenset(ticketing.status.paused),
            done=frozenset(ticketing.status.done),
            invalid=frozenset({GONE, *ticketing.invalid}),
            slas=ticketing.slas,
            goals={s.id: {p: _goal(g, length) for p, g in s.goal.items()} for s in ticketing.slas},
        )

    def lists(self, status: str) -> bool:
        return status in self.running or status in self.paused or status in self.done

    def goal(self, sla: str, priority: str) -> timedelta:
        goals = self.goals[sla]
        return goals.get(priority, goals["default"])


def fold(events: Iterable[TicketEvent], rules: Rules, until: datetime) -> Ticket | None:
    """One ticket's events before `until`, in any order and repeated at will, as they stand at its last event.

    `Ticket.at` brings the cycles to a later moment. None when the ticket was not created before `until`, or when its
    creation is not among the events (older than retention): without a start there is nothing to measure.
    """
    newest: dict[str, TicketEvent] = {}
    for event in events:
        known = newest.get(event.key)
        if known is None or _version(event) > _version(known):
            newest[event.key] = event
    ordered = sorted(newest.values(), key=lambda e: (e.at, e.key))
    created = next((e for e in ordered if e.change is TicketChange.CREATED), None)
    if created is None or created.at >= until:
        return None
    folding = _Folding(created, rules)
    # What is dated before the creation (clocks differ) happened at it.
    later = [e for e in ordered if e is not created and e.at < until]
    for event in later:
        folding.take(event)
    coming = next((e.at for e in ordered if e.at >= until), None)
    return folding.result(max(_version(e) for e in (created, *later)), coming)


class _Timer:
    """One cycle while it is folded."""

    def __init__(self, sla: Sla, n: int, at: datetime, priority: str, goal: timedelta) -> None:
        self.sla, self.n, self.started = sla, n, at
        self.priority, self.goal = priority, goal
        self.elapsed = _ZERO
        self.stopped: datetime | None = None
        self.decision: Decision | None = None

    def run(self, start: datetime, end: datetime, clock: Clock) -> None:
        """Business time passes from `start` to `end`."""
        passed = clock.elapsed(start, end)
        if self.decision is None and self.elapsed + passed > self.goal:
            self._decide(clock.passes(start, self.goal - self.elapsed) or end, SlaResult.BREACHED, self.goal)
        self.elapsed += passed

    def reprice(self, at: datetime, priority: str, goal: timedelta) -> None:
        """Another priority: the goal changes, what has elapsed stays."""
        self.priority, self.goal = priority, goal
        if self.decision is None and self.elapsed > goal:
            self._decide(at, SlaResult.BREACHED, self.elapsed)

    def stop(self, at: datetime) -> None:
        self.stopped = at
        if self.decision is None:
            self._decide(at, SlaResult.MET, self.elapsed)

    def resume(self) -> None:
        """The ticket is open again and the clock goes on; that it was met no longer holds, that it was breached does."""
        self.stopped = None
        if self.decision is not None and self.decision.result is SlaResult.MET:
            self.decision = None

    def _decide(self, at: datetime, result: SlaResult, elapsed: timedelta) -> None:
        self.decision = Decision(
            at=at,
            result=result,
            elapsed=elapsed.total_seconds(),
            goal=self.goal.total_seconds(),
            priority=self.priority,
        )

    def cycle(self, now: datetime, clock: Clock, *, paused: bool) -> Cycle:
        going = ClockState.PAUSED if paused else ClockState.RUNNING
        state = going if self.stopped is None else ClockState.STOPPED
        waits = self.decision is None and state is ClockState.RUNNING
        return Cycle(
            sla=self.sla.id,
            n=self.n,
            started=self.started,
            priority=self.priority,
            goal=self.goal.total_seconds(),
            state=state,
            elapsed=self.elapsed.total_seconds(),
            known=self.stopped or now,
            due=clock.passes(now, self.goal - self.elapsed) if waits else None,
            decision=self.decision,
        )


class _Folding:
    """A ticket's state while its events are taken one by one, in order."""

    def __init__(self, created: TicketEvent, rules: Rules) -> None:
        self._created, self._rules = created, rules
        self._now = created.at
        self._status: str | None = None
        self._priority = created.priority or NONE
        self._resolution: str | None = None
        self._closed = False
        self._closings: list[datetime] = []
        self._reopenings: list[datetime] = []
        self._unlisted: set[str] = set()
        self._timers = [self._timer(sla, 1) for sla in rules.slas]
        self.take(created)

    def take(self, event: TicketEvent) -> None:
        """Let time pass up to the event, then apply it."""
        at = max(event.at, self._created.at)
        if not self._closed and self._status not in self._rules.paused:
            for timer in self._open():
                timer.run(self._now, at, self._rules.clock)
        self._now = at
        if event.priority is not None:
            self._priority = event.priority or NONE
            for timer in self._open():
                timer.reprice(at, self._priority, self._rules.goal(timer.sla.id, self._priority))
        if event.status is not None:
            self._status = event.status
            if not self._rules.lists(event.status):
                self._unlisted.add(event.status)
        if self._closes(event):
            self._close()
        elif self._reopens(event):
            self._reopen()
        if event.resolution is not None:
            self._resolution = event.resolution
        if event.change is TicketChange.COMMENT and event.public and event.role is Role.AGENT:
            self._stop("first_response")

    def result(self, changed: datetime, coming: datetime | None) -> Ticket:
        paused = self._status in self._rules.paused
        return Ticket(
            id=self._created.ticket,
            name=self._created.name or self._created.ticket,
            queue=self._created.queue,
            about=self._created.about,
            created=self._created.at,
            priority=self._priority,
            open=not self._closed,
            valid=not (self._closed and self._resolution in self._rules.invalid),
            closings=tuple(self._closings),
            reopenings=tuple(self._reopenings),
            cycles=tuple(t.cycle(self._now, self._rules.clock, paused=paused) for t in self._timers),
            unlisted=frozenset(self._unlisted),
            changed=changed,
            last=self._now,
            next=coming,
        )

    def _closes(self, event: TicketEvent) -> bool:
        return event.change is TicketChange.RESOLVED or event.status in self._rules.done

    def _reopens(self, event: TicketEvent) -> bool:
        """The tool says so, or a status that is not done: one in no list counts as running.

        A status of the same moment as the closing belongs to it: "Resolved" may be listed as paused.
        """
        if event.change is TicketChange.REOPENED:
            return True
        back = event.status is not None and event.status not in self._rules.done
        return back and bool(self._closings) and self._closings[-1] < self._now

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._closings.append(self._now)
        for sla in self._rules.slas:
            self._stop(sla.id)

    def _reopen(self) -> None:
        if not self._closed:
            return
        self._closed, self._resolution = False, None
        self._reopenings.append(self._now)
        for sla in self._rules.slas:
            if sla.id != "resolution" or sla.reopen == "first_only":
                continue
            if sla.reopen == "restart":
                self._timers.append(self._timer(sla, 1 + max(t.n for t in self._timers if t.sla is sla)))
                continue
            timer = next(t for t in self._timers if t.sla is sla)
            timer.resume()
            timer.reprice(self._now, self._priority, self._rules.goal(sla.id, self._priority))

    def _timer(self, sla: Sla, n: int) -> _Timer:
        return _Timer(sla, n, self._now, self._priority, self._rules.goal(sla.id, self._priority))

    def _open(self) -> list[_Timer]:
        return [t for t in self._timers if t.stopped is None]

    def _stop(self, sla: str) -> None:
        for timer in self._open():
            if timer.sla.id == sla:
                timer.stop(self._now)


def _version(event: TicketEvent) -> datetime:
    return event.updated or event.at


def _uses_days(ticketing: Ticketing) -> bool:
    return any(goal.days is not None for sla in ticketing.slas for goal in sla.goal.values())


def _goal(goal: Goal, day: float) -> timedelta:
    """In whole seconds, so that the moment it is passed is as exact as the times of events, which the store rounds."""
    return timedelta(seconds=round(goal.seconds if goal.seconds is not None else (goal.days or 0.0) * day))
