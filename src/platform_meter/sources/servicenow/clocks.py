"""SLA clocks of ServiceNow (`task_sla`): each row is one run of one SLA of one ticket, as the instance counts it.

A running one has its breach time: when its goal will pass if nothing changes; what changes that changes the row too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from platform_meter.model.facts.tickets import ToolClock
from platform_meter.model.source import Gap, Outside, Page, Stream
from platform_meter.model.typed import decode
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.servicenow.lists import Rows, Table
from platform_meter.sources.servicenow.rows import Clock, about, length, moment, names_of, stamp

_SIZE = 200


class State(Cursor, omit_defaults=True):
    tables: tuple[str, ...] = ()
    """Whose clocks were asked for; other ones start anew."""


def stream(tables: Sequence[str], overlap: timedelta, outside: Outside) -> Stream:
    def pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        state = decode(checkpoint, State) if checkpoint else State(tables=tuple(tables))
        if state.tables != tuple(tables):
            state = State(tables=tuple(tables))
        if state.began is None:
            state.begin(now, state.next_start(since, overlap))
        start, began = state.start or since, state.began or now
        running = "^ORactive=true" if state.read is None else ""
        query = f"task.sys_class_nameIN{','.join(tables)}^sys_updated_on>={stamp(start)}{running}"
        table = Table(outside, "task_sla", Rows[Clock], names_of(Clock), _SIZE)
        for rows in state.changed(table.changed(query, state.at), lambda row: (row.id, row.updated), overlap):
            yield Page(facts=[clock(row) for row in rows], checkpoint=msgspec.json.encode(state))
        if table.hidden:
            text = (
                "rows of task_sla are hidden from the account by an access rule; let it read the clocks of all tickets"
            )
            outside.gap(Gap(start=start, end=began, reason="forbidden", text=text))
        yield Page(checkpoint=msgspec.json.encode(state))

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

    return Stream(name="task_sla", read=read, gives=frozenset({ToolClock}))


def clock(row: Clock) -> ToolClock:
    """One run as it stands."""
    began, stopped, due = moment(row.start_time), moment(row.end_time), moment(row.planned_end_time)
    if began is None:
        raise ValueError("a clock without a beginning is no row of ours")
    paused = row.stage.raw == "paused"
    table, group = row.table.raw, row.group.shown if row.group.raw else ""
    return ToolClock(
        key=f"{row.task.raw}/sla/{row.id}",
        at=began,
        about=about(table, group),
        updated=row.updated,
        queue=group or table,
        ticket=row.task.raw,
        clock=row.sla.shown,
        stopped=stopped,
        breached=row.has_breached.raw == "true",
        # The breach time of one that is paused is that of before the pause.
        breached_at=None if paused else due,
        # Of one that runs it was counted at some moment before; when its goal passes tells the same, at any moment.
        elapsed=None if stopped is None and not paused and due else length(row.business_duration),
        goal=length(row.goal) or None,
        paused=paused,
        valid=row.stage.raw != "cancelled",
    )
