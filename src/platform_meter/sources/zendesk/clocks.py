"""Clocks of SLA policies: a ticket's cycles, as its metric events tell them.

Each metric of a ticket has instances: of `reply_time` the first is the first reply, and each later one a next reply. The
feed of all metric events says whose clocks have moved, also where a goal passes and nothing else happens; the ticket
itself tells all events of its metrics, so that no cycle has lost its beginning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import ClassVar

import msgspec
from msgspec import Struct

from platform_meter.model.facts import Ref
from platform_meter.model.facts.tickets import ToolClock
from platform_meter.model.source import Forbidden, Gap, Page
from platform_meter.model.typed import decode
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.rows import Row, Sieve
from platform_meter.sources.zendesk.facts import Conventions, place
from platform_meter.sources.zendesk.rows import Ticket, utc

FEED = "/api/v2/incremental/ticket_metric_events"
AT_ONCE = 50
"""Tickets whose clocks are read between two checkpoints."""
_TELLING = frozenset({"apply_sla", "breach", "fulfill", "pause", "activate"})


class Sla(Struct):
    """The target of a policy."""

    target: int | None = None
    """Minutes."""
    target_in_seconds: int | None = None
    business_hours: bool = False


class Lasted(Struct):
    """Minutes."""

    calendar: int | None = None
    business: int | None = None


class MetricEvent(Row):
    becomes: ClassVar[str] = "ToolClock"
    id: int
    time: datetime
    ticket_id: int = 0
    metric: str = ""
    instance_id: int = 0
    type: str = ""
    sla: Sla | None = None
    status: Lasted | None = None
    deleted: bool = False
    """Of a breach: it was taken back."""


class Feed(Struct):
    ticket_metric_events: list[MetricEvent] = []
    end_time: int | None = None
    end_of_stream: bool | None = None


class Measured(Ticket):
    """A ticket with the events of its metrics, by metric."""

    becomes: ClassVar[str] = "ToolClock"
    metric_events: dict[str, list[MetricEvent]] | None = None


class One(Struct):
    ticket: Measured


class State(Struct, omit_defaults=True):
    start: int | None = None
    """Second that the feed is read from next."""
    seen: list[int] = []
    """Events of that second that were read already."""
    left: list[int] = []
    """Tickets whose clocks are still to be read."""


@dataclass(slots=True, kw_only=True)
class _Cycle:
    """One instance of a metric, as its events up to now tell it."""

    started: datetime | None = None
    stopped: datetime | None = None
    paused: bool = False
    applied: bool = False
    sla: Sla | None = None
    breach: datetime | None = None
    lasted: Lasted | None = None

    def add(self, event: MetricEvent) -> None:
        at = utc(event.time)
        match event.type:
            case "activate":
                self.started, self.stopped, self.paused, self.lasted = self.started or at, None, False, None
            case "pause":
                self.paused = True
            case "fulfill":
                self.stopped, self.paused = at, False
            case "apply_sla":
                self.applied, self.sla = True, event.sla
            case "breach":
                self.breach = None if event.deleted else at
            case "update_status":
                self.lasted = event.status
            case _:
                pass

    @property
    def goal(self) -> timedelta | None:
        if self.sla is None:
            return None
        seconds, minutes = self.sla.target_in_seconds, self.sla.target
        if seconds is not None:
            return timedelta(seconds=seconds)
        return None if minutes is None else timedelta(minutes=minutes)

    @property
    def elapsed(self) -> timedelta | None:
        """What the tool counted when it stopped or paused; of one that runs again it tells nothing."""
        if self.lasted is None or self.sla is None:
            return None
        minutes = self.lasted.business if self.sla.business_hours else self.lasted.calendar
        return None if minutes is None else timedelta(minutes=minutes)


def clock_name(metric: str, instance: int) -> str:
    """As SLA policies call it, which tell a first reply from a next one."""
    if metric != "reply_time":
        return metric
    return "first_reply_time" if instance == 1 else "next_reply_time"


def clock_events(
    ticket: Ticket, events: Sequence[MetricEvent], now: datetime, queue: str, about: Ref
) -> list[ToolClock]:
    """The cycles that a policy ever had a target for; one without a beginning is none."""
    cycles = defaultdict[tuple[str, int], _Cycle](_Cycle)
    last = dict[tuple[str, int], datetime]()
    for event in sorted(events, key=lambda event: (event.time, event.id)):
        which = event.metric, event.instance_id
        cycles[which].add(event)
        last[which] = utc(event.time)
    told = []
    for (metric, instance), cycle in cycles.items():
        if not cycle.applied or cycle.started is None:
            continue
        told.append(
            ToolClock(
                key=f"{ticket.id}/sla/{metric}/{instance}",
                at=cycle.started,
                about=about,
                updated=last[metric, instance],
                queue=queue,
                ticket=str(ticket.id),
                clock=clock_name(metric, instance),
                stopped=cycle.stopped,
                breached=cycle.breach is not None and cycle.breach <= now,
                breached_at=cycle.breach,
                elapsed=cycle.elapsed,
                goal=cycle.goal,
                paused=cycle.paused,
                # A policy that no longer fits the ticket takes its target back.
                valid=cycle.goal is not None,
            )
        )
    return told


def clock_pages(
    outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime, conventions: Conventions
) -> Iterator[Page]:
    """The clocks of each ticket of which the feed tells something new."""
    state = decode(checkpoint, State) if checkpoint else State()
    start = int(since.timestamp()) if state.start is None else state.start
    yield from _work_off(outside, state, now, conventions)
    read = set[int]()
    for rows, until in _feed(outside, start):
        seen = {*state.seen}
        known = seen if until == state.start else set[int]()
        fresh = [row for row in rows if row.id not in seen]
        moved = {row.ticket_id for row in fresh if row.type in _TELLING and row.ticket_id}
        # Clocks that this poll has read already hold all that had happened when it began.
        state.left = sorted(moved - (read - {row.ticket_id for row in fresh if row.time > now}))
        read |= moved
        state.seen = sorted(known | {row.id for row in rows if int(row.time.timestamp()) >= until})
        state.start = until
        yield from _work_off(outside, state, now, conventions)
    yield Page(checkpoint=msgspec.json.encode(state))


def _feed(outside: Sieve, start: int) -> Iterator[tuple[list[MetricEvent], int]]:
    """Pages of the feed, and the second that the next one begins with: each begins later, or is the last one."""
    while True:
        page = outside.get(FEED, Feed, params={"start_time": start}).body or Feed()
        until = max(start, page.end_time or start)
        if until == start and page.end_of_stream is False and page.ticket_metric_events:
            at = datetime.fromtimestamp(start, UTC)
            text = "SLA clocks: more metric events happened in one second than the feed gives at once"
            outside.gap(Gap(start=at, end=at + timedelta(seconds=1), reason="result_cap", text=text))
            until += 1
        yield page.ticket_metric_events, until
        if page.end_of_stream or until == start or not page.ticket_metric_events:
            return
        start = until


def _work_off(outside: Sieve, state: State, now: datetime, conventions: Conventions) -> Iterator[Page]:
    while state.left:
        some, state.left = state.left[:AT_ONCE], state.left[AT_ONCE:]
        facts = [clock for id_ in some for clock in _clocks(outside, id_, now, conventions)]
        yield Page(facts=facts, checkpoint=msgspec.json.encode(state))


def _clocks(outside: Sieve, id_: int, now: datetime, conventions: Conventions) -> list[ToolClock]:
    """Of one ticket; none where it is gone."""
    path = f"/api/v2/tickets/{id_}"
    try:
        answer = unless_gone(partial(outside.get, path, One, params={"include": "metric_events"}))
    except Forbidden as error:
        text = f"ticket {id_}: its SLA clocks can't be read: {error}"
        outside.gap(Gap(start=now - timedelta(minutes=1), end=now, reason="forbidden", text=text))
        return []
    if answer is None or answer.body is None or answer.body.ticket.deleted:
        return []
    ticket = answer.body.ticket
    if ticket.metric_events is None:
        outside.reject(ToolClock)
        return []
    by: Mapping[str, list[MetricEvent]] = ticket.metric_events
    queue, about = place(ticket, conventions)
    return clock_events(ticket, [event for events in by.values() for event in events], now, queue, about)
