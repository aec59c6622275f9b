"""One SLA clock of one ticket while its history is folded: what passes, what it is decided by, what becomes of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from platform_meter.measures.support.cycles import ClockState, Cycle, Decision
from platform_meter.measures.support.rules import Terms
from platform_meter.model.definitions import Sla
from platform_meter.model.facts.tickets import SlaResult

_ZERO = timedelta(0)


class Timer:
    """One cycle while it is folded."""

    __slots__ = (
        "_decided_here",
        "clock",
        "decision",
        "elapsed",
        "goal",
        "here",
        "n",
        "priority",
        "sla",
        "started",
        "stopped",
        "stopped_here",
        "whole",
    )

    def __init__(self, sla: Sla, n: int, at: datetime, priority: str, terms: Terms, *, here: bool) -> None:
        self.sla, self.n, self.started = sla, n, at
        self.priority, self.goal, self.clock = priority, terms.goal, terms.clock
        self.here = here
        """Whether the ticket is in the queue that is asked for; where it is elsewhere, that queue counts what is decided."""
        self.whole = True
        self.elapsed = _ZERO
        self.stopped: datetime | None = None
        self.stopped_here = False
        self.decision: Decision | None = None
        self._decided_here = False

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
        self.stopped, self.stopped_here = at, self.here
        if self.decision is None:
            self._decide(at, SlaResult.MET, self.elapsed)

    def resume(self) -> None:
        """The ticket is open again and the clock goes on; that it was met no longer holds, that it was breached does."""
        self.stopped = None
        if self.met:
            self.decision = None

    @property
    def met(self) -> bool:
        return self.decision is not None and self.decision.result is SlaResult.MET

    def _decide(self, at: datetime, result: SlaResult, elapsed: timedelta) -> None:
        self._decided_here = self.here
        self.decision = Decision(
            at=at,
            result=result,
            elapsed=elapsed.total_seconds(),
            goal=_seconds(self.goal),
            priority=self.priority,
        )

    def cycle(self, now: datetime, *, paused: bool) -> Cycle | None:
        """What the queue has of it: nothing of what others began and ended."""
        decision = self.decision if self._decided_here else None
        if (not self.here or self.stopped is not None) and decision is None and not self.stopped_here:
            return None
        going = ClockState.PAUSED if paused else ClockState.RUNNING
        state = going if self.here and self.stopped is None else ClockState.STOPPED
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
            decision=decision,
            # Where it went on elsewhere, or ended there, how long it took is not this queue's to say.
            whole=self.whole and (self.stopped_here if self.stopped is not None else self.here),
            passed=self.decision is not None and decision is None,
        )


@lru_cache(maxsize=1024)
def _seconds(goal: timedelta) -> float:
    return goal.total_seconds()
