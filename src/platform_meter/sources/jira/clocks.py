"""SLA clocks of Jira Service Management: the cycles of a request, as it counts them itself.

A request has some clocks, each with cycles that are over and at most one that runs. Of a running one it tells when its
goal will pass if nothing changes, and what changes that changes the issue too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import ToolClock
from platform_meter.model.source import Answer, Forbidden, Gap
from platform_meter.sources.jira.rows import Issue, moment, project_ref
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.rows import Row, Sieve, sound
from platform_meter.sources.kit.walk import Walk

_SIZE = 50


class _Moment(Struct, frozen=True, rename="camel"):
    epoch_millis: int | None = None

    @property
    def at(self) -> datetime | None:
        """None for what can't be reckoned with."""
        try:
            at = None if self.epoch_millis is None else _EPOCH + timedelta(milliseconds=self.epoch_millis)
            return at and sound(at, "epochMillis")
        except (OverflowError, ValueError):
            return None


class _Length(Struct, frozen=True):
    millis: int | None = None

    @property
    def length(self) -> timedelta | None:
        try:
            return None if self.millis is None else timedelta(milliseconds=self.millis)
        except OverflowError:
            return None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER, _UNSAID = _Moment(), _Length()


class Cycle(Struct, rename="camel"):
    start_time: _Moment = _NEVER
    stop_time: _Moment = _NEVER
    breach_time: _Moment = _NEVER
    """When the goal passed, or will pass."""
    breached: bool = False
    paused: bool = False
    goal_duration: _Length = _UNSAID
    elapsed_time: _Length = _UNSAID


class Sla(Row, rename="camel"):
    becomes: ClassVar[str] = "ToolClock"
    id: str = ""
    name: str = ""
    completed_cycles: list[Cycle] = msgspec.field(default_factory=list)
    ongoing_cycle: Cycle | None = None


class _Slas(Struct, rename="camel"):
    values: list[Sla] = []
    is_last_page: bool = False


def clock_events(issue: Issue, slas: list[Sla]) -> Iterator[ToolClock]:
    """The cycles of an issue's clocks, numbered as they began; one without a beginning is none."""
    about, changed = project_ref(issue.project), moment(issue.fields.updated)
    for sla in slas:
        over = [(cycle, cycle.stop_time.at) for cycle in sla.completed_cycles]
        running = [(sla.ongoing_cycle, None)] if sla.ongoing_cycle else []
        told = [(at, cycle, stopped) for cycle, stopped in (*over, *running) if (at := cycle.start_time.at)]
        for n, (at, cycle, stopped) in enumerate(sorted(told, key=lambda one: one[0]), 1):
            updated = max(known for known in (at, stopped, changed) if known is not None)
            yield _event(issue, sla, n, cycle, (at, stopped, updated), about)


def _event(
    issue: Issue, sla: Sla, n: int, cycle: Cycle, times: tuple[datetime, datetime | None, datetime], about: Ref
) -> ToolClock:
    at, stopped, updated = times
    return ToolClock(
        key=f"{issue.id}/sla/{sla.id}/{n}",
        at=at,
        about=about,
        updated=updated,
        queue=issue.project,
        ticket=issue.id,
        clock=sla.name,
        stopped=stopped,
        breached=cycle.breached,
        breached_at=cycle.breach_time.at,
        # Of one that runs it is said for the moment of the question; when its goal passes tells the same, at any moment.
        elapsed=None if stopped is None and not cycle.paused and cycle.breach_time.at else cycle.elapsed_time.length,
        goal=cycle.goal_duration.length,
        paused=cycle.paused,
    )


class Clocks:
    """One poll's way to the clocks; a project that refuses them is not asked twice."""

    def __init__(self, outside: Sieve, now: datetime) -> None:
        self._outside, self._now = outside, now
        self._refused: set[str] = set()

    def of(self, issue: Issue) -> list[ToolClock]:
        """What a request's clocks say now; nothing of an issue that is no request."""
        if issue.project in self._refused:
            return []
        try:
            slas = self._slas(issue.id)
        except Forbidden as error:
            self._refused.add(issue.project)
            text = f"{issue.project}: its SLA clocks can't be read: {error}; the account has to be an agent there"
            start = moment(issue.fields.created) or self._now
            self._outside.gap(Gap(start=min(start, self._now), end=self._now, reason="forbidden", text=text))
            return []
        for cycle in (c for sla in slas for c in (*sla.completed_cycles, sla.ongoing_cycle) if c is not None):
            if cycle.start_time.at is None:
                self._outside.reject(ToolClock)
        return list(clock_events(issue, slas))

    def _slas(self, id_: str) -> list[Sla]:
        """None of what is no request."""
        path = f"/rest/servicedeskapi/request/{id_}/sla"
        found: list[Sla] = []
        walk, odd = Walk(path), 0
        while True:
            params = {"start": len(found) + odd, "limit": _SIZE}
            answer = unless_gone(partial(walk.page, _digest, partial(self._outside.get, path, _Slas, params=params)))
            if answer is None:
                return found
            body = answer.body or _Slas(is_last_page=True)
            found, odd = found + body.values, odd + answer.odd
            if body.is_last_page or not (body.values or answer.odd):
                return found


def _digest(answer: Answer[_Slas]) -> tuple[str, ...]:
    return tuple(sla.id for sla in answer.body.values) if answer.body else ()
