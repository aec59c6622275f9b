"""From the history of one ticket to its SLA cycles (domain section 9). Pure: events and a moment in, values out.

A moment that nobody recorded is not made up: the cycles that it would decide are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from platform_meter.measures.support.cycles import Ticket
from platform_meter.measures.support.names import NONE, Names
from platform_meter.measures.support.rules import Rules
from platform_meter.measures.support.timers import Timer
from platform_meter.model.definitions import Sla
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent, Today

NO_NAMES = Names()
_CREATED, _MOVED = TicketChange.CREATED, TicketChange.MOVED
_GIVEN = frozenset({_CREATED, TicketChange.COMMENT, TicketChange.ACKNOWLEDGED, TicketChange.ASSIGNED})
"""What may answer by itself, whatever status comes with it."""


def fold(events: Iterable[TicketEvent], rules: Rules, until: datetime, names: Names = NO_NAMES) -> Ticket | None:
    """One ticket's events before `until`, in any order and repeated at will, as they stand at its last event.

    `Ticket.at` brings the cycles to a later moment. None when the ticket was not created before `until`, or when its
    creation is not among the events (older than retention): without a start there is nothing to measure. Nor when it
    was not in the queue of these rules yet.
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
    return folding.result(max(_version(e) for e in (created, *later)), coming) if folding.came else None


