"""From the history of one ticket to its SLA cycles (domain section 9). Pure: events and a moment in, values out.

A moment that nobody recorded is not made up: the cycles that it would decide are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from platform_meter.measures.support.cycles import ClockState, Cycle, Decision, Ticket
from platform_meter.measures.support.names import Names
from platform_meter.measures.support.rules import Rules, Terms
from platform_meter.model.definitions import Sla
from platform_meter.model.facts.tickets import Role, SlaResult, TicketChange, TicketEvent, Today

NONE = "none"
"""The label value of a ticket without priority or category."""
_ZERO = timedelta(0)
NO_NAMES = Names()


def fold(events: Iterable[TicketEvent], rules: Rules, until: datetime, names: Names = NO_NAMES) -> Ticket | None:
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
    folding = _Folding(created, rules, names)
    # What is dated before the creation (clocks differ) happened at it.
    later = [e for e in ordered if e is not created and e.at < until]
    for event in later:
        folding.take(event)
    coming = next((e.at for e in ordered if e.at >= until), None)
    return folding.result(max(_version(e) for e in (created, *later)), coming)


class _Timer:
    """One cycle while it is folded."""

    def __init__(self, sla: Sla, n: int, at: datetime, priority: str, terms: Terms) -> None:
        self.sla, self.n, self.started = sla, n, at
        self.priority, self.goal, self.clock = priority, terms.goal, terms.clock
        self.whole = True
        self.elapsed = _ZERO
        self.stopped: datetime | None = None
        self.decision: Decision | None = None

    def run(self, start: datetime, end: datetime) -> None:
        """Business time passes from `start` to `end`."""
        passed = self.clock.elapsed(start, end)
        if self.decision is None and self.elapsed + passed > self.goal:
            self._decide(self.clock.passes(start, self.goal - self.elapsed) or end, SlaResult.BREACHED, self.goal)
        self.elapsed += passed

    def reprice(self, at: datetime, priority: str, terms: Terms) -> None:
        """Another priority: goal and calendar change, what has elapsed stays."""
        self.priority, self.goal, self.clock = priority, terms.goal, terms.clock
        if self.decision is None and self.elapsed > self.goal:
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
            goal=_seconds(self.goal),
            priority=self.priority,
        )

    def cycle(self, now: datetime, *, paused: bool) -> Cycle:
        going = ClockState.PAUSED if paused else ClockState.RUNNING
        state = going if self.stopped is None else ClockState.STOPPED
        waits = self.decision is None and state is ClockState.RUNNING
        return Cycle(
            sla=self.sla.id,
            n=self.n,
            started=self.started,
            priority=self.priority,
            goal=_seconds(self.goal),
            state=state,
            elapsed=self.elapsed.total_seconds(),
            known=self.stopped or now,
            due=self.clock.passes(now, self.goal - self.elapsed) if waits else None,
            decision=self.decision,
            whole=self.whole,
        )


class _Folding:
    """A ticket's state while its events are taken one by one, in order."""

    def __init__(self, created: TicketEvent, rules: Rules, names: Names) -> None:
        self._created, self._rules, self._names = created, rules, names
        self._now = created.at
        self._status: str | None = None
        self._priority = self._named("priority", created.priority, rules.priorities) or NONE
        self._priorities = {self._priority}
        self._resolution: str | None = None
        self._closed = False
        self._closings: list[datetime] = []
        self._reopenings: list[datetime] = []
        self._unlisted: set[str] = set()
        self._timers = [self._timer(sla, 1) for sla in rules.slas]
        self.take(created)
        self._born_closed = self._status in rules.done or bool(created.resolution)
        """Closed before its history begins: only the tool's own date of resolution may tell when."""

    def take(self, event: TicketEvent) -> None:
        """Let time pass up to the event, then apply it."""
        at = max(event.at, self._created.at)
        if not self._closed and self._status not in self._rules.paused:
            for timer in self._open():
                timer.run(self._now, at)
        self._now = at
        if event.priority is not None:
            self._priority = self._named("priority", event.priority, self._rules.priorities) or NONE
            self._priorities.add(self._priority)
            for timer in self._open():
                timer.reprice(at, self._priority, self._rules.of_priority(timer.sla.id, self._priority))
        if event.status is not None:
            self._stands(event.status)
        if event.change is not TicketChange.CREATED:
            self._open_or_closed(event)
        if event.resolution is not None:
            self._resolution = self._named("resolution", event.resolution, self._rules.invalid)
        if self._answers(event):
            self._stop("first_response")

    def _named(self, field: str, name: str | None, words: frozenset[str]) -> str:
        return self._names.of(field, name or "", words)

    def _stands(self, status: str) -> None:
        self._status = self._named("status", status, self._rules.statuses)
        if self._status not in self._rules.statuses:
            self._unlisted.add(self._status)

    def _answers(self, event: TicketEvent) -> bool:
        if event.change is not TicketChange.COMMENT:
            return False
        if self._created.answers is not None:
            return event.key in self._created.answers
        return event.public and event.role is Role.AGENT

    def _open_or_closed(self, event: TicketEvent) -> None:
        closes = event.change is TicketChange.RESOLVED or (
            event.status is not None and self._status in self._rules.done
        )
        if self._born_closed and (closes or event.status is not None or event.change is TicketChange.REOPENED):
            self._born_closed = False
            if event.change is not TicketChange.RESOLVED:
                self._lose_all()
                self._closed = True
                if not closes:
                    self._reopen()
                return
        if closes:
            self._close()
        elif self._reopens(event):
            self._reopen()

    def _lose(self) -> None:
        """From here on nobody recorded when it was opened or closed: cycles that are not decided can't be judged.

        Those that are decided stay; how long they took is not known.
        """
        for timer in self._open():
            timer.whole = False
        self._timers = [t for t in self._timers if t.stopped is not None or t.decision is not None]

    def _lose_all(self) -> None:
        """It was closed nobody knows when since its creation: only an answer in time is certain."""
        self._timers = [t for t in self._timers if t.decision and t.decision.result is SlaResult.MET]

    def _end_as(self, today: Today) -> None:
        """The tool says how the ticket stands, where its history ends elsewhere."""
        before, was_closed = self._rules.passes(self._status), self._closed
        self._stands(today.status)
        self._resolution = self._named("resolution", today.resolution, self._rules.invalid) or None
        closed = self._status in self._rules.done or bool(today.resolution)
        if closed == was_closed and (closed or self._rules.passes(self._status) == before):
            return
        if was_closed:
            # Open again: that it was met holds no longer, that it was breached does.
            self._closed = False
            for timer in [t for t in self._timers if t.sla.id == "resolution" and t.sla.reopen == "continue"]:
                timer.resume()
            self._lose()
            return
        self._lose()
        self._closed = closed
        for timer in self._open() if closed else ():
            timer.stopped = self._now

    def result(self, changed: datetime, coming: datetime | None) -> Ticket:
        if self._born_closed and coming is None:
            self._lose_all()
            self._closed = True
        # Where more is to come, that may well tell.
        if self._created.today is not None and coming is None:
            self._end_as(self._created.today)
        if not self._created.whole:
            self._timers = [t for t in self._timers if t.sla.id != "first_response"]
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
            cycles=tuple(t.cycle(self._now, paused=paused) for t in self._timers),
            unlisted=_shared(frozenset(self._unlisted)),
            priorities=_shared(frozenset(self._priorities)),
            changed=changed,
            last=self._now,
            next=coming,
        )

    def _reopens(self, event: TicketEvent) -> bool:
        """The tool says so, or a status that is not done: one in no list counts as running.

        A status of the same moment as the closing belongs to it: "Resolved" may be listed as paused.
        """
        if event.change is TicketChange.REOPENED:
            return True
        back = event.status is not None and self._status not in self._rules.done
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
                n = max((t.n for t in self._timers if t.sla is sla), default=1)
                self._timers.append(self._timer(sla, n + 1))
                continue
            for timer in [t for t in self._timers if t.sla is sla]:  # none where it was left out
                timer.resume()
                timer.reprice(self._now, self._priority, self._rules.of_priority(sla.id, self._priority))

    def _timer(self, sla: Sla, n: int) -> _Timer:
        return _Timer(sla, n, self._now, self._priority, self._rules.of_priority(sla.id, self._priority))

    def _open(self) -> list[_Timer]:
        return [t for t in self._timers if t.stopped is None]

    def _stop(self, sla: str) -> None:
        for timer in self._open():
            if timer.sla.id == sla:
                timer.stop(self._now)


@lru_cache(maxsize=1024)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """Most tickets have the same ones, and all folded tickets stay in memory."""
    return words


@lru_cache(maxsize=1024)
def _seconds(goal: timedelta) -> float:
    return goal.total_seconds()


def _version(event: TicketEvent) -> datetime:
    return event.updated or event.at