class _Folding:
    """A ticket's state while its events are taken one by one, in order."""

    def __init__(self, created: TicketEvent, rules: Rules, names: Names) -> None:
        self._created, self._rules, self._names = created, rules, names
        self._now = created.at
        self._here = self.came = rules.holds(created.queue)
        self._status: str | None = None
        self._priority = self._named("priority", created.priority, rules.priorities) or NONE
        self._severity = self._named("severity", created.severity, rules.severities) or NONE
        self._left_as = self._priority
        self._priorities, self._severities = {self._priority}, {self._severity}
        self._resolution: str | None = None
        self._merged = False
        self._closed = False
        self._last_closed: datetime | None = None
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
                if self._here or not timer.sla.per_queue:
                    timer.run(self._now, at)
        self._now = at
        change = event.change
        if change is _MOVED:
            self._move(event.queue)
        if event.priority is not None:
            self._priority = self._named("priority", event.priority, self._rules.priorities) or NONE
            self._priorities.add(self._priority)
            self._reprice()
        if event.severity is not None:
            self._severity = self._named("severity", event.severity, self._rules.severities) or NONE
            self._severities.add(self._severity)
            self._reprice()
        if event.status is not None:
            self._stands(event.status)
        if change is not _CREATED:
            self._open_or_closed(event)
            if event.into:
                self._merged = True
        if event.resolution is not None:
            self._resolution = self._named("resolution", event.resolution, self._rules.invalid)
        if change in _GIVEN or (event.status is not None and self._rules.answered_in):
            self._answer(event)

    def _answer(self, event: TicketEvent) -> None:
        """Stop what this answers."""
        given = self._given(event)
        entered = None if event.status is None or event.role is Role.REPORTER else self._status
        for sla, answering in self._rules.answering.items():
            if given in answering.changes or entered in answering.statuses:
                self._stop(sla)

    def _move(self, queue: str) -> None:
        here = self._rules.holds(queue)
        if self._here and not here:
            self._left_as = self._priority
        self._here, self.came = here, self.came or here
        for timer in self._timers:
            timer.here = here

    def _reprice(self) -> None:
        for timer in self._open():
            word = self._word(timer.sla)
            if word != timer.priority:
                timer.reprice(self._now, word, self._rules.of_priority(timer.sla.id, word))

    def _word(self, sla: Sla) -> str:
        """What the SLA's goals go by."""
        return self._severity if sla.by == "severity" else self._priority

    def _named(self, field: str, name: str | None, words: frozenset[str]) -> str:
        return self._names.of(field, name or "", words)

    def _stands(self, status: str) -> None:
        self._status = self._named("status", status, self._rules.status_words)
        if self._here and self._status not in self._rules.statuses:
            self._unlisted.add(self._status)

    def _given(self, event: TicketEvent) -> TicketChange | None:
        """What the event gives to who asked: of the words that may stop a clock, none where a reporter or bot said it."""
        match event.change:
            case TicketChange.COMMENT if self._created.answers is not None:
                given = event.key in self._created.answers
            case TicketChange.COMMENT | TicketChange.ACKNOWLEDGED:
                given = event.public and event.role is Role.AGENT
            case TicketChange.ASSIGNED:
                # To another component, or group, is to nobody yet. A bot may well assign it.
                given = event.category is None and event.role is not Role.REPORTER
            case TicketChange.CREATED if event.assigned:
                return TicketChange.ASSIGNED
            case _:
                return None
        return event.change if given else None

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
        self._timers = [t for t in self._timers if t.met]

    def _end_as(self, today: Today) -> None:
        """The tool says how the ticket stands, where its history ends elsewhere, or is not told."""
        if today.untold:
            self._timers = []
        before, was_closed = self._rules.passes(self._status), self._closed
        self._stands(today.status)
        self._resolution = self._named("resolution", today.resolution, self._rules.invalid) or None
        closed = self._status in self._rules.done or bool(today.resolution)
        if closed == was_closed and (closed or self._rules.passes(self._status) == before):
            return
        if was_closed:
            # Open again: that it was met holds no longer, that it was breached does.
            self._closed = False
            for timer in [t for t in self._timers if t.sla.measured == "resolution" and t.sla.reopen == "continue"]:
                timer.resume()
            self._lose()
            return
        self._lose()
        self._closed = closed
        for timer in self._open() if closed else ():
            timer.stopped, timer.stopped_here = self._now, self._here

    def result(self, changed: datetime, coming: datetime | None) -> Ticket:
        if self._born_closed and coming is None:
            self._lose_all()
            self._closed = True
        # Where more is to come, that may well tell.
        if self._created.today is not None and coming is None:
            self._end_as(self._created.today)
        if not self._created.whole:
            self._timers = [t for t in self._timers if not self._by_comment(t.sla.id)]
        paused = self._status in self._rules.paused
        merged = self._merged or bool(self._created.into)
        cycles = (timer.cycle(self._now, paused=paused) for timer in self._timers)
        return Ticket(
            id=self._created.ticket,
            name=self._created.name or self._created.ticket,
            born=self._rules.holds(self._created.queue),
            about=self._created.about,
            created=self._created.at,
            priority=self._priority if self._here else self._left_as,
            open=self._here and not self._closed,
            valid=not (merged or (self._closed and self._resolution in self._rules.invalid)),
            closings=tuple(self._closings),
            reopenings=tuple(self._reopenings),
            cycles=tuple(cycle for cycle in cycles if cycle is not None),
            unlisted=_shared(frozenset(self._unlisted)),
            priorities=_shared(frozenset(self._priorities)),
            severities=_shared(frozenset(self._severities)),
            changed=changed,
            last=self._now,
            next=coming,
            requester=self._created.requester,
            asking=self._created.asking,
        )

    def _by_comment(self, sla: str) -> bool:
        answering = self._rules.answering.get(sla)
        return answering is not None and TicketChange.COMMENT in answering.changes

    def _reopens(self, event: TicketEvent) -> bool:
        """The tool says so, or a status that is not done: one in no list counts as running.

        A status of the same moment as the closing belongs to it: "Resolved" may be listed as paused.
        """
        if event.change is TicketChange.REOPENED:
            return True
        back = event.status is not None and self._status not in self._rules.done
        return back and self._last_closed is not None and self._last_closed < self._now

    def _close(self) -> None:
        if self._closed:
            return
        self._closed, self._last_closed = True, self._now
        if self._here:
            self._closings.append(self._now)
        for sla in self._rules.slas:
            self._stop(sla.id)

    def _reopen(self) -> None:
        if not self._closed:
            return
        self._closed, self._resolution, self._merged = False, None, False
        self._reopenings.append(self._now)
        for sla in self._rules.slas:
            if sla.measured != "resolution" or sla.reopen == "first_only":
                continue
            if sla.reopen == "restart":
                n = max((t.n for t in self._timers if t.sla is sla), default=1)
                self._timers.append(self._timer(sla, n + 1))
                continue
            for timer in [t for t in self._timers if t.sla is sla]:  # none where it was left out
                timer.resume()
        self._reprice()

    def _timer(self, sla: Sla, n: int) -> Timer:
        word = self._word(sla)
        return Timer(sla, n, self._now, word, self._rules.of_priority(sla.id, word), here=self._here)

    def _open(self) -> list[Timer]:
        return [t for t in self._timers if t.stopped is None]

    def _stop(self, sla: str) -> None:
        for timer in self._open():
            if timer.sla.id == sla:
                timer.stop(self._now)


@lru_cache(maxsize=1024)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """Most tickets have the same ones, and all folded tickets stay in memory."""
    return words


def _version(event: TicketEvent) -> datetime:
    return event.updated or event.at
